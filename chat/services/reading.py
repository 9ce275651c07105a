"""Let staff read a conversation: the trail first, then the text."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit.services import record
from chat.core.actors import Staff
from chat.log import StoredEvent
from chat.selectors import conversation_for, events_after
from chat.services.base import Done
from staff.permissions import Action


def read_conversation(
    *, actor: Staff, conversation_id: UUID, after: int, now: datetime
) -> Done[tuple[list[StoredEvent], int]]:
    """Return the log beyond `after` and its newest number, once the audit trail says who reads it."""
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.READ_CONVERSATION)
        record(
            actor=str(actor),
            action="conversation.read",
            subject=f"conversation:{conversation.pk}",
            data={"after": after},
            now=now,
        )
        events = events_after(conversation.pk, after, for_visitor=False)
    return Done((events, conversation.staff_head))
