"""Reads of cases, and the doorway to one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from cases.core.timeline import Code, Line, folded, merged
from cases.models import Case, Contact, Entry
from chat.core.actors import Staff
from chat.core.errors import Unseen
from chat.core.handles import spoken
from chat.models import Conversation
from encryption.core.envelope import Binding
from encryption.core.subject import Subject
from encryption.services import sealer_for
from staff.permissions import Action, Relation, allowed


@dataclass(frozen=True, slots=True)
class CaseRow:
    """Show a case on a list: no text of it."""

    id: UUID
    handle: str
    status: str
    level: int
    opened_at: datetime
    drill: bool


@dataclass(frozen=True, slots=True)
class ContactView:
    """Show what was recorded of a contact; the values are codes."""

    conversation_id: UUID
    door: str
    language: str
    opened_at: datetime
    ended_at: datetime | None
    ended_by: str
    contact_type: str
    disposition: str
    case_identified: bool


@dataclass(frozen=True, slots=True)
class CaseView:
    """Show a case with its contacts, the newest of them that was recorded, and its timeline."""

    id: UUID
    handle: str
    status: str
    level: int
    opened_at: datetime
    drill: bool
    contacts: tuple[ContactView, ...]
    contact: ContactView | None
    timeline: tuple[Line, ...]


def case_list(actor: Staff) -> tuple[CaseRow, ...]:
    """Return the cases that somebody may read, newest first; nothing for who may read none."""
    rows = _readable(actor).order_by("-opened_at", "pk")
    return tuple(
        CaseRow(row.pk, spoken(row.handle, actor.language), row.status, row.level, row.opened_at, row.drill)
        for row in rows
    )


def case_for(actor: Staff, case_id: UUID, action: Action) -> Case:
    """Return a case for somebody who may do `action` to it: the only way to one. Raises `Unseen`."""
    case = Case.objects.filter(pk=case_id).first()
    if case is None:
        raise Unseen
    own = _own(actor).filter(pk=case_id).exists()
    if not allowed(actor.role, action, Relation.OWN if own else Relation.OTHER):
        raise Unseen
    return case


def case_view(case: Case, language: str) -> CaseView:
    """Return a case with its texts; only for `services.read_case`, which tells the trail first."""
    contacts = list(case.contacts.order_by("opened_at", "pk"))
    recorded = [contact for contact in contacts if contact.recorded_at is not None]
    return CaseView(
        id=case.pk,
        handle=spoken(case.handle, language),
        status=case.status,
        level=case.level,
        opened_at=case.opened_at,
        drill=case.drill,
        contacts=tuple(_contact_view(contact) for contact in contacts),
        contact=_contact_view(recorded[-1]) if recorded else None,
        timeline=folded(merged([*_facts(case, contacts), *_entries(case)])),
    )


def case_subject(case_id: UUID) -> Subject:
    """Return the subject whose data key seals a case's entries."""
    return Subject("case", case_id)


def contact_subject(contact_id: UUID) -> Subject:
    """Return the subject whose data key seals a contact's summary."""
    return Subject("contact", contact_id)


def entry_binding(source_item: int, code: str) -> Binding:
    """Return what an entry's text is bound to besides its case."""
    return Binding(kind="entry", record=code, sequence=source_item, author_role="staff")


def summary_binding(contact_id: UUID) -> Binding:
    """Return what a contact's summary is bound to."""
    return Binding(kind="summary", record=str(contact_id), sequence=0, author_role="staff")


def _readable(actor: Staff) -> QuerySet[Case]:
    if allowed(actor.role, Action.READ_CASE, Relation.OTHER):
        return Case.objects.all()
    if allowed(actor.role, Action.READ_CASE, Relation.OWN):
        return _own(actor)
    return Case.objects.none()


def _own(actor: Staff) -> QuerySet[Case]:
    """Return the cases with a contact that somebody recorded, or whose conversation they hold."""
    held = Conversation.objects.filter(advocate_id=actor.id).exclude(state="offered").values("pk")
    contacts = Contact.objects.filter(Q(recorded_by_id=actor.id) | Q(conversation_id__in=held))
    return Case.objects.filter(pk__in=contacts.filter(case__isnull=False).values("case_id"))


def _contact_view(contact: Contact) -> ContactView:
    return ContactView(**{field: getattr(contact, field) for field in ContactView.__dataclass_fields__})


def _facts(case: Case, contacts: list[Contact]) -> Iterator[Line]:
    """Return what the rows tell without an entry."""
    yield Line(at=case.opened_at, code=Code.OPENED, drill=case.drill)
    for contact in contacts:
        yield Line(at=contact.opened_at, code=Code.CONTACT_BEGAN, drill=contact.drill)


def summary_of(contact: Contact) -> str:
    """Return the summary of a contact, empty without one; it is shown by `services.read_case` only."""
    if contact.sealed_summary is None:
        return ""
    sealer = sealer_for(contact_subject(contact.pk))
    return sealer.unseal(summary_binding(contact.pk), bytes(contact.sealed_summary)).reveal()


def _entries(case: Case) -> Iterator[Line]:
    rows = Entry.objects.select_related("contact").filter(Q(case=case) | Q(contact__case=case)).order_by("pk")
    for entry in rows:
        yield Line(
            at=entry.at,
            code=Code(entry.code),
            level=entry.level,
            author=entry.author_name,
            text=_body(case, entry),
            drill=case.drill,
        )


def _body(case: Case, entry: Entry) -> str:
    """Return an entry's own text, and for a closed contact the summary that stands in the contact itself."""
    if entry.code == Code.CONTACT_CLOSED and entry.contact is not None:
        return summary_of(entry.contact)
    if entry.sealed_body is None:
        return ""
    binding = entry_binding(entry.source_item or 0, entry.code)
    return sealer_for(case_subject(case.pk)).unseal(binding, bytes(entry.sealed_body)).reveal()
