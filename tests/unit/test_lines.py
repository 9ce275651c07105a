"""uvicorn's side of a socket: what it lets go of, whom it asks for a sign of life, and what it reads ahead."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from bench.wire import LOOPBACK, PING, Frames, framed
from ops.lines import Gate, Inbox, Line

pytestmark = pytest.mark.asyncio
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
MOMENT = 0.05
LONG = 15
ASKS = b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Word: secret\r\n"
ASKS += b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"


class Page:
    """Be a server that takes frames when the test says so, and the page at the other end."""

    def __init__(self, *, answer: str = "", **settings: Any) -> None:
        self.taken: list[str] = []
        self.over = asyncio.Event()
        self._answer = answer
        self.takes = asyncio.Event()
        self.takes.set()
        self.lines: list[Line] = []
        self._config = Config(self._app, interface="asgi3", **settings)
        self._config.load()

    async def _app(self, scope: Any, receive: Receive, send: Send) -> None:
        try:
            await self._serve(receive, send)
        finally:
            self.over.set()

    async def _serve(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (event := await receive())["type"] == "websocket.receive":
            self.taken.append(event["text"])
            await self.takes.wait()
            if self._answer:
                await send({"type": "websocket.send", "text": self._answer})

    def _line(self) -> Line:
        self.lines.append(Line(self._config, ServerState(), {}))
        return self.lines[-1]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Serve, connect and be greeted."""
        server = await asyncio.get_running_loop().create_server(self._line, LOOPBACK, 0)
        self._reader, self._writer = await asyncio.open_connection(LOOPBACK, server.sockets[0].getsockname()[1])
        self._writer.write(ASKS)
        await self._reader.readuntil(b"\r\n\r\n")
        self._frames = Frames()
        try:
            yield
        finally:
            self._writer.close()
            server.close()

    def says(self, *texts: bytes) -> None:
        """Send frames in one piece."""
        self._writer.write(b"".join(framed(text) for text in texts))

    def reads_nothing(self) -> None:
        """Take nothing that comes from here on, as a page does that sleeps."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    async def hears(self, within: float) -> list[int]:
        """Return the kinds of frames that come within some seconds."""
        try:
            async with asyncio.timeout(within):
                return [kind for kind, _ in self._frames.feed(await self._reader.read(1_000))]
        except TimeoutError:
            return []


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG):
        while not true():
            await asyncio.sleep(0.001)


async def test_nothing_of_the_request_stays() -> None:
    page = Page()
    async with page.open():
        (line,) = page.lines
        page.says(b"hello")
        await until(lambda: page.taken == ["hello"])
        assert [*line.request.headers, *line.response.headers] == []


class Clock:
    """Be the loop of a line, whose time stands still and whose timers go off when a test says so."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        self.timers.append((seconds, call))
        return self._loop.call_later(LONG, call)


async def test_only_who_is_quiet_is_asked_for_a_sign_of_life() -> None:
    page = Page(ws_ping_interval=20, ws_ping_timeout=10)
    async with page.open():
        (line,) = page.lines
        clock = Clock(line.loop)
        line.loop = cast(asyncio.AbstractEventLoop, clock)
        for clock.now in (19, 38, 57):
            page.says(b"here")
            await until(lambda: len(page.taken) == clock.now // 19)
        clock.now = 60
        line.send_keepalive_ping()
        (again,) = clock.timers
        assert again == (17, line.send_keepalive_ping)
        assert await page.hears(MOMENT) == []
        clock.now = 77
        line.send_keepalive_ping()
        assert await page.hears(LONG) == [PING]
        waits, gives_up = clock.timers[-1]
        assert waits == 10
        gives_up()
        await until(lambda: line.transport.is_closing())


async def test_a_page_that_reads_nothing_is_let_go_with_all_that_waits_for_it() -> None:
    page = Page(answer="x" * 60_000, ws_ping_interval=2 * MOMENT, ws_ping_timeout=2 * MOMENT)
    async with page.open():
        page.reads_nothing()
        page.says(*[b"more"] * 300)
        # more than the system keeps for it: what is closed in good order is open until all of that is read
        await until(lambda: page.lines[0].transport.get_write_buffer_size() > 0 or page.over.is_set())
        async with asyncio.timeout(LONG):
            await page.over.wait()
        assert len(page.taken) < 300


async def test_a_frame_that_is_waited_for_pauses_nothing_and_the_next_one_does() -> None:
    page = Page()
    async with page.open():
        (line,) = page.lines
        page.says(b"1")
        await until(lambda: page.taken == ["1"])
        assert not line.read_paused
        page.takes.clear()
        page.says(b"2", b"3", b"4")
        await until(lambda: page.taken == ["1", "2"])
        assert line.read_paused
        assert line.transport.is_reading() is False
        page.says(b"5")
        await asyncio.sleep(MOMENT)
        assert not line.queue.empty()
        page.takes.set()
        await until(lambda: page.taken == ["1", "2", "3", "4", "5"])
        assert not line.read_paused
        assert line.transport.is_reading()


async def test_an_inbox_gives_in_order_and_a_taker_who_went_away_loses_nothing() -> None:
    inbox = Inbox()
    gone = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    taker = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    assert inbox.is_awaited
    inbox.put_nowait(1)
    assert not inbox.is_awaited
    inbox.put_nowait(2)
    assert (await taker, await inbox.get(), inbox.empty()) == (1, 2, True)


async def test_a_gate_holds_everybody_until_it_opens() -> None:
    gate, through = Gate(), list[int]()

    async def go(number: int) -> None:
        await gate.wait()
        through.append(number)

    waiting = [asyncio.create_task(go(number)) for number in range(3)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    gate.set()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert through == [0, 2]
    gate.clear()
    late = asyncio.create_task(gate.wait())
    await asyncio.sleep(0)
    assert not late.done()
    gate.set()
    await late
