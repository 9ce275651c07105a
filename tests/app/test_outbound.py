"""A page that does not read costs little: what waits for it is bounded, and then it reads the log."""

import asyncio
from typing import Any

import pytest

from chat.consumers.base import MOST_PENDING, MOST_PENDING_BYTES, Socket
from ops.brake import brake_of

pytestmark = pytest.mark.asyncio


class SlowSocket(Socket):
    """Be a socket whose page reads only when the test says so."""

    side = "visitor"

    def __init__(self) -> None:
        super().__init__({}, self._to_page)
        self.reads = asyncio.Event()
        self.sent: list[str] = []
        self.caught_up = 0

    async def _to_page(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        self.sent.append(message["text"])

    async def catch_up(self) -> None:
        """Count instead of reading."""
        self.caught_up += 1

    def say(self, text: str, size: int = 0) -> None:
        """Let a text wait for the page."""
        self.enqueue(lambda: self.send_text(text), size)

    async def let_read(self) -> None:
        """Let the page read until nothing waits."""
        self.reads.set()
        while self._pending or self.overflowed:
            await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.fixture
async def slow() -> Any:
    socket = SlowSocket()
    socket.say("first")
    await asyncio.sleep(0)
    yield socket
    socket.stop_sending()


async def test_what_fits_comes_in_its_order(slow: SlowSocket) -> None:
    for number in range(MOST_PENDING):
        slow.say(str(number), 100)
    await slow.let_read()
    assert slow.sent == ["first", *map(str, range(MOST_PENDING))]
    assert slow.caught_up == 0


async def test_too_many_lines_are_read_from_the_log_instead(slow: SlowSocket) -> None:
    for number in range(MOST_PENDING + 1):
        slow.say(str(number))
    await slow.let_read()
    assert (slow.sent, slow.caught_up) == (["first"], 1)


async def test_a_few_very_long_lines_are_too_many_too(slow: SlowSocket) -> None:
    half = MOST_PENDING_BYTES // 2
    slow.say("long", half)
    slow.say("as long", half)
    slow.say("short", 1)
    await slow.let_read()
    assert (slow.sent, slow.caught_up) == (["first"], 1)


async def test_the_budget_is_whole_again_after_reading(slow: SlowSocket) -> None:
    for _ in range(5):
        slow.reads.clear()
        slow.say("long", MOST_PENDING_BYTES)
        await slow.let_read()
    assert (slow.sent, slow.caught_up) == (["first", *["long"] * 5], 0)
    for _ in range(3):
        slow.reads.clear()
        slow.say("one", MOST_PENDING_BYTES)
        slow.say("too many", MOST_PENDING_BYTES)
        await slow.let_read()
        slow.say("long", MOST_PENDING_BYTES)
        await slow.let_read()
    assert slow.sent[6:] == ["long"] * 3


class _Transport:
    producer: Any = "the channel of the request"

    def unregisterProducer(self) -> None:
        """As Twisted's."""
        self.producer = None

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """As Twisted's, which takes one at a time."""
        assert streaming
        assert self.producer is None
        self.producer = producer


class _Protocol:
    def __init__(self) -> None:
        self.transport = _Transport()


async def test_daphne_waits_while_its_buffer_is_full() -> None:
    protocol = _Protocol()
    brake = brake_of(protocol)
    assert brake_of(protocol) is brake is protocol.transport.producer
    await asyncio.wait_for(brake.released(), 15)
    brake.pauseProducing()
    waiting = asyncio.create_task(brake.released())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    brake.resumeProducing()
    await asyncio.wait_for(waiting, 15)


async def test_nobody_waits_for_a_connection_that_is_gone() -> None:
    brake = brake_of(_Protocol())
    brake.pauseProducing()
    brake.stopProducing()
    await asyncio.wait_for(brake.released(), 15)


async def test_a_socket_keeps_nothing_of_its_request() -> None:
    """Servers hold the scope for as long as the socket lives: who has said where they come from is asked no more."""
    arrives: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver"), (b"cookie", b"a=b")]
    scope: dict[str, Any] = {"type": "websocket", "headers": headers, "client": ["192.0.2.7", 4000]}
    here = asyncio.Event()

    class Here(SlowSocket):
        async def _to_page(self, message: dict[str, Any]) -> None:
            """Take no time."""

        async def begin(self) -> None:
            here.set()

    socket = Here()
    socket.scope = scope
    arrives.put_nowait({"type": "websocket.connect"})
    life = asyncio.create_task(socket.live(arrives.get))
    await asyncio.wait_for(here.wait(), 15)
    # the flood check asks for the address later
    assert scope == {"client": ["192.0.2.7", 4000]}
    arrives.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await asyncio.wait_for(life, 15)


async def test_a_line_that_broke_is_no_defect(caplog: pytest.LogCaptureFixture) -> None:
    """A server says by an `OSError` that nobody is there any more (ASGI 2.4)."""

    class Gone(SlowSocket):
        async def _to_page(self, message: dict[str, Any]) -> None:
            if message["type"] == "websocket.send":
                raise OSError

        async def handle(self, raw: str) -> None:
            await self.answer(1, lambda: self.send_text(raw))

    socket = Gone()
    socket.scope = {"headers": [(b"origin", b"http://testserver"), (b"host", b"testserver")]}
    events = iter([{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "{}"}])

    async def receive() -> dict[str, Any]:
        return next(events)

    socket.say("first")
    await socket.live(receive)
    assert not caplog.records
