"""End a drill: its conversation, what it has raised, and the summary of what came of it."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from chat.core.actors import Staff, System
from chat.core.conversation import OPEN, State
from chat.core.errors import ErrorCode, Refused
from chat.log import StoredEvent
from chat.selectors import conversation_for, visitor_of
from chat.services import Done, end_conversation
from chat.services.trail import put_on_trail
from crisis.services import stand_down_drill
from drills.core.ending import KEPT, Why
from drills.core.goals import Reached, results
from drills.core.progress import Happening
from drills.core.script import What
from drills.models import Drill
from drills.scripts import script as script_called
from drills.selectors import drill_for, happened_in, may_end
from encryption.core.envelope import NotAuthentic
from encryption.providers import EpochGone, ProviderDown
from encryption.services import KeyGone
from staff.permissions import Action
from staff.web import staff_of

logger = logging.getLogger(__name__)


def end_drill(*, actor: Staff, drill_id: UUID, now: datetime) -> Done[None]:
    """End a drill at once, as who started it, or as who starts drills; ending what is over changes nothing.

    Raises `Unseen`, `Refused(FORBIDDEN)`.
    """
    row = drill_for(actor, drill_id)
    if not may_end(actor, row):
        raise Refused(ErrorCode.FORBIDDEN)
    return finish(drill_id=drill_id, why=Why.STOPPED, now=now, by=actor)


def finish(*, drill_id: UUID, why: Why, now: datetime, by: Staff | None = None) -> Done[None]:
    """End a drill for whatever reason, and stand down what it has raised. `by` nobody: its script or a clock did."""
    drill = Drill.objects.get(pk=drill_id)
    reached, first = _measured(drill)
    actor = by or System()
    events: list[StoredEvent] = []
    with transaction.atomic():
        drill = Drill.objects.select_for_update(no_key=True, of=("self",)).select_related("started_by").get(pk=drill_id)
        if drill.ended_at is not None:
            return Done(None)
        conversation = conversation_for(System(), drill_id, Action.SEE_CONVERSATION, lock=True)
        if State(conversation.state) in OPEN:
            visitor = visitor_of(conversation)
            events += end_conversation(actor=visitor, conversation_id=drill_id, now=now).events
        drill.ended_at, drill.ended_why, drill.ended_by_id = now, why.value, by.id if by else None
        drill.first_reply_seconds, drill.summary = first, [_kept(one) for one in reached]
        drill.taken_until = None
        drill.save()
        put_on_trail(actor, "drill.ended", conversation, now, {"why": why.value})
    events += _stood_down(drill, by or staff_of(drill.started_by), now)
    return Done(None, tuple(events))


def settle_late(*, now: datetime) -> Done[int]:
    """Stand down what drills that are over still have open: raised after their end, or while keys were away."""
    late = Drill.objects.select_related("started_by").filter(ended_at__isnull=False, conversation__level__gt=0)
    events: list[StoredEvent] = []
    for drill in late:
        events += _stood_down(drill, staff_of(drill.started_by), now)
    return Done(len(events), tuple(events))


def forget_drills(*, now: datetime) -> Done[int]:
    """Remove what is kept of drills that were over long ago."""
    gone, _ = Drill.objects.filter(ended_at__lt=now - KEPT).delete()
    return Done(gone)


def _stood_down(drill: Drill, actor: Staff, now: datetime) -> tuple[StoredEvent, ...]:
    """Stand down what a drill that is over has raised; what fails is tried by the worker again, and stops no other."""
    try:
        return stand_down_drill(actor=actor, conversation_id=drill.pk, now=now).events
    except ProviderDown:
        return ()
    except Exception as error:
        logger.error("what a drill has raised could not be stood down: %s", type(error).__name__)
        return ()


def _measured(drill: Drill) -> tuple[tuple[Reached, ...], int | None]:
    """Return how the goals came out, and how long the first answer took; nothing of what cannot be measured."""
    try:
        script = script_called(drill.language, drill.script)
        if script is None:
            return (), None
        happened = happened_in(drill, script)
        entered: dict[str, datetime] = {}
        for step, at in drill.path:
            entered.setdefault(step, datetime.fromisoformat(at))
        return results(script, happened, entered, drill.started_at), _first_reply(happened)
    except (KeyGone, EpochGone, NotAuthentic, ProviderDown):
        return (), None
    except Exception as error:
        # to end it matters more: what cannot be measured would keep it open
        logger.error("a drill could not be measured: %s", type(error).__name__)
        return (), None


def _first_reply(happened: list[Happening]) -> int | None:
    joined = next((one.at for one in happened if one.what is What.JOINED), None)
    replied = next((one.at for one in happened if one.what is What.REPLIED), None)
    return None if joined is None or replied is None else max(0, int((replied - joined).total_seconds()))


def _kept(one: Reached) -> dict[str, object]:
    return {
        "name": one.name,
        "words": one.words,
        "reached": one.reached,
        "late": one.late,
        "at": one.at.isoformat() if one.at else None,
    }
