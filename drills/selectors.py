"""Reads of drills, and the doorway to one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from chat import log
from chat.core.actors import Staff
from chat.core.conversation import State
from chat.core.errors import Unseen
from chat.core.handles import spoken
from chat.frames import body_of
from chat.log import StoredEvent
from chat.selectors import events_after
from crisis.selectors import calls_of
from drills.core.ending import was_taken
from drills.core.progress import Happening, matched
from drills.core.script import Script, What
from drills.models import Drill
from encryption.services import Sealer
from staff.permissions import Action, allowed_at_all
from staff.selectors import People, on_shift

MOST_SHOWN = 100
_FACTS = {
    "joined": What.JOINED,
    "duty_card_sent": What.CARD,
    "paused": What.PAUSED,
    "return_accepted": What.ACCEPTED,
    "return_refused": What.REFUSED,
    "cue_voice": What.VOICE,
    "ended_by_advocate": What.ENDED,
    "recorded": What.RECORDED,
}


@dataclass(frozen=True, slots=True)
class GoalView:
    """Show one goal in the words of its script; `at` is None when nothing happened."""

    words: str
    reached: bool
    late: bool
    at: datetime | None


@dataclass(frozen=True, slots=True)
class DrillView:
    """Show a drill: who practises with what, how it stands, and once it is over, what came of it."""

    id: UUID
    handle: str
    title: str
    language: str
    mark: str
    trainee: str
    started_by: str
    started_at: datetime
    state: str
    level: int
    ended_at: datetime | None
    ended_why: str
    first_reply_seconds: int | None
    goals: tuple[GoalView, ...]
    taken: bool
    mine: bool
    may_end: bool


def drill_for(actor: Staff, drill_id: UUID) -> Drill:
    """Return a drill for who practises in it, who started it, and who starts drills: the only way to one.

    Raises `Unseen`.
    """
    row = _seen_by(actor).filter(pk=drill_id).first()
    if row is None:
        raise Unseen
    return row


def drill_views(actor: Staff) -> tuple[DrillView, ...]:
    """Return the drills that somebody may see, those that run first, then the newest."""
    rows = list(_seen_by(actor).order_by("-started_at")[:MOST_SHOWN])
    views = [view_of(actor, row) for row in rows]
    return tuple(sorted(views, key=lambda one: one.ended_at is not None))


def view_of(actor: Staff, row: Drill) -> DrillView:
    """Return a drill as its pages show it; it was fetched through the doorway."""
    taken = was_taken(State(row.conversation.state), measured=bool(row.summary))
    return DrillView(
        id=row.pk,
        handle=spoken(row.conversation.handle, actor.language),
        title=row.title,
        language=row.language,
        mark=row.conversation.drill,
        trainee=row.trainee.work_name,
        started_by=row.started_by.work_name,
        started_at=row.started_at,
        state=row.conversation.state,
        level=row.conversation.level,
        ended_at=row.ended_at,
        ended_why=row.ended_why,
        first_reply_seconds=row.first_reply_seconds,
        goals=tuple(_goal(one) for one in row.summary),
        taken=taken,
        mine=row.trainee_id == actor.id,
        may_end=row.ended_at is None and may_end(actor, row),
    )


def may_end(actor: Staff, row: Drill) -> bool:
    """Tell whether somebody may end a drill: who started it, and who starts drills of others."""
    return row.started_by_id == actor.id or allowed_at_all(actor.role, Action.START_DRILL)


def trainees(now: datetime) -> People:
    """Return who can be given a drill: people on shift who hold conversations and are in none."""
    busy = Drill.objects.filter(ended_at=None).values("trainee_id")
    return on_shift(now).exclude(pk__in=busy)


def running() -> list[UUID]:
    """Return the drills that go on."""
    return list(Drill.objects.filter(ended_at=None).order_by("started_at").values_list("pk", flat=True))


def happened_in(drill: Drill, script: Script) -> list[Happening]:
    """Return what the visitor can react to and the goals are measured by, oldest first.

    The texts of staff are opened for this in the worker's memory; what is kept of them is which lists they hit.
    Raises what `sealer_for` raises.
    """
    events: list[StoredEvent] = []
    while page := events_after(drill.pk, events[-1].staff_seq if events else 0, for_visitor=False):
        events += page
    sealer = log.opener_of(drill.pk, events)
    happened = [one for event in events if (one := _happening(event, sealer, script)) is not None]
    happened += [
        Happening(What.RAISED, call.raised_at, level=call.level, by_person=call.by_person)
        for call in calls_of(drill.pk)
    ]
    return sorted(happened, key=lambda one: one.at)


def _happening(event: StoredEvent, sealer: Sealer | None, script: Script) -> Happening | None:
    if event.kind == "note":
        return Happening(What.NOTE, event.at, event.staff_seq)
    if event.kind == "message":
        if event.author_role != "staff" or sealer is None:
            return None
        words = matched(body_of(event, sealer), script.words)
        return Happening(What.REPLIED, event.at, event.staff_seq, words)
    what = _FACTS.get(event.code)
    return None if what is None else Happening(what, event.at, event.staff_seq)


def _seen_by(actor: Staff) -> QuerySet[Drill]:
    rows = Drill.objects.select_related("conversation", "trainee", "started_by")
    if allowed_at_all(actor.role, Action.START_DRILL):
        return rows
    if allowed_at_all(actor.role, Action.PRACTISE):
        return rows.filter(Q(trainee_id=actor.id) | Q(started_by_id=actor.id))
    return rows.none()


def _goal(one: dict[str, object]) -> GoalView:
    at = one["at"]
    return GoalView(
        words=str(one["words"]),
        reached=bool(one["reached"]),
        late=bool(one["late"]),
        at=datetime.fromisoformat(at) if isinstance(at, str) else None,
    )
