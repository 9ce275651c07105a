"""How far each side has got, in the other side's numbers.

A number of staff is turned into the visitor's by way of the newest line up to it that the visitor may see, so that a
note that was read moves nothing.
"""

from uuid import UUID

from django.db.models import Max

from chat.models import Conversation, Event, ReadMark

Reached = tuple[int, int]
"""Up to which number the log was delivered, and up to which it was read."""


def reached_by_staff(conversation_id: UUID) -> Reached:
    """Return how far staff have got, the furthest of them, in the visitor's numbers."""
    marks = ReadMark.objects.filter(conversation_id=conversation_id)
    furthest = marks.aggregate(delivered=Max("delivered"), read=Max("up_to"))
    read = furthest["read"] or 0
    # a mark of before there were two of them is behind its own reading
    return _newest(conversation_id, max(furthest["delivered"] or 0, read)), _newest(conversation_id, read)


def reached_by_visitor(conversation_id: UUID) -> Reached:
    """Return how far the visitor has got, in numbers of staff."""
    row = Conversation.objects.filter(pk=conversation_id).values_list("visitor_delivered", "visitor_read").first()
    delivered, read = row or (0, 0)
    lines = Event.objects.filter(conversation_id=conversation_id, visitor_seq__in=[delivered, read])
    numbers = dict(lines.values_list("visitor_seq", "staff_seq"))
    return numbers.get(delivered, 0), numbers.get(read, 0)


def _newest(conversation_id: UUID, staff_seq: int) -> int:
    if staff_seq == 0:
        return 0
    shown = Event.objects.filter(conversation_id=conversation_id, staff_seq__lte=staff_seq, visitor_seq__isnull=False)
    newest: int | None = shown.order_by("-staff_seq").values_list("visitor_seq", flat=True).first()
    return newest or 0
