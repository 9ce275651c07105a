"""What can be done to an escalation: one transaction each, every step on the trail and in the outbox."""

import logging
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from audit.services import record
from chat import log, outbox
from chat.core.actors import Staff, System
from chat.core.conversation import State as ConversationState
from chat.core.errors import ErrorCode, Refused
from chat.core.text import checked
from chat.log import StoredEvent, subject_of
from chat.models import Conversation
from chat.selectors import conversation_for
from chat.services import Done
from crisis.core.ladder import SETTLED, State, Step, climb, first_due, level_after, next_state
from crisis.models import Escalation
from crisis.selectors import (
    EscalationView,
    due_escalations,
    escalation_for,
    open_levels,
    reason_binding,
    reason_of,
    settlement_binding,
    view_of,
)
from encryption.services import sealer_for
from encryption.text import Secret
from staff.permissions import Action

logger = logging.getLogger(__name__)


def raise_escalation(
    *, actor: Staff, conversation_id: UUID, level: int, reason: str, client_id: str, now: datetime
) -> Done[EscalationView]:
    """Call for urgent help; the same `client_id` again returns the first one unchanged.

    Raises `Refused`: `REASON_MISSING`, a text code, `LEVEL_UNKNOWN` outside 1 to 3, `ID_REUSED`, `WRONG_STATE` once
    the conversation is closed, or what the doorway raises.
    """
    text = _reason(reason)
    due_at = first_due(level, now)
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.RAISE_FLAG, lock=True)
        repeat = _repeat(conversation, actor, level, text, client_id)
        if repeat is not None:
            return Done(view_of(repeat))
        if conversation.state == ConversationState.CLOSED:
            raise Refused(ErrorCode.WRONG_STATE)
        pk = uuid4()
        escalation = Escalation.objects.create(
            pk=pk,
            conversation=conversation,
            level=level,
            raised_level=level,
            raised_by_id=actor.id,
            client_id=client_id,
            sealed_reason=sealer_for(subject_of(conversation.pk)).seal(reason_binding(pk), text),
            raised_at=now,
            due_at=due_at,
        )
        conversation.level = max(conversation.level, level)
        event = log.append_fact(conversation, "flag_raised", now=now, actor=actor, level=level)
        _tell(escalation, "raised", actor, now)
    return Done(view_of(escalation), (event,))


def acknowledge(*, actor: Staff, escalation_id: UUID, now: datetime) -> Done[EscalationView]:
    """Stop the clock: a person has seen it. Acknowledging what one has acknowledged already changes nothing.

    Raises `Refused`: `ALREADY_TAKEN` when a colleague did, `ALREADY_SETTLED`.
    """
    with transaction.atomic():
        conversation, escalation = escalation_for(actor, escalation_id, Action.ACKNOWLEDGE, lock=True)
        if escalation.acknowledged_by_id == actor.id and escalation.state not in SETTLED:
            return Done(view_of(escalation))
        escalation.state = next_state(State(escalation.state), Step.ACKNOWLEDGE)
        escalation.acknowledged_by_id, escalation.acknowledged_at, escalation.due_at = actor.id, now, None
        escalation.save()
        event = log.append_fact(conversation, "flag_acknowledged", now=now, actor=actor, level=escalation.level)
        _tell(escalation, "acknowledged", actor, now)
    return Done(view_of(escalation), (event,))


def start_work(*, actor: Staff, escalation_id: UUID, now: datetime) -> Done[EscalationView]:
    """Say that one is working on an acknowledged escalation; a repeat changes nothing.

    Raises `Refused`: `WRONG_STATE` before somebody has acknowledged it, `ALREADY_TAKEN`, `ALREADY_SETTLED`.
    """
    with transaction.atomic():
        _, escalation = escalation_for(actor, escalation_id, Action.SETTLE, lock=True)
        if escalation.started_by_id == actor.id and escalation.state not in SETTLED:
            return Done(view_of(escalation))
        escalation.state = next_state(State(escalation.state), Step.START)
        escalation.started_by_id, escalation.started_at = actor.id, now
        escalation.save()
        _tell(escalation, "started", actor, now)
    return Done(view_of(escalation))


def resolve(*, actor: Staff, escalation_id: UUID, reason: str, now: datetime) -> Done[EscalationView]:
    """Settle an escalation whose need was met; a repeat by the same person changes nothing.

    Raises `Refused`: `REASON_MISSING`, a text code, `ALREADY_SETTLED`.
    """
    return _settle(Step.RESOLVE, "resolved", actor, escalation_id, reason, now)


def stand_down(*, actor: Staff, escalation_id: UUID, reason: str, now: datetime) -> Done[EscalationView]:
    """Settle an escalation that was not needed, or no longer is; else as `resolve`."""
    return _settle(Step.STAND_DOWN, "stood_down", actor, escalation_id, reason, now)


def read_reason(*, actor: Staff, escalation_id: UUID, now: datetime) -> Done[Secret]:
    """Return why an escalation was raised, once the trail says who reads it."""
    with transaction.atomic():
        _, escalation = escalation_for(actor, escalation_id, Action.READ_REASON)
        record(actor=str(actor), action="escalation.reason_read", subject=f"escalation:{escalation.pk}", now=now)
        reason = reason_of(escalation)
    return Done(reason)


def climb_due(*, now: datetime, limit: int = 100) -> Done[int]:
    """Let the clocks act that have run out; return how many did, repeats at the top among them.

    Any number of workers may call it at once: each escalation is looked at again under its conversation's lock, so it
    climbs once. One that fails is logged, tried again with the next look and holds no other one up.
    """
    acted, events = 0, []
    for pk in due_escalations(now, limit):
        try:
            happened, event = _climb(pk, now)
        except Exception as error:
            logger.error("escalation %s could not climb: %s", pk, type(error).__name__)
            continue
        acted += happened
        if event is not None:
            events.append(event)
    return Done(acted, tuple(events))


def _climb(escalation_id: UUID, now: datetime) -> tuple[bool, StoredEvent | None]:
    """Let one clock act. A repeat is counted and put on the trail; it is no news for the log or the case."""
    actor = System()
    with transaction.atomic():
        conversation, escalation = escalation_for(actor, escalation_id, Action.SEE_BOARD, lock=True)
        step = climb(escalation.level, State(escalation.state), escalation.due_at, now)
        if step is None:
            return False, None
        escalation.level, escalation.due_at = step.level, step.due_at
        escalation.climbs += 1
        escalation.save()
        if step.repeated:
            _record(escalation, "repeated", actor, now)
            return True, None
        conversation.level = max(conversation.level, step.level)
        event = log.append_fact(conversation, "flag_climbed", now=now, actor=actor, level=step.level)
        _tell(escalation, "climbed", actor, now)
    return True, event


def _settle(
    step: Step, word: str, actor: Staff, escalation_id: UUID, reason: str, now: datetime
) -> Done[EscalationView]:
    text = _reason(reason)
    with transaction.atomic():
        conversation, escalation = escalation_for(actor, escalation_id, Action.SETTLE, lock=True)
        if escalation.state == word and escalation.settled_by_id == actor.id:
            return Done(view_of(escalation))
        escalation.state = next_state(State(escalation.state), step)
        escalation.settled_by_id, escalation.settled_at, escalation.due_at = actor.id, now, None
        sealer = sealer_for(subject_of(conversation.pk))
        escalation.sealed_settlement = sealer.seal(settlement_binding(escalation.pk), text)
        escalation.save()
        # the one place where a conversation's level falls, and a person has just said why
        conversation.level = level_after(open_levels(conversation))
        event = log.append_fact(conversation, f"flag_{word}", now=now, actor=actor, level=escalation.level)
        _tell(escalation, word, actor, now)
    return Done(view_of(escalation), (event,))


def _reason(text: str) -> str:
    """Return the checked reason; what holds nothing to read is a missing reason."""
    try:
        return checked(text)
    except Refused as refused:
        if refused.code is ErrorCode.TEXT_EMPTY:
            raise Refused(ErrorCode.REASON_MISSING) from None
        raise


def _repeat(conversation: Conversation, actor: Staff, level: int, text: str, client_id: str) -> Escalation | None:
    """Return the escalation that this client id has made before, or raise `Refused(ID_REUSED)`."""
    known = Escalation.objects.filter(conversation=conversation, client_id=client_id).first()
    if known is None:
        return None
    same = known.raised_by_id == actor.id and known.raised_level == level and reason_of(known).reveal() == text
    if not same:
        raise Refused(ErrorCode.ID_REUSED)
    return known


def _tell(escalation: Escalation, word: str, actor: Staff | System, now: datetime) -> None:
    """Put a step on the trail and into the outbox: codes and ids only."""
    _record(escalation, word, actor, now)
    data: dict[str, str | int] = {
        "escalation": str(escalation.pk),
        "level": escalation.level,
        "at": now.isoformat(),
    }
    if isinstance(actor, Staff):
        data["by"] = actor.id
    outbox.put(f"escalation.{word}", escalation.conversation_id, data, now)


def _record(escalation: Escalation, word: str, actor: Staff | System, now: datetime) -> None:
    record(
        actor=str(actor),
        action=f"escalation.{word}",
        subject=f"escalation:{escalation.pk}",
        data={"conversation": str(escalation.conversation_id), "level": escalation.level},
        now=now,
    )
