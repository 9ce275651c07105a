"""End a hold before its day, by as many people as made it: one asks with a reason, another confirms.

Until then it stands. What nobody confirms within a day lapses, and the hold goes on; so does one whose end somebody
says no to. When its last day is over it ends by itself (`keys.tend_keys`).
"""

from datetime import datetime
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from chat.core.actors import Staff, System
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.core.hold import is_over
from chat.core.text import checked_reason
from chat.models import Conversation, Hold, HoldEnd
from chat.selectors import conversation_for
from chat.selectors.archive import end_lapsed, reason_of_end
from chat.services.base import Done
from chat.services.closed import proved, seal_reason
from chat.services.holds import locked_hold
from chat.services.trail import put_on_trail
from encryption.core.life import hold_epoch
from encryption.providers import ProviderDown
from encryption.services import lifecycle
from encryption.services.unlock import Unlocked
from encryption.text import Secret
from staff.permissions import Action


def ask_hold_end(*, actor: Staff, unlocked: Unlocked | None, hold_id: UUID, reason: str, now: datetime) -> Done[UUID]:
    """Ask that a hold end before its day; it does, once a second person confirms.

    Raises `Refused`: `LOCKED`, a text code, `WRONG_STATE` for one that was not confirmed, has ended or is over,
    `END_ASKED` when that was asked already, `OURS`.
    """
    proved(actor, unlocked)
    text = checked_reason(reason)
    try:
        with transaction.atomic():
            hold, conversation = locked_hold(actor, hold_id)
            if not _stands(hold, now):
                raise Refused(ErrorCode.WRONG_STATE)
            pk = uuid4()
            # before anything is put into the trail, whose one head must not be held while keys are asked for
            sealed = seal_reason("hold_end", pk, text, now)
            _close_lapsed(hold, conversation, now)
            put_on_trail(actor, "hold.end_asked", conversation, now, {"hold": str(hold.pk), "end": str(pk)})
            with transaction.atomic():
                HoldEnd.objects.create(pk=pk, hold=hold, sealed_reason=sealed, asked_by_id=actor.id, asked_at=now)
    except IntegrityError:
        raise Refused(ErrorCode.END_ASKED) from None
    except ProviderDown:
        raise Refused(ErrorCode.OURS) from None
    return Done(pk)


def confirm_hold_end(*, actor: Staff, unlocked: Unlocked | None, end_id: UUID, now: datetime) -> Done[None]:
    """Confirm that a hold ends: its own key dies now, the ordinary day stays as it was. A repeat changes nothing.

    Raises `Refused`: `LOCKED`, `SECOND_PERSON` for who asked, `WRONG_STATE` when that lapsed, was withdrawn or the
    hold is over, `OURS` when the key could not be destroyed yet: the hold has ended all the same.
    """
    proved(actor, unlocked)
    with transaction.atomic():
        end, hold, conversation = _locked_end(actor, end_id)
        if end.asked_by_id == actor.id:
            raise Refused(ErrorCode.SECOND_PERSON)
        if end.confirmed_by_id is None:
            if end.closed_at is not None or end_lapsed(end, hold, now):
                raise Refused(ErrorCode.WRONG_STATE)
            put_on_trail(actor, "hold.ended", conversation, now, {"hold": str(hold.pk), "end": str(end.pk)})
            end.confirmed_by_id, end.closed_at = actor.id, now
            end.save(update_fields=["confirmed_by", "closed_at"])
            hold.ended_by_id, hold.ended_at = actor.id, now
            hold.save(update_fields=["ended_by", "ended_at"])
    try:
        # after a crash or an outage here the worker destroys it (`keys.end_holds`)
        lifecycle.destroy_if_there([hold_epoch(hold.pk, hold.until)], actor=str(actor), now=now)
    except ProviderDown:
        raise Refused(ErrorCode.OURS) from None
    return Done(None)


def withdraw_hold_end(*, actor: Staff, unlocked: Unlocked | None, end_id: UUID, now: datetime) -> Done[None]:
    """Take back that a hold end, or say no to a colleague who asked it: the hold stands. A repeat changes nothing.

    Anybody who may hold can: one person is enough to leave what two decided. Raises `Refused`: `LOCKED`,
    `WRONG_STATE` once it was confirmed.
    """
    proved(actor, unlocked)
    with transaction.atomic():
        end, hold, conversation = _locked_end(actor, end_id)
        if end.confirmed_by_id is not None:
            raise Refused(ErrorCode.WRONG_STATE)
        if end.closed_at is None:
            put_on_trail(actor, "hold.end_withdrawn", conversation, now, {"hold": str(hold.pk), "end": str(end.pk)})
            end.withdrawn_by_id, end.closed_at = actor.id, now
            end.save(update_fields=["withdrawn_by", "closed_at"])
    return Done(None)


def read_hold_end_reason(*, actor: Staff, end_id: UUID, now: datetime) -> Done[Secret]:
    """Return why somebody asked that a hold end, once the trail says who reads it.

    Raises what the doorway and `sealer_for` raise, `NotAuthentic`.
    """
    end = HoldEnd.objects.select_related("hold").filter(pk=end_id).first()
    conversation = conversation_for(actor, end.hold.conversation_id if end else end_id, Action.HOLD)
    if end is None:
        raise Unseen
    # before the trail is written: its one head must not be held while a slow provider is asked
    reason = Secret(reason_of_end(end))
    with transaction.atomic():
        put_on_trail(actor, "hold.end_reason_read", conversation, now, {"hold": str(end.hold_id), "end": str(end.pk)})
    return Done(reason)


def _stands(hold: Hold, now: datetime) -> bool:
    return hold.confirmed_at is not None and hold.ended_at is None and not is_over(hold.until, now)


def _locked_end(actor: Staff, end_id: UUID) -> tuple[HoldEnd, Hold, Conversation]:
    known = HoldEnd.objects.filter(pk=end_id).values_list("hold_id", flat=True).first()
    hold, conversation = locked_hold(actor, known or end_id)
    return HoldEnd.objects.select_for_update(no_key=True).get(pk=end_id), hold, conversation


def _close_lapsed(hold: Hold, conversation: Conversation, now: datetime) -> None:
    """Close what nobody confirmed in time, so that it can be asked anew. The caller holds the row locks."""
    for end in HoldEnd.objects.filter(hold=hold, closed_at=None):
        if end_lapsed(end, hold, now):
            put_on_trail(System(), "hold.end_lapsed", conversation, now, {"hold": str(hold.pk), "end": str(end.pk)})
            end.closed_at = now
            end.save(update_fields=["closed_at"])
