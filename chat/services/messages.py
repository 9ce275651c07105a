"""Write messages and notes."""

from datetime import datetime
from uuid import UUID

from chat import log
from chat.core.actors import Staff, Visitor
from chat.log import StoredEvent
from chat.services.base import Done
from chat.services.posting import Post, post_one


def post_message(
    *, actor: Visitor | Staff, conversation_id: UUID, client_id: str, body: str, now: datetime
) -> Done[StoredEvent]:
    """Write a message that both sides see; the same `client_id` again returns the first one unchanged.

    Raises `Refused` with a text code, `ID_REUSED`, `WRONG_STATE`, `TOKEN_SPENT`, or what the doorway raises.
    """
    log.warm(conversation_id)
    return post_one(Post(actor, conversation_id, client_id, body, now))


def write_note(*, actor: Staff, conversation_id: UUID, client_id: str, body: str, now: datetime) -> Done[StoredEvent]:
    """Write a note that only staff see; a repeat is harmless as with messages."""
    log.warm(conversation_id)
    return post_one(Post(actor, conversation_id, client_id, body, now, kind="note"))
