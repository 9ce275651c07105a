"""Check the catalogues: every text has a French one that somebody vouches for, and a thing has one name."""

import ast
import re
from collections.abc import Iterator
from functools import cache

from babel.messages.catalog import Catalog

from ops.messages import KEYWORDS, texts, translated, updated
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


@cache
def found() -> Catalog:
    """Return every text of the code, looked for once."""
    return texts()


def test_every_text_has_a_french_one() -> None:
    wanted = [message for message in found() if message.id]
    assert len(wanted) > 1_000
    firsts = [(message.id if isinstance(message.id, str) else message.id[0], message.locations) for message in wanted]
    missing = [(where, text) for text, where in firsts if not french(text) or not all(french(text))]
    assert missing == []


def test_translations_keep_what_is_filled_in() -> None:
    assert [text for text in catalogue() for form in french(text) if marks(form) != marks(text)] == []


def test_the_catalogues_are_what_make_messages_writes() -> None:
    before = {path: path.read_text(encoding="utf-8") for path in translated()}
    assert CATALOGUE in before
    stale = [str(path.relative_to(ROOT)) for path, text in before.items() if updated(text, found()) != text]
    assert stale == [], "run `make messages`"


def test_a_catalogue_takes_new_texts_in_and_loses_none() -> None:
    now = Catalog()
    now.add("stays", locations=[("b.py", 0)])
    now.add("comes", locations=[("a.py", 0)])
    head = '# French.\nmsgid ""\nmsgstr ""\n"Language: fr\\n"\n'
    stays, goes = '#: b.py\nmsgid "stays"\nmsgstr "reste"\n', 'msgid "goes"\nmsgstr "part"\n'
    after = updated("\n".join((head, stays, f"#: c.py\n{goes}")), now)
    gone = "".join(f"#~ {line}\n" for line in goes.splitlines())
    assert after == "\n".join((head, '#: a.py\nmsgid "comes"\nmsgstr ""\n', stays, gone))
    assert updated(after, now) == after


def test_no_text_stands_inside_another() -> None:
    """Below Python 3.12 what is filled into an f-string is not found there, and its translation would be taken out."""
    assert list(inside_f_strings("f\"{name} {_('a text')}\"")) == [1]
    strays = [
        (str(path.relative_to(ROOT)), line)
        for path in sources()
        if path.suffix == ".py"
        for line in inside_f_strings(path.read_text(encoding="utf-8"))
    ]
    assert strays == []


def inside_f_strings(source: str) -> Iterator[int]:
    """Yield the lines on which a text to be translated stands inside an f-string."""
    # most sources need no closer look
    if not re.search(r"\{[^{}\n]*\b(?:_|n?p?gettext\w*)\(", source):
        return
    for string in ast.walk(ast.parse(source)):
        for node in ast.walk(string) if isinstance(string, ast.JoinedStr) else ():
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"_", *KEYWORDS}:
                yield node.lineno


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
