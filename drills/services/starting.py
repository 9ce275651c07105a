"""Begin a drill."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from audit.services import record
from chat.core.actors import Staff
from chat.core.drills import Drill as Mark
from chat.core.drills import marked
from chat.services import Done, open_drill
from drills.core.ending import CannotStart, Flaw
from drills.core.script import Script
from drills.models import Drill
from drills.scripts import script
from drills.selectors import trainees
from drills.services.visitor import sealed_visitor
from staff.permissions import Action, allowed_at_all


def start_drill(*, actor: Staff, language: str, name: str, trainee_id: int, mark: Mark, now: datetime) -> Done[UUID]:
    """Begin a drill with a script, for one person, and return its conversation.

    Who may start drills may start one for whoever is on shift, and let it page; everybody else who holds conversations
    practises alone, with the quiet mark. Raises `CannotStart`, `Refused(OURS)` without keys.
    """
    chosen = _allowed(actor, language, name, trainee_id, mark, now)
    try:
        with transaction.atomic():
            return _begun(actor, language, chosen, trainee_id, mark, now)
    except IntegrityError:
        # another one was begun for them in the same moment
        raise CannotStart(Flaw.BUSY) from None


def _allowed(actor: Staff, language: str, name: str, trainee_id: int, mark: Mark, now: datetime) -> Script:
    own = trainee_id == actor.id and allowed_at_all(actor.role, Action.PRACTISE)
    for_others = allowed_at_all(actor.role, Action.START_DRILL)
    if mark is Mark.NONE or not (for_others or (own and mark is Mark.PRACTICE)):
        raise CannotStart(Flaw.RIGHT)
    chosen = script(language, name)
    if chosen is None:
        raise CannotStart(Flaw.SCRIPT)
    if Drill.objects.filter(trainee_id=trainee_id, ended_at=None).exists():
        raise CannotStart(Flaw.BUSY)
    if not own and not trainees(now).filter(pk=trainee_id).exists():
        raise CannotStart(Flaw.PERSON)
    return chosen


def _begun(actor: Staff, language: str, chosen: Script, trainee_id: int, mark: Mark, now: datetime) -> Done[UUID]:
    token = secrets.token_urlsafe(32)
    opened = open_drill(token=token, language=language, door=chosen.door, mark=mark, trainee_id=trainee_id, now=now)
    pk = opened.result.conversation
    Drill.objects.create(
        conversation_id=pk,
        script=chosen.name,
        language=language,
        title=chosen.title,
        trainee_id=trainee_id,
        started_by_id=actor.id,
        started_at=now,
        ends_by=now + timedelta(minutes=chosen.minutes),
        sealed_visitor=sealed_visitor(pk, token, ""),
        step=chosen.first,
        path=[[chosen.first, now.isoformat()]],
        last_at=now,
    )
    record(
        actor=str(actor),
        action="drill.started",
        subject=f"conversation:{pk}",
        data=marked(mark, {"script": chosen.id, "for": trainee_id}),
        now=now,
    )
    return Done(pk, opened.events)
