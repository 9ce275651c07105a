"""When somebody on call is paged, whom next, and how often one delivery is tried.

A paging goes through the targets in order. The next one's turn comes when a page arrived and nobody acknowledged the
escalation in that target's time, or when it could not be delivered. A paging is over when somebody acknowledged, or
when no target is left; the ladder's next repeat then begins another one, so that it is never silent.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from crisis.core.ladder import Pages, Rung


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


class DeliveryState(StrEnum):
    """Where the page to one target stands."""

    DUE = "due"
    FAILED = "failed"  # is tried again
    SENT = "sent"
    GAVE_UP = "gave_up"
    DROPPED = "dropped"  # somebody acknowledged before it arrived


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
"""After which a delivery is another worker's whose first one vanished; no try takes nearly as long."""
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


def standing(pagings: Iterable[tuple[PagingState, bool]]) -> Standing:
    """Return what the board says, given state and arrival of each paging, the newest first.

    One that is under way and has not arrived yet takes nothing back: as long as it is not better, it stays said that
    nobody was reached.
    """
    under_way = Standing.NONE
    for state, reached in pagings:
        if reached:
            return Standing.REACHED
        if state is PagingState.UNREACHED:
            return Standing.UNREACHED
        under_way = Standing.CALLING
    return under_way
