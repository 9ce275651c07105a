"""Who is offered which waiting conversation. Pure: rows in, pairs out."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
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
"""A waiting visitor who was not seen for this long is no longer waiting."""
NOT_AGAIN_WITHIN = timedelta(minutes=3)
"""Somebody who declined or let an offer lapse is not offered the same conversation again at once."""

URGENT = 2
"""From this level on a conversation needs its advocate alone."""
URGENT_AGAIN_AFTER = timedelta(seconds=20)
"""The same for a visitor in danger. It is not nothing: somebody who is asked without a break hears nothing else."""
HEAD_START = {0: timedelta(0), 1: timedelta(minutes=2), 2: timedelta(minutes=20), 3: timedelta(hours=1)}
"""How much earlier a conversation counts as having arrived, by level. A start and not a rank, so nobody starves."""

OVERTAKEN = "overtaken"
"""How an offer of a visitor in danger ends when a colleague takes them: neither lapsed nor declined."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Describe a waiting conversation."""

    id: UUID
    level: int
    since: datetime
    language: str
    not_to: frozenset[int] = frozenset()
    after_others: frozenset[int] = frozenset()
    """They are asked again, once nobody else can be."""
    kept_free: frozenset[int] = frozenset()
    """Nothing calm is put in the way of their being asked again."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """Describe an offer that came to nothing: it was declined, or it lapsed."""

    person: int
    ended_at: datetime
    lapsed: bool


@dataclass(frozen=True, slots=True)
class Ready:
    """Describe somebody who takes conversations.

    `to_record` are the levels of what is over and not yet recorded. `calm_offers` counts offers to them without danger
    that they have not answered; `held_levels` are those of all else that they hold.
    """

    id: int
    languages: frozenset[str]
    capacity: int
    held_levels: tuple[int, ...]
    last_begun: datetime | None
    to_record: tuple[int, ...] = ()
    calm_offers: int = 0


def watched_since(since: datetime, last: datetime, now: datetime) -> datetime:
    """Return from when on silence counts, given a watch since `since` whose last round was at `last`."""
    return now if now - last > LONGEST_BREAK else since


def free_seats(capacity: int, held_levels: Sequence[int], to_record: Sequence[int] = (), *, level: int = 0) -> int:
    """Return how many more of `level` somebody can hold; an urgent one lowers the capacity to one.

    What is over and waits for its record takes a seat as well, though not from a visitor in danger.
    """
    everything = (*held_levels, *to_record)
    counts = held_levels if level >= URGENT else everything
    most = 1 if any(held >= URGENT for held in counts) else min(capacity, MOST_HELD)
    return max(0, min(most - len(counts), MOST_HELD - len(everything)))


def has_room(
    capacity: int, held_levels: Sequence[int], calm_offers: int, to_record: Sequence[int] = (), *, level: int = 0
) -> bool:
    """Tell whether one more of `level` fits; `held_levels` are without the calm offers that nobody has answered.

    They stand in no danger's way and all give way to it, also where there is a seat beside it: who has somebody in
    danger could not accept them any more, and their visitors would wait until they run out.
    """
    unanswered = () if level >= URGENT else (0,) * calm_offers
    return free_seats(capacity, (*held_levels, *unanswered), to_record, level=level) > 0


def may_overtake(level: int, *, drill: bool) -> bool:
    """Tell whether a conversation can be taken while it is offered to somebody else: one in danger waits for no answer.

    A drill is for its person alone.
    """
    return level >= URGENT and not drill


def may_practise(capacity: int, held_levels: Sequence[int], drills: int) -> bool:
    """Tell whether somebody who holds so many visitors and drills can take a drill: one at a time, in a free seat.

    The other way round a drill takes no seat: who is in one is offered visitors as if it were not there.
    """
    return drills == 0 and free_seats(capacity, held_levels) > 0


def not_again_within(level: int) -> timedelta:
    """Return for how long a conversation is not offered again to who declined it or let its offer lapse."""
    return URGENT_AGAIN_AFTER if level >= URGENT else NOT_AGAIN_WITHIN


def with_past(one: Waiting, past: Sequence[Unmet], now: datetime) -> Waiting:
    """Return a waiting conversation with what its earlier offers mean for its next one."""
    recent = [offer for offer in past if now - offer.ended_at < not_again_within(one.level)]
    return replace(
        one,
        not_to=frozenset(offer.person for offer in recent),
        after_others=frozenset(offer.person for offer in past if now - offer.ended_at < NOT_AGAIN_WITHIN),
        # who declined has chosen, and may be offered something calm meanwhile
        kept_free=frozenset(offer.person for offer in recent if offer.lapsed and one.level >= URGENT),
    )


def in_order(waiting: Sequence[Waiting]) -> list[Waiting]:
    """Return the queue: arrival, with a head start for danger."""
    return sorted(waiting, key=lambda one: (one.since - HEAD_START[min(one.level, 3)], str(one.id)))


def offers(waiting: Sequence[Waiting], ready: Sequence[Ready]) -> list[tuple[UUID, int]]:
    """Pair waiting conversations with people: the same language first, then the least load, then the longest idle.

    Somebody whose seats are full of calm, unanswered offers is asked about a danger all the same: these give way.
    """
    by_id = {one.id: one for one in waiting}
    held = {person.id: list(person.held_levels) for person in ready}
    # None stands for an offer of an earlier round
    calm: dict[int, list[UUID | None]] = {person.id: [None] * person.calm_offers for person in ready}
    kept_free: set[int] = set()
    pairs: dict[UUID, int] = {}
    queue = deque(in_order(waiting))
    while queue:
        one = queue.popleft()
        barred = one.not_to if one.level >= URGENT else one.not_to | kept_free
        best = _best(one, [person for person in ready if person.id not in barred], held, calm)
        if best is None:
            kept_free |= one.kept_free
            continue
        pairs[one.id] = best
        if one.level < URGENT:
            calm[best].append(one.id)
            continue
        # an urgent one takes all of somebody's seats: what else is offered beside it could not be taken
        held[best].append(one.level)
        # of this very round: nobody has seen them, and somebody else may have a seat
        again = [made for made in calm[best] if made is not None]
        calm[best] = []
        for made in again:
            del pairs[made]
        queue.extendleft(by_id[made] for made in reversed(again))
    return list(pairs.items())


def _best(
    one: Waiting, people: Sequence[Ready], held: Mapping[int, list[int]], calm: Mapping[int, list[UUID | None]]
) -> int | None:
    """Return who is offered a conversation, None if nobody can be; where it can be helped no offer gives way."""
    candidates = [
        person
        for person in people
        if has_room(person.capacity, held[person.id], len(calm[person.id]), person.to_record, level=one.level)
    ]
    if not candidates:
        return None
    best = min(
        candidates,
        key=lambda person: (
            person.id in one.after_others,
            one.language not in person.languages,
            len(calm[person.id]) if one.level >= URGENT else 0,
            len(held[person.id]) + len(calm[person.id]) + len(person.to_record),
            person.last_begun.timestamp() if person.last_begun else 0.0,
            person.id,
        ),
    )
    return best.id
