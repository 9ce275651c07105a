"""Open a conversation that is over: the trail first, then the text."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from audit.services import record
from chat import log
from chat.core.actors import Staff
from chat.core.errors import ErrorCode, Refused
from chat.core.text import checked_reason
from chat.models import Conversation, Event, Reading
from chat.services.base import Done
from chat.services.closed import over, proved, seal_reason
from chat.services.keys import FOOTER, sealed_before
from chat.services.trail import put_on_trail
from encryption.core.envelope import NotAuthentic
from encryption.core.footer import Footer, footer_of, unpacked
from encryption.providers import EpochGone, ProviderDown
from encryption.services import KeyGone, Sealer, lifecycle
from encryption.services import archive as vault
from encryption.services.readers import NotGranted
from encryption.services.unlock import Unlocked
from encryption.text import Secret
from staff.permissions import Action


@dataclass(frozen=True, slots=True)
class Line:
    """Be one line of an opened conversation; `text` is None for a fact."""

    kind: str
    code: str
    author_role: str
    author: str | None
    at: datetime
    text: Secret | None


@dataclass(frozen=True, slots=True)
class Transcript:
    """Hold a whole opened conversation, verified against its footer."""

    conversation: Conversation
    lines: tuple[Line, ...]


def open_archived(
    *, actor: Staff, unlocked: Unlocked | None, conversation_id: UUID, reason: str, now: datetime
) -> Done[Transcript]:
    """Return a closed conversation, once the trail holds who opens it and why.

    Raises `Refused`: `LOCKED` unless the key was unlocked or proved anew within minutes, `REASON_MISSING`, a text code,
    `WRONG_STATE` while it runs, `GONE` when nobody can open it, `NOT_GRANTED` when only others can, `TAMPERED` when
    anything in it is not what was written, `OURS` without the key provider, or what the doorway raises.
    """
    key = proved(actor, unlocked)
    text = checked_reason(reason)
    try:
        conversation = _note_reading(actor, conversation_id, text, now)
        # committed: whatever happens to the text now, the trail says that it was asked for
        sealer = vault.open_wrap(log.subject_of(conversation.pk), key.secrets())
        return Done(Transcript(conversation, _lines(conversation, sealer)))
    except NotGranted:
        raise Refused(ErrorCode.NOT_GRANTED) from None
    except (KeyGone, EpochGone):
        raise Refused(ErrorCode.GONE) from None
    except ProviderDown:
        raise Refused(ErrorCode.OURS) from None
    except NotAuthentic:
        record(actor=str(actor), action="archive.tampered", subject=f"conversation:{conversation_id}", now=now)
        raise Refused(ErrorCode.TAMPERED) from None


def _note_reading(actor: Staff, conversation_id: UUID, reason: str, now: datetime) -> Conversation:
    with transaction.atomic():
        conversation = over(actor, conversation_id, Action.READ_ARCHIVE)
        pk = uuid4()
        sealed = seal_reason("reading", pk, reason, now)
        Reading.objects.create(pk=pk, conversation=conversation, reader_id=actor.id, at=now, sealed_reason=sealed)
        put_on_trail(actor, "archive.opened", conversation, now, {"reading": str(pk)})
    return conversation


def _lines(conversation: Conversation, sealer: Sealer) -> tuple[Line, ...]:
    """Return every line, or raise `NotAuthentic` unless it is the whole log as it left daily work."""
    events = log.lines(Event.objects.filter(conversation=conversation).order_by("staff_seq"))
    texts = [(event.staff_seq, event.sealed_body) for event in events if event.sealed_body is not None]
    whole = [event.staff_seq for event in events] == list(range(1, conversation.staff_head + 1))
    if not whole or not _fits(conversation, sealer, footer_of(texts)):
        raise NotAuthentic(f"conversation {conversation.pk}")
    return tuple(_line(event, sealer) for event in events)


def _fits(conversation: Conversation, sealer: Sealer, found: Footer) -> bool:
    """Tell whether the texts are those that the footer and the trail know."""
    known = sealed_before(conversation.pk)
    if conversation.sealed_footer is None:
        # it gets its footer when it leaves daily work, so without one its daily key must still open
        return known is None and lifecycle.opens_daily(log.subject_of(conversation.pk))
    footer = unpacked(sealer.unseal_bytes(FOOTER, bytes(conversation.sealed_footer)))
    return footer == found and known == found.digest.hex()


def _line(event: log.StoredEvent, sealer: Sealer) -> Line:
    text = None
    if event.sealed_body is not None:
        # bound to who is shown as its author, not to another column that says so
        text = sealer.unseal(log.binding_for(event), event.sealed_body)
    return Line(event.kind, event.code, event.author_role, event.author_name, event.at, text)
