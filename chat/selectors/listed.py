"""Read the conversations that go on as a list shows them; on a busy shift this is done every second."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from chat.core.conversation import ENDED, HELD, State
from chat.core.routing import OVERTAKEN, may_overtake
from chat.models import Assignment, Conversation, ReadMark

# named and not those that have ended excluded: an index finds only what is asked for
_GOES_ON = frozenset(State) - ENDED
_WAITS = frozenset({State.WAITING, State.OFFERED})
_TAKEN = frozenset({State.ACTIVE, State.WRAP_UP})


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


@dataclass(frozen=True, slots=True)
class Tally:
    """Count what goes on, as a screen on a wall shows it: visitors, since when the first of them waits, and drills."""

    waiting: int
    waiting_since: datetime | None
    running: int
    drills: int


def running(holders: Collection[int] | None = None) -> list[Listed]:
    """Return the conversations that have not ended, oldest first; what each person may see of them is decided later.

    With `holders` only what people may see who see nothing of others': what waits or is offered, and what they hold.
    """
    rows = _running(holders).order_by("opened_at", "pk")
    return [Listed._make(row) for row in rows.values_list(*_COLUMNS)]


def _running(holders: Collection[int] | None) -> QuerySet[Conversation]:
    if holders is None:
        return Conversation.objects.filter(state__in=_GOES_ON)
    return Conversation.objects.filter(Q(state__in=_WAITS) | Q(advocate_id__in=holders, state__in=HELD))


def read_marks(people: Collection[int], holders: Collection[int] | None) -> dict[tuple[UUID, int], int]:
    """Return how far some people have read what `running` returns, by conversation and person."""
    # the rows again and not their ids, which may be many thousands
    rows = ReadMark.objects.filter(user_id__in=people, conversation__in=_running(holders).values("pk"))
    return {(pk, user_id): up_to for pk, user_id, up_to in rows.values_list("conversation_id", "user_id", "up_to")}


def levels_held(people: Collection[int]) -> dict[int, list[int]]:
    """Return the levels of all that some people hold, drills left out."""
    found: dict[int, list[int]] = {}
    rows = Conversation.objects.filter(advocate_id__in=people, state__in=HELD, drill="")
    for user_id, level in rows.values_list("advocate_id", "level"):
        found.setdefault(user_id or 0, []).append(level)
    return found


def overtaken(since: datetime) -> dict[int, tuple[tuple[UUID, datetime], ...]]:
    """Return to whom conversations were offered when a colleague took them, and when; mostly there are none."""
    found: dict[int, tuple[tuple[UUID, datetime], ...]] = {}
    rows = Assignment.objects.filter(outcome=OVERTAKEN, ended_at__gt=since, conversation__state__in=_TAKEN)
    columns = ("advocate_id", "conversation_id", "ended_at", "conversation__level", "conversation__drill")
    for user_id, pk, at, level, drill in rows.order_by("pk").values_list(*columns):
        if may_overtake(level, drill=bool(drill)):
            found[user_id] = (*found.get(user_id, ()), (pk, at or since))
    return found


def tally() -> Tally:
    """Return the counts of a screen on a wall."""
    rows = Conversation.objects.filter(state__in=_GOES_ON).values("state", "drill")
    since = Min(Coalesce("waiting_since", "opened_at"))
    counted = list(rows.annotate(count=Count("pk"), since=since).values_list("state", "drill", "count", "since"))
    waits = [(count, since) for state, drill, count, since in counted if state in _WAITS and not drill]
    return Tally(
        waiting=sum(count for count, _ in waits),
        waiting_since=min((since for _, since in waits), default=None),
        running=sum(count for state, drill, count, _ in counted if state in _TAKEN and not drill),
        drills=sum(count for state, drill, count, _ in counted if state != State.WRAP_UP and drill),
    )
