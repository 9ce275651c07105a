"""When somebody on call is paged, whom next, how often one delivery is tried, and when pages travel together.

A paging goes through the targets in order. The next one's turn comes when a page arrived and nobody acknowledged the
escalation in that target's time, or when it could not be delivered. A paging is over when somebody acknowledged, or
when no target is left; the ladder's next repeat then begins another one, so that it is never silent. When the level of
its escalation rises, it begins anew.

Who is paged forty times in a minute hears nothing any more. So the first page leaves at once, and what comes for the
same target within seconds leaves with the next one. After many pages in an hour lower levels are held back, and level 3
comes once a minute at most; the page from which on that is so says it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from crisis.core.ladder import HIGHEST, Pages, Rung


class Kind(StrEnum):
    """Say why somebody is paged."""

    ESCALATION = "escalation"
    TEST = "test"
    DRILL = "drill"  # an escalation of a drill that may page


class PagingState(StrEnum):
    """Where one way through the targets stands."""

    CALLING = "calling"
    ANSWERED = "answered"  # somebody acknowledged or settled it meanwhile
    UNANSWERED = "unanswered"  # a page arrived, nobody came, no target is left
    UNREACHED = "unreached"  # no page arrived anywhere
    DONE = "done"  # a test that arrived
    RISEN = "risen"  # the level rose, and another one has begun


class DeliveryState(StrEnum):
    """Where the page to one target stands."""

    DUE = "due"
    FAILED = "failed"  # is tried again
    SENT = "sent"
    GAVE_UP = "gave_up"
    DROPPED = "dropped"  # somebody acknowledged before it arrived, or the level rose
    HELD = "held"  # its target was paged so often in this hour that it was not sent


class Turn(StrEnum):
    """Say whether a page may leave for a target that others left for."""

    GO = "go"
    WAIT = "wait"  # it leaves with the next one
    HELD = "held"


class Standing(StrEnum):
    """Say on the board what became of the pages of an escalation."""

    NONE = "none"
    CALLING = "calling"
    REACHED = "reached"
    UNREACHED = "unreached"


OPEN = frozenset({DeliveryState.DUE, DeliveryState.FAILED})
"""States of a delivery that a worker takes up."""

MOST_TRIES = 4
_PAUSES = (timedelta(seconds=1), timedelta(seconds=4), timedelta(seconds=10))
"""After the first, second and third failure; a body is in danger, so the next target is not kept waiting for long."""
LEASE = timedelta(seconds=30)
"""After which a delivery is another worker's whose first one vanished; no try takes as long (`ops/on_call.py`)."""
GATHERS = timedelta(seconds=15)
"""How long after a page the next one of the same target leaves, with all that has come by then."""
MOST_PAGES, COUNTED = 12, timedelta(hours=1)
"""So many pages, and no more of a lower level, reach a target in an hour."""
SPARSELY = timedelta(seconds=60)
"""How long after a page the next one leaves once there were so many: as often as level 3 repeats."""
SHORTEST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=30)
"""Within which a site sets how long a target has before the next one is paged."""

Target = TypeVar("Target")


def calls_for_page(rung: Rung, *, overdue: bool) -> bool:
    """Tell whether on-call is paged on this rung: as it is reached, or because a clock ran out and nobody had come."""
    return rung.pages is Pages.AT_ONCE or (overdue and rung.pages is Pages.UNANSWERED)


def next_target(order: Sequence[Target], tried: Collection[Target]) -> Target | None:
    """Return the first target that this paging has not tried, None when all were."""
    return next((target for target in order if target not in tried), None)


def pause_after(tries: int) -> timedelta | None:
    """Return how long to wait after this many tries have failed, None when it is given up."""
    return _PAUSES[tries - 1] if tries < MOST_TRIES else None


def end_of(kind: Kind, *, reached: bool) -> PagingState:
    """Return how a paging ends that has no target left and that nobody answered."""
    if not reached:
        return PagingState.UNREACHED
    return PagingState.DONE if kind is Kind.TEST else PagingState.UNANSWERED


def turn(left: Collection[tuple[datetime, int]], level: int, now: datetime) -> Turn:
    """Say whether a page of `level` may leave for a target, given when pages left for it and of which level they were.

    One that is graver than those just before waits for nothing, and level 3 is never held back.
    """
    lately = _lately(left, now)
    full = len(lately) >= MOST_PAGES
    if full and level < HIGHEST:
        return Turn.HELD
    since = now - (SPARSELY if full else GATHERS)
    return Turn.WAIT if any(at > since and of >= level for at, of in lately) else Turn.GO


def begins_to_hold_back(left: Collection[tuple[datetime, int]], now: datetime) -> bool:
    """Tell whether, once one more has left, pages are held back; that page says so."""
    return len(_lately(left, now)) + 1 >= MOST_PAGES


def _lately(left: Collection[tuple[datetime, int]], now: datetime) -> list[tuple[datetime, int]]:
    """Return what left in the last hour; what seems to lie ahead, after a clock was set back, keeps nobody waiting."""
    return [(at, level) for at, level in left if now - COUNTED < at <= now]


def standing(arrived: bool | None, *, calling: bool) -> Standing:
    """Return what the board says, given whether the newest paging whose end is known has arrived, None without one.

    One that is under way and has not arrived yet takes nothing back: as long as it is not better, it stays said that
    nobody was reached.
    """
    if arrived is not None:
        return Standing.REACHED if arrived else Standing.UNREACHED
    return Standing.CALLING if calling else Standing.NONE
