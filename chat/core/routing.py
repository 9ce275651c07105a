"""Who is offered which waiting conversation. Pure: rows in, pairs out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chat.core.conversation import MOST_HELD

OFFER_LASTS = timedelta(seconds=45)
RESCUE_GRACE = timedelta(seconds=80)
"""An advocate whose console was silent for this long has vanished; with the worker's step this stays under 90 s."""
LONGEST_BREAK = timedelta(seconds=20)
"""A longer pause of the worker means that the system was away: no console could be heard meanwhile, so the grace counts
from its return. After a shorter one it is kept: a beat comes every 25 s, and a page is back within 30 s."""
NOTED_EVERY = timedelta(seconds=5)
"""How often it is written down that rescues are looked for."""
FADES_AFTER = timedelta(minutes=30)
"""A waiting visitor who was not seen for this long is no longer waiting (the return slot of `security.md` 12.7)."""
NOT_AGAIN_WITHIN = timedelta(minutes=3)
"""Somebody who declined or let an offer lapse is not offered the same conversation again at once."""

URGENT = 2
"""From this level on a conversation needs its advocate alone."""
HEAD_START = {0: timedelta(0), 1: timedelta(minutes=2), 2: timedelta(minutes=20), 3: timedelta(hours=1)}
"""How much earlier a conversation counts as having arrived, by level. A start and not a rank, so nobody starves."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Describe a waiting conversation."""

    id: UUID
    level: int
    since: datetime
    language: str
    not_to: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Ready:
    """Describe somebody who takes conversations."""

    id: int
    languages: frozenset[str]
    capacity: int
    held_levels: tuple[int, ...]
    last_begun: datetime | None


def watched_since(since: datetime, last: datetime, now: datetime) -> datetime:
    """Return from when on silence counts, given a watch since `since` whose last round was at `last`."""
    return now if now - last > LONGEST_BREAK else since


def free_seats(capacity: int, held_levels: Sequence[int]) -> int:
    """Return how many more somebody can hold; an urgent one lowers the capacity to one."""
    most = 1 if any(level >= URGENT for level in held_levels) else min(capacity, MOST_HELD)
    return max(0, most - len(held_levels))


def may_practise(capacity: int, held_levels: Sequence[int], drills: int) -> bool:
    """Tell whether somebody who holds so many visitors and drills can take a drill: one at a time, in a free seat.

    The other way round a drill takes no seat: who is in one is offered visitors as if it were not there.
    """
    return drills == 0 and free_seats(capacity, held_levels) > 0


def in_order(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Return the queue: arrival, with a head start for danger."""
    return sorted(waiting, key=lambda one: (one.since - HEAD_START[min(one.level, 3)], str(one.id)))


def offers(waiting: Sequence[Waiting], ready: Sequence[Ready]) -> list[tuple[UUID, int]]:
    """Pair waiting conversations with people: the same language first, then the least load, then the longest idle."""
    seats = {person.id: free_seats(person.capacity, person.held_levels) for person in ready}
    load = {person.id: len(person.held_levels) for person in ready}
    pairs = []
    for one in in_order(waiting):
        candidates = [person for person in ready if seats[person.id] > 0 and person.id not in one.not_to]
        if not candidates:
            continue
        best = min(
            candidates,
            key=lambda person: (
                one.language not in person.languages,
                load[person.id],
                person.last_begun.timestamp() if person.last_begun else 0.0,
                person.id,
            ),
        )
        pairs.append((one.id, best.id))
        # an urgent one takes all of somebody's seats: what else is offered beside it could not be taken
        seats[best.id] = 0 if one.level >= URGENT else seats[best.id] - 1
        load[best.id] += 1
    return pairs
