"""A visitor's line for a page without script: the frames of its socket, one after the other, for some minutes.

The page is an answer that does not end: what is asked here hands out frames as fast as the browser takes them, and ends
by itself now and then, so that the browser asks again. An open answer is no sign that anybody is there: a phone that
vanished is noticed by nobody. So a visitor counts as seen when this is asked for, and not while it lasts.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import Any
from uuid import UUID

from chat import protocol as wire
from chat.consumers.base import Ended
from chat.consumers.open import open_sockets
from chat.consumers.poll import hold_back
from chat.consumers.visitor import VisitorSocket
from chat.hub import hub
from chat.per_loop import PerLoop

LASTS = 180.0
SPREAD = 60.0
"""Seconds that a stream lasts, and up to how many more, so that not all of them come back at once."""
BEAT = 15.0
"""Seconds of silence after which something is sent all the same, and the log is looked at."""
MOST_EACH = 3
MOST_STREAMS = 500
"""Streams of one conversation, and of one process; the oldest gives way, and who comes beyond that asks again later."""
MOST_BYTES = 512 * 1024
"""What one stream sends before it ends and is asked for again: a server may keep all of it for who does not read."""
_FEW = 8


class End(StrEnum):
    """Say why a stream ended."""

    RENEW = "renew"  # it lasted for long enough: ask again at once
    LATER = "later"  # this process ends, or has too much to do: ask again in some seconds
    REPLACED = "replaced"  # newer ones are open
    SPENT = "spent"  # the token opens nothing any more


class Stream(VisitorSocket):
    """Be a visitor's socket whose frames leave one by one; what waits is bounded as it is for every socket."""

    def __init__(self) -> None:
        super().__init__({}, self._hand_over)
        self.end_of: End | None = None
        self._ends = 0.0
        self._sent = 0
        self._ready: deque[str] = deque()
        self._came = asyncio.Event()
        self._room = asyncio.Event()

    async def frames(self, token: str, lasts: float) -> AsyncGenerator[str, None]:
        """Yield what there is and what comes, and nothing (`""`) now and then; `end_of` says why it ended."""
        open_sockets().add(self)
        try:
            await hold_back(token)
            await self._hello(_hello(token))
            with _streams().place(self._conversation(), self):
                self._ends = asyncio.get_running_loop().time() + lasts
                while self._goes_on():
                    frame = await self._frame()
                    self._sent += len(frame)
                    yield frame
        except Ended as ended:
            self.end_of = End.SPENT if ended.close_code in {4401, 4410} else End.LATER
        finally:
            open_sockets().discard(self)
            self.stop_sending()
            if self._actor is not None:
                # nobody is called gone for it: the next one is on its way
                hub().unfollow(self._actor.conversation, self)

    def go(self) -> None:
        """End now, since this process does."""
        super().go()
        self._stop(End.LATER)

    def give_way(self) -> None:
        """End now, since newer streams of the same conversation are here."""
        self._stop(End.REPLACED)

    def spent(self) -> None:
        """End now: nobody pings here, and after a quick exit no other window may stay open."""
        self._stop(End.SPENT)

    def _conversation(self) -> UUID:
        if self._actor is None:
            raise Ended(4503)
        return self._actor.conversation

    def _goes_on(self) -> bool:
        if not self._ready and (self._left() <= 0 or self._sent > MOST_BYTES):
            self._stop(End.RENEW)
        return self.end_of is None

    def _left(self) -> float:
        return self._ends - asyncio.get_running_loop().time()

    async def _frame(self) -> str:
        if not self._ready:
            self._came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(BEAT, self._left())):
                    await self._came.wait()
        if self._ready:
            self._room.set()
            return self._ready.popleft()
        if self.end_of is None:
            # what was not heard is in the log
            self.on_gap()
        return ""

    def _stop(self, why: End) -> None:
        self.end_of = self.end_of or why
        self._came.set()

    async def _hand_over(self, message: dict[str, Any]) -> None:
        if message["type"] != "websocket.send":
            return
        while len(self._ready) >= _FEW:
            self._room.clear()
            await self._room.wait()
        self._ready.append(message["text"])
        self._came.set()


class Streams:
    """Know the streams of one process: few for each conversation, and not too many."""

    def __init__(self) -> None:
        self._held: dict[UUID, deque[Stream]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @contextmanager
    def place(self, conversation: UUID, stream: Stream) -> Iterator[None]:
        """Hold a place; raises `Ended` where there is none."""
        if self._count >= MOST_STREAMS:
            raise Ended(4503)
        held = self._held.setdefault(conversation, deque())
        held.append(stream)
        self._count += 1
        if len(held) > MOST_EACH:
            held[-MOST_EACH - 1].give_way()
        try:
            yield
        finally:
            self._count -= 1
            held.remove(stream)
            if not held:
                self._held.pop(conversation, None)


_streams: PerLoop[Streams] = PerLoop(Streams)


def lasts() -> float:
    """Return for how many seconds the next stream may last."""
    return LASTS + random.uniform(0, SPREAD)  # noqa: S311 - spreads load, guards nothing


def _hello(token: str) -> wire.VisitorHello:
    return wire.VisitorHello(version=wire.PROTOCOL_VERSION, token=token, after=0, start=False, language="en")
