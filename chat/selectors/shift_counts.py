"""Count what waits and runs, for those who look after the site: numbers, and nothing of any one conversation.

Drills are not among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Min

from chat.core.conversation import State
from chat.models import Assignment, Conversation, Event

MOST_LOOKED_AT = 2_000
"""Newest assignments that are looked through: the table is never read as a whole."""


@dataclass(frozen=True, slots=True)
class ShiftCounts:
    """Hold how many wait and for how long at most in seconds, by level; how many are held; what went back lately."""

    waiting: Mapping[int, int]
    oldest: Mapping[int, float]
    running: int
    handed_back: Mapping[str, int]


def shift_counts(now: datetime) -> ShiftCounts:
    """Return the numbers of this moment; two queries."""
    rows = (
        Conversation.objects.filter(state__in=[State.WAITING, State.OFFERED, State.ACTIVE, State.WRAP_UP], drill="")
        .values_list("state", "level")
        .annotate(Count("pk"), Min("waiting_since"))
    )
    waiting: dict[int, int] = {}
    oldest: dict[int, float] = {}
    running = 0
    for state, level, number, since in rows:
        if state not in {State.WAITING, State.OFFERED}:
            running += number
            continue
        waiting[level] = waiting.get(level, 0) + number
        waits = max(0.0, (now - since).total_seconds()) if since is not None else 0.0
        oldest[level] = max(oldest.get(level, 0.0), waits)
    return ShiftCounts(waiting, oldest, running, _handed_back(now - timedelta(hours=1)))


def _handed_back(since: datetime) -> dict[str, int]:
    newest = Assignment.objects.filter(conversation__drill="").order_by("-pk").values("pk")[:MOST_LOOKED_AT]
    rows = Assignment.objects.filter(pk__in=newest, ended_at__gt=since).values_list("outcome").annotate(Count("pk"))
    return dict(rows)


def first_reply_after(conversation_id: UUID, number: int) -> float | None:
    """Return how many seconds a visitor waited for the line with this number, if it was the first answer.

    The time of an answer in a drill is told to nobody.
    """
    first = (
        Event.objects.filter(conversation_id=conversation_id, kind="message", conversation__drill="")
        .exclude(author_role="visitor")
        .order_by("staff_seq")
        .values_list("staff_seq", "at", "conversation__opened_at")
        .first()
    )
    if first is None or first[0] != number:
        return None
    return max(0.0, (first[1] - first[2]).total_seconds())
