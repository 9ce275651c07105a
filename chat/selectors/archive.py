"""What is left of conversations that are over, and who may see that much."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q

from chat.core.actors import Staff
from chat.core.conversation import ENDED
from chat.core.handles import spoken
from chat.core.hold import waited_in_vain
from chat.models import Conversation, Erasure, Hold, HoldEnd, Reading
from chat.selectors import relation_of
from encryption.core.envelope import Binding, NotAuthentic
from encryption.core.subject import Subject
from encryption.providers import ProviderDown
from encryption.services import KeyGone, lifecycle, sealer_for
from staff.permissions import Action, allowed


@dataclass(frozen=True, slots=True)
class AskedView:
    """Show what one person asked for: that a hold end before its day, or that a conversation be erased."""

    id: UUID
    asked_by: int
    asked_by_name: str
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class HoldView:
    """Show a hold that was asked for or stands, and whether somebody asked that it end."""

    id: UUID
    until: date
    asked_by: int
    asked_by_name: str
    confirmed: bool
    end: AskedView | None = None


@dataclass(frozen=True, slots=True)
class ArchivedRow:
    """Show a closed conversation on a list: no text of it."""

    id: UUID
    handle: str
    language: str
    opened_at: datetime
    ended_at: datetime | None
    ended_by: str
    readable_until: date | None
    hold: HoldView | None
    drill: bool = False


@dataclass(frozen=True, slots=True)
class ReadingView:
    """Show that somebody opened a conversation; `reason` is None when it cannot be read any more."""

    at: datetime
    by: str
    reason: str | None


def archived(actor: Staff, now: datetime, limit: int = 500) -> tuple[ArchivedRow, ...]:
    """Return the closed conversations that a reader could still open and that this person may see, newest first."""
    days = lifecycle.kept_until("conversation")
    rows = Conversation.objects.select_related("advocate").filter(
        Q(state__in=ENDED) | Q(ended_at__isnull=False), pk__in=days, purged_at=None
    )
    holds = holds_of(list(days), now)
    shown = [row for row in rows.order_by("-ended_at", "pk") if may(actor, row, Action.READ_ARCHIVE)]
    return tuple(_row(row, actor.language, days.get(row.pk), holds.get(row.pk)) for row in shown[:limit])


def archived_row(actor: Staff, conversation: Conversation, now: datetime) -> ArchivedRow:
    """Return one closed conversation; the caller has fetched it through the doorway."""
    day = lifecycle.kept_until("conversation", [conversation.pk]).get(conversation.pk)
    return _row(conversation, actor.language, day, holds_of([conversation.pk], now).get(conversation.pk))


def may(actor: Staff, conversation: Conversation, action: Action) -> bool:
    """Tell whether somebody may do this to a conversation."""
    return allowed(actor.role, action, relation_of(actor, conversation))


def holds_of(conversation_ids: list[UUID], now: datetime) -> dict[UUID, HoldView]:
    """Return the hold of each conversation that has one, asked for or confirmed; what lapsed is none."""
    rows = Hold.objects.select_related("asked_by").filter(conversation_id__in=conversation_ids, ended_at=None)
    ends = _ends_asked([row.pk for row in rows], now)
    return {
        row.conversation_id: HoldView(
            id=row.pk,
            until=row.until,
            asked_by=row.asked_by_id,
            asked_by_name=row.asked_by.work_name,
            confirmed=row.confirmed_at is not None,
            end=ends.get(row.pk),
        )
        for row in rows
        if not lapsed(row, now)
    }


def lapsed(hold: Hold, now: datetime) -> bool:
    """Tell whether a hold was asked for and nobody confirmed it in time."""
    return hold.confirmed_at is None and waited_in_vain(hold.asked_at, hold.until, now)


def end_lapsed(end: HoldEnd, hold: Hold, now: datetime) -> bool:
    """Tell whether somebody asked that a hold end and nobody confirmed it in time."""
    return end.closed_at is None and waited_in_vain(end.asked_at, hold.until, now)


def erasure_of(conversation_id: UUID) -> AskedView | None:
    """Return who of staff had a conversation erased; None when nobody did, or its visitor."""
    row = Erasure.objects.select_related("asked_by").filter(conversation_id=conversation_id).first()
    return None if row is None else AskedView(row.pk, row.asked_by_id, row.asked_by.work_name, row.asked_at)


def on_hold(conversation_id: UUID) -> bool:
    """Tell whether a hold was asked for or stands; who decides on an erasure ends first what lapsed."""
    return Hold.objects.filter(conversation_id=conversation_id, ended_at=None).exists()


def readings(conversation_id: UUID) -> tuple[ReadingView, ...]:
    """Return who has opened a conversation and why, newest first; for who opens it themselves."""
    rows = Reading.objects.select_related("reader").filter(conversation_id=conversation_id).order_by("-at", "pk")
    return tuple(ReadingView(row.at, row.reader.work_name, _reason_of(row)) for row in rows)


def openings(conversation_id: UUID) -> tuple[tuple[datetime, str], ...]:
    """Return when a conversation was opened and by whom, newest first: no reason, since it is not opened for this."""
    rows = Reading.objects.filter(conversation_id=conversation_id).order_by("-at", "pk")
    return tuple(rows.values_list("at", "reader__work_name"))


def reason_of_hold(hold: Hold) -> str:
    """Return why a hold was asked for."""
    return _unsealed("hold", hold.pk, hold.sealed_reason)


def reason_of_end(end: HoldEnd) -> str:
    """Return why somebody asked that a hold end."""
    return _unsealed("hold_end", end.pk, end.sealed_reason)


def reason_of_erasure(erasure: Erasure) -> str:
    """Return why somebody of staff had a conversation erased."""
    return _unsealed("erasure", erasure.pk, erasure.sealed_reason)


def reason_subject(kind: str, pk: UUID) -> Subject:
    """Return the subject whose data key seals one reason: of a `reading`, `hold`, `hold_end` or `erasure`."""
    return Subject(kind, pk)


def reason_binding(kind: str, pk: UUID) -> Binding:
    """Return what one reason is bound to."""
    return Binding(kind=kind, record=str(pk), sequence=0, author_role="staff")


def _unsealed(kind: str, pk: UUID, sealed: bytes | memoryview) -> str:
    return sealer_for(reason_subject(kind, pk)).unseal(reason_binding(kind, pk), bytes(sealed)).reveal()


def _ends_asked(hold_ids: list[UUID], now: datetime) -> dict[UUID, AskedView]:
    """Return who asked that each of some holds end, where it waits for a second person."""
    rows = HoldEnd.objects.select_related("asked_by", "hold").filter(hold_id__in=hold_ids, closed_at=None)
    return {
        row.hold_id: AskedView(row.pk, row.asked_by_id, row.asked_by.work_name, row.asked_at)
        for row in rows
        if not end_lapsed(row, row.hold, now)
    }


def _reason_of(row: Reading) -> str | None:
    try:
        return _unsealed("reading", row.pk, row.sealed_reason)
    except (KeyGone, NotAuthentic, ProviderDown):
        # one reason that was lost hides neither the others nor the text
        return None


def _row(row: Conversation, language: str, day: date | None, hold: HoldView | None) -> ArchivedRow:
    return ArchivedRow(
        id=row.pk,
        handle=spoken(row.handle, language),
        language=row.language,
        opened_at=row.opened_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by,
        readable_until=day,
        hold=hold,
        drill=row.drill != "",
    )
