"""Turn committed events and rows into frames: the only place where a frame about them is built."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import cast, get_args
from uuid import UUID

from chat import codec, log
from chat import protocol as wire
from chat.core.actors import Staff
from chat.core.conversation import State
from chat.core.handles import spoken
from chat.log import StoredEvent
from chat.models import Conversation
from chat.selectors import relation_of
from encryption.services import Sealer
from staff.permissions import Action, allowed, allowed_at_all
from staff.selectors import LEASE

_VISITOR_FACTS = frozenset(get_args(wire.VisitorFactCode))


class Rendered:
    """Hold one event, unsealed and encoded at most once for each side, however many sockets it goes to."""

    def __init__(self, event: StoredEvent, sealer: Sealer) -> None:
        self.event = event
        self._sealer = sealer

    def __repr__(self) -> str:
        return f"<rendered {self.event!r}>"

    @property
    def conversation(self) -> UUID:
        """Return whose log it is from."""
        return self.event.conversation

    @cached_property
    def visitor_text(self) -> str | None:
        """Return the visitor's frame as text, None for what is not theirs to see."""
        frame = visitor_event(self.event, self._sealer)
        return None if frame is None else codec.encode(frame)

    @cached_property
    def staff_text(self) -> str:
        """Return the staff frame as text."""
        return codec.encode(staff_event(self.event, self._sealer))


def body_of(event: StoredEvent, sealer: Sealer) -> str:
    """Return the text of an event, or raise `NotAuthentic`."""
    sender = "visitor" if event.author_role == "visitor" else f"staff:{event.author_id}"
    binding = log.binding_of(event.kind, sender, event.client_id, event.staff_seq, event.author_role)
    return sealer.unseal(binding, event.sealed_body or b"").reveal()


def visitor_event(event: StoredEvent, sealer: Sealer) -> wire.VisitorMessage | wire.VisitorFact | None:
    """Return what the visitor may see of an event; an event without a visitor number is nothing to them."""
    if event.visitor_seq is None:
        return None
    if event.kind == "message":
        own = event.author_role == "visitor"
        return wire.VisitorMessage(
            seq=event.visitor_seq,
            author="you" if own else "advocate",
            name=None if own else event.author_name,
            client_id=event.client_id if own else None,
            body=body_of(event, sealer),
            at=moment(event.at),
        )
    if event.kind == "fact" and event.code in _VISITOR_FACTS:
        return wire.VisitorFact(
            seq=event.visitor_seq,
            code=cast(wire.VisitorFactCode, event.code),
            name=event.author_name if event.code in {"joined", "ended_by_advocate"} else None,
            at=moment(event.at),
        )
    raise ValueError("an event with a visitor number that no visitor frame can show")


def staff_event(event: StoredEvent, sealer: Sealer) -> wire.StaffMessage | wire.StaffNoteEvent | wire.StaffFact:
    """Return what staff see of an event."""
    conversation, seq, at = str(event.conversation), event.staff_seq, moment(event.at)
    if event.kind == "message":
        return wire.StaffMessage(
            conversation=conversation,
            seq=seq,
            author="visitor" if event.author_role == "visitor" else "staff",
            author_id=event.author_id,
            name=event.author_name,
            client_id=event.client_id,
            body=body_of(event, sealer),
            at=at,
        )
    if event.kind == "note":
        return wire.StaffNoteEvent(
            conversation=conversation,
            seq=seq,
            author_id=event.author_id,
            name=event.author_name,
            client_id=event.client_id,
            body=body_of(event, sealer),
            at=at,
        )
    return wire.StaffFact(
        conversation=conversation,
        seq=seq,
        code=cast(wire.StaffFactCode, event.code),
        name=event.author_name,
        level=event.level,
        at=at,
    )


def welcome(conversation: Conversation, *, staffed: bool) -> wire.VisitorWelcome:
    """Return the answer to a visitor's hello."""
    return wire.VisitorWelcome(
        version=wire.PROTOCOL_VERSION,
        state=cast(wire.StateName, _shown_state(conversation)),
        language=cast(wire.Language, conversation.language),
        head=conversation.visitor_head,
        advocate=_advocate_for_visitor(conversation),
        staffed=staffed,
    )


def standing(conversation: Conversation, *, staffed: bool) -> wire.VisitorStanding:
    """Return how things stand for a visitor."""
    return wire.VisitorStanding(
        state=cast(wire.StateName, _shown_state(conversation)),
        advocate=_advocate_for_visitor(conversation),
        staffed=staffed,
    )


def summary(conversation: Conversation, *, language: str, read: int, now: datetime) -> wire.ConversationSummary:
    """Return a conversation as it stands on a list."""
    last_visitor, last_staff = conversation.last_visitor_at, conversation.last_staff_at
    return wire.ConversationSummary(
        id=str(conversation.pk),
        handle=spoken(conversation.handle, language),
        state=cast(wire.StateName, conversation.state),
        door=cast(wire.Door, conversation.door),
        language=cast(wire.Language, conversation.language),
        level=conversation.level,
        opened_at=moment(conversation.opened_at),
        waiting_since=moment(conversation.waiting_since) if conversation.waiting_since else None,
        advocate_id=conversation.advocate_id,
        advocate=conversation.advocate.work_name if conversation.advocate else None,
        offer_until=moment(conversation.offer_until) if conversation.offer_until else None,
        head=conversation.staff_head,
        read=read,
        last_visitor_at=moment(last_visitor) if last_visitor else None,
        answered=last_visitor is None or (last_staff is not None and last_staff >= last_visitor),
        visitor_here=conversation.visitor_seen_at > now - LEASE,
        ended_by=cast(wire.EndedBy, conversation.ended_by) if conversation.ended_by else None,
    )


def overview(
    actor: Staff,
    *,
    rows: Sequence[Conversation],
    marks: Mapping[tuple[UUID, int], int],
    availability: str,
    escalations: tuple[wire.EscalationSummary, ...],
    ready: int,
    now: datetime,
) -> wire.StaffOverview:
    """Return the shift as one person may see it."""
    shown = [row for row in rows if allowed(actor.role, Action.SEE_CONVERSATION, relation_of(actor, row))]
    if not allowed_at_all(actor.role, Action.SEE_BOARD):
        own = {str(row.pk) for row in shown if row.advocate_id == actor.id}
        escalations = tuple(one for one in escalations if one.conversation in own)
    return wire.StaffOverview(
        at=moment(now),
        availability=cast(wire.Readiness, availability),
        ready=ready,
        conversations=tuple(
            summary(row, language=actor.language, read=marks.get((row.pk, actor.id), 0), now=now) for row in shown
        ),
        escalations=escalations,
    )


def moment(at: datetime) -> str:
    """Return a time as it stands in frames."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _advocate_for_visitor(conversation: Conversation) -> str | None:
    """Return who is with the visitor; an offer is not yet a person."""
    held = conversation.state in {State.ACTIVE, State.WRAP_UP}
    return conversation.advocate.work_name if held and conversation.advocate else None


def _shown_state(conversation: Conversation) -> str:
    """Return the state without what only staff need to know: an offer still is waiting."""
    return State.WAITING if conversation.state == State.OFFERED else conversation.state
