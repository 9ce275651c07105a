"""Be many people in one process, each with a page that speaks the real protocol and a ledger of what it saw.

The line is `tests/chaos/line.py`; here are the rules of the two pages beside it: go on from the last number, write the
same text again under the same client id, show only the number that comes next.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from tests.chaos.line import Answer, Frame, Pace, PageLine

__all__ = ["Advocate", "Crowd", "Ledger", "Pace", "Visitor", "until"]


@dataclass
class Ledger:
    """Hold what one page sent, what was acknowledged and what it showed, of one conversation."""

    sent: dict[str, str] = field(default_factory=dict)
    """Texts by client id, in the order of writing."""
    acknowledged: dict[str, int] = field(default_factory=dict)
    """Numbers by client id."""
    shown: dict[int, Frame] = field(default_factory=dict)
    """What the page shows, by number."""
    refused: list[str] = field(default_factory=list)
    repeats: int = 0
    """Numbers that came once more and were passed over."""
    slowest: float = 0.0
    """The longest wait for an acknowledgement, in seconds."""
    first: int = 0
    """The number before the first line: above zero when too much was missed and only the newest lines came."""
    last: int = 0
    head: int = 0
    told: int = 0
    """Up to which number the server knows that this page holds the log."""

    def take(self, frame: Frame) -> bool:
        """Show what comes next, or what comes before the first line; False for a number beyond the next."""
        number = frame["seq"]
        self.head = max(self.head, number)
        if number == self.first:
            self.shown[number] = frame
            self.first = number - 1
        elif number <= self.last:
            self.repeats += 1
        elif number > self.last + 1:
            return False
        else:
            self.last = number
            self.shown[number] = frame
        return True

    def begin_after(self, number: int) -> None:
        """Go on behind a gap, which is asked for later; what was shown before stays in the ledger."""
        if number > self.last:
            self.first = self.last = number

    @property
    def before(self) -> int:
        """Return before which number older lines are missing; 0 when none are."""
        return 0 if self.first == 0 or self.first in self.shown else self.first + 1


class _Writer(PageLine):
    """Write texts and keep the ledger."""

    async def _older(self, ledger: Ledger, **frame: Any) -> None:
        """Ask for what stands before the first line until nothing is missing; ends when nothing comes."""
        while before := ledger.before:
            answer = await self.command(type="older", **frame, before=before)
            if (not answer.ok and answer.code != "ours") or ledger.before == before:
                return

    async def _write(self, ledger: Ledger, text: str, **frame: Any) -> Answer:
        client_id = secrets.token_hex(16)
        ledger.sent[client_id] = text
        began = time.monotonic()
        while True:
            answer = await self.command(**frame, client_id=client_id, body=text)
            if answer.code != "ours" or self.stopped:
                break
            ledger.refused.append("ours")
            await asyncio.sleep(self.pace.try_again_after)
        if answer.ok and answer.seq is not None:
            ledger.acknowledged[client_id] = answer.seq
        else:
            ledger.refused.append(answer.code)
        ledger.slowest = max(ledger.slowest, time.monotonic() - began)
        return answer


class Visitor(_Writer):
    """Be a visitor's page."""

    def __init__(self, port: int, *, pace: Pace, token: str = "", language: str = "en") -> None:
        super().__init__(port, "/ws/v", pace=pace)
        self.token, self.begun, self.language = token or secrets.token_urlsafe(32), bool(token), language
        self.ledger = Ledger()
        self.state = ""

    def hello(self) -> Frame:
        """Begin, or go on from the last number."""
        known = {"version": 1, "token": self.token, "after": self.ledger.last}
        return {"type": "hello", **known, "start": not self.begun, "language": self.language, "door": "help"}

    def heard(self, frame: Frame) -> None:
        """Show what comes, and fetch what is missed."""
        ledger, kind = self.ledger, frame["type"]
        if kind in {"welcome", "standing"}:
            self.begun, self.state = True, frame["state"]
        if kind == "welcome" and frame.get("older"):
            ledger.begin_after(frame["after"])
        if kind in {"welcome", "pong"}:
            ledger.head = max(ledger.head, frame["head"])
        if kind in {"message", "fact"} and not ledger.take(frame):
            self.reconnect()
        elif ledger.head > ledger.last and "behind" not in self._timers:
            self._later("behind", self.pace.catch_up_within, self._fetch)
        if ledger.told < ledger.last and "seen" not in self._timers:
            self._later("seen", self.pace.tell_seen_after, self._tell_seen)

    def _answered(self, frame: Frame) -> None:
        command = self._waiting.get(frame["ref"])
        super()._answered(frame)
        if command is not None and frame["type"] == "ok" and frame.get("seq") == self.ledger.last + 1:
            # at once and not when whoever wrote it goes on: the next line may have come with the same bytes
            self.ledger.take({**command.frame, "type": "message", "seq": frame["seq"]})

    def ping(self) -> Frame:
        """Tell with each sign of life how far this page has got."""
        return {"type": "ping", "delivered": self.ledger.last, "read": self.ledger.last}

    def _tell_seen(self) -> None:
        self.ledger.told = self.ledger.last
        self.send(type="seen", delivered=self.ledger.last, read=self.ledger.last)

    async def fetch_older(self) -> None:
        """Ask for everything that was left out."""
        await self._older(self.ledger)

    def _fetch(self) -> None:
        if self.ledger.head > self.ledger.last:
            self.reconnect()

    async def say(self, text: str) -> Answer:
        """Write one text; returns once it is acknowledged."""
        return await self._write(self.ledger, text, type="post")


class Advocate(_Writer):
    """Be a console that takes what it is told to take."""

    def __init__(self, port: int, *, pace: Pace, session: str) -> None:
        super().__init__(port, "/ws/s", pace=pace, cookie=f"session={session}")
        self.you: Frame = {}
        self.logs: dict[str, Ledger] = {}
        self.held: set[str] = set()
        """Logs that the server knows this page to follow."""
        self.overview: dict[str, Frame] = {}
        self._asked: dict[str, tuple[int, float]] = {}

    def hello(self) -> Frame:
        """Go on with everything that this page holds."""
        return {"type": "hello", "version": 1, "follow": {one: self.logs[one].last for one in sorted(self.held)}}

    def heard(self, frame: Frame) -> None:
        """Show what comes, and ask for every log that this page should have and has not."""
        kind = frame["type"]
        if kind == "welcome":
            self.you = frame["you"]
        elif kind == "overview":
            self.overview = {one["id"]: one for one in frame["conversations"]}
        elif kind == "unfollowed":
            self.held.discard(frame["conversation"])
        elif kind == "pong":
            for one, head in frame["heads"].items():
                self.log(one).head = max(self.log(one).head, head)
        elif kind == "snapshot":
            self.log(frame["conversation"]).begin_after(frame["after"])
        elif kind == "followed":
            self.held.add(frame["conversation"])
        elif kind in {"message", "note", "fact"}:
            self.log(frame["conversation"]).take(frame)
        self._follow()
        if "seen" not in self._timers and any(log.told < log.last for log in self.logs.values()):
            self._later("seen", self.pace.tell_seen_after, self._tell_read)

    def _tell_read(self) -> None:
        for conversation, log in self.logs.items():
            if log.told < log.last:
                log.told = log.last
                self.send(type="read", conversation=conversation, up_to=log.last, delivered=log.last)

    async def fetch_older(self, conversation: str) -> None:
        """Ask for everything of a conversation that was left out."""
        await self._older(self.log(conversation), conversation=conversation)

    def log(self, conversation: str) -> Ledger:
        """Return what this page holds of a conversation."""
        return self.logs.setdefault(conversation, Ledger())

    def _follow(self) -> None:
        for one, row in self.overview.items():
            if row["advocate_id"] != self.you.get("id") or row["state"] not in {"active", "wrap_up"}:
                continue
            log, now = self.log(one), self._loop.time()
            after, at = self._asked.get(one, (-1, 0.0))
            whole = one in self.held and log.head <= log.last
            if whole or (after == log.last and now - at < self.pace.try_again_after):
                continue
            self._asked[one] = (log.last, now)
            self.command(type="follow", conversation=one, after=log.last)

    async def say(self, conversation: str, text: str) -> Answer:
        """Write one text to a visitor; returns once it is acknowledged."""
        return await self._write(self.log(conversation), text, type="post", conversation=conversation)


class Crowd:
    """Hold pages, and close them at the end."""

    def __init__(self) -> None:
        self.visitors: list[Visitor] = []
        self.advocates: list[Advocate] = []
        self.seats: list[tuple[Visitor, Advocate, str]] = []
        """Who talks with whom, and in which conversation."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for page in (*self.visitors, *self.advocates):
            page.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.sleep(0.05)

    @property
    def acknowledged(self) -> int:
        """Return how many texts were acknowledged so far."""
        return sum(
            len(visitor.ledger.acknowledged) + len(advocate.log(pk).acknowledged)
            for visitor, advocate, pk in self.seats
        )


async def until(holds: Callable[[], bool], what: str, within: float = 30.0) -> None:
    """Wait until something is so; fail after some seconds."""
    ends = time.monotonic() + within
    while not holds():
        if time.monotonic() > ends:
            raise AssertionError(f"not within {within:.0f} s: {what}")
        await asyncio.sleep(0.02)
