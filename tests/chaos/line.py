"""Keep a page's line to the server: `frontend/static/js/lib/socket.js` in Python, rule by rule.

A page speaks first, sends what is unanswered again after each welcome, comes back with full jitter, pings, waits out
`slow_down`, and is told by close codes when to stop or to spread its return.
"""

import asyncio
import base64
import json
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

from bench.wire import CLOSE, PING, PONG, Frames, framed
from bench.wire import TEXT as TEXT_FRAME
from tests.support.daemon import LOOPBACK

STOPS = {4400: "version_unknown", 4401: "sign_in_again", 4403: "forbidden", 4410: "wrong_state"}
Frame = dict[str, Any]


@dataclass(frozen=True)
class Pace:
    """Hold the times of `socket.js` and of the pages, in seconds."""

    ping_after: float = 20.0
    ping_spread: float = 5.0
    dead_after: float = 10.0
    welcome_within: float = 15.0
    first_wait: float = 0.5
    longest_wait: float = 30.0
    stable_after: float = 60.0
    restart_spread: float = 5.0
    overload_wait: float = 5.0
    soonest_again: float = 1.0
    catch_up_within: float = 3.0
    try_again_after: float = 5.0
    tell_seen_after: float = 1.0

    def faster(self, times: float) -> "Pace":
        """Return the same times, each so many times shorter."""
        return Pace(**{one.name: getattr(self, one.name) / times for one in fields(self)})


class Answer(NamedTuple):
    """Be what a command got."""

    ok: bool
    seq: int | None = None
    code: str = ""


class Wire(asyncio.Protocol):
    """Be one WebSocket as a browser gives it to a page: opened, texts, closed with a code."""

    def __init__(self, request: bytes, page: "PageLine") -> None:
        self._request, self._page, self._frames = request, page, Frames()
        self._head: bytes | None = b""
        self._code: int | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Take the answer to the upgrade, then frames."""
        if self._head is not None:
            self._head += data
            head, done, data = self._head.partition(b"\r\n\r\n")
            if not done:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.drop()
                return
            self._head = None
            self._page.opened(self)
        for opcode, payload in self._frames.feed(data):
            if opcode == TEXT_FRAME:
                self._page.received(self, payload)
            elif opcode == PING:
                self.write(framed(payload, PONG))
            elif opcode == CLOSE:
                self._code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
                self.write(framed(payload[:2], CLOSE))
                self.drop()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the page."""
        self._page.closed(self, 1006 if self._code is None else self._code)

    def write(self, data: bytes) -> None:
        """Send bytes; a line that is gone takes them nowhere."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def drop(self, code: int | None = None) -> None:
        """Let go without waiting for the other side."""
        if code is not None:
            self.write(framed(code.to_bytes(2, "big"), CLOSE))
        if self.transport is not None:
            self.transport.close() if code is None else self.transport.abort()


@dataclass
class _Command:
    frame: Frame
    text: bytes
    answer: "asyncio.Future[Answer]"
    sent: bool = False


class PageLine:
    """Be `openLine` of `lib/socket.js`."""

    def __init__(self, port: int, path: str, *, pace: Pace, cookie: str = "") -> None:
        self.port, self.path, self.pace, self.cookie = port, path, pace, cookie
        self.wire: Wire | None = None
        self.welcomed = self.stopped = False
        self.connects, self.codes, self.welcomed_at = 0, list[int](), 0.0
        self._loop = asyncio.get_running_loop()
        self._attempts, self._opened_at, self._tried_at, self._held_until = 0, float("inf"), 0.0, 0.0
        self._refs = 0
        self._waiting: dict[int, _Command] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._dialling: asyncio.Task[None] | None = None

    # what a page provides

    def hello(self) -> Frame:
        """Return the first frame of a connection."""
        raise NotImplementedError

    def heard(self, frame: Frame) -> None:
        """Take a frame that answers no command."""
        raise NotImplementedError

    def ping(self) -> Frame:
        """Return the frame that shows that the page is there."""
        return {"type": "ping"}

    # what it does for a page

    def connect(self) -> None:
        """Dial, once."""
        self._clear("again")
        self.connects += 1
        self._tried_at = self._loop.time()
        self._later("dead", self.pace.welcome_within, self.lost)
        wire = self.wire = Wire(self._request(), self)
        self._dialling = asyncio.create_task(self._dial(wire))

    def command(self, **frame: Any) -> "asyncio.Future[Answer]":
        """Send a command until it is answered."""
        self._refs += 1
        answer: asyncio.Future[Answer] = self._loop.create_future()
        if self.stopped:
            answer.set_result(Answer(False, code="ours"))
            return answer
        text = json.dumps({**frame, "ref": self._refs}, ensure_ascii=False, separators=(",", ":"))
        self._waiting[self._refs] = _Command(frame, framed(text.encode()), answer)
        self._flush()
        return answer

    def send(self, **frame: Any) -> None:
        """Send a frame that is not answered; it is dropped unless the line is open."""
        if self.welcomed and self.wire is not None:
            self.wire.write(framed(json.dumps(frame).encode()))

    def reconnect(self) -> None:
        """Fetch again what this page misses; twice in a second keeps to the waiting times."""
        if self.stopped:
            return
        soon = self._loop.time() - self._tried_at < self.pace.soonest_again
        if self.wire is not None or not soon:
            self.lost()
        if not soon:
            self.connect()

    def close(self) -> None:
        """End for good."""
        self._drop()
        self._stop("ours")

    # what happens to it

    def opened(self, wire: Wire) -> None:
        """Say hello."""
        wire.write(framed(json.dumps(self.hello()).encode()))

    def received(self, wire: Wire, payload: bytes) -> None:
        """Take a text."""
        if wire is not self.wire:
            return
        frame: Frame = json.loads(payload)
        if frame["type"] == "welcome" and not self.welcomed:
            self._greeted()
        elif self.welcomed:
            self._heard()
        if frame["type"] in {"ok", "error"} and isinstance(frame.get("ref"), int):
            self._answered(frame)
            return
        if frame["type"] == "error" and frame["code"] == "slow_down":
            self._hold(frame.get("wait_ms"))
        self.heard(frame)

    def closed(self, wire: Wire, code: int) -> None:
        """Take the end of a connection."""
        self.codes.append(code)
        if wire is self.wire:
            self.lost(code)

    def lost(self, code: int | None = None) -> None:
        """Come back later, or stop."""
        self._drop()
        if self.stopped:
            return
        if code in STOPS:
            self._stop(STOPS[code])
            return
        if self._loop.time() - self._opened_at >= self.pace.stable_after:
            self._attempts = 0
        self._opened_at = float("inf")
        self._later("again", self._wait_after(code), self.connect)
        self._attempts += 1

    def _greeted(self) -> None:
        self.welcomed = True
        self._opened_at = self.welcomed_at = self._loop.time()
        self._clear("dead")
        self._next_ping()
        self._flush()

    def _heard(self) -> None:
        self._clear("dead")
        if "ping" not in self._timers:
            self._next_ping()

    def _answered(self, frame: Frame) -> None:
        command = self._waiting.get(frame["ref"])
        if command is None:
            return
        if frame["type"] == "error" and frame["code"] == "slow_down":
            self._hold(frame.get("wait_ms"))
            command.sent = False
            self._flush()
            return
        del self._waiting[frame["ref"]]
        if not command.answer.done():
            good = frame["type"] == "ok"
            command.answer.set_result(Answer(good, frame.get("seq"), "" if good else frame["code"]))

    def _hold(self, wait_ms: int | None) -> None:
        wait = self.pace.overload_wait if wait_ms is None else wait_ms / 1_000
        self._held_until = max(self._held_until, self._loop.time() + wait)

    def _flush(self) -> None:
        if not self.welcomed or not self._waiting or self.wire is None:
            return
        wait = self._held_until - self._loop.time()
        if wait > 0:
            self._later("hold", wait, self._flush)
            return
        for command in self._waiting.values():
            if not command.sent:
                self.wire.write(command.text)
            command.sent = True
        if "dead" not in self._timers:
            self._later("dead", self.pace.dead_after, self.lost)

    def _next_ping(self) -> None:
        self._later("ping", self.pace.ping_after + random.random() * self.pace.ping_spread, self.probe)

    def probe(self) -> None:
        """Find out at once whether the line is alive."""
        if self.stopped or not self.welcomed or self.wire is None:
            return
        self._clear("ping")
        self.wire.write(framed(json.dumps(self.ping()).encode()))
        if "dead" not in self._timers:
            self._later("dead", self.pace.dead_after, self.lost)

    def _wait_after(self, code: int | None) -> float:
        most: float = min(self.pace.longest_wait, self.pace.first_wait * 2**self._attempts)
        if code == 4429:
            return max(self._held_until - self._loop.time(), self.pace.overload_wait) + random.random() * most
        return random.random() * (max(self.pace.restart_spread, most) if code in {1012, 4503} else most)

    def _drop(self) -> None:
        for name in list(self._timers):
            self._clear(name)
        for command in self._waiting.values():
            command.sent = False
        self.welcomed = False
        old, self.wire = self.wire, None
        if old is not None:
            old.drop(1000)
        if self._dialling is not None:
            self._dialling.cancel()

    def _stop(self, code: str) -> None:
        self.stopped = True
        left = list(self._waiting.values())
        self._waiting.clear()
        for command in left:
            if not command.answer.done():
                command.answer.set_result(Answer(False, code=code))

    def _later(self, name: str, seconds: float, work: Callable[[], None]) -> None:
        self._clear(name)

        def due() -> None:
            self._timers.pop(name, None)
            work()

        self._timers[name] = self._loop.call_later(seconds, due)

    def _clear(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()

    async def _dial(self, wire: Wire) -> None:
        try:
            await self._loop.create_connection(lambda: wire, LOOPBACK, self.port)
        except OSError:
            self._dialling = None
            self.closed(wire, 1006)

    def _request(self) -> bytes:
        host = f"{LOOPBACK}:{self.port}"
        lines = {"Host": host, "Origin": f"http://{host}", "Upgrade": "websocket", "Connection": "Upgrade"}
        lines |= {"Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Version": "13"}
        if self.cookie:
            lines["Cookie"] = self.cookie
        head = [f"GET {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items()), "", ""]
        return "\r\n".join(head).encode("latin-1")
