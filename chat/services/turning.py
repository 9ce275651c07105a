"""Let a visitor come through another door, or read the page in another language, while the conversation runs."""

from datetime import datetime

from django.db import transaction

from chat import log
from chat.core.actors import Visitor
from chat.core.conversation import Mover, State, check_may_write
from chat.selectors import conversation_for
from chat.services.base import Done
from staff.permissions import Action


def change_door(*, actor: Visitor, door: str, now: datetime) -> Done[None]:
    """Come through another door; staff see it in the log. Raises `Refused(TOKEN_SPENT)` once it is over."""
    return _change(actor, "door", door, now)


def change_language(*, actor: Visitor, language: str, now: datetime) -> Done[None]:
    """Read the page in another language; staff see it in the log. Raises `Refused(TOKEN_SPENT)` once it is over."""
    return _change(actor, "language", language, now)


def _change(actor: Visitor, field: str, to: str, now: datetime) -> Done[None]:
    with transaction.atomic():
        conversation = conversation_for(actor, actor.conversation, Action.WRITE_MESSAGE, lock=True)
        check_may_write(State(conversation.state), Mover.VISITOR)
        if getattr(conversation, field) == to:
            return Done(None)
        setattr(conversation, field, to)
        event = log.append_fact(conversation, f"{field}_{to}", now=now, actor=actor)
    return Done(None, (event,))
