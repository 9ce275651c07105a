"""Answer many who ask at about the same time by few readings of the database.

After a restart some thousand pages say hello within seconds, and each that stays gives a sign of life every 25 s. What
one of them asks takes some queries, of which the database has the smallest part: nearly all is the way there and back.
So one reading runs at a time, and whoever asks during it shares the next one with all others. Nobody waits for company:
a single asker's reading begins at once, unless it was told to wait a little.
"""

import asyncio
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

from chat.db import in_visitor_db

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST_AT_ONCE = 100
"""How many are read for at once: more would hold up other threads, and save little."""


class Together(Generic[Key, Value]):
    """Read for whoever asks, one reading at a time."""

    def __init__(
        self, read: Callable[[list[Key]], Mapping[Key, Value | Exception]], gather: Callable[[], float] = lambda: 0.0
    ) -> None:
        """Take what reads: it returns a value, or an error to raise, for each key that it is given.

        `gather` says for how many seconds a reading waits for others to ask.
        """
        self._read, self._gather = read, gather
        self._asked: dict[Key, asyncio.Future[Value | Exception]] = {}
        self._task: asyncio.Task[None] | None = None

    async def of(self, key: Key) -> Value:
        """Return what is read for a key, by a reading that begins after this call. Raises what the reading raises."""
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read_on())
        # one asker who goes away takes it from nobody else
        found = await asyncio.shield(answer)
        if isinstance(found, Exception):
            raise found
        return found

    async def _read_on(self) -> None:
        while self._asked:
            if (seconds := self._gather()) > 0:
                await asyncio.sleep(seconds)
            batch = {key: self._asked.pop(key) for key in list(islice(self._asked, MOST_AT_ONCE))}
            for answer, found in zip(batch.values(), await self._found(list(batch)), strict=True):
                if not answer.done():
                    answer.set_result(found)

    async def _found(self, keys: list[Key]) -> list[Value | Exception]:
        try:
            found = await self._read_again_if_broken(keys)
            return [found[key] for key in keys]
        except Exception as error:
            return [error] * len(keys)

    async def _read_again_if_broken(self, keys: list[Key]) -> Mapping[Key, Value | Exception]:
        try:
            return await in_visitor_db(self._read, keys)
        except (OperationalError, InterfaceError):
            # a connection that has died fails whoever uses it first: that is one reading, and would be a hundred pages
            return await in_visitor_db(self._read, keys)
