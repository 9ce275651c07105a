"""Stand between Havre and a server, or between pages and Havre, and let the line go wrong as networks do."""

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Self

from tests.support.daemon import LOOPBACK

_RESET = struct.pack("ii", 1, 0)
_SWAPPED_WITHIN = 0.05
"""Seconds after which a nudge that waits for its successor goes on alone."""


class Proxy:
    """Pass bytes to a port of this machine, in a thread of its own; every fault may be called from any thread."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._up, self._down = asyncio.Event(), asyncio.Event()
        self._delay = (0.0, 0.0)
        self._server: asyncio.Server | None = None
        self._lines: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._up.set()
        self._down.set()
        self._call(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def hold(self, *, up: bool = True, down: bool = True) -> None:
        """Keep every line and let nothing through, towards the server, from it, or both; new lines hang."""
        for held, way in ((up, self._up), (down, self._down)):
            if held:
                self._loop.call_soon_threadsafe(way.clear)

    def flow(self) -> None:
        """Let everything through again, what was held up first."""
        self._loop.call_soon_threadsafe(self._up.set)
        self._loop.call_soon_threadsafe(self._down.set)

    def delay(self, least: float = 0.0, most: float = 0.0) -> None:
        """Hold each piece up for a random time between two, in seconds; what follows it on the line waits too."""
        self._delay = (least, most)

    def cut(self, *, reset: bool = False) -> int:
        """End every present line, with FIN or with RST; return how many there were."""
        return self._call(self._cut(reset))

    def refuse(self) -> None:
        """Take no new line; those that are open go on."""
        self._call(self._close())

    def accept(self) -> None:
        """Take new lines again."""
        self._call(self._listen())

    def _call(self, work: Coroutine[None, None, int]) -> int:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> int:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port, backlog=4_096)
            self.port = int(self._server.sockets[0].getsockname()[1])
        return self.port

    async def _close(self) -> int:
        if self._server is not None:
            self._server.close()
            self._server = None
        return 0

    async def _cut(self, reset: bool) -> int:
        lines = list(self._lines)
        for writer in (one for line in lines for one in line):
            if not reset or writer.is_closing():
                writer.close()
                continue
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        return len(lines)

    async def _end(self) -> int:
        await self._close()
        mine = asyncio.current_task()
        tasks = [task for task in asyncio.all_tasks() if task is not mine]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return 0

    async def _serve(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        # asyncio complains of a line whose task was cancelled, so the end of the proxy is an ordinary end of each
        with contextlib.suppress(asyncio.CancelledError):
            await self._up.wait()
            await self._down.wait()
            try:
                far_in, far_out = await asyncio.open_connection(LOOPBACK, self._target)
            except OSError:
                near_out.transport.abort()
                return
            line = (near_out, far_out)
            self._lines.add(line)
            try:
                await asyncio.gather(self._upwards(near_in, far_out), self._downwards(far_in, near_out))
            finally:
                self._lines.discard(line)

    async def _upwards(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        await self._pass(source, target, self._up)

    async def _downwards(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        await self._pass(source, target, self._down)

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, way: asyncio.Event) -> None:
        try:
            while data := await source.read(65_536):
                least, most = self._delay
                if most > 0:
                    await asyncio.sleep(random.uniform(least, most))
                await way.wait()
                target.write(data)
                await target.drain()
        except ConnectionError:
            return
        finally:
            target.close()


class HangingProxy(Proxy):
    """Let the line hang: nothing is refused, nothing arrives."""

    def hang(self) -> None:
        """Let nothing through from now on, on old lines and on new ones."""
        self.hold()


class NudgeProxy(Proxy):
    """Stand before Redis and drop, double and swap published messages on their way to subscribers; the rest passes."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._drop = self._double = self._swap = 0.0
        self.dropped = self.doubled = self.swapped = self.passed = 0

    def meddle(self, *, drop: float = 0.0, double: float = 0.0, swap: float = 0.0) -> None:
        """Meddle with these shares of what is published; with none, from here on."""
        self._drop, self._double, self._swap = drop, double, swap

    async def _downwards(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        held = b""
        rest = b""
        try:
            while True:
                try:
                    async with asyncio.timeout(_SWAPPED_WITHIN if held else None):
                        data = await source.read(65_536)
                except TimeoutError:
                    target.write(held)
                    held = b""
                    continue
                if not data:
                    return
                await self._down.wait()
                values, rest = cut_resp(rest + data)
                for value in values:
                    out, held = self._meddled(value, held)
                    target.write(out)
                await target.drain()
        except ConnectionError:
            return
        finally:
            target.close()

    def _meddled(self, value: bytes, held: bytes) -> tuple[bytes, bytes]:
        """Return what goes out now, and what waits for its successor."""
        if not is_published(value):
            return value, held
        if held:
            self.swapped += 1
            return value + held, b""
        chance = random.random()
        if chance < self._drop:
            self.dropped += 1
            return b"", b""
        if chance < self._drop + self._double:
            self.doubled += 1
            return value + value, b""
        if chance < self._drop + self._double + self._swap:
            return b"", value
        self.passed += 1
        return value, b""


def is_published(value: bytes) -> bool:
    """Tell whether a value that Redis sent is a published message."""
    return value[:4] in {b"*3\r\n", b">3\r\n"} and value[4:17].lower() == b"$7\r\nmessage\r\n"


def cut_resp(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the values of Redis' protocol that are complete, and the rest."""
    values, at = [], 0
    while (end := _end_of(data, at)) is not None:
        values.append(data[at:end])
        at = end
    return values, data[at:]


def _end_of(data: bytes, at: int) -> int | None:
    """Return where the value that begins at a place ends; None while it is incomplete."""
    line = data.find(b"\r\n", at)
    if line < 0:
        return None
    kind, end = data[at : at + 1], line + 2
    if kind in b"$=!*>~%|" and kind:
        count = int(data[at + 1 : line])
        if kind in b"$=!":
            return end if count < 0 else end + count + 2 if end + count + 2 <= len(data) else None
        for _ in range(count * (2 if kind in b"%|" else 1)):
            inner = _end_of(data, end)
            if inner is None:
                return None
            end = inner
    return end
