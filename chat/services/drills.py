"""Offer a drill to whom it was begun for, once no visitor waits; and clear away what nobody recorded of it."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from chat.core.actors import System
from chat.core.conversation import Move, Mover, State, next_state
from chat.core.drills import KEPT_FOR
from chat.core.routing import NOT_AGAIN_WITHIN
from chat.models import Assignment, Conversation
from chat.selectors import conversation_for
from chat.services.base import Done
from chat.services.ending import end_words
from chat.services.queue import each, offer_one
from chat.services.trail import put_on_trail
from staff.permissions import Action
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


def shelve_drills(*, now: datetime) -> Done[int]:
    """Close drills whose contact nobody wrote down within a day; that of a visitor waits as long as it takes."""
    left = Conversation.objects.filter(state=State.WRAP_UP, ended_at__lte=now - KEPT_FOR).exclude(drill="")
    return Done(sum(_shelve(pk, now) for pk in left.values_list("pk", flat=True)))


def _shelve(pk: UUID, now: datetime) -> bool:
    with transaction.atomic():
        conversation = conversation_for(System(), pk, Action.SEE_CONVERSATION, lock=True)
        if conversation.state != State.WRAP_UP or not conversation.drill:
            return False
        conversation.state = next_state(State.WRAP_UP, Move.SHELVE, Mover.SYSTEM)
        conversation.save(update_fields=["state"])
        end_words(conversation)
        put_on_trail(System(), "drill.shelved", conversation, now)
    return True
