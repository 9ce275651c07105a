"""Make Daphne wait for a page that does not read, as uvicorn does: by itself it buffers without end."""

import asyncio
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


@implementer(IPushProducer)
class Brake:
    """Hold the sender of one connection while its transport has more to write than it wants to keep.

    Twisted tells a transport's producer when its buffer is over 64 KiB and when it is empty again
    (`twisted.internet.interfaces.IPushProducer`).
    """

    def __init__(self) -> None:
        self._free = asyncio.Event()
        self._free.set()

    def pauseProducing(self) -> None:
        """Hold who sends from now on."""
        self._free.clear()

    def resumeProducing(self) -> None:
        """Let them go on."""
        self._free.set()

    def stopProducing(self) -> None:
        """Let them go on into nothing: the connection is gone."""
        self._free.set()

    async def released(self) -> None:
        """Return when the transport takes more."""
        await self._free.wait()


def brake_of(protocol: Any) -> Brake:
    """Return the brake of a WebSocket connection; it takes the place of the HTTP channel that the socket came from."""
    brake: Brake | None = getattr(protocol, "brake", None)
    if brake is None:
        brake = protocol.brake = Brake()
        protocol.transport.unregisterProducer()
        protocol.transport.registerProducer(brake, True)
    return brake
