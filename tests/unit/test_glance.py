"""The first look at a message tells word by word what a closer look would, save where words stand."""

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisis.core.screening.glance import FEW, Glance, Meanings
from crisis.core.screening.lexicon import HERE, Lexicon, Node
from crisis.core.screening.patterns import Pattern
from crisis.core.screening.signals import Points
from crisis.core.screening.words import ANY, END, SIZES_OF_SENTENCES, SIZES_OF_WORDS, Words
from crisis.rules import everyday, shipped

LEXICON = Lexicon({"NOT": "not", "PAS": "pas", "HELLO": "good morning, good morning to you, hi"}, {})


def counted(words: Words, read: Sequence[list[str]]) -> int:
    """Return what the first look counts in some sentences."""
    glance = Glance(LEXICON, words.worths(), Meanings(0, {}, []))
    seen = [glance.look(sentence, asked=False)[0] for sentence in read]
    counts = seen[0] if len(seen) == 1 else set[int]().union(*seen)
    return glance.points(counts, sum(map(len, read)), len(read))


def test_what_is_said_again_counts_once() -> None:
    words = Words({"door": Points(2), "thanks": Points(-3), "the door": Points(7), "door .": Points(1)})
    assert counted(words, [["the", "door", "the", "door"]]) == 10
    assert counted(words, [["the", "door", "the", "door"], ["thanks"]]) == 7
    assert counted(words, [["the", "door"], ["door", "the", "door"]]) == 10


def test_what_begins_a_phrase_counts_as_well() -> None:
    words = Words({"good morning": Points(4), "morning _ you": Points(2), "good": Points(1)})
    assert counted(words, [["good", "morning", "to", "you"]]) == 7


FEW_WORDS = ["he", "me", "frappe", "frapper", "frap", "door", "gun", ",", "good", "morning", "to", "you"]
one, other = st.sampled_from([word for word in FEW_WORDS if word != ","]), st.sampled_from([*FEW_WORDS[:5], END])
NAMES = st.one_of(
    one,
    st.builds("{} {}".format, one, other),
    st.builds(f"{END} {{}}".format, one),
    st.builds(f"{{}} {ANY} {{}}".format, one, one),
    st.builds("{:.4}-".format, one),
    st.sampled_from([*SIZES_OF_WORDS, *SIZES_OF_SENTENCES]),
)
SENTENCES = st.lists(st.lists(st.sampled_from([*FEW_WORDS, "new", "frappes"]), min_size=1, max_size=12), min_size=1)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES, st.integers(-40, 40)), SENTENCES)
def test_it_counts_what_the_words_count_by_themselves(worth: dict[str, int], read: list[list[str]]) -> None:
    words = Words({name: Points(points) for name, points in worth.items()})
    said = words.said(read)
    assert counted(words, read) == (said.points.danger if said else 0)


def test_a_question_and_a_longer_phrase_mean_what_they_mean() -> None:
    lexicon = Lexicon({"NOT": "not", "PAS": "pas", "ASKED": "?", "HELLO": "good morning to you", "NIGHT": "night"}, {})
    question, hello, night = (frozenset({lexicon.number(name)}) for name in ("ASKED", "HELLO", "NIGHT"))
    glance = Glance(lexicon, Words().worths(), Meanings(2, {}, [(1, [night, question]), (2, [night, hello])]))
    greeting = ["good", "morning", "to", "you", "night"]
    assert [glance.look(greeting, asked=asked)[1] for asked in (False, True)] == [2, 3]
    assert glance.look(["good", "morning", "night"], asked=True)[1] == 1


@pytest.fixture(scope="module")
def patterns() -> list[Pattern]:
    of_rules = [pattern for rule in shipped().rules for pattern in rule.patterns]
    return of_rules + [pattern for signal in shipped().signals for pattern in signal.patterns]


@pytest.fixture(scope="module")
def glance(patterns: list[Pattern]) -> Glance:
    """Return a look for which each pattern of the shipped rules has a bit."""
    elements = [(1 << bit, [element.senses for element in pattern.elements]) for bit, pattern in enumerate(patterns)]
    return Glance(shipped().lexicon, Words().worths(), Meanings(len(patterns), {}, elements))


def phrases(node: Node, begun: str = "") -> Iterator[str]:
    for word, below in node.items():
        if word == HERE:
            yield begun
        else:
            yield from phrases(below, f"{begun} {word}")


ROWS = st.lists(
    st.one_of(
        st.sampled_from(sorted(everyday())[:400]),
        st.deferred(lambda: st.sampled_from(sorted(shipped().lexicon.words))),
        st.deferred(lambda: st.sampled_from(sorted(phrases(shipped().lexicon.phrases)))),
    ).map(str.split),
    min_size=1,
    max_size=2 * FEW,
)


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, asked=st.booleans())
def test_it_sees_each_pattern_whose_elements_stand_somewhere(
    glance: Glance, patterns: list[Pattern], rows: list[list[str]], asked: bool
) -> None:
    words, lexicon = [word for row in rows for word in row], shipped().lexicon
    there = {*lexicon.places(words), *(lexicon.senses.get("?", ()) if asked else ())}
    wanted = [all(not element.senses.isdisjoint(there) for element in pattern.elements) for pattern in patterns]
    _, seen = glance.look(words, asked=asked)
    assert [bool(seen >> bit & 1) for bit in range(len(patterns))] == wanted
