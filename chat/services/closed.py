"""What commands about a closed conversation begin with: a fresh proof, a conversation that is over, a sealed reason."""

from datetime import datetime
from uuid import UUID

from chat.core.actors import Staff
from chat.core.errors import ErrorCode, Refused
from chat.models import Conversation
from chat.selectors import conversation_for
from chat.selectors.archive import reason_binding, reason_subject
from encryption.services import create_data_key
from encryption.services.unlock import Unlocked
from staff.permissions import Action


def proved(actor: Staff, unlocked: Unlocked | None) -> Unlocked:
    """Return somebody's own unlocked key, proved within minutes; raises `Refused(LOCKED)` without one."""
    if unlocked is None or unlocked.user_id != actor.id or not unlocked.fresh:
        raise Refused(ErrorCode.LOCKED)
    return unlocked


def over(actor: Staff, conversation_id: UUID, action: Action, *, lock: bool = False) -> Conversation:
    """Return a conversation that is over; raises what the doorway raises, `Refused(WRONG_STATE)` while it runs."""
    conversation = conversation_for(actor, conversation_id, action, lock=lock)
    if conversation.ended_at is None:
        raise Refused(ErrorCode.WRONG_STATE)
    return conversation


def seal_reason(kind: str, pk: UUID, text: str, now: datetime) -> bytes:
    """Return a reason sealed under a key of its own, which outlives what it is about. Raises `ProviderDown`."""
    return create_data_key(reason_subject(kind, pk), now).seal(reason_binding(kind, pk), text)
