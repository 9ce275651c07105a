"""The most that a text could count, told cheaply: most texts need no closer look."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import reduce
from operator import or_
from typing import Protocol

from crisis.core.screening.lexicon import Lexicon
from crisis.core.screening.patterns import Pattern, Places, by_rarity

_Known = tuple[int, tuple[frozenset[int], ...], Pattern]
"""A bit, what a pattern needs besides that by which it is known, and the pattern."""


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
        self._most: dict[int, int] = defaultdict(int)
        """The most points that each meaning can be part of."""
        self._sure: dict[int, int] = defaultdict(int)
        """What each meaning surely is."""
        self._for: dict[int, list[_Known]] = defaultdict(list)
        """For each meaning what the patterns of danger known by it need besides, the rarest first."""
        self._against: dict[int, list[_Known]] = defaultdict(list)
        """The same of what speaks against danger."""
        for number, one in enumerate(known):
            bit = 1 << number
            senses = set() if one.sense is None else {one.sense}
            if one.sense is not None:
                self._sure[one.sense] |= bit
            for pattern in one.patterns:
                rarest, *others = by_rarity(pattern, weights)
                for sense in rarest:
                    (self._for if one.worth > 0 else self._against)[sense].append((bit, tuple(others), pattern))
                if one.worth > 0:
                    senses |= rarest
            for sense in senses:
                self._most[sense] += one.worth
        self._spare = sum(one.worth for one in known if one.worth > 0 and one.sense is None and not one.patterns)
        """What the screener itself may add."""

    def reach(self, placed: Sequence[Places], limit: int) -> bool:
        """Tell whether a text whose sentences have these meanings may have so many points."""
        # sets, since those ask quickly whether they have something in common
        there = [set(places) for places in placed]
        if not self._may(there[0] if len(there) == 1 else set[int]().union(*there), limit):
            return False
        most = reduce(or_, map(self._somewhere, there), 0)
        if self._total(most) < limit:
            return False
        against = reduce(or_, map(self._opposed, there, placed), 0)
        if self._total(most | against) < limit:
            return False
        return self._total(reduce(or_, map(self._in_place, there, placed), against)) >= limit

    def _may(self, there: Set[int], limit: int) -> bool:
        most = self._most
        return self._spare + sum([most[sense] for sense in there if sense in most]) >= limit

    def _somewhere(self, there: Set[int]) -> int:
        """Return what words surely count, and the patterns of danger that stand somewhere in a sentence."""
        return self._surely(there) | reduce(or_, [bit for bit, _ in _possible(self._for, there)], 0)

    def _opposed(self, there: Set[int], places: Places) -> int:
        """Return the patterns that speak against danger in a sentence: neither idioms nor denials change those."""
        mask = 0
        for bit, pattern in _possible(self._against, there):
            if not mask & bit and pattern.absent.isdisjoint(there) and pattern.stands(places):
                mask |= bit
        return mask

    def _in_place(self, there: Set[int], places: Places) -> int:
        """Return what words surely count, and the patterns of danger whose elements stand as they ask.

        Idioms may still take away what a pattern must not have within its reach, so that is not asked.
        """
        mask = self._surely(there)
        for bit, pattern in _possible(self._for, there):
            if not mask & bit and pattern.stands(places):
                mask |= bit
        return mask

    def _surely(self, there: Set[int]) -> int:
        mask, sure = 0, self._sure
        for sense in there:
            if sense in sure:
                mask |= sure[sense]
        return mask

    def _total(self, mask: int) -> int:
        total, worth = self._spare, self._worth
        while mask:
            lowest = mask & -mask
            total += worth[lowest.bit_length() - 1]
            mask ^= lowest
        return total


def _possible(known: Mapping[int, list[_Known]], there: Set[int]) -> list[tuple[int, Pattern]]:
    """Return the patterns all of whose elements stand somewhere in a sentence."""
    found = []
    for sense in there:
        if sense in known:
            for bit, others, pattern in known[sense]:
                for needed in others:
                    if needed.isdisjoint(there):
                        break
                else:
                    found.append((bit, pattern))
    return found
