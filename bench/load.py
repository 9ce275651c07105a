"""The load: pairs of sockets, one that posts and one that receives, driven by callbacks alone."""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from bench.wire import Socket, framed

TEXTS = (
    b"can you tell me what time you open on sunday and if there is parking close to it",
    b"hi i am not sure if this is the right place to ask but i would like some help ok",
    b"sorry for the late answer my phone was charging and i did not see what you wrote",
    b"i work at a clinic and i want to know where i can send somebody who needs advice",
    b"thank you that helps a lot i will read it this evening and write to you tomorrow",
    b"do i need a lawyer for that or is it enough if i go there with the letter i have",
    b"my sister told me about this page and she said that you speak french and english",
    b"it is a bit complicated to explain all of it in one go so i will try it in parts",
)
"""What people write who are in no danger just then: a text that calls for help would time the call."""
assert {len(text) for text in TEXTS} == {80}
DRAIN_SECONDS = 10.0


@dataclass
class Pair:
    """Be the two sockets of one conversation; `peer` is the address of the one who receives, where one is needed."""

    visitor: Socket
    advocate: Socket
    peer: bytes = b""
    ref: int = 0
    posted: bytes = b""


class Dialect(Protocol):
    """Say a post and understand the answers, in the words of one kind of server."""

    def post(self, pair: Pair, client_id: bytes) -> bytes:
        """Return the frames of a post."""

    def answer(self, text: bytes) -> int:
        """Return 1 for an acknowledgement, -1 for a refusal, 0 for anything else."""

    def delivered(self, text: bytes) -> bytes | None:
        """Return the client id of a message that has arrived, None for anything else."""


class Json:
    """The words of Havre, and of the references, which speak as little of them as they need."""

    def post(self, pair: Pair, client_id: bytes) -> bytes:
        """Return the frame of a post."""
        pair.ref += 1
        text = TEXTS[pair.ref % len(TEXTS)]
        return framed(b'{"type":"post","ref":%d,"client_id":"%s","body":"%s"}' % (pair.ref, client_id, text))

    def answer(self, text: bytes) -> int:
        """Tell an `ok` from an `error`."""
        return 1 if text.startswith(b'{"type":"ok"') else -1 if text.startswith(b'{"type":"error"') else 0

    def delivered(self, text: bytes) -> bytes | None:
        """Return the client id of a `message`."""
        if not text.startswith(b'{"type":"message"'):
            return None
        at = text.find(b'"client_id":"')
        return text[at + 13 : at + 45] if at >= 0 else None


@dataclass
class Counts:
    """Hold what one run saw."""

    acknowledged: int = 0
    refused: int = 0
    refusal: str = ""
    """What the last refusal said."""
    delivered: int = 0
    seconds: float = 0.0
    generator_cpu: float = 0.0
    """Share of a core that the generator used."""
    deliver_ms: list[float] = field(default_factory=list)
    acknowledged_ids: list[bytes] = field(default_factory=list)
    """In closed loop, where each visitor has one text on its way."""


class Load:
    """Drive pairs and count."""

    def __init__(self, pairs: list[Pair], dialect: Dialect) -> None:
        self.counts = Counts()
        self._pairs = pairs
        self._dialect = dialect
        self._sent: dict[bytes, float] = {}
        self._numbers = itertools.count(1)
        self._posted = 0
        self._again = False
        self._last_answer = 0.0

    async def closed(self, seconds: float) -> Counts:
        """Let each visitor post, wait for the acknowledgement and post the next, for some seconds."""
        return await self._measured(self._closed, seconds)

    async def steady(self, rate: float, seconds: float) -> Counts:
        """Let messages come at a fixed rate, whatever the server does."""
        return await self._measured(partial(self._steady, rate), seconds)

    async def _measured(self, drive: Callable[[float], Coroutine[None, None, None]], seconds: float) -> Counts:
        for pair in self._pairs:
            pair.visitor.on_text = partial(self._answered, pair)
            pair.advocate.on_text = self._arrived
        began, used = time.perf_counter(), time.process_time()
        await drive(seconds)
        await self._drained()
        counts = self.counts
        counts.generator_cpu = (time.process_time() - used) / (time.perf_counter() - began)
        counts.seconds = max(self._last_answer - began, 1e-9)
        return counts

    async def _closed(self, seconds: float) -> None:
        self._again = True
        for pair in self._pairs:
            self._post(pair)
        await asyncio.sleep(seconds)
        self._again = False

    async def _steady(self, rate: float, seconds: float) -> None:
        began = time.perf_counter()
        pairs = itertools.cycle(self._pairs)
        while (passed := time.perf_counter() - began) < seconds:
            for _ in range(int(passed * rate) - self._posted):
                self._post(next(pairs))
            await asyncio.sleep(max((self._posted + 1) / rate - (time.perf_counter() - began), 0))

    async def _drained(self) -> None:
        """Wait for what is still on its way."""
        patience = time.perf_counter() + DRAIN_SECONDS
        counts = self.counts
        while time.perf_counter() < patience and any(pair.visitor.alive for pair in self._pairs):
            if counts.acknowledged + counts.refused == self._posted and counts.delivered >= counts.acknowledged:
                return
            await asyncio.sleep(0.02)

    def _post(self, pair: Pair) -> None:
        client_id = b"%032x" % next(self._numbers)
        pair.posted = client_id
        self._posted += 1
        frames = self._dialect.post(pair, client_id)
        self._sent[client_id] = time.perf_counter()
        pair.visitor.write(frames)

    def _answered(self, pair: Pair, text: bytes) -> None:
        answer = self._dialect.answer(text)
        if answer == 0:
            return
        if answer > 0:
            self.counts.acknowledged += 1
            self.counts.acknowledged_ids.append(pair.posted)
        else:
            self.counts.refused += 1
            self.counts.refusal = text[:200].decode(errors="replace")
        self._last_answer = time.perf_counter()
        if self._again and answer > 0:
            self._post(pair)

    def _arrived(self, text: bytes) -> None:
        client_id = self._dialect.delivered(text)
        begun = self._sent.pop(client_id, None) if client_id is not None else None
        if begun is not None:
            self.counts.deliver_ms.append((time.perf_counter() - begun) * 1_000)
            self.counts.delivered += 1
