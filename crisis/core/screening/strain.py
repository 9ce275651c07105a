"""Texts that keep a site's own rules as busy as a message can: what they look for, said over and over.

A pattern is tried wherever the rarest of its concepts stands, so a word that many patterns share costs most, alone in
its sentence or with what else they look for. What a text costs is counted in concepts that are looked at; who asks
takes the time of the worst.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from heapq import nlargest

from crisis.core.screening.patterns import Element, Pattern, by_rarity
from crisis.core.screening.rule import Rule
from crisis.core.screening.screener import Screener

WORST, MIXED = 3, 40
"""How many of the costliest sentences are said over and over, and how many in turn."""
TURN = "but"
"""What keeps guards from silencing a cry at once, so that each is held against each."""


class Strain:
    """Know where the patterns of some rules are tried, and at what cost."""

    def __init__(self, screener: Screener, own: Collection[str], everyday: Mapping[str, int]) -> None:
        """Look at the rules with the ids `own`."""
        self._screener = screener
        self._rules = [rule for rule in screener.rules if rule.id in own]
        self._tried: dict[int, list[tuple[Pattern, int]]] = defaultdict(list)
        """For each meaning the patterns that are tried where it stands, and how many concepts each looks at."""
        self._times: Counter[int] = Counter()
        weights = screener.lexicon.weights(everyday) if self._rules else {}
        for pattern in (pattern for rule in self._rules for pattern in rule.patterns):
            size = len(pattern.absent) + sum(len(element.senses) for element in pattern.elements)
            for sense in by_rarity(pattern, weights)[0]:
                self._tried[sense].append((pattern, size))
            for element in pattern.elements:
                self._times.update(element.senses)
        self._text = screener.lexicon.shortest(self._times.keys())

    def most_shared(self) -> tuple[str, int]:
        """Return the word at which most patterns are tried, and how many."""
        sense = max(self._tried, key=lambda sense: len(self._tried[sense]), default=-1)
        return self._text.get(sense, ""), len(self._tried.get(sense, ()))

    def texts(self) -> Iterator[str]:
        """Yield the texts, each to be repeated for as long as a message may be."""
        if not self._rules:
            return
        said = [self._said(sense) for sense in self._tried]
        # turned round, so that all that they look for is there and none is found, which would end the search
        said += [self._sentence(pattern.elements[::-1]) for rule in self._rules for pattern in rule.patterns]
        worst = nlargest(MIXED, dict.fromkeys(said), key=self._cost)
        yield from (f"{one};" for one in worst[:WORST])
        yield "".join(f"{one};" for one in worst)
        for rule in self._rules:
            words = [self._sentence(pattern.elements) for pattern in rule.patterns]
            yield " ".join(words) + " "
            yield "".join(f"{word}. " for one in words for word in one.split())
        against, cries = ([self._first(rule) for rule in self._rules if rule.side == side][:MIXED] for side in (-1, 1))
        if against and cries:
            yield f"{' '.join(against)} {TURN} {' '.join(cries)}. "

    def _cost(self, sentence: str) -> float:
        """Return what a sentence costs, by the sign."""
        there = {sense for words in self._screener.read(sentence) for sense in self._screener.lexicon.places(words)}
        costs = (
            1 + (size if pattern.possible(there) else 0)
            for sense in there
            for pattern, size in self._tried.get(sense, ())
        )
        return sum(costs) / (len(sentence) + 1)

    def _first(self, rule: Rule) -> str:
        return self._sentence(rule.patterns[0].elements)

    def _sentence(self, elements: Collection[Element]) -> str:
        """Return what elements look for, of each what most patterns have."""
        most = (max(element.senses, key=lambda sense: (self._times[sense], -sense)) for element in elements)
        return " ".join(map(self._said, most))

    def _said(self, sense: int) -> str:
        # every sentence has an end
        return self._text[sense] or "a"
