"""How the queue stands for those who wait in it: read once in some seconds for a whole process, however many ask."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from chat.core.conversation import State
from chat.core.expectation import LOOKED_BACK, Expectation, Wait, expectation, minutes_between_ends
from chat.core.routing import Waiting, in_order
from chat.models import Assignment, Conversation
from staff.selectors import ready_people

FRESH_FOR = timedelta(seconds=5)
MOST_LOOKED_AT = 100
"""Newest assignments whose waits are measured; and the longest part of a queue that is."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """Show of one moment who waits before whom, who is on shift, and how fast waits ended lately."""

    places: Mapping[UUID, int]
    ready: int
    languages: frozenset[str]
    minutes_each: float | None

    def expects(self, conversation: Conversation) -> Expectation | None:
        """Return how long the visitor of a conversation may still wait; who is not seen yet comes after all others."""
        if conversation.state != State.WAITING:
            return None
        ahead = self.places.get(conversation.pk, len(self.places))
        return expectation(ahead=ahead, ready=self.ready, minutes_each=self.minutes_each)

    def is_read(self, language: str) -> bool:
        """Tell whether anybody on shift reads a language; while nobody is there, that is what is said."""
        return not self.languages or language in self.languages


_last: tuple[datetime, Outlook] | None = None


def outlook(now: datetime) -> Outlook:
    """Return how the queue stands, at most some seconds old."""
    global _last
    last = _last
    if last is None or not timedelta(0) <= now - last[0] < FRESH_FOR:
        last = _last = (now, _read(now))
    return last[1]


def forget() -> None:
    """Read anew from now on; for tests, whose clocks stand still."""
    global _last
    _last = None


def _read(now: datetime) -> Outlook:
    queue = [
        Waiting(pk, level, since or opened, language)
        for pk, level, since, opened, language in Conversation.objects.filter(
            state=State.WAITING, drill=""
        ).values_list("pk", "level", "waiting_since", "opened_at", "language")
    ]
    people = [row.user.languages for row in ready_people(now)]
    return Outlook(
        places={one.id: place for place, one in enumerate(in_order(queue))},
        ready=len(people),
        languages=frozenset().union(*people),
        minutes_each=_minutes_each(queue, now),
    )


def _minutes_each(queue: list[Waiting], now: datetime) -> float | None:
    newest = Assignment.objects.filter(conversation__drill="").order_by("-pk").values("pk")[:MOST_LOOKED_AT]
    taken = (
        Conversation.objects.filter(assignments__in=newest, accepted_at__gt=now - LOOKED_BACK)
        # where an advocate had gone the second wait would be counted from the first one's beginning
        .exclude(assignments__outcome__in=["rescued", "signed_out"])
        .distinct()
        .values_list("opened_at", "accepted_at")
    )
    ended = [Wait(opened, accepted) for opened, accepted in taken]
    since = now - LOOKED_BACK
    if len(ended) == MOST_LOOKED_AT:
        # more ended in that hour than were looked at
        since = max(since, min(one.ended for one in ended if one.ended is not None))
    return minutes_between_ends([*ended, *(Wait(one.since, None) for one in queue)], since, now)
