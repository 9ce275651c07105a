"""Put something down for another room, in the transaction that caused it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from chat.models import OutboxItem


def put(topic: str, conversation_id: UUID, data: Mapping[str, str | int], now: datetime) -> None:
    """Add an item that a worker hands over exactly once; `data` holds codes and ids only."""
    OutboxItem.objects.create(topic=topic, conversation_id=conversation_id, data=dict(data), created_at=now, due_at=now)
