"""uvicorn's side of a socket with what thousands of idle ones need less of: memory, and pings that nobody waits for.

uvicorn (0.54, `websockets_sansio_impl`) keeps the headers of a socket's request and answer for as long as it lives, and
queues made of four deques and an event, each of which holds room for 64 things. It pings every 20 s, whoever was heard,
and waits without end for a page that does not read. It pauses reading for each frame and resumes it, a system call
each.
"""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

QUIET = 27.0
"""Seconds without a word after which a page is asked for one: pages give a sign of life every 20 to 25."""
ANSWERED_WITHIN = 20.0
"""Seconds after which one that did not answer is gone."""


class Gate:
    """Let whoever waits go on while it is open; as `asyncio.Event`, with room only for who does wait."""

    __slots__ = ("_open", "_waiting")

    def __init__(self) -> None:
        self._open = False
        self._waiting: list[asyncio.Future[None]] = []

    def set(self) -> None:
        """Open it."""
        self._open = True
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.done():
                one.set_result(None)

    def clear(self) -> None:
        """Close it."""
        self._open = False

    async def wait(self) -> None:
        """Return when it is open."""
        while not self._open:
            one: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(one)
            await one


class Inbox:
    """Hold what came until it is taken by the one who takes; as `asyncio.Queue`, empty in its smallest form."""

    __slots__ = ("_came", "_waits")

    def __init__(self) -> None:
        self._came: list[Any] = []
        self._waits: asyncio.Future[None] | None = None

    def put_nowait(self, one: Any) -> None:
        """Put something in."""
        self._came.append(one)
        if self._waits is not None and not self._waits.done():
            self._waits.set_result(None)

    @property
    def is_awaited(self) -> bool:
        """Tell whether what is put in next is taken at once."""
        return self._waits is not None and not self._waits.done()

    def empty(self) -> bool:
        """Tell whether nothing is in it."""
        return not self._came

    async def get(self) -> Any:
        """Take what came first, once something has."""
        while not self._came:
            self._waits = asyncio.get_running_loop().create_future()
            try:
                await self._waits
            finally:
                self._waits = None
        return self._came.pop(0)


class Line(WebSocketsSansIOProtocol):
    """Be one WebSocket connection of uvicorn's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inbox = self.queue = Inbox()  # type: ignore[assignment]
        self.writable = Gate()  # type: ignore[assignment]
        self.writable.set()
        self._heard_at = 0.0

    def data_received(self, data: bytes) -> None:
        """Note that the page lives."""
        self._heard_at = self.loop.time()
        super().data_received(data)

    def send_receive_event_to_app(self) -> None:
        """Hand a frame over; reading is paused only while one waits, and not for one that is waited for."""
        if self.read_paused or not self.inbox.is_awaited:
            super().send_receive_event_to_app()
            return
        self.read_paused = True
        try:
            super().send_receive_event_to_app()
        finally:
            self.read_paused = False

    def start_keepalive(self) -> None:
        """Let go of what only the handshake needed: this is called at its end."""
        # emptied and not only let go: the parser of `websockets` holds on to them too
        self.request.headers.clear()
        self.response.headers.clear()
        super().start_keepalive()

    def send_keepalive_ping(self) -> None:
        """Ask whether the page lives, unless it has just said so."""
        quiet = self.loop.time() - self._heard_at
        if self.ping_interval is not None and quiet < self.ping_interval:
            self.ping_timer = self.loop.call_later(self.ping_interval - quiet, self.send_keepalive_ping)
        else:
            super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        """Give up a page that did not answer, with what waits for it: closing waits until all of that is read."""
        super().keepalive_timeout()
        if self.transport.get_write_buffer_size():
            self.transport.abort()
