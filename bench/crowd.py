"""Many sockets that say little: what each costs in memory, how fast they come, and whether others still talk well."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bench.machine import memory_kib, settle
from bench.targets import Running
from bench.wire import Broken, Socket, framed

AT_ONCE = 50
LIFE_EVERY = 25.0
"""Seconds between two signs of life of one page, as pages give them."""
COME_WITHIN = 300.0
"""Seconds for all to come; then the run goes on with those who did and says how many."""


@dataclass(frozen=True)
class Crowd:
    """Hold what a crowd cost."""

    sockets: int
    idle_kib: float | None
    first_per_s: float
    connect_per_s: float | None


class Idle:
    """Keep the sockets of a crowd alive as their pages would."""

    def __init__(self, running: Running, kind: str) -> None:
        self._running, self._kind = running, kind
        self.sockets: list[Socket] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def come(self, count: int) -> float:
        """Open sockets for the first time; return how many a second came."""
        return await self._all(count, self._running.arrive)

    async def come_again(self, count: int) -> float:
        """Open them again as somebody known; return how many a second came."""
        return await self._all(count, self._running.return_of)

    def leave(self) -> None:
        """Close all."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        for socket in self.sockets:
            socket.close()
        self.sockets.clear()

    def _keep_alive(self) -> None:
        """Begin to give signs of life, spread over time."""
        sign = self._running.sign_of_life()
        if sign is not None:
            self._tasks.append(asyncio.create_task(self._live(framed(sign))))

    async def _live(self, frame: bytes) -> None:
        turn, given = 0, time.perf_counter()
        while True:
            await asyncio.sleep(LIFE_EVERY / max(len(self.sockets), LIFE_EVERY))
            each = LIFE_EVERY / max(len(self.sockets), 1)
            # as many as are due by now: also where this machine is busy no page is silent for longer
            for _ in range(min(int((time.perf_counter() - given) / each), len(self.sockets))):
                turn = (turn + 1) % len(self.sockets)
                if self.sockets[turn].alive:
                    self.sockets[turn].write(frame)
                given += each
            if not self.sockets:
                given = time.perf_counter()

    async def _all(self, count: int, one: Callable[[str, int], Awaitable[Socket]]) -> float:
        numbers = iter(range(count))
        self._keep_alive()
        began = time.perf_counter()

        async def some() -> None:
            for number in numbers:
                if time.perf_counter() - began > COME_WITHIN:
                    return
                socket = await one(self._kind, number)
                # what an idle socket is told, nobody reads
                socket.on_text = _ignore
                self.sockets.append(socket)

        await asyncio.gather(*(some() for _ in range(AT_ONCE)))
        return len(self.sockets) / (time.perf_counter() - began)


async def measured(running: Running, kind: str, count: int) -> Crowd:
    """Let a crowd come, sit, leave and come again."""
    # the first few make the process load what it needs anyway
    first = Idle(running, kind)
    await first.come(20)
    first.leave()
    await asyncio.to_thread(settle, running.pids)
    before = memory_kib(running.pids)
    idle = Idle(running, kind)
    try:
        first_per_s = await idle.come(count)
        await asyncio.to_thread(settle, running.pids)
        after, came = memory_kib(running.pids), len(idle.sockets)
        if any(not socket.alive for socket in idle.sockets):
            raise Broken(f"{sum(not one.alive for one in idle.sockets)} of {came} idle sockets were closed")
        idle.leave()
        await asyncio.to_thread(settle, running.pids)
        again = await idle.come_again(came)
    finally:
        idle.leave()
    each = (after - before) / came if after is not None and before is not None else None
    return Crowd(came, each, first_per_s, again)


def _ignore(text: bytes) -> None:
    """Drop a text."""
