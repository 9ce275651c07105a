"""One hub per process: it hears of events from this process and from others, and hands them to this process's sockets.

Between processes travel nudges: an event as it was committed, its text still sealed, or the word that the overview
has changed. A nudge may be lost, doubled or late; sockets compare numbers and read the log. Nothing here is durable.
"""

import asyncio
import logging
import os
from typing import Any, Protocol
from uuid import UUID

import msgspec
from channels import DEFAULT_CHANNEL_LAYER
from channels.layers import channel_layers, get_channel_layer

from chat import log, measures
from chat.bus import GAP, Bus, Layer
from chat.db import in_visitor_db
from chat.frames import Rendered
from chat.log import StoredEvent
from chat.per_loop import PerLoop

logger = logging.getLogger(__name__)

COUNTS_EVERY = 0.5
"""Seconds between two words that something was written."""
ECHO_EVERY = 5.0
ECHO_AGAIN = 1.0
ECHO_WITHIN = 2.0
"""Seconds between two echoes of this process over the layer, after one that was missed, and until one is missed."""
DEAF_AFTER = 3
"""Echoes missed in a row after which the subscription is made anew, and again and again until one is heard."""
_SHIFT = "shift"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(StoredEvent).decode


class Follower(Protocol):
    """Be a socket that follows conversations."""

    def on_event(self, rendered: Rendered) -> None:
        """Take an event of a followed conversation; must not wait."""

    def on_typing(self, conversation: UUID) -> None:
        """Take the word that the advocate is typing."""

    def on_reached(self, conversation: UUID) -> None:
        """Take the word that one side has got further; must not wait."""

    def on_gap(self) -> None:
        """Take the word that events may not have been heard; must not wait."""


class Watcher(Protocol):
    """Be a socket that shows the shift."""

    def on_change(self) -> None:
        """Take the word that the overview is out of date; must not wait."""

    def on_counts(self, conversations: frozenset[UUID]) -> None:
        """Take the word that something was written in these conversations, and nothing else changed."""

    def on_revoked(self, user_id: int) -> None:
        """Take the word that somebody's rights may have ended."""


class Hub:
    """Join this process's sockets to the events of all processes."""

    def __init__(self) -> None:
        self._id = os.urandom(8).hex()
        self._bus = Bus(get_channel_layer(), self._id, self._heard, self._all_look)
        self._followers: dict[UUID, set[Follower]] = {}
        self._watchers: set[Watcher] = set()
        self._counting: asyncio.Task[None] | None = None
        self._counted: frozenset[UUID] = frozenset()
        self._echo = asyncio.Event()
        self._echoes_sent = self._echo_heard = 0
        self.deaf = False
        self._watchdog = None if self._bus.alone else asyncio.create_task(self._watch_over())

    async def follow(self, conversation: UUID, follower: Follower) -> None:
        """Begin to hand a conversation's events to a socket; returns once others' events are heard too.

        While the layer is slow it returns all the same, and the socket is told to look once they are.
        """
        self._followers.setdefault(conversation, set()).add(follower)
        await self._bus.join()

    def unfollow(self, conversation: UUID, follower: Follower) -> None:
        """Stop handing a conversation's events to a socket."""
        followers = self._followers.get(conversation, set())
        followers.discard(follower)
        if not followers:
            self._followers.pop(conversation, None)

    def followers(self, conversation: UUID) -> tuple[Follower, ...]:
        """Return this process's sockets that follow a conversation."""
        return tuple(self._followers.get(conversation, ()))

    async def watch(self, watcher: Watcher) -> None:
        """Begin to tell a socket of changes of the shift."""
        self._watchers.add(watcher)
        await self._bus.join()

    def unwatch(self, watcher: Watcher) -> None:
        """Stop telling a socket of changes."""
        self._watchers.discard(watcher)

    async def tell_event(self, event: StoredEvent, rendered: Rendered | None = None) -> None:
        """Hand an event to this process's sockets at once, `rendered` where that was done already, and to the others.

        What travels to other processes stays sealed.
        """
        # the others first: nothing of this process may keep it from them
        if not self._bus.alone:
            sealed = _encode(event)
            self._bus.send(event.conversation.hex, {"event": sealed, "of": event.conversation.hex}, len(sealed))
        await self._hand_out(event, rendered)

    def tell_typing(self, conversation: UUID) -> None:
        """Tell that the advocate is typing."""
        self._hand_typing(conversation)
        # a word that is lost is not worth looking for
        self._bus.send("", {"typing": conversation.hex})

    def tell_reached(self, conversation: UUID) -> None:
        """Tell that one side of a conversation has got further; the numbers are in the database."""
        self._hand_reached(conversation)
        self._bus.send(conversation.hex, {"reached": conversation.hex})

    def tell_change(self) -> None:
        """Tell that the overview is out of date."""
        self._hand_change()
        self._bus.send(_SHIFT, {"change": 1})

    def tell_counts(self, conversations: frozenset[UUID]) -> None:
        """Tell that something was written; sockets and other processes hear of all of a moment at once."""
        self._counted |= conversations
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._tell_counted())

    async def _tell_counted(self) -> None:
        await asyncio.sleep(COUNTS_EVERY)
        # writers from here on are told of by the next one
        self._counting, counted = None, self._counted
        self._counted = frozenset()
        self._hand_counts(counted)
        self._bus.send(_SHIFT, {"counts": [conversation.hex for conversation in counted]})

    def tell_revoked(self, user_id: int) -> None:
        """Tell that somebody's session or rights may have ended."""
        self._hand_revoked(user_id)
        self._bus.send(_SHIFT, {"revoked": user_id})

    async def echoes(self, within: float) -> bool:
        """Tell whether this process hears what it sends: a layer that is only reachable may still be deaf."""
        if self._bus.alone:
            return True
        self._echoes_sent += 1
        number = self._echoes_sent
        try:
            async with asyncio.timeout(within):
                await self._bus.join()
                self._bus.send("", {"echo": number})
                while self._echo_heard < number:
                    self._echo.clear()
                    await self._echo.wait()
        except TimeoutError:
            return False
        return True

    async def _watch_over(self) -> None:
        """Notice when this process does not hear the others any more, and see to it that it does."""
        missed = 0
        while True:
            await pause(ECHO_AGAIN if missed else ECHO_EVERY)
            try:
                if await self.echoes(ECHO_WITHIN):
                    missed = 0
                    self._is_deaf(False)
                    continue
                missed += 1
                if missed >= DEAF_AFTER:
                    self._is_deaf(True)
                    measures.resubscribed.inc()
                    self._bus.rebuild(fresh_layer())
            except Exception as error:
                logger.error("the layer is not watched", exc_info=error)

    def _is_deaf(self, deaf: bool) -> None:
        if deaf and not self.deaf:
            logger.error("this process does not hear the others")
        self.deaf = deaf
        measures.deaf.set(deaf)

    def _hear_echo(self, number: int) -> None:
        self._echo_heard = max(self._echo_heard, number)
        self._echo.set()

    def _all_look(self) -> None:
        self._hand_change()
        for conversation in tuple(self._followers):
            for follower in self.followers(conversation):
                follower.on_gap()

    async def _hand_out(self, event: StoredEvent, rendered: Rendered | None = None) -> None:
        if not self._followers.get(event.conversation):
            return
        if rendered is None:
            rendered = await _opened(event)
        for follower in self.followers(event.conversation):
            follower.on_event(rendered)

    def _hand_typing(self, conversation: UUID) -> None:
        for follower in self.followers(conversation):
            follower.on_typing(conversation)

    def _hand_reached(self, conversation: UUID) -> None:
        for follower in self.followers(conversation):
            follower.on_reached(conversation)

    def _hand_change(self) -> None:
        for watcher in tuple(self._watchers):
            watcher.on_change()

    def _hand_counts(self, conversations: frozenset[UUID]) -> None:
        for watcher in tuple(self._watchers):
            watcher.on_counts(conversations)

    def _hand_revoked(self, user_id: int) -> None:
        for watcher in tuple(self._watchers):
            watcher.on_revoked(user_id)

    async def _heard(self, sender: str, nudges: list[dict[str, Any]]) -> None:
        for nudge in nudges:
            try:
                if sender != self._id:
                    await self._hear(nudge)
                elif "echo" in nudge:
                    self._hear_echo(int(nudge["echo"]))
            except Exception as error:
                # one that cannot be read keeps none behind it from anybody
                logger.error("nudge not read: %s", type(error).__name__)

    async def _hear(self, nudge: dict[str, Any]) -> None:
        if "event" in nudge:
            # most of what is heard is about conversations that nobody follows here
            if UUID(hex=nudge["of"]) in self._followers:
                await self._hand_out(_decode(nudge["event"]))
        elif "typing" in nudge:
            self._hand_typing(UUID(hex=nudge["typing"]))
        elif "reached" in nudge:
            self._hand_reached(UUID(hex=nudge["reached"]))
        elif "counts" in nudge:
            self._hand_counts(frozenset(UUID(hex=one) for one in nudge["counts"]))
        elif "revoked" in nudge:
            self._hand_revoked(int(nudge["revoked"]))
        elif "change" in nudge:
            self._hand_change()
        elif GAP in nudge:
            self._look(nudge[GAP])

    def _look(self, topics: list[str]) -> None:
        """Let those look whom nudges were about that were lost."""
        if _SHIFT in topics:
            self._hand_change()
        for conversation in (UUID(hex=topic) for topic in topics if topic not in {"", _SHIFT}):
            for follower in self.followers(conversation):
                follower.on_gap()

    def close(self) -> None:
        """Stop listening."""
        self._bus.close()
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._counting is not None:
            self._counting.cancel()


async def _opened(event: StoredEvent) -> Rendered:
    sealer = log.opener_at_hand(event)
    if event.sealed_body is not None and sealer is None:
        try:
            # not on the threads of staff: a visitor's socket goes on only after this
            sealer = await in_visitor_db(log.opener_of, event.conversation, [event])
        except Exception as error:
            # handed out closed: the sockets ask the log, which tells what passes from what is lost
            logger.error("event not opened: %s", type(error).__name__)
    return Rendered(event, sealer)


def fresh_layer() -> Layer:
    """Return a layer that shares nothing with the one before."""
    layer: Layer = channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)
    return layer


async def pause(seconds: float) -> None:
    """Let time pass; tests replace it."""
    await asyncio.sleep(seconds)


hub = PerLoop(Hub)
"""Return the hub of this process."""
