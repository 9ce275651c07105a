"""Signals: what alone says little. Each has points, and the points of a message add up.

A message is raised when its points reach `danger`. It is no more than possible when those for a threat, violence or
force do not reach `threat`, and sounds as if it happened now when those for that reach `now`. Points are whole numbers
that stand in the rules' data beside a name and a note; nothing else decides.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from crisis.core.screening.patterns import Pattern, Places, Span

MOST_RUNS = 3
"""How many places of a word are looked at when a denial decides."""


@dataclass(frozen=True, slots=True)
class Points:
    """Say how much something counts towards danger; towards its happening now; towards its being more than possible.

    Less than nothing speaks against.
    """

    danger: int = 0
    now: int = 0
    threat: int = 0

    def __add__(self, other: "Points") -> "Points":
        """Return both together."""
        return Points(self.danger + other.danger, self.now + other.now, self.threat + other.threat)


NO_POINTS = Points()


SEVERAL_WORDS = ", in several words."
"""Ends the note of a signal that stands beside another one, which is of single words."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Say how many points a message needs."""

    danger: int
    now: int
    threat: int


@dataclass(frozen=True, slots=True)
class Signal:
    """Be a family of words or patterns that counts once a message, whether it stands there once or ten times."""

    id: str
    points: Points
    side: int
    """1 for danger, which a denial takes away (`he has no gun`), -1 against it, 0 for who acts and when."""
    category: str
    sense: int | None
    """What its words mean to the lexicon."""
    patterns: tuple[Pattern, ...]
    note: str = ""
    must_match: tuple[str, ...] = ()
    must_not_match: tuple[str, ...] = ()

    @property
    def worth(self) -> int:
        """Return its points for danger."""
        return self.points.danger

    @property
    def level(self) -> int:
        """Return 0: only rules have a level."""
        return 0


class Signals:
    """Find the signals of sentences."""

    def __init__(
        self, signals: Iterable[Signal], anchors: Mapping[int, frozenset[int]], denying: Set[int] = frozenset()
    ) -> None:
        """Keep signals ready. `anchors` and `denying` know patterns by their `id`."""
        self.all = tuple(signals)
        self._denying = denying
        self._by_sense = {signal.sense: signal for signal in self.all if signal.sense is not None}
        self._by_anchor: dict[int, list[tuple[Signal, Pattern]]] = defaultdict(list)
        for signal in self.all:
            for pattern in signal.patterns:
                for sense in anchors[id(pattern)]:
                    self._by_anchor[sense].append((signal, pattern))

    def found(
        self, places: Places, hidden: Places, denials: int, seen: Set[str]
    ) -> Iterator[tuple[Signal, Span, bool]]:
        """Yield the signals of one sentence, the words that they stand on, and whether a denial could take them away.

        `places` are those that idioms leave, `hidden` all of them: what speaks against danger is heard in an idiom too.
        `denials` are the places of `not`; a phrase or pattern that has its own means just that. A signal may come more
        than once; those `seen` are left out.
        """
        there = set(hidden)
        for sense in there:
            signal = self._by_sense.get(sense)
            if signal is None or signal.id in seen:
                continue
            bits = hidden[sense] if signal.side < 0 else places.get(sense, 0)
            for start, length in _runs(bits):
                own = denials >> start & ((1 << length) - 1)
                yield signal, (start, start + length - 1), signal.side == 1 and not own
        for sense in there:
            for signal, pattern in self._by_anchor.get(sense, ()):
                if signal.id in seen or not pattern.possible(there):
                    continue
                for span in pattern.spans(hidden if signal.side < 0 else places):
                    yield signal, span, signal.side == 1 and id(pattern) not in self._denying


def _runs(bits: int) -> Iterator[tuple[int, int]]:
    """Yield where the first rows of neighbouring bits begin, and how long they are."""
    for _ in range(MOST_RUNS):
        if not bits:
            return
        start = (bits & -bits).bit_length() - 1
        rest = ~(bits >> start)
        length = (rest & -rest).bit_length() - 1
        yield start, length
        bits &= ~((1 << start + length) - 1)
