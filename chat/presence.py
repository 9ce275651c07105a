"""Write who is here and who has gone for many visitors at once: a sign of life is worth no commit of its own.

A write that is lost with its process harms nobody: the page's next sign, on whatever process, writes it again, and a
presence that nobody renews lapses by itself.
"""

import asyncio
import logging
import math
from contextlib import suppress
from datetime import datetime
from itertools import islice
from uuid import UUID

from chat import broadcast
from chat.db import in_visitor_db
from chat.per_loop import PerLoop
from chat.services import note_visitors

logger = logging.getLogger(__name__)

GATHER = 0.05
GATHER_SIGNS = 1.0
"""Seconds that news wait for others, and mere signs of life: those are looked at a minute later at the earliest."""
MOST_AT_ONCE = 500


class Presence:
    """Gather the signs of one event loop; of one visitor the last one counts."""

    def __init__(self) -> None:
        self._here: dict[UUID, datetime] = {}
        self._gone: dict[UUID, datetime] = {}
        self._news = False
        self._due = math.inf
        self._hastier = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def here(self, conversation: UUID, at: datetime, *, arrived: bool = False) -> None:
        """Note that a visitor's page is alive; one that has just arrived is news for the lists of staff."""
        self._gone.pop(conversation, None)
        self._here[conversation] = at
        self._news |= arrived
        self._start(GATHER if arrived else GATHER_SIGNS)

    def gone(self, conversation: UUID, last_sign: datetime) -> None:
        """Note that a visitor's line closed which was last heard at `last_sign`."""
        self._here.pop(conversation, None)
        self._gone[conversation] = last_sign
        self._news = True
        self._start(GATHER)

    async def written(self) -> None:
        """Return when nothing waits any more, which is soon."""
        while self._task is not None and not self._task.done():
            self._start(GATHER)
            await asyncio.wait((self._task,))

    def _start(self, gather: float) -> None:
        """Write after a while; of several wishes the hastiest sets the time."""
        due = asyncio.get_running_loop().time() + gather
        if due < self._due:
            self._due = due
            self._hastier.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_on())

    async def _gathered(self) -> None:
        loop = asyncio.get_running_loop()
        while (rest := self._due - loop.time()) > 0:
            self._hastier.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._hastier.wait()

    async def _write_on(self) -> None:
        while self._here or self._gone:
            await self._gathered()
            here, gone, news = self._some_of(self._here), self._some_of(self._gone), self._news
            self._news = False
            # what did not fit is due at once, and what comes from here on says so itself
            self._due = asyncio.get_running_loop().time() if self._here or self._gone else math.inf
            try:
                # one at a time: a sign that is written after a later one would bring back who has gone
                await in_visitor_db(note_visitors, here=here, gone=gone)
            except Exception as error:
                logger.error("presence not written: %s", type(error).__name__)
            if news:
                await broadcast.publish_overview()

    @staticmethod
    def _some_of(signs: dict[UUID, datetime]) -> dict[UUID, datetime]:
        return {pk: signs.pop(pk) for pk in list(islice(signs, MOST_AT_ONCE))}


presence = PerLoop(Presence)
"""Return the presence of this process's visitors."""
