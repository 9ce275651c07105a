"""Finish what was begun although who asked for it has gone: what is committed is also told.

A browser that drops its request has the view cancelled, wherever it waits. Between a commit and the word of it that
would leave a message which no advocate hears of, so both run in a task of their own, and a process that ends waits for
these tasks.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from chat.core.errors import Refused
from chat.per_loop import PerLoop

logger = logging.getLogger(__name__)

T = TypeVar("T")


class UnderWay:
    """Hold what one event loop must finish; a loop itself holds its tasks weakly."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Begin something that goes on whatever becomes of who asked for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what some work gives, or raise what it raises; it goes on when the caller is cancelled."""
        task = self.start(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_note)
            raise

    async def empty(self) -> None:
        """Return when nothing is under way any more."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))


def _note(task: "asyncio.Task[Any]") -> None:
    """Log what failed with nobody there to hear of it."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, Refused):
        logger.error("failed after who asked had gone", exc_info=error)


under_way = PerLoop(UnderWay)
"""Return what this process has under way."""
