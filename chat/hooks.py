"""The one place where a room to the left gives `chat` something to carry."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from django.db import transaction

from chat import measures
from chat.log import StoredEvent
from chat.protocol import EscalationSummary

logger = logging.getLogger(__name__)

EscalationProvider = Callable[[], tuple[EscalationSummary, ...]]
"""Returns all open escalations, their handles unspoken."""


class Finding(Protocol):
    """Be what a screener found; `level` says how dangerous the message sounds."""

    @property
    def level(self) -> int:
        """Return 1, 2 or 3."""


Found = TypeVar("Found", bound=Finding)


class Screener(Protocol[Found]):
    """Look at what visitors write, and call for help because of it."""

    def found(self, text: str) -> Found | None:
        """Return what the words of a message tell, None for an ordinary one. Asks nothing of the database."""

    def call(self, conversation_id: UUID, client_id: str, finding: Found, now: datetime) -> tuple[StoredEvent, ...]:
        """Do what a finding asks for and return what that appended to the log.

        It runs in the transaction that stores the message, under the lock on its conversation.
        """


_providers: list[EscalationProvider] = []
_screeners: list[Screener[Any]] = []


def register_escalations(provider: EscalationProvider) -> None:
    """Let `provider` fill the escalations of the overview; the last one registered counts."""
    _providers[:] = [provider]


def open_escalations() -> tuple[EscalationSummary, ...]:
    """Return the open escalations, none when no room provides them."""
    return _providers[0]() if _providers else ()


def register_screener(screener: Screener[Any]) -> None:
    """Let `screener` look at each message of a visitor; the last one registered counts."""
    _screeners[:] = [screener]


def found(text: str) -> Finding | None:
    """Return what the screener finds in a message: nothing in an ordinary one, and nothing when it fails."""
    try:
        return _screeners[0].found(text) if _screeners else None
    except Exception as error:
        _failed(error)
        return None


def called(
    conversation_id: UUID, client_id: str, finding: Finding, now: datetime, *, level: int
) -> tuple[StoredEvent, ...]:
    """Return what the screener appended to the log because of a finding, nothing when it fails.

    Nobody is called for a conversation that has the finding's level already: who is in danger writes of it often, and
    asking costs more than storing. A call and its message are committed together or not at all. One that fails is
    taken back alone: the message stays.
    """
    try:
        if finding.level <= level:
            return ()
        with transaction.atomic():
            return _screeners[0].call(conversation_id, client_id, finding, now)
    except Exception as error:
        _failed(error)
        return ()


def _failed(error: Exception) -> None:
    # neither the words nor whose they are: the time is enough to find the reason in the program
    measures.screenings_failed.inc()
    logger.error("a message could not be screened: %s", type(error).__name__)
