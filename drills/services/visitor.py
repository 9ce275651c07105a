"""What a scripted visitor does: the very commands that a real visitor's page gives, and nothing that it could not."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from chat import log
from chat.core.actors import Visitor
from chat.core.errors import Refused
from chat.log import StoredEvent
from chat.selectors import visitor_by_token, visitor_of
from chat.services import end_conversation, give_words, leave_quickly, post_message, return_by_words
from drills.core.progress import Say
from drills.core.script import Act
from drills.models import Drill
from encryption.core.envelope import Binding
from encryption.services import sealer_for


@dataclass(frozen=True, slots=True)
class HeldVisitor:
    """Hold what the page of a scripted visitor would hold."""

    token: str = field(repr=False)
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Acted:
    """Carry what was committed, and the sealed visitor when something of it changed; `worked` False ends the drill."""

    events: tuple[StoredEvent, ...] = ()
    sealed: bytes | None = None
    worked: bool = True


def sealed_visitor(conversation_id: UUID, token: str, words: str) -> bytes:
    """Return a visitor's token and words, sealed with their conversation's key. Raises what `sealer_for` raises."""
    text = json.dumps({"token": token, "words": words})
    return sealer_for(log.subject_of(conversation_id)).seal(_binding(conversation_id), text)


def visitor_held(drill: Drill) -> HeldVisitor:
    """Return the visitor of a drill. Raises what `sealer_for` raises."""
    sealed = bytes(drill.sealed_visitor)
    text = sealer_for(log.subject_of(drill.pk)).unseal(_binding(drill.pk), sealed).reveal()
    return HeldVisitor(**json.loads(text))


def say(drill: Drill, move: Say, now: datetime) -> Acted:
    """Write a line. Its client id is the same for every worker that tries, so that it is written once."""
    actor = _actor(drill, now)
    if actor is None:
        return Acted(worked=False)
    client_id = hashlib.sha256(_turn(drill).encode()).hexdigest()[:32]
    done = post_message(actor=actor, conversation_id=drill.pk, client_id=client_id, body=move.line.text, now=now)
    return Acted((*done.events, *done.cues))


def do(drill: Drill, act: Act, now: datetime) -> Acted:
    """Do what is no message. Raises what the commands raise."""
    held = visitor_held(drill)
    match act:
        case Act.LEAVE:
            return Acted(leave_quickly(token=held.token, now=now).events)
        case Act.WORDS:
            given = give_words(token=held.token, now=now)
            return Acted(given.events, sealed_visitor(drill.pk, held.token, " ".join(given.result)))
        case Act.RETURN:
            # the same for every worker that tries, so that it is one return; as hard to guess as the one before it
            token = hashlib.sha256(f"{held.token}/{_turn(drill)}".encode()).hexdigest()
            back = return_by_words(phrase=held.words, token=token, now=now)
            sealed = sealed_visitor(drill.pk, token, held.words) if back.result == drill.pk else None
            return Acted(back.events, sealed, worked=sealed is not None)
        case Act.END:
            actor = _actor(drill, now)
            if actor is None:
                return Acted(worked=False)
            return Acted(end_conversation(actor=actor, conversation_id=drill.pk, now=now).events)


def _turn(drill: Drill) -> str:
    """Return what names one act or line of one drill."""
    return f"{drill.pk}/{len(drill.path)}/{drill.done}"


def _actor(drill: Drill, now: datetime) -> Visitor | None:
    """Return who writes, as the visitor's page would be known: by its token; None when that opens nothing any more."""
    try:
        return visitor_of(visitor_by_token(visitor_held(drill).token, now))
    except Refused:
        return None


def _binding(conversation_id: UUID) -> Binding:
    return Binding(kind="drill", record=str(conversation_id), sequence=0, author_role="system")
