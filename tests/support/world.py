"""Two pages and two processes without a network: what is sent waits until the test delivers, drops, doubles or cuts it.

The consumers, hubs, services and the database are real, and so are the pages' lines and stores (`tests.support.pages`).
Visitors' sockets live in the first process and staff sockets in the second; nudges between their hubs wait as well.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from django.test import override_settings

from chat import db
from chat.consumers.base import Socket
from chat.consumers.staff import StaffSocket
from chat.consumers.visitor import VisitorSocket
from chat.hub import Hub
from chat.writer import Writer
from tests.support.pages import pages

HEADERS = [(b"origin", b"http://testserver"), (b"host", b"testserver")]
SIDES = ("visitor", "staff")
_process: ContextVar[int] = ContextVar("process", default=0)


class _Layer:
    """Be one process's end of the layer between them."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.groups: set[str] = set()

    async def receive(self, _: str) -> dict[str, Any]:
        return await self.heard.get()

    async def group_add(self, group: str, _: str) -> None:
        self.groups.add(group)

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        self._world.nudges.append((group, message))


class KillableVisitor(VisitorSocket):
    """Be the socket itself, whose end a process that was killed does not live to see."""


class KillableStaff(StaffSocket):
    """Be the socket of staff so."""


@dataclass
class Wire:
    """Be one socket between a page and a process."""

    n: int
    side: str
    consumer: Socket
    up: deque[str] = field(default_factory=deque)
    down: deque[dict[str, Any]] = field(default_factory=deque)
    arrives: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)
    task: "asyncio.Task[None] | None" = None
    cut: bool = False


class World:
    """Hold the pages, the processes and what is on its way between them."""

    def __init__(self, token: str, cookie: str) -> None:
        self.token, self._cookie = token, cookie
        self.nudges: list[tuple[str, dict[str, Any]]] = []
        self.wires: dict[int, Wire] = {}
        self._layers: list[_Layer] = []
        self._hubs: list[Hub] = []
        self._busy = self._stirred = 0

    # what goes on

    async def begin(self) -> None:
        """Start both processes and open both pages."""
        for _ in SIDES:
            self._layers.append(_Layer(self))
            self._hubs.append(self._hub(self._layers[-1]))
        await self._tell("begin", token=self.token)

    async def fresh(self, who: str) -> None:
        """Open another page of somebody, which begins with nothing."""
        await self._tell("fresh", who=who, token=self.token)

    async def come_back(self, token: str) -> None:
        """Let the visitor go on from another page, under another token; the page before stays open."""
        self.token = token
        await self._tell("come_back", token=token)

    async def close_fresh(self) -> None:
        """Close those other pages."""
        await self._tell("close_fresh")

    async def says(self, who: str, **text: str) -> None:
        """Let somebody send a text."""
        await self._tell("says", who=who, **text)

    async def up(self, side: str, most: int) -> None:
        """Deliver some of what a page has sent."""
        for wire in self._open(side):
            for _ in range(min(most, len(wire.up))):
                wire.arrives.put_nowait({"type": "websocket.receive", "text": wire.up.popleft()})
            await self._idle()

    async def down(self, side: str, most: int) -> None:
        """Deliver some of what a process has sent."""
        for wire in self._open(side):
            for _ in range(min(most, len(wire.down))):
                if wire.cut:
                    break
                await self._deliver(wire, wire.down.popleft())

    async def break_line(self, side: str, *, told: bool = True) -> None:
        """Cut a page's sockets: what is on its way is lost, and an untold page finds out by itself."""
        for wire in self._open(side):
            wire.cut = True
            wire.arrives.put_nowait({"type": "websocket.disconnect"})
            await self._idle()
            if told:
                await self._tell("breaks", n=wire.n, code=1006)

    async def kill(self, side: str) -> None:
        """End a process at once, nothing cleaned up, and start another."""
        at = SIDES.index(side)
        for wire in self._open(side):
            self._end(wire)
            await self._tell("breaks", n=wire.n, code=1006)
        self._hubs[at].close()
        self._layers[at] = _Layer(self)
        self._hubs[at] = self._hub(self._layers[at])

    async def nudge(self, at: int, *, times: int) -> None:
        """Deliver one of the waiting nudges so many times: none, once or twice; any of them may be the first."""
        if self.nudges:
            group, message = self.nudges.pop(at % len(self.nudges))
            for layer in self._layers:
                for _ in range(times if group in layer.groups else 0):
                    layer.heard.put_nowait(message)
            await self._idle()

    async def wait(self, seconds: float) -> None:
        """Let time pass for the pages."""
        await self._tell("pass", ms=seconds * 1_000)

    async def through(self, side: str) -> None:
        """Let everything of one side through, a new line included."""
        await self.wait(1)
        for _ in range(4):
            await self.up(side, 1_000)
            await self.down(side, 1_000)

    async def settle(self, waits: Sequence[float] = (1, 5, 9, 9, 9, 9, 9)) -> None:
        """Let everything through, again and again while the pages' time passes."""
        for seconds in waits:
            await self.wait(seconds)
            for _ in range(8):
                for side in SIDES:
                    await self.up(side, 1_000)
                    await self.down(side, 1_000)
                while self.nudges:
                    await self.nudge(0, times=1)
                if not any(wire.up or wire.down for side in SIDES for wire in self._open(side)):
                    break

    def view(self, who: str) -> Any:
        """Return what a page knows."""
        result, _ = pages().ask("view", who=who)
        return result

    def end(self) -> None:
        """Stop everything."""
        for wire in self.wires.values():
            self._end(wire)
        for one in self._hubs:
            one.close()

    # how

    def _open(self, side: str) -> list[Wire]:
        return [wire for wire in self.wires.values() if wire.side == side and not wire.cut]

    def _hub(self, layer: _Layer) -> Hub:
        with mock.patch("chat.hub.get_channel_layer", return_value=layer):
            return Hub()

    def _end(self, wire: Wire) -> None:
        wire.cut = True
        mock.patch.object(wire.consumer, "end", mock.AsyncMock()).start()
        if wire.task is not None:
            wire.task.cancel()

    async def _tell(self, op: str, **about: Any) -> None:
        _, done = pages().ask(op, **about)
        for what, n, *rest in done:
            if what == "open":
                await self._connect(n, rest[0])
            elif what == "send" and not self.wires[n].cut:
                self.wires[n].up.append(rest[0])
            elif what == "close" and not self.wires[n].cut:
                self.wires[n].cut = True
                self.wires[n].arrives.put_nowait({"type": "websocket.disconnect"})
        await self._idle()

    async def _connect(self, n: int, side: str) -> None:
        async def send(message: dict[str, Any]) -> None:
            self._stirred += 1
            if not wire.cut:
                wire.down.append(message)

        kind = KillableVisitor if side == "visitor" else KillableStaff
        headers = [*HEADERS, (b"cookie", self._cookie.encode())]
        _process.set(SIDES.index(side))
        wire = Wire(n, side, kind({"type": "websocket", "headers": headers}, send))
        self.wires[n] = wire
        wire.arrives.put_nowait({"type": "websocket.connect"})
        wire.task = asyncio.create_task(wire.consumer.live(wire.arrives.get))
        await self._idle()

    async def _deliver(self, wire: Wire, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.accept":
            await self._tell("opens", n=wire.n)
        elif message["type"] == "websocket.send":
            await self._tell("frame", n=wire.n, text=message["text"])
        else:
            wire.cut = True
            await self._tell("breaks", n=wire.n, code=message["code"])

    async def _idle(self) -> None:
        """Return once the processes have done what they were asked to."""
        quiet = 0
        while quiet < 12:
            before = self._stirred
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._busy == 0 and before == self._stirred else 0

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Give each process its hub, count the work under way, and let nothing wait for the clock on the wall."""
        on, run = db._on, Writer._run

        def near() -> Hub:
            return self._hubs[_process.get()]

        async def counted(work: Callable[[], Awaitable[Any]]) -> Any:
            self._busy += 1
            try:
                return await work()
            finally:
                self._busy -= 1
                self._stirred += 1

        with (
            mock.patch("chat.consumers.visitor.hub", near),
            mock.patch("chat.consumers.staff.hub", near),
            mock.patch("chat.consumers.following.hub", near),
            mock.patch("chat.broadcast.hub", near),
            mock.patch("chat.db._on", lambda pool, work: counted(lambda: on(pool, work))),
            mock.patch.object(Writer, "_run", lambda writer, posts: counted(lambda: run(writer, posts))),
            mock.patch("chat.consumers.listing.GATHER", 0.0),
            mock.patch("chat.consumers.listing.GATHER_COUNTS", 0.0),
            mock.patch("chat.hub.COUNTS_EVERY", 0.0),
            mock.patch("chat.consumers.marks.MARK_EVERY", 0.0),
            override_settings(WRITES_PER_SECOND=0.0),
        ):
            try:
                yield
            finally:
                self.end()
                mock.patch.stopall()
