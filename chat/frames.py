"""Turn committed events and rows into frames: the only place where a frame about them is built."""

from datetime import UTC, datetime
from typing import cast, get_args
from uuid import UUID

from django.utils.functional import cached_property

from chat import codec, log
from chat import protocol as wire
from chat.core.conversation import State
from chat.core.expectation import Expectation
from chat.log import StoredEvent
from chat.models import Conversation
from chat.selectors.glance import Glance
from chat.selectors.listed import Listed
from encryption.core.envelope import NotAuthentic
from encryption.services import Sealer
from encryption.text import Secret
from staff.selectors import LEASE

_VISITOR_FACTS = frozenset(get_args(wire.VisitorFactCode))


class Rendered:
    """Hold one event, unsealed and encoded at most once for each side, however many sockets it goes to."""

    def __init__(
        self, event: StoredEvent, sealer: Sealer | None, *, forged: bool = False, said: Secret | None = None
    ) -> None:
        self.event = event
        self.forged = forged and event.sealed_body is not None
        self._sealer = sealer
        self._said = said

    def __repr__(self) -> str:
        return f"<rendered {self.event!r}>"

    @property
    def conversation(self) -> UUID:
        """Return whose log it is from."""
        return self.event.conversation

    @property
    def size(self) -> int:
        """Return the bytes of its sealed text: what it takes in memory is a small multiple of that."""
        return len(self.event.sealed_body or b"")

    @property
    def unreadable(self) -> bool:
        """Tell whether its text cannot be opened; `forged` then says whether that is because it was tampered with."""
        return self.event.sealed_body is not None and self._body is None

    @cached_property
    def visitor_text(self) -> str | None:
        """Return the visitor's frame as text, None for what is not theirs to see."""
        frame = visitor_event(self.event, self._body, self._at)
        return None if frame is None else codec.encode(frame)

    @cached_property
    def staff_text(self) -> str:
        """Return the staff frame as text."""
        return codec.encode(staff_event(self.event, self._body, self._at))

    @cached_property
    def _at(self) -> str:
        return moment(self.event.at)

    @cached_property
    def _body(self) -> str | None:
        if self._said is not None:
            return self._said.reveal()
        if self.event.sealed_body is None or self._sealer is None:
            return None
        try:
            return body_of(self.event, self._sealer)
        except NotAuthentic:
            self.forged = True
            return None


def body_of(event: StoredEvent, sealer: Sealer) -> str:
    """Return the text of an event, or raise `NotAuthentic`."""
    return sealer.unseal(log.binding_for(event), event.sealed_body or b"").reveal()


def visitor_event(event: StoredEvent, body: str | None, at: str) -> wire.VisitorMessage | wire.VisitorFact | None:
    """Return what the visitor may see of an event; an event without a visitor number is nothing to them."""
    if event.visitor_seq is None:
        return None
    seq = event.visitor_seq
    if event.kind == "message" and body is not None:
        own = event.author_role == "visitor"
        return wire.VisitorMessage(
            seq=seq,
            author="you" if own else "advocate",
            name=None if own else event.author_name,
            client_id=event.client_id if own else None,
            body=body,
            at=at,
        )
    known = event.kind == "fact" and event.code in _VISITOR_FACTS
    return wire.VisitorFact(
        seq=seq,
        code=cast(wire.VisitorFactCode, event.code) if known else "unreadable",
        name=event.author_name if event.code in {"joined", "ended_by_advocate"} else None,
        at=at,
    )


def staff_event(
    event: StoredEvent, body: str | None, at: str
) -> wire.StaffMessage | wire.StaffNoteEvent | wire.StaffFact:
    """Return what staff see of an event; a text that cannot be opened is a fact."""
    conversation, seq = str(event.conversation), event.staff_seq
    if event.kind == "message" and body is not None:
        return wire.StaffMessage(
            conversation=conversation,
            seq=seq,
            author="visitor" if event.author_role == "visitor" else "staff",
            author_id=event.author_id,
            name=event.author_name,
            client_id=event.client_id,
            body=body,
            at=at,
        )
    if event.kind == "note" and body is not None:
        return wire.StaffNoteEvent(
            conversation=conversation,
            seq=seq,
            author_id=event.author_id,
            name=event.author_name,
            client_id=event.client_id,
            body=body,
            at=at,
        )
    return wire.StaffFact(
        conversation=conversation,
        seq=seq,
        code=cast(wire.StaffFactCode, event.code) if event.kind == "fact" else "unreadable",
        name=event.author_name,
        level=event.level,
        at=at,
    )


def absent(conversation: UUID, seq: int, at: datetime, *, for_visitor: bool) -> str:
    """Return the frame that stands for a number whose line is gone from the log."""
    if for_visitor:
        return codec.encode(wire.VisitorFact(seq=seq, code="unreadable", name=None, at=moment(at)))
    return codec.encode(
        wire.StaffFact(conversation=str(conversation), seq=seq, code="unreadable", name=None, level=None, at=moment(at))
    )


def welcome(seen: Glance, *, after: int) -> wire.VisitorWelcome:
    """Return the answer to a hello of a visitor who holds everything up to `after`."""
    conversation = seen.conversation
    hidden = conversation.return_seq if conversation.return_open else 0
    begins = max(after, hidden, conversation.visitor_head - wire.MOST_MISSED)
    return wire.VisitorWelcome(
        version=wire.PROTOCOL_VERSION,
        state=cast(wire.StateName, _shown_state(conversation)),
        language=cast(wire.Language, conversation.language),
        head=conversation.visitor_head,
        after=begins,
        older=begins > after,
        hidden=conversation.return_open,
        advocate=_advocate_for_visitor(conversation),
        staffed=seen.staffed,
        wait=_wait(seen.expects),
        language_read=seen.language_read,
    )


def standing(seen: Glance) -> wire.VisitorStanding:
    """Return how things stand for a visitor."""
    return wire.VisitorStanding(
        state=cast(wire.StateName, _shown_state(seen.conversation)),
        advocate=_advocate_for_visitor(seen.conversation),
        staffed=seen.staffed,
        wait=_wait(seen.expects),
        language_read=seen.language_read,
    )


def summary(row: Listed, now: datetime) -> wire.ConversationSummary:
    """Return a conversation as it stands on a list, for somebody who has read nothing of it; the handle unspoken."""
    last_visitor, last_staff = row.last_visitor_at, row.last_staff_at
    return wire.ConversationSummary(
        id=str(row.pk),
        handle=row.handle,
        state=cast(wire.StateName, row.state),
        door=cast(wire.Door, row.door),
        language=cast(wire.Language, row.language),
        level=row.level,
        opened_at=moment(row.opened_at),
        waiting_since=moment(row.waiting_since) if row.waiting_since else None,
        advocate_id=row.advocate_id,
        advocate=row.advocate,
        offer_until=moment(row.offer_until) if row.offer_until else None,
        head=row.staff_head,
        read=0,
        last_visitor_at=moment(last_visitor) if last_visitor else None,
        answered=last_visitor is None or (last_staff is not None and last_staff >= last_visitor),
        visitor_here=row.visitor_seen_at > now - LEASE,
        ended_by=cast(wire.EndedBy, row.ended_by) if row.ended_by else None,
        returned=wire.Returned(number=row.return_seq, times=row.return_times) if row.return_open else None,
        paused_until=moment(row.paused_until) if row.paused_until and row.paused_until > now else None,
        drill=row.drill != "",
    )


def moment(at: datetime) -> str:
    """Return a time as it stands in frames."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _wait(expects: Expectation | None) -> wire.WaitRange | None:
    return None if expects is None else wire.WaitRange(at_least=expects.at_least, at_most=expects.at_most)


def _advocate_for_visitor(conversation: Conversation) -> str | None:
    """Return who is with the visitor; an offer is not yet a person."""
    held = conversation.state in {State.ACTIVE, State.WRAP_UP, State.CLOSED}
    return conversation.advocate.work_name if held and conversation.advocate else None


def _shown_state(conversation: Conversation) -> str:
    """Return the state without what only staff need to know.

    An offer still is waiting; that the contact was recorded changes nothing for who wrote.
    """
    shown = {State.OFFERED: State.WAITING, State.CLOSED: State.WRAP_UP}
    return shown.get(State(conversation.state), State(conversation.state))
