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

from chat.db import drop_connection, in_visitor_db

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST_AT_ONCE = 100
"""How many are read for at once: more would hold up other threads, and save little."""
PATIENCE = 1.0
"""Seconds after which the next reading begins beside one that has not ended: its connection may have died silently."""
MOST_BESIDE = 3


class Together(Generic[Key, Value]):
    """Read for whoever asks, one reading at a time; one that hangs holds up no other."""

    def __init__(
        self, read: Callable[[list[Key]], Mapping[Key, Value | Exception]], gather: Callable[[], float] = lambda: 0.0
    ) -> None:
        """Take what reads: it returns a value, or an error to raise, for each key that it is given.

        `gather` says for how many seconds a reading waits for others to ask.
        """
        self._read, self._gather = read, gather
        self._asked: dict[Key, asyncio.Future[Value | Exception]] = {}
        self._task: asyncio.Task[None] | None = None
        self._readings: set[asyncio.Task[None]] = set()

    async def of(self, key: Key) -> Value:
        """Return what is read for a key, by a reading that begins after this call. Raises what the reading raises."""
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = asyncio.get_running_loop().create_future()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._read_on())
        # one asker who goes away takes it from nobody else
        found = await asyncio.shield(answer)
        if not isinstance(found, Exception):
            return found
        try:
            raise found
        finally:
            # else an error that many met would hold all of them in memory, and itself
            del found, answer

    async def _read_on(self) -> None:
        while self._asked:
            if len(self._asked) < MOST_AT_ONCE and (seconds := self._gather()) > 0:
                await asyncio.sleep(seconds)
            while len(self._readings) >= MOST_BESIDE:
                await asyncio.wait(self._readings, return_when=asyncio.FIRST_COMPLETED)
            reading = asyncio.create_task(self._answer(list(islice(self._asked, MOST_AT_ONCE))))
            self._readings.add(reading)
            reading.add_done_callback(self._readings.discard)
            await asyncio.wait({reading}, timeout=PATIENCE)

    async def _answer(self, keys: list[Key]) -> None:
        answers = [self._asked.pop(key) for key in keys]
        try:
            found = await in_visitor_db(self._read_again_if_broken, keys)
            results: list[Value | Exception] = [found[key] for key in keys]
        except Exception as error:
            results = [error] * len(keys)
        for answer, result in zip(answers, results, strict=True):
            if not answer.done():
                answer.set_result(result)
        results.clear()

    def _read_again_if_broken(self, keys: list[Key]) -> Mapping[Key, Value | Exception]:
        try:
            return self._read(keys)
        except (OperationalError, InterfaceError):
            # a connection that has died fails whoever uses it first: that is one reading, and would be a hundred pages
            drop_connection()
            return self._read(keys)
