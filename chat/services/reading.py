"""Let staff read a conversation: the trail first, then the text."""

import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from audit.services import record, recorded
from chat.core.actors import Staff
from chat.core.conversation import OPEN
from chat.core.errors import ErrorCode, Refused
from chat.log import StoredEvent, opener_of, warm
from chat.models import Conversation
from chat.protocol import MOST_MISSED
from chat.selectors import conversation_for, events_after, events_before
from chat.services.base import Done
from chat.services.trail import put_on_trail
from encryption.core.envelope import NotAuthentic
from encryption.providers import EpochGone, ProviderDown
from encryption.services import KeyGone
from staff.permissions import Action

logger = logging.getLogger(__name__)

Lines = Callable[[Conversation], list[StoredEvent]]


def read_conversation(
    *, actor: Staff, conversation_id: UUID, after: int, now: datetime
) -> Done[tuple[list[StoredEvent], int]]:
    """Return the log beyond `after` and its newest number, once the audit trail says who reads it.

    Raises what the doorway raises, and `Refused(ARCHIVED)` for what has left daily work.
    """
    return _read(actor, conversation_id, {"after": after}, partial(_beyond, after), now)


def read_older(
    *, actor: Staff, conversation_id: UUID, before: int, now: datetime
) -> Done[tuple[list[StoredEvent], int]]:
    """Return the page of the log before a number, newest first, and the log's newest number; as `read_conversation`."""
    return _read(actor, conversation_id, {"before": before}, partial(_before, before), now)


def _beyond(after: int, conversation: Conversation) -> list[StoredEvent]:
    """Return what lies beyond a number: the newest page only for who is further behind."""
    after = max(after, conversation.staff_head - MOST_MISSED)
    return events_after(conversation.pk, after, for_visitor=False)


def _before(before: int, conversation: Conversation) -> list[StoredEvent]:
    return events_before(conversation.pk, before, for_visitor=False, limit=MOST_MISSED)


def _read(
    actor: Staff, conversation_id: UUID, asked: dict[str, int], lines: Lines, now: datetime
) -> Done[tuple[list[StoredEvent], int]]:
    conversation = conversation_for(actor, conversation_id, Action.READ_CONVERSATION)
    try:
        # before the trail is written: its one head must not be held while a slow provider is asked
        if opener_of(conversation.pk, lines(conversation)) is None and conversation.state in OPEN:
            # the first text that comes will be shown at once
            with suppress(ProviderDown):
                warm(conversation.pk)
    except (KeyGone, EpochGone):
        raise Refused(ErrorCode.ARCHIVED) from None
    except NotAuthentic:
        # the reader gets placeholders for what cannot be opened, and the rest
        logger.error("the key of conversation %s is not authentic", conversation.pk)
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.READ_CONVERSATION)
        events = lines(conversation)
        put_on_trail(actor, "conversation.read", conversation, now, asked)
    return Done((events, conversation.staff_head))


def note_forged(*, conversation_id: UUID, number: int, now: datetime) -> None:
    """Put into the trail, once, that a line of a log is not what was written."""
    subject = f"conversation:{conversation_id}"
    with transaction.atomic():
        if not recorded(action="record.not_authentic", subject=subject, data={"number": number}):
            record(actor="system", action="record.not_authentic", subject=subject, data={"number": number}, now=now)
