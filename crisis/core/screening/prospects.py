"""The most that a text could count, told cheaply: most texts need no closer look.

First it is told by words alone (`glance.py`), then, of what is left, by what speaks against danger and by where words
stand.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import reduce
from operator import or_
from typing import NamedTuple, Protocol

from crisis.core.screening.glance import Glance, Meanings
from crisis.core.screening.lexicon import Lexicon
from crisis.core.screening.patterns import Pattern, Places, by_rarity
from crisis.core.screening.words import Worths

_Known = tuple[int, tuple[frozenset[int], ...], Pattern]
"""A bit, what a pattern needs besides that by which it is known, and the pattern."""


ALL = slice(None)


class Hope(NamedTuple):
    """Be the sentences that may have enough points together."""

    part: slice
    most: int
    """What they could be, as bits."""
    limit: int
    """The points that they need besides what their words count."""


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

    def __init__(
        self, counted: Iterable[Counted], lexicon: Lexicon, everyday: Mapping[str, int], worths: Worths
    ) -> None:
        weights = lexicon.weights(everyday)
        known = sorted((one for one in counted if one.worth), key=lambda one: -one.worth)
        self._worth = [one.worth for one in known]
        self._sure: dict[int, int] = defaultdict(int)
        """What each meaning surely is."""
        self._for: dict[int, list[_Known]] = defaultdict(list)
        """For each meaning what the patterns of danger known by it need besides, the rarest first."""
        self._against: dict[int, list[_Known]] = defaultdict(list)
        """The same of what speaks against danger."""
        speaking: list[tuple[int, Sequence[frozenset[int]]]] = []
        for number, one in enumerate(known):
            bit = 1 << number
            if one.sense is not None:
                self._sure[one.sense] |= bit
            for pattern in one.patterns:
                rarest, *others = elements = by_rarity(pattern, weights)
                if one.worth > 0:
                    speaking.append((bit, elements))
                for sense in rarest:
                    (self._for if one.worth > 0 else self._against)[sense].append((bit, tuple(others), pattern))
        self._glance = Glance(lexicon, worths, Meanings(len(known), self._sure, speaking))
        self._spare = sum(one.worth for one in known if one.worth > 0 and one.sense is None and not one.patterns)
        """What the screener itself may add."""

    def hopes(self, read: Sequence[list[str]], limit: int, *, asked: bool) -> list[Hope]:
        """Tell by its words alone how a text may have so many points, or one sentence of it: most have no such hope.

        `asked` tells that its last sentence is a question.
        """
        glance = self._glance
        if len(read) == 1:
            (words,) = read
            counts, most = glance.look(words, asked=asked)
            limit -= glance.points(counts, len(words), 1)
            return [Hope(ALL, most, limit)] if self._total(most) >= limit else []
        last = len(read) - 1
        seen = [glance.look(words, asked=asked and place == last) for place, words in enumerate(read)]
        parts = [(ALL, set[int]().union(*[counts for counts, _ in seen]), reduce(or_, [most for _, most in seen], 0))]
        parts += [(slice(place, place + 1), counts, most) for place, (counts, most) in enumerate(seen)]
        hopes = []
        for part, counts, most in parts:
            needed = limit - glance.points(counts, sum(map(len, read[part])), len(read[part]))
            if self._total(most) >= needed:
                hopes.append(Hope(part, most, needed))
        return hopes

    def reach(self, hope: Hope, placed: Sequence[Places]) -> bool:
        """Tell with a closer look whether there is still hope, now that it is known where sentences mean what."""
        placed = placed[hope.part]
        # sets, since those ask quickly whether they have something in common
        there = [set(places) for places in placed]
        against = reduce(or_, map(self._opposed, there, placed), 0)
        if self._total(hope.most | against) < hope.limit:
            return False
        return self._total(reduce(or_, map(self._in_place, there, placed), against)) >= hope.limit

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
        """Return the points of these bits, and what the screener itself may add."""
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
