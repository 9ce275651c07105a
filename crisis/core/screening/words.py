"""Plain words, pairs of words and beginnings of words that say a little each, and how long a text is.

How often they stood in messages of danger, and in others, is what they count. A pair may begin or end a sentence, told
by a full stop: `. je`, `here .`; or it may have any one word between its own: `has _ gun`. A longer word also counts by
its first letters, `frap-`, so that one form of it that was seen speaks for the others.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from crisis.core.screening.signals import NO_POINTS, Points
from crisis.core.screening.text import COMMA

MOST_TOLD = 12
"""How many words are named."""
END = "."
"""Stands before and after a sentence; it is never a word."""
ANY = "_"
"""Stands between the words of a pair that has one word more between them."""
BEGINNING, LONG = 4, 5
"""How many letters a beginning has, and how many a word that has one."""
SIZES = (2, 4, 7, 12, 20, 30, 45)
"""Up to how many words a text is of one size."""
MOST_SENTENCES = 4
SIZES_OF_WORDS = (*(f"up_to_{size}_words" for size in SIZES), "more_words")
SIZES_OF_SENTENCES = tuple(f"{number}_sentences" for number in range(MOST_SENTENCES + 1))


Pair = tuple[str, str]


class Worths(NamedTuple):
    """Say what words count for danger: single ones, beginnings, pairs, and what is of some size."""

    single: Mapping[str, int]
    begun: Mapping[str, int]
    beside: Mapping[Pair, int]
    apart: Mapping[Pair, int]
    of_size: Sequence[int]
    of_sentences: Sequence[int]


@dataclass(frozen=True, slots=True)
class Said:
    """Be what the words of a text count together, and those that speak for danger, most telling first."""

    points: Points
    words: str


class Words:
    """Count words. Each counts once a text, however often it stands there."""

    def __init__(self, points: Mapping[str, Points] | None = None) -> None:
        """Keep the points of words and of what goes with them, named as `named` does."""
        self._points = points or {}

    def worths(self) -> Worths:
        """Return what each counts for danger."""
        danger = {name: worth.danger for name, worth in self._points.items() if worth.danger}
        pairs = {tuple(name.split(" ")): worth for name, worth in danger.items() if " " in name}
        return Worths(
            {name: worth for name, worth in danger.items() if " " not in name and not name.endswith("-")},
            {name[:-1]: worth for name, worth in danger.items() if name.endswith("-")},
            {(pair[0], pair[1]): worth for pair, worth in pairs.items() if len(pair) == 2},
            {(pair[0], pair[-1]): worth for pair, worth in pairs.items() if len(pair) > 2},
            [danger.get(name, 0) for name in SIZES_OF_WORDS],
            [danger.get(name, 0) for name in SIZES_OF_SENTENCES],
        )

    def said(self, sentences: Sequence[Sequence[str]]) -> Said | None:
        """Return what the words of these sentences count, nothing when none of them counts."""
        found = {name: self._points[name] for name in named(sentences) if name in self._points}
        if not found:
            return None
        telling = sorted((name for name in found if found[name].danger > 0), key=lambda name: -found[name].danger)
        return Said(sum(found.values(), NO_POINTS), ", ".join(telling[:MOST_TOLD]))


def named(sentences: Sequence[Sequence[str]]) -> list[str]:
    """Return, each once, the words of some sentences, pairs near each other, beginnings of words, and the sizes."""
    found: dict[str, None] = {}
    for words in sentences:
        found.update(dict.fromkeys(words))
        found.update(dict.fromkeys(map(" ".join, pairwise((END, *words, END)))))
        found.update({f"{one} {ANY} {other}": None for one, other in zip(words, words[2:], strict=False)})
        found.update({f"{word[:BEGINNING]}-": None for word in words if len(word) >= LONG})
    if sentences:
        found.update(dict.fromkeys(sizes(sentences)))
    return [name for name in found if COMMA not in name]


def sizes(sentences: Sequence[Sequence[str]]) -> tuple[str, str]:
    """Return of what size a text is, in words and in sentences."""
    number = min(MOST_SENTENCES, len(sentences))
    return SIZES_OF_WORDS[bisect_left(SIZES, sum(map(len, sentences)))], SIZES_OF_SENTENCES[number]
