"""Carry nudges between processes without letting anybody wait for it.

All processes are in one group, and what has gathered while the layer was busy goes out together: what a nudge costs is
mostly what a message of the layer costs. A layer that hangs costs its callers nothing: what is sent goes through one
bounded queue, whose oldest nudge goes when it is full, and one task sees to it that this process is in the group.
Nudges may be lost; a group that could not be joined is tried again every second, and who relied on it is told to look
once it is. Where nudges could not be sent, the others are told what they were about as soon as something can be sent
again, and look for themselves. What was sent and reached nobody is found out by number: each message carries its
sender's count, the sender is heard every few seconds, and who hears a count jump looks for itself at everything.
What cannot be opened is passed over at once: a Redis carries what all speak on it, and another site's words, which this
one cannot read, must not hold up its own.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from channels.layers import InMemoryChannelLayer
from cryptography.fernet import InvalidToken

from chat import measures

logger = logging.getLogger(__name__)

WITHIN = 1.0
"""Seconds for one call of the layer, and the longest that somebody waits for this process to be joined."""
AGAIN_AFTER = 1.0
MOST_WAITING = 10_000
MOST_BYTES_WAITING = 8 * 1024 * 1024
MOST_TOGETHER = 256
MOST_BYTES_TOGETHER = 128 * 1024
LET_GO_WITHIN = 5.0
GROUP = "havre"
GAP = "gap"
"""Names, in a nudge, what nudges that were lost were about."""
MOST_SENDERS = 1_000
"""Senders whose counts are kept; processes that are no more are among them."""

Nudge = dict[str, Any]


class Layer(Protocol):
    """Be what is used of a channel layer."""

    async def receive(self, channel: str) -> Nudge:
        """Return the next nudge for this process."""

    async def group_add(self, group: str, channel: str) -> None:
        """Join a group."""

    async def group_send(self, group: str, message: Nudge) -> None:
        """Send a nudge to a group."""


class Bus:
    """Be one process's place on the layer."""

    def __init__(
        self,
        layer: Layer,
        name: str,
        heard: Callable[[str, list[Nudge]], Awaitable[None]],
        missed: Callable[[], None],
    ) -> None:
        self.layer = layer
        self._name, self._places = name, 1
        # a layer in this process's memory reaches nobody else
        self.alone = isinstance(layer, InMemoryChannelLayer)
        # a name of its own and not a new one at each try, of which a layer would keep every one
        self._channel = f"hub.{name}"
        self._heard = heard
        self._missed = missed
        self._number, self._numbers = 0, dict[str, int]()
        self._outbox: deque[tuple[str, Nudge, int]] = deque()
        self._bytes = 0
        self._sending = asyncio.Event()
        self._dropping = False
        self._lost: set[str] = set()
        self._joined = asyncio.Event()
        self._wanted = asyncio.Event()
        self._late = False
        self._unread_told = False
        self._tasks: list[asyncio.Task[None]] = []
        self._closing: set[asyncio.Task[None]] = set()

    def send(self, topic: str, nudge: Nudge, size: int = 0) -> None:
        """Send a nudge to the other processes when the layer is free; never waits.

        `topic` is what it is about, for the case that it is lost, or empty where a loss is no harm; `size` is how many
        bytes of sealed text it holds.
        """
        if self.alone:
            return
        self._start()
        self._outbox.append((topic, nudge, size))
        self._bytes += size
        while len(self._outbox) > MOST_WAITING or self._bytes > MOST_BYTES_WAITING:
            if not self._dropping:
                logger.warning("nudges are dropped: the layer is too slow")
            self._dropping = True
            oldest, _, freed = self._outbox.popleft()
            self._bytes -= freed
            self._lose([oldest])
        self._sending.set()

    async def join(self) -> None:
        """Hear the others from now on; returns once this process does, or after a second if the layer is slow."""
        if self.alone or self._joined.is_set():
            return
        self._start()
        self._wanted.set()
        try:
            async with asyncio.timeout(WITHIN):
                await self._joined.wait()
        except TimeoutError:
            # from here on the follower reads without hearing; it is told to look again when it does
            self._late = True

    def close(self) -> None:
        """Stop."""
        for task in self._tasks:
            task.cancel()

    def rebuild(self, layer: Layer) -> None:
        """Go over to a new layer and join anew: the old one brings nothing any more.

        Its connections, locks and tasks may be in any state, so none of it is used again.
        """
        self.close()
        old, self.layer = self.layer, layer
        self._places += 1
        self._channel = f"hub.{self._name}.{self._places}"
        self._joined.clear()
        self._late = True
        self._tasks = []
        self._start()
        closing = asyncio.create_task(_let_go(old))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _lose(self, topics: list[str]) -> None:
        measures.nudges_lost.inc(len(topics))
        if len(self._lost) < MOST_WAITING:
            self._lost.update(topic for topic in topics if topic)

    def _start(self) -> None:
        # the listener first: a layer lets only a channel join that somebody listens to
        if not self._tasks:
            self._tasks = [asyncio.create_task(one()) for one in (self._listen, self._send_on, self._join_on)]

    async def _listen(self) -> None:
        while True:
            try:
                message = await self.layer.receive(self._channel)
                whole = self._follows_on(message["from"], message["number"])
                await self._heard(message["from"], message["nudges"])
                if not whole:
                    self._missed()
            except (InvalidToken, KeyError) as error:
                await self._pass_over(error)
            except Exception as error:
                logger.error("nudges not read: %s", type(error).__name__)
                await asyncio.sleep(0.5)

    async def _pass_over(self, error: Exception) -> None:
        """Count what came and is not for this process, and let others have their turn, as very much may come."""
        measures.nudges_unread.inc()
        if not self._unread_told:
            logger.error("nudges of others are not read: %s", type(error).__name__)
        self._unread_told = True
        await asyncio.sleep(0)

    def _follows_on(self, sender: str, number: int) -> bool:
        """Note a sender's count and tell whether all that it sent before was heard."""
        if len(self._numbers) >= MOST_SENDERS and sender not in self._numbers:
            self._numbers.clear()
        last = self._numbers.get(sender, 0)
        self._numbers[sender] = max(last, number)
        return number <= last + 1

    async def _send_on(self) -> None:
        while True:
            await self._sending.wait()
            while self._outbox:
                topics, nudges = self._some()
                sent = False
                try:
                    sent = await self._sent(nudges)
                finally:
                    # also when this bus goes over to another layer in the middle of it
                    if not sent:
                        self._lose(topics)
                if sent and self._lost:
                    await self._tell_lost()
            self._dropping = False
            self._sending.clear()

    def _some(self) -> tuple[list[str], list[Nudge]]:
        """Take what goes out together: a part that one layer's message carries."""
        topics: list[str] = []
        nudges: list[Nudge] = []
        bytes_together = 0
        while self._outbox and len(nudges) < MOST_TOGETHER and bytes_together < MOST_BYTES_TOGETHER:
            topic, nudge, size = self._outbox.popleft()
            self._bytes -= size
            topics.append(topic)
            nudges.append(nudge)
            bytes_together += size
        return topics, nudges

    async def _sent(self, nudges: list[Nudge]) -> bool:
        message = {"type": "nudges", "from": self._name, "number": self._number + 1, "nudges": nudges}
        try:
            async with asyncio.timeout(WITHIN):
                await self.layer.group_send(GROUP, message)
        except Exception as error:
            # committed already: other processes heal from the log, so a sender never sees the layer fail
            logger.warning("nudges not sent: %s", type(error).__name__)
            return False
        # one that could not be sent is not counted: the others are told what it was about
        self._number += 1
        return True

    async def _tell_lost(self) -> None:
        """Tell the others to look for themselves at what lost nudges were about."""
        lost, self._lost = self._lost, set()
        sent = False
        try:
            sent = await self._sent([{GAP: sorted(lost)}])
        finally:
            if not sent:
                # and what was lost meanwhile
                self._lost |= lost

    async def _join_on(self) -> None:
        """Be in the group as soon as somebody wants to hear the others."""
        await self._wanted.wait()
        while not self._joined.is_set():
            try:
                async with asyncio.timeout(WITHIN):
                    await self.layer.group_add(GROUP, self._channel)
            except Exception as error:
                self._late = True
                logger.warning("the others are not heard yet: %s", type(error).__name__)
                await asyncio.sleep(AGAIN_AFTER)
                continue
            self._joined.set()
            if self._late:
                self._late = False
                self._missed()


async def _let_go(layer: Layer) -> None:
    """Close what a layer has open, as far as it lets itself be closed."""
    flush = getattr(layer, "flush", None)
    if flush is None:
        return
    try:
        async with asyncio.timeout(LET_GO_WITHIN):
            await flush()
    except Exception as error:
        logger.warning("an old layer was not closed: %s", type(error).__name__)
