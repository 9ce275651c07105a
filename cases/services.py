"""Write contacts and cases down, and let somebody read a case: one transaction each."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from audit.services import record
from cases.core.contact import check_outcome
from cases.models import Case, Contact, Entry
from cases.selectors import CaseView, case_for, case_subject, case_view, contact_subject, summary_binding, summary_of
from chat.core.actors import Staff
from chat.core.conversation import State
from chat.core.drills import marked
from chat.core.errors import ErrorCode, Refused
from chat.core.text import checked_if_any
from chat.models import Conversation
from chat.selectors import conversation_for
from chat.services import Done, close_conversation
from encryption.core.subject import Subject
from encryption.providers import ProviderDown
from encryption.services import create_data_key, lifecycle
from staff.permissions import Action

Outcome = dict[str, str | bool]
"""The coded part of a record, by column."""
DRILLS_KEPT = timedelta(days=30)


def record_contact(
    *,
    actor: Staff,
    conversation_id: UUID,
    contact_type: str,
    disposition: str,
    case_identified: bool,
    summary: str,
    now: datetime,
) -> Done[UUID]:
    """Write the contact down and close its conversation, both or neither; return the contact's id.

    An identified case is opened with it. The same record again changes nothing. Raises `Refused`: `BAD_FRAME` for an
    unknown value, a text code, `WRONG_STATE` unless the conversation waits for its record, `OURS` without keys, or
    what the doorway raises.
    """
    check_outcome(contact_type, disposition)
    text = checked_if_any(summary)
    outcome: Outcome = {"contact_type": contact_type, "disposition": disposition, "case_identified": case_identified}
    try:
        with transaction.atomic():
            conversation = conversation_for(actor, conversation_id, Action.RECORD_CONTACT, lock=True)
            contact = file_contact(conversation)
            if conversation.state == State.CLOSED and _same_record(contact, actor, outcome, text):
                return Done(contact.pk)
            _write(contact, actor, outcome, text, now)
            if case_identified:
                case = file_case(contact, conversation.handle, opened_at=now, level=conversation.level, now=now)
                _own(case, actor)
            closed = close_conversation(actor=actor, conversation_id=conversation.pk, now=now)
            record(
                actor=str(actor),
                action="contact.recorded",
                subject=f"contact:{contact.pk}",
                data=marked(conversation.drill),
                now=now,
            )
    except ProviderDown:
        raise Refused(ErrorCode.OURS) from None
    return Done(contact.pk, closed.events)


def read_case(*, actor: Staff, case_id: UUID, now: datetime) -> Done[CaseView]:
    """Return a case with its texts, once the trail says who reads it. Raises `Unseen`."""
    case = case_for(actor, case_id, Action.READ_CASE)
    # before the trail is written: its one head must not be held while a slow provider is asked
    view = case_view(case, actor.language)
    with transaction.atomic():
        case_for(actor, case_id, Action.READ_CASE)
        record(actor=str(actor), action="case.read", subject=f"case:{case.pk}", now=now)
    return Done(view)


def forget_drills(*, now: datetime) -> Done[int]:
    """Remove contacts and cases of drills that are some weeks old, with their keys; return how many contacts.

    The audit trail keeps that there was a drill.
    """
    old = Contact.objects.filter(drill=True, opened_at__lt=now - DRILLS_KEPT)
    contacts = list(old.values_list("pk", "case_id"))
    for contact_id, case_id in contacts:
        with transaction.atomic():
            texts = Entry.objects.filter(Q(contact_id=contact_id) | Q(case_id=case_id, case__isnull=False))
            sealed = texts.filter(sealed_body__isnull=False).count()
            texts.delete()
            Contact.objects.filter(pk=contact_id).delete()
            _shred(contact_subject(contact_id), 1, now)
            if case_id is not None and not Contact.objects.filter(case_id=case_id).exists():
                Case.objects.filter(pk=case_id, drill=True).delete()
                _shred(case_subject(case_id), sealed, now)
    return Done(len(contacts))


def _shred(subject: Subject, records: int, now: datetime) -> None:
    if lifecycle.has_key(subject):
        lifecycle.shred(subject, actor="system", records=records, now=now)


def file_contact(conversation: Conversation) -> Contact:
    """Return the contact of a conversation as it stands now, made when absent; the caller holds its row lock."""
    contact, _ = Contact.objects.update_or_create(
        conversation_id=conversation.pk,
        defaults={
            "door": conversation.door,
            "language": conversation.language,
            "opened_at": conversation.opened_at,
            "ended_at": conversation.ended_at,
            "ended_by": conversation.ended_by,
            "drill": conversation.drill != "",
        },
    )
    return contact


def file_case(contact: Contact, handle: str, *, opened_at: datetime, level: int, now: datetime) -> Case:
    """Return the contact's case, opened when absent.

    Its opening is the earliest and its level the highest that it has seen, so it does not matter what is filed first.
    The caller holds the conversation's row lock. Raises `ProviderDown`: then no case may be opened either.
    """
    if contact.case_id is not None:
        case = Case.objects.select_for_update(no_key=True).get(pk=contact.case_id)
        case.opened_at, case.level = min(case.opened_at, opened_at), max(case.level, level)
        case.save()
        return case
    case = Case.objects.create(handle=handle, opened_at=opened_at, level=level, drill=contact.drill)
    create_data_key(case_subject(case.pk), now)
    contact.case = case
    contact.save(update_fields=["case"])
    data = marked("drill" if case.drill else "", {"level": level})
    record(actor="system", action="case.opened", subject=f"case:{case.pk}", data=data, now=now)
    return case


def _own(case: Case, actor: Staff) -> None:
    if case.owner_id is None:
        case.owner_id = actor.id
        case.save(update_fields=["owner"])


def _write(contact: Contact, actor: Staff, outcome: Outcome, text: str, now: datetime) -> None:
    for name, value in outcome.items():
        setattr(contact, name, value)
    contact.recorded_by_id, contact.recorded_at = actor.id, now
    if text and contact.sealed_summary is None:
        sealer = create_data_key(contact_subject(contact.pk), now)
        contact.sealed_summary = sealer.seal(summary_binding(contact.pk), text)
    contact.save()


def _same_record(contact: Contact, actor: Staff, outcome: Outcome, text: str) -> bool:
    by_them = contact.recorded_by_id == actor.id
    return (
        by_them
        and all(getattr(contact, name) == value for name, value in outcome.items())
        and (summary_of(contact) == text)
    )
