"""Append to a conversation's log. The caller holds the conversation's row lock in a transaction."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from chat import statements
from chat.core.actors import Actor, Staff, Visitor
from chat.core.errors import ErrorCode, Refused
from chat.models import Conversation, Event
from encryption.core.envelope import Binding, NotAuthentic
from encryption.core.subject import Subject
from encryption.providers import EpochGone
from encryption.services import KeyGone, Sealer, ready, sealer_for

MOST_LINES = 2**20
"""Lines of one conversation, so that random nonces repeat with a chance below 2**-57."""
Key = tuple[UUID, str, str]
"""Under what a text may not be written twice: conversation, sender, client id."""


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


@dataclass(slots=True)
class Head:
    """Be of a conversation what its writers need, under its row lock: a whole row costs more than a text."""

    pk: UUID
    state: str
    advocate_id: int | None
    level: int
    staff_head: int
    visitor_head: int
    return_seq: int
    takes_texts: bool
    paused_until: datetime | None = None
    last_visitor_at: datetime | None = None
    last_staff_at: datetime | None = None
    """When something was written by this batch, None when nothing was."""


_FIELDS = (
    *("conversation_id", "staff_seq", "visitor_seq", "kind", "code", "level", "author_role", "author_id"),
    *("author__work_name", "client_id", "sealed_body", "at"),
)
"""The columns of a line in the order of `StoredEvent`."""


def lines(rows: QuerySet[Event], *, most_bytes: int | None = None) -> list[StoredEvent]:
    """Return rows as they travel; a page of very long texts ends early, with one line at least."""
    # values and not objects: a page that comes back reads many
    found, size = [], 0
    for row in rows.values_list(*_FIELDS):
        found.append(StoredEvent(*row))
        size += len(found[-1].sealed_body or b"")
        if most_bytes is not None and size >= most_bytes:
            break
    return found


def subject_of(conversation_id: UUID) -> Subject:
    """Return the subject whose data key seals a conversation."""
    return Subject("conversation", conversation_id)


def opener_of(conversation_id: UUID, events: Iterable[StoredEvent]) -> Sealer | None:
    """Return what opens these events, None when none of them holds a text: facts outlive the key."""
    return sealer_for(subject_of(conversation_id)) if any(event.sealed_body is not None for event in events) else None


def warm(conversation_id: UUID) -> None:
    """Have a conversation's key ready before a lock is taken, behind which others would wait for the key provider.

    Raises `ProviderDown`; whatever else is wrong is found again, and answered, by who goes on.
    """
    try:
        sealer_for(subject_of(conversation_id))
    except (KeyGone, NotAuthentic, EpochGone):
        return


def opener_at_hand(event: StoredEvent) -> Sealer | None:
    """Return what opens an event if this process has it at hand."""
    return None if event.sealed_body is None else ready(subject_of(event.conversation))


def binding_of(kind: str, sender: str, client_id: str | None, staff_seq: int, author_role: str) -> Binding:
    """Return what a text of the log is bound to besides its conversation."""
    return Binding(kind=kind, record=f"{sender}/{client_id}", sequence=staff_seq, author_role=author_role)


def binding_for(event: StoredEvent) -> Binding:
    """Return what the text of an event is bound to: its author is the one that is shown."""
    return binding_of(event.kind, _sender_of(event), event.client_id, event.staff_seq, event.author_role)


def _sender_of(event: StoredEvent) -> str:
    return "visitor" if event.author_role == "visitor" else f"staff:{event.author_id}"


def sender_of(actor: Actor) -> str:
    """Return under which name client ids of this actor must not repeat."""
    return str(actor)


def text_event(
    conversation: Head, kind: str, body: str, *, actor: Visitor | Staff, client_id: str, now: datetime
) -> StoredEvent:
    """Return a sealed `message` (both sides see it) or `note` (staff only), numbered and not yet written.

    The conversation is counted on only when the text could be sealed. Raises what `sealer_for` raises.
    """
    staff_seq, visitor_seq = _following(conversation, visible=kind == "message")
    sender, role = sender_of(actor), _role(actor)
    sealed = sealer_for(subject_of(conversation.pk)).seal(binding_of(kind, sender, client_id, staff_seq, role), body)
    _count_on(conversation, staff_seq, visitor_seq)
    author = actor if isinstance(actor, Staff) else None
    return StoredEvent(
        conversation=conversation.pk,
        staff_seq=staff_seq,
        visitor_seq=visitor_seq,
        kind=kind,
        code="",
        level=None,
        author_role=role,
        author_id=author.id if author else None,
        author_name=author.name if author else None,
        client_id=client_id,
        sealed_body=sealed,
        at=now,
    )


def locked(ids: Collection[UUID], *, wait: bool = True) -> dict[UUID, Head]:
    """Return conversations under their row locks, in one order everywhere; who may write is for the caller to decide.

    Without `wait` those that somebody else has locked are left out.
    """
    rows = (Head(*row) for row in statements.heads(ids, wait=wait)) if ids else ()
    return {head.pk: head for head in rows}


def known(keys: Collection[Key]) -> dict[Key, StoredEvent]:
    """Return the events that these client ids have made before: one look at the index for each."""
    ids = statements.repeats(keys)
    found = lines(Event.objects.filter(pk__in=ids)) if ids else ()
    return {(one.conversation, _sender_of(one), one.client_id or ""): one for one in found}


def insert(events: Sequence[StoredEvent], conversations: Collection[Head]) -> None:
    """Write numbered texts and what they changed of their conversations; the caller holds the row locks."""
    if not events:
        return
    statements.insert(
        [
            (
                event.conversation,
                event.staff_seq,
                event.visitor_seq,
                event.kind,
                event.author_role,
                event.author_id,
                _sender_of(event),
                event.client_id,
                event.sealed_body,
                event.at,
            )
            for event in events
        ],
        [
            (head.pk, head.staff_head, head.visitor_head, head.last_visitor_at, head.last_staff_at)
            for head in conversations
        ],
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
    staff_seq, visitor_seq = _following(conversation, visible=visible)
    _count_on(conversation, staff_seq, visitor_seq)
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


def has_fact(conversation: Conversation, code: str) -> bool:
    """Tell whether something of this kind has happened in a conversation."""
    return Event.objects.filter(conversation=conversation, code=code).exists()


def stored_by(event: Event, actor: Actor) -> StoredEvent:
    """Return the row as it travels, for who has just written it."""
    return StoredEvent(
        conversation=event.conversation_id,
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
        at=event.at,
    )


def _append(conversation: Conversation, event: Event, actor: Actor, now: datetime) -> StoredEvent:
    event.conversation = conversation
    event.at = now
    event.author_id = actor.id if isinstance(actor, Staff) else None
    event.save(force_insert=True)
    conversation.save()
    return stored_by(event, actor)


def _following(conversation: Conversation | Head, *, visible: bool) -> tuple[int, int | None]:
    """Return the next numbers; under the row lock they are dense and in the order of commits.

    Raises `Refused(WRONG_STATE)` at the end of a key's life: more records under one key than its random nonces allow.
    """
    if conversation.staff_head >= MOST_LINES:
        raise Refused(ErrorCode.WRONG_STATE)
    return conversation.staff_head + 1, conversation.visitor_head + 1 if visible else None


def _count_on(conversation: Conversation | Head, staff_seq: int, visitor_seq: int | None) -> None:
    conversation.staff_head = staff_seq
    if visitor_seq is not None:
        conversation.visitor_head = visitor_seq


def _role(actor: Actor) -> str:
    if isinstance(actor, Visitor):
        return "visitor"
    return "staff" if isinstance(actor, Staff) else "system"
