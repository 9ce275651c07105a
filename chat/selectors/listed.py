"""Read the conversations that go on as a list shows them; on a busy shift this is done every second."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from chat.core.conversation import ENDED
from chat.core.routing import OVERTAKEN
from chat.models import Assignment, Conversation, ReadMark


class Listed(NamedTuple):
    """Be of a conversation what a list needs: whole objects of each would cost four times as much."""

    pk: UUID
    handle: str
    state: str
    door: str
    language: str
    level: int
    advocate_id: int | None
    advocate: str | None
    opened_at: datetime
    waiting_since: datetime | None
    offer_until: datetime | None
    staff_head: int
    last_visitor_at: datetime | None
    last_staff_at: datetime | None
    visitor_seen_at: datetime
    ended_by: str
    return_open: bool
    return_seq: int
    return_times: int
    paused_until: datetime | None
    drill: str
    drill_for_id: int | None


_COLUMNS = tuple("advocate__work_name" if name == "advocate" else name for name in Listed._fields)


def running() -> list[Listed]:
    """Return every conversation that has not ended, oldest first; what each person may see of them is decided later."""
    rows = Conversation.objects.exclude(state__in=ENDED).order_by("opened_at", "pk")
    return [Listed._make(row) for row in rows.values_list(*_COLUMNS)]


def read_marks(conversation_ids: list[UUID]) -> dict[tuple[UUID, int], int]:
    """Return how far each person has read, by conversation and person."""
    rows = ReadMark.objects.filter(conversation_id__in=conversation_ids)
    return {(pk, user_id): up_to for pk, user_id, up_to in rows.values_list("conversation_id", "user_id", "up_to")}


def overtaken(conversation_ids: list[UUID], since: datetime) -> dict[int, tuple[tuple[UUID, datetime], ...]]:
    """Return to whom some conversations were offered when a colleague took them, and when; mostly there are none."""
    found: dict[int, tuple[tuple[UUID, datetime], ...]] = {}
    if conversation_ids:
        rows = Assignment.objects.filter(conversation_id__in=conversation_ids, outcome=OVERTAKEN, ended_at__gt=since)
        for user_id, pk, at in rows.values_list("advocate_id", "conversation_id", "ended_at"):
            found[user_id] = (*found.get(user_id, ()), (pk, at or since))
    return found
