"""Plain words and pairs of words that say a little each: how often they stood in messages of danger, and in others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

from crisis.core.screening.signals import Points
from crisis.core.screening.text import COMMA

MOST_TOLD = 12
"""How many words are named."""


@dataclass(frozen=True, slots=True)
class Said:
    """Be what the words of a text count together, and those that speak for danger, most telling first."""

    points: Points
    words: str


class Words:
    """Count words. Each counts once a text, however often it stands there."""

    def __init__(self, points: Mapping[str, Points] | None = None) -> None:
        """Keep the points of words, and of two words in a row, as `text.sentences` reads them."""
        points = points or {}
        self._one = {word: both for word, both in points.items() if " " not in word}
        self._two = {tuple(pair.split(" ")): both for pair, both in points.items() if " " in pair}
        self._danger = {word: both.danger for word, both in self._one.items() if both.danger}
        self._danger_of_pairs = {pair: both.danger for pair, both in self._two.items() if both.danger}

    def danger(self, sentences: Sequence[Sequence[str]]) -> int:
        """Return what the words of these sentences count for danger, with no telling which."""
        if not self._danger:
            return 0
        single, pair = self._danger.get, self._danger_of_pairs.get
        there = set(chain.from_iterable(sentences))
        beside = set(chain.from_iterable(map(pairwise, sentences)))
        return sum([single(word, 0) for word in there]) + sum([pair(both, 0) for both in beside])

    def said(self, sentences: Sequence[Sequence[str]]) -> Said | None:
        """Return what the words of these sentences count, nothing when none of them counts."""
        found = {name: self._one.get(name) or self._two[tuple(name.split(" "))] for name in self._named(sentences)}
        if not found:
            return None
        telling = sorted((name for name in found if found[name].danger > 0), key=lambda name: -found[name].danger)
        total = Points(sum(both.danger for both in found.values()), sum(both.now for both in found.values()))
        return Said(total, ", ".join(telling[:MOST_TOLD]))

    def _named(self, sentences: Iterable[Sequence[str]]) -> Iterable[str]:
        return [name for name in named(sentences) if name in self._one or tuple(name.split(" ")) in self._two]


def named(sentences: Iterable[Sequence[str]]) -> list[str]:
    """Return each word and each pair of neighbouring words of some sentences once, in the order they stand there."""
    found: dict[str, None] = {}
    for words in sentences:
        found.update(dict.fromkeys(words))
        found.update(dict.fromkeys(map(" ".join, pairwise(words))))
    return [name for name in found if COMMA not in name]
