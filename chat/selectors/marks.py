"""How far each side has got, in the other side's numbers.

A number of staff is turned into the visitor's by way of the newest line up to it that the visitor may see, so that a
note that was read moves nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from django.db.models import Max

from chat.models import Conversation, Event, ReadMark

Reached = tuple[int, int]
"""Up to which number the log was delivered, and up to which it was read."""


class Heads(NamedTuple):
    """Be the newest numbers of a log."""

    staff: int
    visitor: int


def reached_in(logs: Mapping[UUID, Heads]) -> dict[UUID, Reached]:
    """Return how far staff have got in each of some logs whose newest numbers were read before."""
    # where the visitor can see nothing yet, nobody has got anywhere in it
    begun = [pk for pk, heads in logs.items() if heads.visitor]
    marks = ReadMark.objects.filter(conversation_id__in=begun) if begun else ReadMark.objects.none()
    furthest = marks.values_list("conversation_id").annotate(Max("delivered"), Max("up_to"))
    found = dict.fromkeys(logs, (0, 0))
    for pk, delivered, read in furthest:
        # a mark of before there were two of them is behind its own reading
        pair = max(delivered or 0, read or 0), read or 0
        newest = {number: _newest(pk, number, logs[pk]) for number in set(pair)}
        found[pk] = (newest[pair[0]], newest[pair[1]])
    return found


def reached_by_visitor(conversation_id: UUID) -> Reached:
    """Return how far the visitor has got, in numbers of staff."""
    row = Conversation.objects.filter(pk=conversation_id).values_list("visitor_delivered", "visitor_read").first()
    delivered, read = row or (0, 0)
    lines = Event.objects.filter(conversation_id=conversation_id, visitor_seq__in=[delivered, read])
    numbers = dict(lines.values_list("visitor_seq", "staff_seq"))
    return numbers.get(delivered, 0), numbers.get(read, 0)


def _newest(conversation_id: UUID, staff_seq: int, heads: Heads) -> int:
    if staff_seq == 0:
        return 0
    if staff_seq >= heads.staff:
        return heads.visitor
    shown = Event.objects.filter(conversation_id=conversation_id, staff_seq__lte=staff_seq, visitor_seq__isnull=False)
    newest: int | None = shown.order_by("-staff_seq").values_list("visitor_seq", flat=True).first()
    return newest or 0
