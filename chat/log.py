"""Append to a conversation's log. The caller holds the conversation's row lock in a transaction."""

from datetime import datetime
from uuid import UUID

import msgspec

from chat.core.actors import Actor, Staff, Visitor
from chat.models import Conversation, Event
from encryption.core.envelope import Binding
from encryption.core.subject import Subject
from encryption.services import sealer_for


class StoredEvent(msgspec.Struct, frozen=True):
    """Be one committed line of the log as it travels between processes: its text stays sealed."""

    conversation: UUID
    staff_seq: int
    visitor_seq: int | None
    kind: str
    code: str
    level: int | None
    author_role: str
    author_id: int | None
    author_name: str | None
    client_id: str | None
    sealed_body: bytes | None
    at: datetime

    def __repr__(self) -> str:
        return f"<event {self.staff_seq} of {self.conversation}>"


def stored(event: Event) -> StoredEvent:
    """Return the row as it travels; its author must be loaded."""
    return StoredEvent(
        conversation=event.conversation_id,
        staff_seq=event.staff_seq,
        visitor_seq=event.visitor_seq,
        kind=event.kind,
        code=event.code,
        level=event.level,
        author_role=event.author_role,
        author_id=event.author_id,
        author_name=event.author.work_name if event.author else None,
        client_id=event.client_id,
        sealed_body=None if event.sealed_body is None else bytes(event.sealed_body),
        at=event.at,
    )


def subject_of(conversation_id: UUID) -> Subject:
    """Return the subject whose data key seals a conversation."""
    return Subject("conversation", conversation_id)


def binding_of(kind: str, sender: str, client_id: str | None, staff_seq: int, author_role: str) -> Binding:
    """Return what a text of the log is bound to besides its conversation."""
    return Binding(kind=kind, record=f"{sender}/{client_id}", sequence=staff_seq, author_role=author_role)


def sender_of(actor: Actor) -> str:
    """Return under which name client ids of this actor must not repeat."""
    return str(actor)


def append_text(
    conversation: Conversation, kind: str, body: str, *, actor: Visitor | Staff, client_id: str, now: datetime
) -> StoredEvent:
    """Seal and append a `message` (both sides see it) or a `note` (staff only)."""
    staff_seq, visitor_seq = _next_numbers(conversation, visible=kind == "message")
    sender, role = sender_of(actor), _role(actor)
    sealed = sealer_for(subject_of(conversation.pk)).seal(binding_of(kind, sender, client_id, staff_seq, role), body)
    return _append(
        conversation,
        Event(
            staff_seq=staff_seq,
            visitor_seq=visitor_seq,
            kind=kind,
            author_role=role,
            sender=sender,
            client_id=client_id,
            sealed_body=sealed,
        ),
        actor,
        now,
    )


def append_fact(
    conversation: Conversation,
    code: str,
    *,
    now: datetime,
    actor: Actor,
    level: int | None = None,
    visible: bool = False,
) -> StoredEvent:
    """Append something that happened; with `visible` the visitor is told too."""
    staff_seq, visitor_seq = _next_numbers(conversation, visible=visible)
    event = Event(
        staff_seq=staff_seq,
        visitor_seq=visitor_seq,
        kind="fact",
        code=code,
        level=level,
        author_role=_role(actor),
        sender=sender_of(actor),
    )
    return _append(conversation, event, actor, now)


def _append(conversation: Conversation, event: Event, actor: Actor, now: datetime) -> StoredEvent:
    event.conversation = conversation
    event.at = now
    event.author_id = actor.id if isinstance(actor, Staff) else None
    event.save(force_insert=True)
    conversation.save()
    return StoredEvent(
        conversation=conversation.pk,
        staff_seq=event.staff_seq,
        visitor_seq=event.visitor_seq,
        kind=event.kind,
        code=event.code,
        level=event.level,
        author_role=event.author_role,
        author_id=event.author_id,
        author_name=actor.name if isinstance(actor, Staff) else None,
        client_id=event.client_id,
        sealed_body=None if event.sealed_body is None else bytes(event.sealed_body),
        at=now,
    )


def _next_numbers(conversation: Conversation, *, visible: bool) -> tuple[int, int | None]:
    """Count on under the row lock, so that numbers are dense and in the order of commits."""
    conversation.staff_head += 1
    if not visible:
        return conversation.staff_head, None
    conversation.visitor_head += 1
    return conversation.staff_head, conversation.visitor_head


def _role(actor: Actor) -> str:
    if isinstance(actor, Visitor):
        return "visitor"
    return "staff" if isinstance(actor, Staff) else "system"
