"""Know the open sockets of this process, and whether it is about to end."""

import asyncio
from collections.abc import Iterator
from typing import Protocol

from chat import measures
from chat.per_loop import PerLoop


class Open(Protocol):
    """Be an open socket."""

    @property
    def side(self) -> str:
        """Tell whose socket it is."""

    def go(self) -> None:
        """End once the command under way is answered."""


class OpenSockets:
    """Keep the open sockets of one process."""

    def __init__(self) -> None:
        self._all: set[Open] = set()
        self._none = asyncio.Event()
        self._none.set()
        self.draining = False

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Open]:
        return iter(tuple(self._all))

    def add(self, socket: Open) -> None:
        """Take a socket in; one that comes while this process ends is sent on at once."""
        self._all.add(socket)
        self._none.clear()
        measures.sockets.labels(socket.side).inc()
        if self.draining:
            socket.go()

    def discard(self, socket: Open) -> None:
        """Let a socket go that has ended."""
        if socket not in self._all:
            return
        self._all.discard(socket)
        measures.sockets.labels(socket.side).dec()
        if not self._all:
            self._none.set()

    async def empty(self) -> None:
        """Return when no socket is open."""
        await self._none.wait()


open_sockets = PerLoop(OpenSockets)
"""Return the open sockets of this process."""
