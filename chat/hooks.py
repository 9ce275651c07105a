"""The one place where a room to the left gives `chat` something to carry."""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from chat import measures
from chat.log import StoredEvent
from chat.protocol import EscalationSummary

logger = logging.getLogger(__name__)

EscalationProvider = Callable[[], tuple[EscalationSummary, ...]]
"""Returns all open escalations, their handles unspoken."""

Screener = Callable[[UUID, str, str, datetime], tuple[StoredEvent, ...]]
"""Looks at a visitor's committed message (conversation, client id, text, now); returns what it appended to the log."""

_providers: list[EscalationProvider] = []
_screeners: list[Screener] = []


def register_escalations(provider: EscalationProvider) -> None:
    """Let `provider` fill the escalations of the overview; the last one registered counts."""
    _providers[:] = [provider]


def open_escalations() -> tuple[EscalationSummary, ...]:
    """Return the open escalations, none when no room provides them."""
    return _providers[0]() if _providers else ()


def register_screener(screener: Screener) -> None:
    """Let `screener` look at each message of a visitor once it is committed; the last one registered counts."""
    _screeners[:] = [screener]


def screened(conversation_id: UUID, client_id: str, text: str, now: datetime) -> tuple[StoredEvent, ...]:
    """Return what the screener appended to the log because of a message, nothing when it fails.

    The message is committed already, so a failing screener loses nothing of it: it is counted, logged without words.
    """
    try:
        return _screeners[0](conversation_id, client_id, text, now) if _screeners else ()
    except Exception as error:
        measures.screenings_failed.inc()
        logger.error("a message of conversation %s could not be screened: %s", conversation_id, type(error).__name__)
        return ()
