"""Write how far a page has got at most once a second, however often it says so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

logger = logging.getLogger(__name__)

MARK_EVERY = 1.0
"""Seconds between two writings of one socket."""

_NOTHING = (0, 0)
Write = Callable[[UUID, int, int], Awaitable[None]]


class Marks:
    """Hold how far one socket's page has got in each conversation, and write the newest of it now and then."""

    __slots__ = ("_resting", "_wanted", "_write", "_written")

    def __init__(self, write: Write) -> None:
        self._write = write
        self._wanted: dict[UUID, tuple[int, int]] = {}
        self._written: dict[UUID, tuple[int, int]] = {}
        self._resting: asyncio.Task[None] | None = None

    async def move(self, conversation: UUID, delivered: int, read: int) -> None:
        """Take how far a page has got; numbers that do not go further change nothing."""
        before = self._wanted.get(conversation, _NOTHING)
        self._wanted[conversation] = (max(before[0], delivered), max(before[1], read))
        if self._resting is None and await self._write_all():
            self._resting = asyncio.create_task(self._rest())

    def forget(self, conversation: UUID) -> None:
        """Hold nothing of a conversation that is not followed any more."""
        self._wanted.pop(conversation, None)
        self._written.pop(conversation, None)

    def stop(self) -> None:
        """Write nothing more; the page says it again on its next socket."""
        if self._resting is not None:
            self._resting.cancel()

    async def _rest(self) -> None:
        try:
            wrote = True
            while wrote:
                await asyncio.sleep(MARK_EVERY)
                wrote = await self._write_all()
        finally:
            self._resting = None

    async def _write_all(self) -> bool:
        # a page that holds nothing yet says so with each ping
        due = {pk: mark for pk, mark in self._wanted.items() if self._written.get(pk, _NOTHING) != mark}
        for conversation, mark in due.items():
            try:
                await self._write(conversation, *mark)
                self._written[conversation] = mark
            except Exception as error:
                # the next word of the page, a heartbeat away at most, tries again
                logger.error("mark not written: %s", type(error).__name__)
                self.forget(conversation)
        return bool(due)
