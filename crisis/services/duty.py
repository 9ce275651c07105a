"""Change the table of duties to report, and send a visitor the card that tells of it."""

from datetime import datetime
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from audit.services import record
from chat import log
from chat.core.actors import Staff
from chat.core.errors import ErrorCode, Refused
from chat.selectors import conversation_for
from chat.services import Done, post_message
from chat.services.trail import put_on_trail
from crisis.core.duty import Duty, DutyChanged, Province, checked
from crisis.models import DutyRow
from crisis.selectors.duty import FIELDS, duties, newest_version, versions_for
from staff.permissions import Action, allowed_at_all

CARD = "duty_card_sent"


def set_duty(*, actor: Staff, province: Province, version: int, duty: Duty, now: datetime) -> Done[int]:
    """Make what is given the newest version of a province's row; the same again changes nothing.

    `version` is the newest one that was shown with the form. Raises `PermissionDenied`, `BadDuty` with the field that
    cannot be kept, and `DutyChanged` when somebody else kept another version since.
    """
    if not allowed_at_all(actor.role, Action.EDIT_DUTY):
        raise PermissionDenied
    fit = checked(duty, now.date())
    try:
        with transaction.atomic():
            return Done(_kept(actor, province, version, fit, now))
    except IntegrityError:
        # two in one moment: the other one was quicker
        raise DutyChanged from None


def restore_duty(*, actor: Staff, province: Province, version: int, newest: int, now: datetime) -> Done[int]:
    """Make an older version the newest one again, after `newest`. Raises as `set_duty`, `Refused(NOT_FOUND)`."""
    found = [one for one in versions_for(actor, province) if one.version == version]
    if not found:
        raise Refused(ErrorCode.NOT_FOUND)
    return set_duty(actor=actor, province=province, version=newest, duty=found[0].duty, now=now)


def _kept(actor: Staff, province: Province, version: int, duty: Duty, now: datetime) -> int:
    """Keep a row as the version after the one that was shown; the number is unique, so one of two is refused."""
    last = newest_version(province)
    if duties()[province] == duty:
        return last
    if last != version:
        raise DutyChanged
    values = {field: getattr(duty, field) for field in FIELDS}
    kept = DutyRow.objects.create(province=province, version=last + 1, set_by_id=actor.id, set_at=now, **values)
    record(actor=str(actor), action="duty.set", subject=f"duty:{province.value}", data={"row": kept.pk}, now=now)
    return kept.version


def send_duty_card(
    *, actor: Staff, conversation_id: UUID, province: Province | None, body: str, client_id: str, now: datetime
) -> Done[None]:
    """Send the card as a message of the advocate's and note in the log and on the trail that it was sent.

    `body` is the card in the visitor's language. The same `client_id` again changes nothing. Raises what
    `post_message` raises.
    """
    with transaction.atomic():
        conversation_for(actor, conversation_id, Action.WRITE_MESSAGE)
        if log.known([(conversation_id, log.sender_of(actor), client_id)]):
            return Done(None)
        sent = post_message(actor=actor, conversation_id=conversation_id, client_id=client_id, body=body, now=now)
        conversation = conversation_for(actor, conversation_id, Action.WRITE_MESSAGE, lock=True)
        event = log.append_fact(conversation, CARD, now=now, actor=actor)
        data = {"province": province.value} if province else None
        put_on_trail(actor, "duty_card.sent", conversation, now, data)
    return Done(None, (*sent.events, event))


def card_was_sent(actor: Staff, conversation_id: UUID) -> bool:
    """Tell whether a card was sent in a conversation that somebody may read. Raises what the doorway raises."""
    return log.has_fact(conversation_for(actor, conversation_id, Action.READ_CONVERSATION), CARD)
