"""Move the marks of how far each side has got: cumulative numbers that never go back.

They stand in rows of their own beside the log and are never written with a message: what is unread follows from them
and the log, and nothing is counted.
"""

from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, Value
from django.db.models.functions import Greatest, Least

from chat.core.actors import Staff, Visitor
from chat.models import Conversation, ReadMark
from chat.selectors import conversation_for
from staff.permissions import Action


def mark_seen(*, actor: Visitor, delivered: int, read: int) -> bool:
    """Move a visitor's two marks forward, never beyond their log; tell whether one of them moved.

    What was looked at is there: a `read` beyond `delivered` moves both.
    """
    held, looked_at = (Least(Value(number), F("visitor_head")) for number in (max(delivered, read), read))
    # while what stands before a return is hidden, a later number says nothing of the earlier ones
    rows = Conversation.objects.filter(pk=actor.conversation, return_seq=actor.since, return_open=False)
    moved = rows.filter(Q(visitor_delivered__lt=held) | Q(visitor_read__lt=looked_at)).update(
        visitor_delivered=Greatest(F("visitor_delivered"), held), visitor_read=Greatest(F("visitor_read"), looked_at)
    )
    return bool(moved)


def mark_read(*, actor: Staff, conversation_id: UUID, up_to: int, now: datetime, delivered: int = 0) -> bool:
    """Move somebody's two marks forward, never beyond the log; tell whether one of them moved.

    Takes no lock of the conversation, whose writers would wait for it. Raises what the doorway raises.
    """
    conversation = conversation_for(actor, conversation_id, Action.READ_CONVERSATION)
    read = min(up_to, conversation.staff_head)
    held = max(read, min(delivered, conversation.staff_head))
    mark, _ = ReadMark.objects.get_or_create(conversation=conversation, user_id=actor.id)
    moved = ReadMark.objects.filter(Q(delivered__lt=held) | Q(up_to__lt=read), pk=mark.pk).update(
        delivered=Greatest(F("delivered"), Value(held)), up_to=Greatest(F("up_to"), Value(read))
    )
    return bool(moved)
