"""How long somebody may still have to wait, as coarsely and honestly as it can be said. Pure: waits in, a range out.

The estimate is the one by the length of the queue: with so many people ahead, one more than so many waits must end
first, and the mean time between two ends is measured. It is measured only over time in which somebody did wait, since
a quiet hour says nothing of how fast a queue moves; and those who still wait are part of that time, so that a queue
which stands still is told of before anybody leaves it. Method and comparison with the delays of the last to enter
service and of the head of the line: R. Ibrahim and W. Whitt, "Real-Time Delay Estimation Based on Delay History",
Manufacturing & Service Operations Management 11(3), 2009.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

LOOKED_BACK = timedelta(hours=1)
FEWEST_ENDS = 3
"""Fewer waits that ended lately say nothing: then we cannot say."""
EDGES = (0, 2, 5, 10, 15, 20, 30, 45, 60)
"""Minutes between which an expectation may lie; beyond the last only "more than" is said."""
SPREAD = 4 / 3
"""How far around the estimate the range reaches at least; its ends then go out to the next edges."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """Say between how many minutes a wait may still take; `at_most` is None when only "more than" can be said."""

    at_least: int
    at_most: int | None


@dataclass(frozen=True, slots=True)
class Wait:
    """Hold when somebody began to wait, and when an advocate took them; None while they wait."""

    began: datetime
    ended: datetime | None


def minutes_between_ends(waits: Collection[Wait], since: datetime, now: datetime) -> float | None:
    """Return the mean minutes between two ends of waits while somebody waited, None when too few ended since then."""
    seen = sorted((max(one.began, since), one.ended or now) for one in waits if (one.ended or now) > since)
    ends = sum(1 for one in waits if one.ended is not None and one.ended > since)
    if ends < FEWEST_ENDS:
        return None
    total, reached = timedelta(0), since
    for began, ended in seen:
        total += max(timedelta(0), ended - max(began, reached))
        reached = max(reached, ended)
    return total / timedelta(minutes=1) / ends


def expectation(*, ahead: int, ready: int, minutes_each: float | None) -> Expectation | None:
    """Return what may be expected with so many people ahead and so many on shift, None when we cannot say."""
    if ready < 1 or minutes_each is None:
        return None
    estimate = (ahead + 1) * minutes_each
    at_least = max(edge for edge in EDGES if edge <= estimate / SPREAD)
    above = [edge for edge in EDGES[1:] if edge >= estimate * SPREAD]
    return Expectation(at_least, above[0] if above else None)
