"""Every text that a visitor may read is plain, in each language, judged as a whole and page by page.

No sentence has more than 20 words; the mean is at most 12; LIX is at most 30 (words a sentence, and the share of words
of more than six letters in a hundred; C. H. Björnsson, "Läsbarhet", 1968). LIX needs no syllables, so it serves French
as well as English. It says nothing about a button of one long word: what is shorter than four words counts in no mean,
and a page of fewer than 40 words is judged as part of the whole only.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO

import pytest

from ops.messages import KEYWORDS, extract_template
from tests.support.shipped import FRONTEND, VISITOR_TEMPLATES, french, texts_of

MOST_MEAN_WORDS, MOST_WORDS, MOST_LIX = 12, 20, 30
FEWEST_WORDS = 4
FEWEST_OF_A_PAGE = 40
FILLED = {
    "%(emergency)s": "911",
    "%(phone)s": "911",
    "%(days)s": "4",
    "{n}": "7",
    "{name}": "Sam",
    "{from}": "5",
    "{to}": "9",
    "{time}": "14:30",
}
SOURCES = [
    *(
        FRONTEND / name
        for name in ("views/visitor.py", "views/survey.py", "closing_line.py", "return_words.py", "truth.py")
    ),
    *(FRONTEND / name for name in ("pause_words.py", "limit_lines.py")),
    *sorted(FRONTEND.glob("views/plain*.py")),
    *VISITOR_TEMPLATES,
]
Sentences = list[list[str]]


def parts() -> Iterator[tuple[str, list[str]]]:
    """Yield every file that visitors' texts come from; of the page itself each state on its own."""
    for path in SOURCES:
        if path.name != "home.html":
            yield str(path.relative_to(FRONTEND)), list(texts_of(path))
            continue
        for piece in path.read_text(encoding="utf-8").split("<section ")[1:]:
            found = extract_template(BytesIO(piece.encode()), KEYWORDS, (), {"encoding": "utf-8"})
            named = re.match(r'id="(\w+)"', piece)
            assert named is not None
            yield f"home.html: {named[1]}", [text if isinstance(text, str) else text[0] for _, _, text, _ in found]


def in_language(texts: Iterable[str], language: str) -> Iterator[str]:
    """Yield texts as they are read, with their places filled in."""
    for text in dict.fromkeys(texts):
        for said in [text] if language == "en" else french(text):
            filled = said
            for mark, value in FILLED.items():
                filled = filled.replace(mark, value)
            yield filled


def sentences(text: str) -> Sentences:
    """Return the words of each sentence."""
    pieces = re.split(r"[.!?:…]+(?:\s|$)", text)
    return [words for piece in pieces if (words := re.findall(r"[\w’'-]*\w", piece))]


def lix(found: Sentences) -> float:
    """Return the reading index of sentences."""
    words = [word for sentence in found for word in sentence]
    long = [word for word in words if len(re.sub(r"[^\w]|\d", "", re.split(r"[’']", word)[-1])) > 6]
    return len(words) / len(found) + 100 * len(long) / len(words)


def pages(language: str) -> Mapping[str, Sentences]:
    """Return the sentences of each page or state."""
    return {
        name: [
            words for text in in_language(texts, language) for words in sentences(text) if len(words) >= FEWEST_WORDS
        ]
        for name, texts in parts()
    }


def hard(found: Sentences) -> list[str]:
    """Name what is too hard in some sentences."""
    words = sum(map(len, found))
    problems = [" ".join(sentence) for sentence in found if len(sentence) > MOST_WORDS]
    if words / len(found) > MOST_MEAN_WORDS:
        problems.append(f"mean {words / len(found):.1f}")
    if lix(found) > MOST_LIX:
        problems.append(f"LIX {lix(found):.1f}")
    return problems


@pytest.mark.parametrize("language", ["en", "fr"])
def test_what_visitors_read_is_plain_as_a_whole(language: str) -> None:
    assert hard([sentence for found in pages(language).values() for sentence in found]) == []


@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_page_is_plain(language: str) -> None:
    long_enough = {name: found for name, found in pages(language).items() if sum(map(len, found)) >= FEWEST_OF_A_PAGE}
    assert {"views/visitor.py", "home.html: landing", "home.html: chat"} <= long_enough.keys()
    assert {name: problems for name, found in long_enough.items() if (problems := hard(found))} == {}


def test_the_reading_index_knows_hard_words() -> None:
    text = "Notwithstanding aforementioned provisions, confidentiality considerations necessitate disclosure."
    assert lix(sentences(text)) > 60
    assert hard(sentences(text)) != []
    assert hard(sentences("word " * 21)) != []
