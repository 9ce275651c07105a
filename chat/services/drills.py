"""Offer a drill to whom it was begun for, once no visitor waits."""

from datetime import datetime

from chat.core.conversation import State
from chat.core.routing import NOT_AGAIN_WITHIN
from chat.models import Assignment, Conversation
from chat.services.base import Done
from chat.services.queue import each, offer_one
from staff.selectors import ready_people


def offer_drills(*, now: datetime) -> Done[int]:
    """Offer waiting drills, each to its own person and to nobody else; none while a visitor waits for somebody."""
    drills = Conversation.objects.filter(state=State.WAITING).exclude(drill="")
    waits = dict(drills.values_list("pk", "drill_for_id"))
    if not waits or Conversation.objects.filter(state=State.WAITING, drill="").exists():
        return Done(0)
    ready = set(ready_people(now).filter(user_id__in=waits.values()).values_list("user_id", flat=True))
    declined = Assignment.objects.filter(
        conversation__in=waits, outcome__in=["declined", "lapsed"], ended_at__gt=now - NOT_AGAIN_WITHIN
    )
    not_now = set(declined.values_list("conversation_id", flat=True))
    pairs = {pk: person for pk, person in waits.items() if person in ready and pk not in not_now}
    return each(pairs, lambda pk: offer_one(pk, pairs[pk], now))
