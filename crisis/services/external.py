"""Tell somebody outside: one proposes, another confirms, and it is a task until contact is confirmed.

Each step is on the trail, in the log and in the outbox. In an emergency nobody waits for the second person: who calls
writes down that they did, and the confirmation comes after.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from chat import log
from chat.core.actors import Staff
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.core.text import checked_if_any, checked_reason
from chat.models import Conversation
from chat.services import Done
from crisis.core.duty import Province
from crisis.core.external import EXTERNAL, PROPOSED_LEVEL, Agency, check_second, moment_ago
from crisis.core.ladder import SETTLED, State, Step, Told, next_state
from crisis.models import Escalation, ExternalNotification
from crisis.selectors import escalation_for, reason_of, reason_subject, sealer_of
from crisis.selectors.external import field_binding, notification_of
from crisis.services.calls import note_reading, tell
from crisis.services.escalations import raise_escalation
from crisis.services.paging import call_off
from encryption.providers import EpochGone
from encryption.services import KeyGone, Sealer, create_data_key, lifecycle
from encryption.text import Secret
from staff.permissions import Action


@dataclass(frozen=True, slots=True)
class ExternalView:
    """Show a record to who may read it; its texts stay out of tracebacks."""

    escalation_id: UUID
    handle: str
    state: str
    level: int
    agency: str
    province: str
    proposed_by: int
    proposed_by_name: str
    proposed_at: datetime
    why: Secret
    consulted: Secret | None
    confirmed_by_name: str | None
    confirmed_at: datetime | None
    told: Secret | None
    worker: Secret | None
    told_by_name: str | None
    told_at: datetime | None
    contact_by_name: str | None
    contact_at: datetime | None
    drill: bool = False


def propose_external(
    *,
    actor: Staff,
    conversation_id: UUID,
    agency: str,
    province: str,
    reason: str,
    consulted: str,
    client_id: str,
    now: datetime,
) -> Done[UUID]:
    """Propose that somebody outside is told; it calls the supervisors at once, with a clock. Return the escalation.

    The same `client_id` again returns the first one unchanged. Raises `Refused`: `BAD_FRAME` for an unknown agency or
    province, and what `raise_escalation` raises.
    """
    if agency not in list(Agency) or province not in ["", *Province]:
        raise Refused(ErrorCode.BAD_FRAME)
    asked = checked_if_any(consulted)
    with transaction.atomic():
        raised = raise_escalation(
            actor=actor,
            conversation_id=conversation_id,
            level=PROPOSED_LEVEL,
            reason=reason,
            client_id=client_id,
            now=now,
        )
        conversation, escalation = escalation_for(actor, raised.result.id, Action.NOTIFY, lock=True)
        if notification_of(escalation) is not None:
            return Done(escalation.pk)
        ExternalNotification.objects.create(
            escalation=escalation,
            agency=agency,
            province=province,
            proposed_by_id=actor.id,
            proposed_at=now,
            sealed_consulted=_sealed(escalation, "consulted", asked, now),
        )
        event = log.append_fact(conversation, "external_proposed", now=now, actor=actor, level=escalation.level)
        tell(escalation, Told.EXTERNAL_PROPOSED, actor, now)
    return Done(escalation.pk, (*raised.events, event))


def confirm_external(*, actor: Staff, escalation_id: UUID, now: datetime) -> Done[None]:
    """Confirm as the second person: the escalation is seen, and stands at level 4 until a person settles it.

    A repeat changes nothing. Raises `Refused`: `SECOND_PERSON` for who proposed it, `ALREADY_TAKEN` when a colleague
    confirmed, `ALREADY_SETTLED`.
    """
    with transaction.atomic():
        conversation, escalation, notification = _locked(actor, escalation_id, Action.CONFIRM_NOTIFY)
        check_second(notification.proposed_by_id, actor.id)
        if notification.confirmed_by_id is not None:
            if notification.confirmed_by_id != actor.id:
                raise Refused(ErrorCode.ALREADY_TAKEN)
            return Done(None)
        _check_open(escalation)
        notification.confirmed_by_id, notification.confirmed_at = actor.id, now
        notification.save(update_fields=["confirmed_by", "confirmed_at"])
        if escalation.state == State.RAISED:
            escalation.state = next_state(State.RAISED, Step.ACKNOWLEDGE)
            escalation.acknowledged_by_id, escalation.acknowledged_at, escalation.due_at = actor.id, now, None
        escalation.level = conversation.level = EXTERNAL
        escalation.save()
        event = log.append_fact(conversation, "external_confirmed", now=now, actor=actor, level=EXTERNAL)
        call_off(escalation, now)
        tell(escalation, Told.EXTERNAL_CONFIRMED, actor, now)
    return Done(None, (event,))


def note_told(
    *, actor: Staff, escalation_id: UUID, told: str, worker: str, minutes_ago: int, now: datetime
) -> Done[None]:
    """Write down who was told and when; `worker` is a name or badge, where one was given.

    Raises `Refused`: `REASON_MISSING` without who, a text code, `BAD_FRAME` for a time more than a day ago,
    `ALREADY_TAKEN` once it is written down, `ALREADY_SETTLED`.
    """
    who, badge, when = checked_reason(told), checked_if_any(worker), moment_ago(minutes_ago, now)
    with suppress(KeyGone, EpochGone):
        # before the lock is taken, behind which texts would wait for the key provider; then the key is at hand
        sealer_of(escalation_for(actor, escalation_id, Action.NOTIFY)[1])
    with transaction.atomic():
        conversation, escalation, notification = _locked(actor, escalation_id, Action.NOTIFY)
        _check_open(escalation)
        if notification.told_at is not None:
            raise Refused(ErrorCode.ALREADY_TAKEN)
        notification.sealed_told = _sealed(escalation, "told", who, now)
        notification.sealed_worker = _sealed(escalation, "worker", badge, now)
        notification.told_by_id, notification.told_at = actor.id, when
        notification.save(update_fields=["sealed_told", "sealed_worker", "told_by", "told_at"])
        event = log.append_fact(conversation, "external_told", now=now, actor=actor, level=escalation.level)
        tell(escalation, Told.EXTERNAL_TOLD, actor, now)
    return Done(None, (event,))


def note_contact(*, actor: Staff, escalation_id: UUID, minutes_ago: int, now: datetime) -> Done[None]:
    """Say that those who were told made contact: the task is done, and the danger can be settled. A repeat is harmless.

    Raises `Refused`: `WRONG_STATE` before somebody was told and a second person confirmed, `BAD_FRAME`,
    `ALREADY_SETTLED`.
    """
    when = moment_ago(minutes_ago, now)
    with transaction.atomic():
        conversation, escalation, notification = _locked(actor, escalation_id, Action.NOTIFY)
        if notification.contact_at is not None:
            return Done(None)
        _check_open(escalation)
        if notification.told_at is None or notification.confirmed_at is None:
            raise Refused(ErrorCode.WRONG_STATE)
        notification.contact_by_id, notification.contact_at = actor.id, when
        notification.save(update_fields=["contact_by", "contact_at"])
        event = log.append_fact(conversation, "external_contact", now=now, actor=actor, level=escalation.level)
        tell(escalation, Told.EXTERNAL_CONTACT, actor, now)
    return Done(None, (event,))


def read_external(*, actor: Staff, escalation_id: UUID, now: datetime) -> Done[ExternalView]:
    """Return a record with its texts, once the trail says who reads it.

    Raises what the doorway and `sealer_of` raise.
    """
    conversation, escalation = escalation_for(actor, escalation_id, Action.READ_REASON)
    # before the trail is written: its one head must not be held while a slow provider is asked
    view = _view(conversation, escalation, _known(escalation))
    note_reading(actor, "escalation.record_read", escalation_id, now)
    return Done(view)


def told_text(escalation: Escalation) -> Secret | None:
    """Return who was told, with name or badge; a person gets it only through `read_external` or a case."""
    notification = _known(escalation)
    parts = [
        _opened(escalation, "told", notification.sealed_told),
        _opened(escalation, "worker", notification.sealed_worker),
    ]
    given = [part.reveal() for part in parts if part is not None]
    return Secret(" · ".join(given)) if given else None


def consulted_text(escalation: Escalation) -> Secret | None:
    """Return who was consulted; the same rule as for `told_text`."""
    return _opened(escalation, "consulted", _known(escalation).sealed_consulted)


def _known(escalation: Escalation) -> ExternalNotification:
    notification = notification_of(escalation)
    if notification is None:
        raise Unseen
    return notification


def _locked(actor: Staff, escalation_id: UUID, action: Action) -> tuple[Conversation, Escalation, ExternalNotification]:
    """Return a record under its conversation's lock, under which alone it changes."""
    conversation, escalation = escalation_for(actor, escalation_id, action, lock=True)
    return conversation, escalation, _known(escalation)


def _check_open(escalation: Escalation) -> None:
    if escalation.state in SETTLED:
        raise Refused(ErrorCode.ALREADY_SETTLED)


def _sealed(escalation: Escalation, field: str, text: str, now: datetime) -> bytes | None:
    return _sealer(escalation, now).seal(field_binding(escalation, field), text) if text else None


def _sealer(escalation: Escalation, now: datetime) -> Sealer:
    """Return what seals a record: a key that outlives the conversation's, made where there is none any more."""
    try:
        return sealer_of(escalation)
    except (KeyGone, EpochGone):
        if lifecycle.has_key(reason_subject(escalation.pk)):
            raise
        return create_data_key(reason_subject(escalation.pk), now)


def _opened(escalation: Escalation, field: str, sealed: bytes | memoryview | None) -> Secret | None:
    if sealed is None:
        return None
    return sealer_of(escalation).unseal(field_binding(escalation, field), bytes(sealed))


def _view(conversation: Conversation, escalation: Escalation, notification: ExternalNotification) -> ExternalView:
    people = ("proposed_by", "confirmed_by", "told_by", "contact_by")
    names = {name: person.work_name for name in people if (person := getattr(notification, name)) is not None}
    return ExternalView(
        escalation_id=escalation.pk,
        handle=conversation.handle,
        state=escalation.state,
        level=escalation.level,
        agency=notification.agency,
        province=notification.province,
        proposed_by=notification.proposed_by_id,
        proposed_by_name=names["proposed_by"],
        proposed_at=notification.proposed_at,
        why=reason_of(escalation),
        consulted=_opened(escalation, "consulted", notification.sealed_consulted),
        confirmed_by_name=names.get("confirmed_by"),
        confirmed_at=notification.confirmed_at,
        told=_opened(escalation, "told", notification.sealed_told),
        worker=_opened(escalation, "worker", notification.sealed_worker),
        told_by_name=names.get("told_by"),
        told_at=notification.told_at,
        contact_by_name=names.get("contact_by"),
        contact_at=notification.contact_at,
        drill=conversation.drill != "",
    )
