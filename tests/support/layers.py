"""Stand in for a channel layer that hangs, fails, or answers."""

import asyncio
from typing import Any

from cryptography.fernet import InvalidToken


class FakeLayer:
    """Be a layer within one process whose faults are switched on and off."""

    def __init__(self) -> None:
        self.hangs = self.fails = False
        self.groups: set[str] = set()
        self.channels: set[str] = set()
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.arrived: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        """What comes in order; None is what another site says on the same Redis."""
        self.begun = 0
        self.answers_again = asyncio.Event()

    async def _fault(self) -> None:
        self.begun += 1
        if self.hangs:
            await self.answers_again.wait()
        if self.fails:
            raise ConnectionError("down")

    def recover(self) -> None:
        """Answer from now on."""
        self.hangs = self.fails = False
        self.answers_again.set()

    async def receive(self, channel: str) -> dict[str, Any]:
        self.channels.add(channel)
        message = await self.arrived.get()
        if message is None:
            raise InvalidToken
        return message

    async def group_add(self, group: str, channel: str) -> None:
        await self._fault()
        self.groups.add(group)

    @property
    def nudges(self) -> list[dict[str, Any]]:
        """Return what was sent, one by one."""
        return [nudge for _, message in self.sent for nudge in message["nudges"]]

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._fault()
        self.sent.append((group, message))
        if group in self.groups:
            await self.arrived.put(message)


async def until(condition: Any, what: str) -> None:
    """Let the loop run until something is so; fail after some seconds."""
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.001)
    assert condition(), what
