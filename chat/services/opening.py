"""Begin a conversation, and know whether its visitor is there."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from chat import log
from chat.core.actors import Visitor
from chat.core.errors import ErrorCode, Refused
from chat.models import Conversation
from chat.selectors import site, token_digest, visitor_by_token
from chat.services.base import Done
from encryption.providers import ProviderDown
from encryption.services import create_data_key
from staff.selectors import LEASE


@dataclass(frozen=True, slots=True)
class Opened:
    """Tell which conversation a token opened."""

    conversation: UUID


def open_conversation(*, token: str, language: str, door: str, now: datetime) -> Done[Opened]:
    """Begin the conversation of a token that the visitor's page made; a repeat finds the same one.

    Raises `Refused`: `CLOSED` when the site takes none, `TOKEN_SPENT` for one that is over, `OURS` when keys cannot be
    reached: nothing is ever stored in clear instead.
    """
    try:
        return Done(Opened(visitor_by_token(token, now).pk))
    except Refused as refused:
        if refused.code is not ErrorCode.TOKEN_UNKNOWN:
            raise
    if not site().open:
        raise Refused(ErrorCode.CLOSED)
    try:
        return _begin(token, language, door, now)
    except IntegrityError:
        # the same hello arrived twice at once; the other one has made the conversation
        return Done(Opened(visitor_by_token(token, now).pk))
    except ProviderDown:
        raise Refused(ErrorCode.OURS) from None


def _begin(token: str, language: str, door: str, now: datetime) -> Done[Opened]:
    with transaction.atomic():
        conversation = Conversation.objects.create(
            token_digest=token_digest(token),
            language=language,
            door=door,
            opened_at=now,
            waiting_since=now,
            visitor_seen_at=now,
        )
        create_data_key(log.subject_of(conversation.pk), now)
        event = log.append_fact(conversation, "opened", now=now, actor=Visitor(conversation.pk))
    return Done(Opened(conversation.pk), (event,))


def note_visitor_here(*, actor: Visitor, now: datetime) -> None:
    """Note that the visitor's page is alive."""
    Conversation.objects.filter(pk=actor.conversation).update(visitor_seen_at=now)


def note_visitor_gone(*, actor: Visitor, now: datetime) -> None:
    """Shorten the visitor's presence when their line closed; the next ping or hello restores it."""
    Conversation.objects.filter(pk=actor.conversation).update(visitor_seen_at=now - LEASE)
