"""Put something down for another room, in the transaction that caused it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from chat.models import Conversation, OutboxItem


def put(topic: str, conversation_id: UUID, data: Mapping[str, str | int], now: datetime) -> None:
    """Add an item that a worker hands over exactly once; `data` holds codes and ids only.

    What is of a drill says so, for whoever gets it: its `kind` is `drill`.
    """
    drill = Conversation.objects.filter(pk=conversation_id).exclude(drill="").exists()
    told = {**data, "kind": "drill"} if drill else dict(data)
    OutboxItem.objects.create(topic=topic, conversation_id=conversation_id, data=told, created_at=now, due_at=now)
