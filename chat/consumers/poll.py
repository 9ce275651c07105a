"""The visitor's line over plain requests, for networks that let no socket through: the same frames, cursor and rules.

A poll is a visitor's socket that lives for one request: it says hello with the page's cursor, hands over what there is,
and otherwise follows the hub until something comes. Between two polls nothing is kept: what was missed is in the log,
and of what has no number the page brings back a word of how it was told last (`mark`).
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings

from chat import codec
from chat import protocol as wire
from chat.codec import Malformed
from chat.consumers import base
from chat.consumers.base import Ended, Scope
from chat.consumers.open import open_sockets
from chat.consumers.visitor import STOPS, VisitorSocket
from chat.core.actors import Visitor
from chat.core.errors import ErrorCode, Refused
from chat.core.pace import FRAME_BURST, FRAMES_PER_SECOND, LONGEST_WAIT, Buckets
from chat.db import in_visitor_db
from chat.hub import hub
from chat.limits import MOST_SENDERS, pause, steady
from chat.per_loop import PerLoop
from chat.selectors import token_digest, visitor_by_token, visitor_of
from chat.under_way import under_way

POLL_FOR = 25.0
"""Seconds that a poll waits for something to come: less than proxies wait, and less than a visitor's presence lasts."""
MOST_POLLS = 500
"""Waiting polls of one process; who comes beyond that is sent on to another."""
SETTLED_WITHIN = 1.0
_PING = '{"type":"ping"}'


@dataclass(slots=True)
class Answer:
    """Hold what a request gets: frames as text, how what has no number was told, and why the line ends if it does."""

    frames: list[str] = field(default_factory=list)
    mark: str = ""
    close: int | None = None

    def as_json(self) -> str:
        """Return it as it goes out; the frames are JSON already."""
        rest = f'"mark":"{self.mark}","close":{"null" if self.close is None else self.close}'
        return f'{{"frames":[{",".join(self.frames)}],{rest}}}'


class _Request(VisitorSocket):
    """Be a visitor's socket whose frames are gathered for an answer."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope, self._gather)
        self.answer_of = Answer()
        self.something = asyncio.Event()

    async def _gather(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.send":
            self.answer_of.frames.append(message["text"])
            self.something.set()

    async def run(self, work: Callable[[], Awaitable[None]]) -> Answer:
        """Do something as this socket, and return what it sent, the reason of an end included."""
        open_sockets().add(self)
        try:
            await work()
        except Malformed as malformed:
            await self.error(malformed.code, malformed.ref)
            if malformed.ref is None:
                self.answer_of.close = 4400
        except Ended as ended:
            if ended.error is not None:
                await self.error(ended.error)
            self.answer_of.close = ended.close_code
        finally:
            open_sockets().discard(self)
            self.stop_sending()
            self._marks.stop()
            if self._actor is not None:
                # nobody is called gone for it: the next request is on its way
                hub().unfollow(self._actor.conversation, self)
        return self.answer_of

    def serve(self, actor: Visitor, token: str) -> None:
        """Act for the visitor of a token that was found."""
        self._actor, self._token = actor, token

    async def settled(self) -> None:
        """Return once everything that waits to be sent has been."""
        done = asyncio.Event()

        async def tell() -> None:
            done.set()

        while not done.is_set():
            # again and again: what waits is dropped when it is too much
            self.enqueue(tell)
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), SETTLED_WITHIN)


class _Poll(_Request):
    """Wait for what comes."""

    def __init__(self, scope: Scope, mark: str) -> None:
        super().__init__(scope)
        self._known = mark
        self._replaced = False

    def go(self) -> None:
        """Answer at once, since this process ends."""
        super().go()
        self.something.set()

    def give_way(self) -> None:
        """Answer at once, since a newer poll of the same page is here."""
        self._replaced = True
        self.something.set()

    async def listen(self, hello: wire.VisitorHello, within: float) -> None:
        """Say hello and gather what there is to tell, or what comes."""
        await self._hello(hello)
        if self._actor is None:
            if self.asked:
                # the work is done between two polls
                self.answer_of.close = 4429
            return
        with _waiting().place(self._actor.conversation, self):
            await self.settled()
            if self._nothing_new():
                self.answer_of.frames.clear()
                await self._wait(within)
        self.answer_of.mark = self._told()

    async def _wait(self, within: float) -> None:
        if not (self._going or self._replaced):
            self.something.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    await self.something.wait()
        if self._going:
            raise Ended(4503)
        if not self.answer_of.frames and not self._replaced:
            await self.handle(_PING)
        await self.settled()

    def _is_news(self) -> bool:
        # the first poll only: a page that goes on polling changes no list
        return self._known == ""

    def _nothing_new(self) -> bool:
        """Tell whether only the greeting was said, and what else the page was told of before."""
        greeting = 1 + (self._reached != (0, 0))
        return self._known == self._told() and len(self.answer_of.frames) == greeting

    def _told(self) -> str:
        """Return in one word how the page was told of everything that has no number."""
        standing = "" if self._shown is None else codec.encode(self._shown)
        return hashlib.sha256(f"{standing} {self._reached}".encode()).hexdigest()[:16]


class Waiting:
    """Know the waiting polls of one process: one for each conversation, and not too many."""

    def __init__(self) -> None:
        self._polls: dict[UUID, _Poll] = {}
        self._paces = Buckets(FRAME_BURST, FRAMES_PER_SECOND, MOST_SENDERS)

    def __len__(self) -> int:
        return len(self._polls)

    async def hold_back(self, token: str) -> None:
        """Return when the next request of a page may be looked at: as its socket's frames are held back."""
        wait = self._paces.take(token_digest(token), steady()) if settings.WRITES_PER_SECOND else 0.0
        if wait > LONGEST_WAIT:
            raise Ended(4429, ErrorCode.SLOW_DOWN)
        if wait > 0:
            await pause(wait)

    def place(self, conversation: UUID, poll: _Poll) -> "_Place":
        """Return the place of a poll; the one that waited for the same conversation answers at once."""
        before = self._polls.pop(conversation, None)
        if before is not None:
            before.give_way()
        if len(self._polls) >= MOST_POLLS:
            raise Ended(4503)
        self._polls[conversation] = poll
        return _Place(self._polls, conversation, poll)


@dataclass(frozen=True, slots=True)
class _Place:
    polls: dict[UUID, _Poll]
    conversation: UUID
    poll: _Poll

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        if self.polls.get(self.conversation) is self.poll:
            del self.polls[self.conversation]


_waiting: PerLoop[Waiting] = PerLoop(Waiting)


async def hold_back(token: str) -> None:
    """Return when the next request of a page may be looked at; raises `Ended` when that would be too late."""
    await _waiting().hold_back(token)


async def poll(hello: wire.VisitorHello, mark: str, *, client: object = None, within: float = POLL_FOR) -> Answer:
    """Return what a page has not seen, or what comes within some seconds.

    `client` is that of the request's ASGI scope: as on a socket, very many that begin in one network are noticed.
    """
    one = _Poll({"client": client}, mark)

    async def work() -> None:
        await _waiting().hold_back(hello.token)
        await one.listen(hello, within)

    return await one.run(work)


async def send(token: str, raw: str) -> Answer:
    """Do one command of the page that holds a token, and return the answer."""
    one = _Request({})

    async def work() -> None:
        await _waiting().hold_back(token)
        try:
            conversation = await in_visitor_db(visitor_by_token, token, base.now())
        except Refused as refused:
            raise Ended(STOPS[refused.code], refused.code) from None
        one.serve(visitor_of(conversation), token)
        # to its end, since a page that goes in this moment has its text committed: advocates hear of it too
        await under_way().finish(one.handle(raw))
        await one.settled()

    return await one.run(work)
