"""The most that a text could count, told cheaply: most texts need no closer look."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import reduce
from operator import or_
from typing import Protocol

from crisis.core.screening.lexicon import Lexicon
from crisis.core.screening.patterns import Pattern, Places, by_rarity


class Counted(Protocol):
    """Be a rule or a signal: something with points, which stands on words or on patterns."""

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """Return what it looks for."""

    @property
    def worth(self) -> int:
        """Return its points for danger."""

    @property
    def sense(self) -> int | None:
        """Return what its words mean, if it has any."""


class Prospects:
    """Know what could count for danger, and which words surely count against it.

    A pattern is known by its rarest element, so that it is thought of only where a sentence has that.
    """

    def __init__(self, counted: Iterable[Counted], lexicon: Lexicon, everyday: Mapping[str, int]) -> None:
        weights = lexicon.weights(everyday)
        known = sorted((one for one in counted if one.worth), key=lambda one: -one.worth)
        self._worth = [one.worth for one in known]
        self._sure: dict[int, int] = defaultdict(int)
        """What each meaning surely is."""
        self._most: dict[int, int] = defaultdict(int)
        """The most points that each meaning can be part of."""
        self._patterns: dict[int, list[tuple[int, tuple[frozenset[int], ...]]]] = defaultdict(list)
        """For each meaning what the patterns known by it need besides, the rarest first."""
        for number, one in enumerate(known):
            bit = 1 << number
            senses = set() if one.sense is None else {one.sense}
            if one.sense is not None:
                self._sure[one.sense] |= bit
            for pattern in one.patterns if one.worth > 0 else ():
                rarest, *others = by_rarity(pattern, weights)
                senses |= rarest
                for sense in rarest:
                    self._patterns[sense].append((bit, tuple(others)))
            for sense in senses:
                self._most[sense] += one.worth
        self._spare = sum(one.worth for one in known if one.worth > 0 and one.sense is None and not one.patterns)
        """What the screener itself may add."""

    def reach(self, placed: Sequence[Places], limit: int) -> bool:
        """Tell whether a text whose sentences have these meanings may have so many points."""
        if len(placed) == 1:
            return self._may(placed[0].keys(), limit) and self._total(self._closer(placed[0])) >= limit
        if not self._may(set[int]().union(*placed), limit):
            return False
        return self._total(reduce(or_, map(self._closer, placed), 0)) >= limit

    def _may(self, there: Set[int], limit: int) -> bool:
        most = self._most
        return self._spare + sum([most[sense] for sense in there & most.keys()]) >= limit

    def _closer(self, places: Places) -> int:
        mask, there = 0, places.keys()
        for sense in there & self._sure.keys():
            mask |= self._sure[sense]
        for sense in there & self._patterns.keys():
            for bit, others in self._patterns[sense]:
                if not mask & bit:
                    for needed in others:
                        if needed.isdisjoint(there):
                            break
                    else:
                        mask |= bit
        return mask

    def _total(self, mask: int) -> int:
        total, worth = self._spare, self._worth
        while mask:
            lowest = mask & -mask
            total += worth[lowest.bit_length() - 1]
            mask ^= lowest
        return total
