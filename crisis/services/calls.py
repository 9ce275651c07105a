"""What every way of calling for help shares: the seal of its reason, whom it pages, and its steps everywhere."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.services import record
from chat import log, outbox
from chat.core.actors import Staff, System
from chat.core.drills import marked
from chat.log import StoredEvent, subject_of
from chat.models import Conversation
from chat.services import end_pause_for
from chat.services.posting import takes_texts
from crisis.core.ladder import Ladder, Told
from crisis.core.unspoken import Source
from crisis.models import Escalation
from crisis.selectors import escalation_for
from crisis.services.paging import page_if_due
from encryption.providers import ProviderDown
from encryption.services import Sealer, sealer_for, sealing
from staff.permissions import Action


def keys_answer(conversation_id: UUID) -> bool:
    """Tell whether the key provider answers, before any lock is taken.

    Raises `ProviderDown` when it does not and the conversation's own key is not at hand either.
    """
    try:
        sealing.provider().list_epochs()
    except ProviderDown:
        log.warm(conversation_id)
        return False
    return True


def borrowed(conversation: Conversation) -> Sealer:
    """Return the conversation's sealer for a call for help during an outage; it stays while the danger is open.

    Raises `ProviderDown` when that key is to go or has gone: what it seals now would be lost.
    """
    if not takes_texts(conversation):
        raise ProviderDown("escalation")
    return sealer_for(subject_of(conversation.pk))


def call(
    conversation: Conversation,
    escalation: Escalation,
    code: str,
    word: Told,
    actor: Staff | System,
    now: datetime,
    ladder: Ladder,
    *,
    climbed_from: int | None = None,
    wait: bool = True,
) -> StoredEvent:
    """Let everybody hear of an escalation that was raised or has climbed, and return the line that says so.

    Under the conversation's lock. `climbed_from` and `wait` are as in `page_if_due`.
    """
    conversation.level = max(conversation.level, escalation.level)
    event = log.append_fact(conversation, code, now=now, actor=actor, level=escalation.level)
    page_if_due(escalation, ladder, now, climbed_from=climbed_from, wait=wait)
    tell(escalation, word, actor, now)
    return event


def end_pause(conversation: Conversation, escalation: Escalation, now: datetime) -> tuple[StoredEvent, ...]:
    """Let whoever may be in danger write, whatever came before; return the line that tells both sides.

    After `call`. A return by words ends no pause: who is paused could make two of them.
    """
    if escalation.source == Source.RETURNED:
        return ()
    return end_pause_for(conversation, escalation.level, now)


def note_reading(actor: Staff, action: str, escalation_id: UUID, now: datetime) -> None:
    """Record that somebody reads a text of an escalation, if they still may. Raises what the doorway raises."""
    with transaction.atomic():
        conversation, escalation = escalation_for(actor, escalation_id, Action.READ_REASON)
        subject, told = f"escalation:{escalation.pk}", marked(conversation.drill)
        record(actor=str(actor), action=action, subject=subject, data=told, now=now)


def tell(escalation: Escalation, word: Told, actor: Staff | System, now: datetime) -> None:
    """Put a step on the trail and into the outbox: codes and ids only."""
    record(
        actor=str(actor),
        action=f"escalation.{word.value}",
        subject=f"escalation:{escalation.pk}",
        data=marked(
            escalation.conversation.drill,
            {
                "conversation": str(escalation.conversation_id),
                "level": escalation.level,
                "source": Source(escalation.source).value,
            },
        ),
        now=now,
    )
    data: dict[str, str | int] = {
        "escalation": str(escalation.pk),
        "level": escalation.level,
        "at": now.isoformat(),
    }
    if isinstance(actor, Staff):
        data["by"] = actor.id
    outbox.put(f"escalation.{word.value}", escalation.conversation_id, data, now)
