"""Write messages and notes."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from chat import log
from chat.core.actors import Staff, Visitor
from chat.core.conversation import State, check_may_note, check_may_write
from chat.core.errors import ErrorCode, Refused
from chat.core.text import checked
from chat.log import StoredEvent
from chat.models import Conversation, Event, ReadMark
from chat.selectors import conversation_for
from chat.services.base import Done, mover_of
from encryption.services import sealer_for
from staff.permissions import Action


def post_message(
    *, actor: Visitor | Staff, conversation_id: UUID, client_id: str, body: str, now: datetime
) -> Done[StoredEvent]:
    """Write a message that both sides see; the same `client_id` again returns the first one unchanged.

    Raises `Refused` with a text code, `ID_REUSED`, `WRONG_STATE`, `TOKEN_SPENT`, or what the doorway raises.
    """
    text = checked(body)
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.WRITE_MESSAGE, lock=True)
        repeat = _repeat(conversation, actor, "message", client_id, text)
        if repeat is not None:
            return Done(repeat, (repeat,))
        check_may_write(State(conversation.state), mover_of(actor))
        if isinstance(actor, Visitor):
            conversation.last_visitor_at = conversation.visitor_seen_at = now
        else:
            conversation.last_staff_at = now
        event = log.append_text(conversation, "message", text, actor=actor, client_id=client_id, now=now)
    return Done(event, (event,))


def write_note(*, actor: Staff, conversation_id: UUID, client_id: str, body: str, now: datetime) -> Done[StoredEvent]:
    """Write a note that only staff see; a repeat is harmless as with messages."""
    text = checked(body)
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.WRITE_NOTE, lock=True)
        repeat = _repeat(conversation, actor, "note", client_id, text)
        if repeat is not None:
            return Done(repeat, (repeat,))
        check_may_note(State(conversation.state))
        event = log.append_text(conversation, "note", text, actor=actor, client_id=client_id, now=now)
    return Done(event, (event,))


def mark_read(*, actor: Staff, conversation_id: UUID, up_to: int, now: datetime) -> None:
    """Move somebody's read mark forward, never back and never beyond the log."""
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.READ_CONVERSATION, lock=True)
        reached = min(up_to, conversation.staff_head)
        mark, _ = ReadMark.objects.get_or_create(conversation=conversation, user_id=actor.id)
        if reached > mark.up_to:
            mark.up_to = reached
            mark.save(update_fields=["up_to"])


def _repeat(
    conversation: Conversation, actor: Visitor | Staff, kind: str, client_id: str, text: str
) -> StoredEvent | None:
    """Return the event that this client id has made before, under the row lock so that a retry burns no number."""
    sender = log.sender_of(actor)
    event = (
        Event.objects.select_related("author")
        .filter(conversation=conversation, sender=sender, client_id=client_id)
        .first()
    )
    if event is None:
        return None
    known = log.stored(event)
    binding = log.binding_of(event.kind, sender, client_id, event.staff_seq, event.author_role)
    sealed = bytes(event.sealed_body or b"")
    if event.kind != kind or sealer_for(log.subject_of(conversation.pk)).unseal(binding, sealed).reveal() != text:
        raise Refused(ErrorCode.ID_REUSED)
    return known
