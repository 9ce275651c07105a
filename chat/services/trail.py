"""Put what happened to a conversation into the audit trail, which says of a drill that it was one."""

from collections.abc import Mapping
from datetime import datetime

from audit.services import record
from chat.core.actors import Actor
from chat.core.drills import marked
from chat.models import Conversation


def put_on_trail(
    actor: Actor | str,
    action: str,
    conversation: Conversation,
    now: datetime,
    data: Mapping[str, str | int] | None = None,
) -> None:
    """Record an action of somebody; call it inside the transaction that does it, codes and ids only in `data`.

    Call it after every other lock: the trail has one head, for which all others then wait.
    """
    subject, told = f"conversation:{conversation.pk}", marked(conversation.drill, data)
    record(actor=str(actor), action=action, subject=subject, data=told, now=now)
