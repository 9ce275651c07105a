"""Check the catalogues: every text has a French one that somebody vouches for, and a thing has one name."""

import re

from tests.support.shipped import (
    CATALOGUE,
    ROOT,
    VISITOR_TEMPLATES,
    VISITOR_WORDS,
    catalogue,
    french,
    marks,
    sources,
    texts_of,
)


def test_every_text_has_a_french_one() -> None:
    missing = [
        (str(path.relative_to(ROOT)), text)
        for path in sources()
        for text in texts_of(path)
        if not french(text) or not all(french(text))
    ]
    assert missing == []


def test_translations_keep_what_is_filled_in() -> None:
    assert [text for text in catalogue() for form in french(text) if marks(form) != marks(text)] == []


def test_no_text_stands_twice_in_the_catalogue() -> None:
    """Babel takes the last one without a word, and with it somebody else's."""
    heads = re.findall(r'^((?:msgctxt .*\n)?msgid (?:".*"\n)+)', CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)
    twice = {head for head in heads if heads.count(head) > 1}
    assert twice == set()


def test_a_thing_has_one_name() -> None:
    """A visitor's talk with us is a chat; the state between ready and away has one French name."""
    texts = {text for path in [*VISITOR_TEMPLATES, *VISITOR_WORDS] for text in texts_of(path)}
    assert [text for text in texts if "conversation" in text.lower()] == []
    (busy,) = french("Busy")
    for text in catalogue():
        if "“Busy”" in text:
            assert f"« {busy} »".replace(" ", "\xa0") in french(text)[0].replace(" ", "\xa0")
