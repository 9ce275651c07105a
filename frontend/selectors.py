"""What a page about a closed conversation shows of it before anybody opens its text."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from chat.core.actors import Staff
from chat.selectors import conversation_for
from chat.selectors.archive import ArchivedRow, AskedView, ReadingView, archived_row, erasure_of, may, readings
from encryption.core.envelope import NotAuthentic
from encryption.providers import ProviderDown
from encryption.services import KeyGone, lifecycle
from staff.permissions import Action

UNREADABLE = (NotAuthentic, KeyGone, ProviderDown)
"""What a reason raises that nobody can read now."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Show how a closed conversation stands, and what somebody may do with it."""

    row: ArchivedRow
    over: bool
    readable_until: datetime | None
    ordinary_until: date | None
    """The day with which it ends without a hold, None when that has come."""
    erase_asked: bool
    erased: bool
    erasure: AskedView | None
    """Who of staff had it erased; None when nobody did, or its visitor."""
    may_hold: bool
    may_erase: bool


def kept(actor: Staff, conversation_id: UUID, now: datetime, action: Action = Action.READ_ARCHIVE) -> Kept:
    """Return a conversation as its page in the archive shows it; raises what the doorway raises."""
    conversation = conversation_for(actor, conversation_id, action)
    row = archived_row(actor, conversation, now)
    return Kept(
        row=row,
        over=conversation.ended_at is not None,
        readable_until=readable_until(row),
        ordinary_until=_ordinary_until(conversation_id, now),
        erase_asked=conversation.erase_asked_at is not None,
        erased=conversation.purged_at is not None,
        erasure=erasure_of(conversation_id),
        may_hold=may(actor, conversation, Action.HOLD),
        may_erase=may(actor, conversation, Action.ERASE),
    )


def readable_until(row: ArchivedRow) -> datetime | None:
    """Return the moment at which nobody can open it any more; None when nobody can now.

    An ordinary day ends the archive when it begins, the day of a hold when it is over.
    """
    if row.readable_until is None:
        return None
    day = row.readable_until
    if row.hold is not None and row.hold.confirmed and row.hold.until == day:
        day += timedelta(days=1)
    return datetime.combine(day, time(), UTC)


def _ordinary_until(conversation_id: UUID, now: datetime) -> date | None:
    day = lifecycle.kept_until("conversation", [conversation_id], held=False).get(conversation_id)
    return None if day is None or day <= now.astimezone(UTC).date() else day - timedelta(days=1)


def known_readings(conversation_id: UUID) -> tuple[ReadingView, ...] | None:
    """Return who has opened a conversation, None when that cannot be shown: the text is then shown all the same."""
    try:
        return readings(conversation_id)
    except UNREADABLE:
        return None
