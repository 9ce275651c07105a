"""One hub per process: it hears of events from this process and from others, and hands them to this process's sockets.

Between processes travel nudges: an event as it was committed, its text still sealed, or the word that the overview
has changed. A nudge may be lost, doubled or late; sockets compare numbers and read the log. Nothing here is durable.
"""

import asyncio
import logging
import os
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from channels.layers import get_channel_layer

from chat import log
from chat.db import in_db
from chat.frames import Rendered
from chat.log import StoredEvent
from encryption.services import sealer_for

logger = logging.getLogger(__name__)

COUNTS_EVERY = 1.0
"""Seconds between two words to other processes that something was written."""
_SHIFT = "shift"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(StoredEvent).decode


class Follower(Protocol):
    """Be a socket that follows conversations."""

    def on_event(self, rendered: Rendered) -> None:
        """Take an event of a followed conversation; must not wait."""

    def on_typing(self, conversation: UUID) -> None:
        """Take the word that the advocate is typing."""


class Watcher(Protocol):
    """Be a socket that shows the shift."""

    def on_change(self, *, soon: bool) -> None:
        """Take the word that the overview is out of date, by a count or by more; must not wait."""

    def on_revoked(self, user_id: int) -> None:
        """Take the word that somebody's rights may have ended."""


class Hub:
    """Join this process's sockets to the events of all processes."""

    def __init__(self) -> None:
        self._id = os.urandom(8).hex()
        self._layer = get_channel_layer()
        self._channel: str | None = None
        self._starting = asyncio.Lock()
        self._followers: dict[UUID, set[Follower]] = {}
        self._watchers: set[Watcher] = set()
        self._task: asyncio.Task[None] | None = None
        self._counting: asyncio.Task[None] | None = None

    async def follow(self, conversation: UUID, follower: Follower) -> None:
        """Begin to hand a conversation's events to a socket; returns once others' events are heard too."""
        followers = self._followers.setdefault(conversation, set())
        followers.add(follower)
        if len(followers) == 1:
            await self._join(_group(conversation))

    async def unfollow(self, conversation: UUID, follower: Follower) -> None:
        """Stop handing a conversation's events to a socket."""
        followers = self._followers.get(conversation, set())
        followers.discard(follower)
        if not followers and self._followers.pop(conversation, None) is not None:
            await self._leave(_group(conversation))

    async def watch(self, watcher: Watcher) -> None:
        """Begin to tell a socket of changes of the shift."""
        self._watchers.add(watcher)
        if len(self._watchers) == 1:
            await self._join(_SHIFT)

    async def unwatch(self, watcher: Watcher) -> None:
        """Stop telling a socket of changes."""
        self._watchers.discard(watcher)
        if not self._watchers:
            await self._leave(_SHIFT)

    async def tell_event(self, event: StoredEvent) -> None:
        """Hand an event to this process's sockets at once and to the other processes."""
        await self._hand_out(event)
        await self._send(_group(event.conversation), {"event": _encode(event)})

    async def tell_typing(self, conversation: UUID) -> None:
        """Tell that the advocate is typing."""
        self._hand_typing(conversation)
        await self._send(_group(conversation), {"typing": conversation.hex})

    async def tell_change(self, *, soon: bool) -> None:
        """Tell that the overview is out of date; what only counts is told to other processes once a second."""
        self._hand_change(soon=soon)
        if soon:
            await self._send(_SHIFT, {"change": 1})
        elif self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._tell_counts())

    async def _tell_counts(self) -> None:
        await asyncio.sleep(COUNTS_EVERY)
        # writers from here on are told of by the next one
        self._counting = None
        await self._send(_SHIFT, {"change": 0})

    async def tell_revoked(self, user_id: int) -> None:
        """Tell that somebody's session or rights may have ended."""
        self._hand_revoked(user_id)
        await self._send(_SHIFT, {"revoked": user_id})

    async def _hand_out(self, event: StoredEvent) -> None:
        followers = self._followers.get(event.conversation)
        if not followers:
            return
        try:
            sealer = await in_db(sealer_for, log.subject_of(event.conversation))
        except Exception as error:
            # the sockets find the gap at their next event or heartbeat and read the log
            logger.error("event not handed out: %s", type(error).__name__)
            return
        rendered = Rendered(event, sealer)
        for follower in tuple(followers):
            follower.on_event(rendered)

    def _hand_typing(self, conversation: UUID) -> None:
        for follower in tuple(self._followers.get(conversation, ())):
            follower.on_typing(conversation)

    def _hand_change(self, *, soon: bool) -> None:
        for watcher in tuple(self._watchers):
            watcher.on_change(soon=soon)

    def _hand_revoked(self, user_id: int) -> None:
        for watcher in tuple(self._watchers):
            watcher.on_revoked(user_id)

    async def _send(self, group: str, nudge: dict[str, Any]) -> None:
        try:
            await self._layer.group_send(group, {"type": "nudge", "from": self._id, **nudge})
        except Exception as error:
            # committed already: other processes heal from the log, so a sender never sees Redis fail
            logger.warning("nudge not sent: %s", type(error).__name__)

    async def _join(self, group: str) -> None:
        try:
            await self._layer.group_add(group, await self._started())
        except Exception as error:
            logger.warning("group not joined: %s", type(error).__name__)

    async def _leave(self, group: str) -> None:
        if self._channel is None:
            return
        try:
            await self._layer.group_discard(group, self._channel)
        except Exception as error:
            logger.warning("group not left: %s", type(error).__name__)

    async def _started(self) -> str:
        async with self._starting:
            if self._channel is None:
                self._channel = str(await self._layer.new_channel("hub"))
                self._task = asyncio.create_task(self._listen(self._channel))
            return self._channel

    async def _listen(self, channel: str) -> None:
        while True:
            try:
                nudge = await self._layer.receive(channel)
                if nudge.get("from") != self._id:
                    await self._heard(nudge)
            except Exception as error:
                logger.error("nudge not read: %s", type(error).__name__)
                await asyncio.sleep(0.5)

    async def _heard(self, nudge: dict[str, Any]) -> None:
        if "event" in nudge:
            await self._hand_out(_decode(nudge["event"]))
        elif "typing" in nudge:
            self._hand_typing(UUID(hex=nudge["typing"]))
        elif "revoked" in nudge:
            self._hand_revoked(int(nudge["revoked"]))
        else:
            self._hand_change(soon=nudge.get("change") != 0)

    async def close(self) -> None:
        """Stop listening."""
        for task in (self._task, self._counting):
            if task is not None:
                task.cancel()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of this process's event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]


def _group(conversation: UUID) -> str:
    return f"conversation.{conversation.hex}"
