"""Keep a closed conversation for the law: one person asks, another confirms. How one ends: `hold_ends`."""

from datetime import date, datetime
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction

from chat import log
from chat.core.actors import Staff, System
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.core.hold import day_fits
from chat.core.text import checked_reason
from chat.models import Conversation, Hold
from chat.selectors import conversation_for
from chat.selectors.archive import lapsed, reason_of_hold
from chat.services.base import Done
from chat.services.closed import over, proved, seal_reason
from chat.services.trail import put_on_trail
from encryption.core.archive import NotOurs
from encryption.core.envelope import NotAuthentic
from encryption.core.life import hold_epoch
from encryption.providers import EpochGone, ProviderDown
from encryption.services import KeyGone, lifecycle
from encryption.services import archive as vault
from encryption.services.readers import NotGranted
from encryption.services.unlock import Unlocked
from encryption.text import Secret
from staff.permissions import Action


def ask_hold(
    *, actor: Staff, unlocked: Unlocked | None, conversation_id: UUID, until: date, reason: str, now: datetime
) -> Done[UUID]:
    """Ask that a closed conversation be kept through the day `until`; it is, once a second person confirms.

    Unconfirmed it counts for a day. Raises `Refused`: `LOCKED`, `BAD_DATE` unless it lies ahead and within two years,
    `ON_HOLD`, `SECOND_PERSON` for who asked before and was not confirmed, `WRONG_STATE` while it runs and once its
    erasure was asked for, `GONE`.
    """
    proved(actor, unlocked)
    text = checked_reason(reason)
    if not day_fits(until, now):
        raise Refused(ErrorCode.BAD_DATE)
    try:
        with transaction.atomic():
            conversation = over(actor, conversation_id, Action.HOLD, lock=True)
            if conversation.erase_asked_at is not None:
                # who asked was told that it goes
                raise Refused(ErrorCode.WRONG_STATE)
            mine = Hold.objects.filter(conversation=conversation, asked_by_id=actor.id, confirmed_by=None)
            if any(one.ended_at is not None or lapsed(one, now) for one in mine):
                # alone, nobody keeps an erasure away day after day: now a colleague asks, or nobody
                raise Refused(ErrorCode.SECOND_PERSON)
            if not lifecycle.has_key(log.subject_of(conversation.pk)):
                raise Refused(ErrorCode.GONE)
            pk = uuid4()
            # before anything is put into the trail, whose one head must not be held while keys are asked for
            sealed = seal_reason("hold", pk, text, now)
            end_lapsed(conversation, now)
            with transaction.atomic():
                Hold.objects.create(
                    pk=pk,
                    conversation=conversation,
                    until=until,
                    sealed_reason=sealed,
                    asked_by_id=actor.id,
                    asked_at=now,
                )
            put_on_trail(actor, "hold.asked", conversation, now, {"hold": str(pk), "until": until.isoformat()})
    except IntegrityError:
        raise Refused(ErrorCode.ON_HOLD) from None
    except ProviderDown:
        raise Refused(ErrorCode.OURS) from None
    return Done(pk)


def confirm_hold(*, actor: Staff, unlocked: Unlocked | None, hold_id: UUID, now: datetime) -> Done[None]:
    """Confirm a colleague's hold: the conversation's key is wrapped anew and outlives its day.

    Raises `Refused`: `LOCKED`, `SECOND_PERSON` for who asked, `WRONG_STATE` when it lapsed, was withdrawn or the
    erasure was asked for, `GONE` when the key is, `TAMPERED`, `OURS`.
    """
    key = proved(actor, unlocked)
    try:
        with transaction.atomic():
            hold, conversation = locked_hold(actor, hold_id)
            if hold.asked_by_id == actor.id:
                raise Refused(ErrorCode.SECOND_PERSON)
            if hold.confirmed_at is not None:
                return Done(None)
            if hold.ended_at is not None or lapsed(hold, now) or conversation.erase_asked_at is not None:
                raise Refused(ErrorCode.WRONG_STATE)
            epoch = hold_epoch(hold.pk, hold.until)
            vault.hold(log.subject_of(conversation.pk), key.secrets(), until=hold.until, epoch=epoch, now=now)
            hold.confirmed_by_id, hold.confirmed_at = actor.id, now
            hold.save(update_fields=["confirmed_by", "confirmed_at"])
            put_on_trail(
                actor, "hold.confirmed", conversation, now, {"hold": str(hold.pk), "until": hold.until.isoformat()}
            )
    except NotGranted:
        raise Refused(ErrorCode.NOT_GRANTED) from None
    except (KeyGone, EpochGone):
        raise Refused(ErrorCode.GONE) from None
    except ProviderDown:
        raise Refused(ErrorCode.OURS) from None
    except (NotAuthentic, NotOurs):
        raise Refused(ErrorCode.TAMPERED) from None
    return Done(None)


def withdraw_hold(*, actor: Staff, unlocked: Unlocked | None, hold_id: UUID, now: datetime) -> Done[None]:
    """Take back what oneself asked to keep, while nobody confirmed it. A repeat changes nothing.

    Nobody else can: what one person wants kept, another alone must not let go. Raises `Refused`: `LOCKED`,
    `FIRST_PERSON` for anybody else, `WRONG_STATE` once it was confirmed.
    """
    proved(actor, unlocked)
    with transaction.atomic():
        hold, conversation = locked_hold(actor, hold_id)
        if hold.asked_by_id != actor.id:
            raise Refused(ErrorCode.FIRST_PERSON)
        if hold.confirmed_at is not None:
            raise Refused(ErrorCode.WRONG_STATE)
        if hold.ended_at is None:
            put_on_trail(actor, "hold.withdrawn", conversation, now, {"hold": str(hold.pk)})
            hold.ended_by_id, hold.ended_at = actor.id, now
            hold.save(update_fields=["ended_by", "ended_at"])
    return Done(None)


def read_hold_reason(*, actor: Staff, hold_id: UUID, now: datetime) -> Done[Secret]:
    """Return why a hold was asked for, once the trail says who reads it: who is to confirm it has to know.

    Raises what the doorway and `sealer_for` raise, `NotAuthentic`.
    """
    hold = Hold.objects.filter(pk=hold_id).first()
    conversation = conversation_for(actor, hold.conversation_id if hold else hold_id, Action.HOLD)
    if hold is None:
        raise Unseen
    # before the trail is written: its one head must not be held while a slow provider is asked
    reason = Secret(reason_of_hold(hold))
    with transaction.atomic():
        put_on_trail(actor, "hold.reason_read", conversation, now, {"hold": str(hold.pk)})
    return Done(reason)


def locked_hold(actor: Staff, hold_id: UUID) -> tuple[Hold, Conversation]:
    """Return a hold and its conversation, both locked, to who may hold it; raises what the doorway raises."""
    known = Hold.objects.filter(pk=hold_id).values_list("conversation_id", flat=True).first()
    conversation = conversation_for(actor, known or hold_id, Action.HOLD, lock=True)
    return Hold.objects.select_for_update(no_key=True).get(pk=hold_id), conversation


def end_lapsed(conversation: Conversation, now: datetime) -> None:
    """End a hold that nobody confirmed in time: alone, nobody keeps an erasure away. The caller holds the row lock."""
    for hold in Hold.objects.filter(conversation=conversation, ended_at=None):
        if lapsed(hold, now):
            put_on_trail(System(), "hold.lapsed", conversation, now, {"hold": str(hold.pk)})
            hold.ended_at = now
            hold.save(update_fields=["ended_at"])
