"""What can be done to an escalation: one transaction each, every step on the trail and in the outbox."""

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from chat import log
from chat.core.actors import Staff, System
from chat.core.conversation import State as ConversationState
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.core.text import checked_reason
from chat.log import StoredEvent
from chat.models import Conversation
from chat.selectors import conversation_for
from chat.services import Done
from crisis.core.ladder import (
    LEVELS,
    SETTLED,
    SHIPPED,
    Ladder,
    State,
    Step,
    Told,
    climb,
    first_due,
    level_after,
    next_state,
)
from crisis.core.unspoken import Source
from crisis.models import Escalation
from crisis.selectors import (
    EscalationView,
    due_escalations,
    escalation_for,
    ladder,
    open_levels,
    reason_binding,
    reason_of,
    reason_subject,
    sealer_of,
    settlement_binding,
    view_of,
)
from crisis.selectors.external import contact_open
from crisis.services.calls import borrowed, call, end_pause, keys_answer, note_reading, tell
from crisis.services.paging import call_off, page_if_due
from encryption.providers import EpochGone
from encryption.services import KeyGone, Sealer, create_data_key, lifecycle
from encryption.text import Secret
from staff.permissions import Action

logger = logging.getLogger(__name__)

CLIMBS_AT_ONCE = 100
"""After so many clocks have acted, boards are told of them before the next ones act."""


def raise_escalation(
    *,
    actor: Staff,
    conversation_id: UUID,
    level: int,
    reason: str,
    client_id: str,
    now: datetime,
    source: Source = Source.PERSON,
) -> Done[EscalationView]:
    """Call for urgent help; the same `client_id` again returns the first one unchanged.

    Possible also after an erasure was asked for or the conversation left daily work: its reason has a key of its own.
    `source` is `PERSON` for everybody but `mark_changed_voice`.
    Raises `Refused`: `REASON_MISSING`, a text code, `LEVEL_UNKNOWN` outside 1 to 3, `ID_REUSED`, `WRONG_STATE` once
    the conversation is closed, or what the doorway raises; `ProviderDown` when nothing seals.
    """
    text, rungs = checked_reason(reason), ladder()
    due_at = first_due(level, now, rungs)
    known = _repeat(conversation_for(actor, conversation_id, Action.RAISE_FLAG), actor, level, text, client_id)
    if known is not None:
        return Done(view_of(known))
    keys = keys_answer(conversation_id)
    with transaction.atomic():
        pk = uuid4()
        # before the lock is taken, behind which others would wait for the key provider
        own = create_data_key(reason_subject(pk), now) if keys else None
        conversation = conversation_for(actor, conversation_id, Action.RAISE_FLAG, lock=True)
        repeat = _repeat(conversation, actor, level, text, client_id)
        if repeat is not None:
            # it was quicker, so the key just made belongs to nothing
            transaction.set_rollback(True)
            return Done(view_of(repeat))
        if conversation.state == ConversationState.CLOSED:
            raise Refused(ErrorCode.WRONG_STATE)
        sealed = (own or borrowed(conversation)).seal(reason_binding(pk), text)
        escalation = Escalation(pk=pk, conversation=conversation, level=level, source=source, raised_by_id=actor.id)
        escalation.raised_level, escalation.client_id, escalation.sealed_reason = level, client_id, sealed
        escalation.raised_at, escalation.due_at = now, due_at
        escalation.save(force_insert=True)
        code = "flag_raised" if source is Source.PERSON else f"cue_{source}"
        event = call(conversation, escalation, code, Told.RAISED, actor, now, rungs)
        after = end_pause(conversation, escalation, now)
    return Done(view_of(escalation), (event, *after))


def raise_cue(
    *, conversation_id: UUID, level: int, reason: str, client_id: str, now: datetime
) -> Done[EscalationView | None]:
    """Let a rule call for help because of a message, whose `client_id` makes a repeat harmless. It lowers nothing.

    Level 1 is noted in the log once and starts no clock. Nobody is called who is called already as loudly. A call of a
    rule that nobody has acknowledged is lifted, else another one is made. Raises `Refused(LEVEL_UNKNOWN)`, what the
    doorway raises, and `ProviderDown` when nothing seals.
    """
    actor, rungs = System(), ladder()
    due_at = first_due(level, now, rungs)
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.RAISE_FLAG, lock=True)
        calls = Escalation.objects.filter(conversation=conversation)
        heard = level <= level_after(open_levels(conversation)) or calls.filter(client_id=client_id).exists()
        noted = level == min(LEVELS) and log.has_fact(conversation, "flag_raised")
        if heard or noted or conversation.state == ConversationState.CLOSED:
            return Done(None)
        if level == min(LEVELS):
            return Done(None, (log.append_fact(conversation, "flag_raised", now=now, actor=actor, level=level),))
        known = calls.filter(source=Source.SCREENING, state=State.RAISED).first()
        cue = known or Escalation(conversation=conversation, raised_level=level, client_id=client_id, raised_at=now)
        cue.conversation = conversation
        cue.source, cue.level, cue.due_at = Source.SCREENING, level, due_at
        # no new key: its provider may be slow, and this runs where all messages wait
        sealer = sealer_of(known) if known else borrowed(conversation)
        cue.sealed_reason = sealer.seal(reason_binding(cue.pk), reason)
        cue.save()
        word = Told.CLIMBED if known else Told.RAISED
        event = call(conversation, cue, "flag_raised", word, actor, now, rungs, wait=False)
        after = end_pause(conversation, cue, now)
    return Done(view_of(cue), (event, *after))


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
        call_off(escalation, now)
        tell(escalation, Told.ACKNOWLEDGED, actor, now)
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
        tell(escalation, Told.STARTED, actor, now)
    return Done(view_of(escalation))


def resolve(*, actor: Staff, escalation_id: UUID, reason: str, now: datetime) -> Done[EscalationView]:
    """Settle an escalation whose need was met; a repeat by the same person changes nothing.

    Raises `Refused`: `REASON_MISSING`, a text code, `ALREADY_SETTLED`, `CONTACT_OPEN` while somebody outside was told
    and is not known to have made contact.
    """
    return _settle(Step.RESOLVE, Told.RESOLVED, actor, escalation_id, reason, now)


def stand_down(*, actor: Staff, escalation_id: UUID, reason: str, now: datetime) -> Done[EscalationView]:
    """Settle an escalation that was not needed, or no longer is; else as `resolve`."""
    return _settle(Step.STAND_DOWN, Told.STOOD_DOWN, actor, escalation_id, reason, now)


@dataclass(frozen=True, slots=True)
class Why:
    """Be why an escalation was raised, and whether rules say so or a person wrote it."""

    reason: Secret
    by_rules: bool


def read_reason(*, actor: Staff, escalation_id: UUID, now: datetime) -> Done[Why]:
    """Return why an escalation was raised, once the trail says who reads it."""
    _, escalation = escalation_for(actor, escalation_id, Action.READ_REASON)
    # before the trail is written: its one head must not be held while a slow provider is asked
    reason = reason_of(escalation)
    note_reading(actor, "escalation.reason_read", escalation_id, now)
    return Done(Why(reason, by_rules=escalation.source == Source.SCREENING))


def climb_due(*, now: datetime, limit: int = CLIMBS_AT_ONCE) -> Done[int]:
    """Let the clocks act that have run out; return how many did, repeats of levels that do not climb among them.

    Where as many as `limit` did, others may be due. Any number of workers may call it at once: each escalation is
    looked at again under its conversation's lock, so it climbs once. One that fails is logged, tried again with the
    next look and holds no other one up.
    """
    due = due_escalations(now)
    acted, rungs = 0, ladder() if due else SHIPPED
    events: list[StoredEvent] = []
    for pk in due:
        if acted == limit:
            break
        try:
            happened, lines = _climb(pk, now, rungs)
        except Unseen:
            # somebody holds its conversation just now; its clock has run out in a second too
            continue
        except Exception as error:
            logger.error("escalation %s could not climb: %s", pk, type(error).__name__)
            continue
        acted += happened
        events += lines
    return Done(acted, tuple(events))


def mend_clocks(*, now: datetime) -> Done[int]:
    """Let no escalation wait longer than its level's clock after the machine's clock was set back."""
    mended = 0
    for level, rung in ladder().items():
        late = Escalation.objects.filter(state=State.RAISED, level=level, due_at__gt=now + rung.within)
        mended += late.update(due_at=now + rung.within)
    return Done(mended)


def _climb(escalation_id: UUID, now: datetime, rungs: Ladder) -> tuple[bool, tuple[StoredEvent, ...]]:
    """Let one clock act. A repeat is counted, on the trail and in the case; it is no news for the log."""
    actor = System()
    with transaction.atomic():
        conversation, escalation = escalation_for(actor, escalation_id, Action.SEE_BOARD, lock=True, wait=False)
        step = climb(escalation.level, State(escalation.state), escalation.due_at, now, rungs)
        if step is None:
            return False, ()
        before, escalation.level, escalation.due_at = escalation.level, step.level, step.due_at
        escalation.climbs += 1
        escalation.save()
        if step.repeated:
            page_if_due(escalation, rungs, now, climbed_from=before)
            tell(escalation, Told.REPEATED, actor, now)
            return True, ()
        event = call(conversation, escalation, "flag_climbed", Told.CLIMBED, actor, now, rungs, climbed_from=before)
        after = end_pause(conversation, escalation, now)
    return True, (event, *after)


def _settle(
    step: Step, word: Told, actor: Staff, escalation_id: UUID, reason: str, now: datetime
) -> Done[EscalationView]:
    text = checked_reason(reason)
    sealer = _settling(escalation_for(actor, escalation_id, Action.SETTLE)[1])
    with transaction.atomic():
        conversation, escalation = escalation_for(actor, escalation_id, Action.SETTLE, lock=True)
        if escalation.state == word and escalation.settled_by_id == actor.id:
            return Done(view_of(escalation))
        escalation.state = next_state(State(escalation.state), step)
        if step is Step.RESOLVE and contact_open(escalation):
            # resolved means that the need was met, and nobody knows that yet; standing down says why it is left
            raise Refused(ErrorCode.CONTACT_OPEN)
        escalation.settled_by_id, escalation.settled_at, escalation.due_at = actor.id, now, None
        sealer = sealer or create_data_key(reason_subject(escalation.pk), now)
        escalation.sealed_settlement = sealer.seal(settlement_binding(escalation.pk), text)
        escalation.save()
        # the one place where a conversation's level falls, and a person has just said why
        conversation.level = level_after(open_levels(conversation))
        event = log.append_fact(conversation, f"flag_{word}", now=now, actor=actor, level=escalation.level)
        call_off(escalation, now)
        tell(escalation, word, actor, now)
    return Done(view_of(escalation), (event,))


def _settling(escalation: Escalation) -> Sealer | None:
    """Return what seals the reason for settling, None when that key is gone: a danger can be settled all the same."""
    try:
        return sealer_of(escalation)
    except (KeyGone, EpochGone):
        if lifecycle.has_key(reason_subject(escalation.pk)):
            raise
        return None


def _repeat(conversation: Conversation, actor: Staff, level: int, text: str, client_id: str) -> Escalation | None:
    """Return the escalation that this client id has made before, or raise `Refused(ID_REUSED)`."""
    known = Escalation.objects.filter(conversation=conversation, client_id=client_id).first()
    if known is None:
        return None
    same = known.raised_by_id == actor.id and known.raised_level == level and reason_of(known).reveal() == text
    if not same:
        raise Refused(ErrorCode.ID_REUSED)
    return known
