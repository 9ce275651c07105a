"""What both kinds of socket share: accept, read, answer, keep time, and end in words.

Channels' own consumers hop to a thread for every event, close a socket on malformed JSON and skip its clean-up on
errors, so this is a plain ASGI application (docs/adr/0004-plain-asgi-sockets.md).
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host
from django.utils import timezone

from chat import measures
from chat.codec import Malformed
from chat.consumers.open import open_sockets
from chat.core.errors import ErrorCode, Refused
from chat.core.pace import TooFast
from chat.limits import FramePace
from chat.protocol import MOST_FRAME_BYTES

logger = logging.getLogger(__name__)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

HELLO_WITHIN = 10.0
SILENCE = 60.0
"""Seconds without a frame after which a socket is given up; pages ping every 20 to 25."""
MOST_STRIKES = 10
MOST_PENDING = 256
MOST_PENDING_BYTES = 512 * 1024
"""Events, and bytes of sealed text, kept for one slow socket; beyond that it reads the log again when it is free."""


class Ended(Exception):
    """End this socket with a close code."""

    def __init__(self, close_code: int | None, error: ErrorCode | None = None) -> None:
        super().__init__(close_code)
        self.close_code = close_code
        self.error = error


class LineGone(Ended):
    """Say that nobody is at the other end any more: a line that breaks is everyday, and no defect."""

    def __init__(self) -> None:
        super().__init__(None)


class Socket:
    """Be one connection; subclasses say what its frames mean.

    A process holds many thousands, most of which say little: what is here is what each of them takes in memory. So it
    has slots, keeps nothing of its request, and has no task that waits for something to send.
    """

    __slots__ = (
        *("scope", "overflowed", "greeted", "closed_with", "hello_within"),
        *("_send", "_strikes", "_pending", "_pending_bytes", "_pumping", "_ended", "_context"),
        *("_pace", "_going", "_silence", "_listening", "_idle_since"),
    )
    side: ClassVar[str]

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self._send = send
        self._strikes = 0
        self._pending: list[tuple[Callable[[], Awaitable[None]], int]] = []
        self._pending_bytes = 0
        self._pumping: asyncio.Task[None] | None = None
        self._ended = False
        # what is sent is sent as this socket, whoever's command it comes from
        self._context = copy_context()
        self.overflowed = False
        self.greeted = False
        self.closed_with: int | None = None
        """The code with which the page itself closed the line."""
        self.hello_within = HELLO_WITHIN
        self._pace = FramePace()
        self._going = False
        self._silence: asyncio.TimerHandle | None = None
        self._listening = asyncio.timeout(None)
        self._idle_since: float | None = None

    # what a subclass provides

    async def begin(self) -> None:
        """Check who connects, before the first frame."""

    async def handle(self, raw: str) -> None:
        """Decode one frame and answer it."""
        raise NotImplementedError

    async def end(self) -> None:
        """Clean up; called whatever ended the socket."""

    async def catch_up(self) -> None:
        """Read from the log what was not handed over."""

    async def error(self, code: ErrorCode, ref: int | None = None, wait: float | None = None) -> None:
        """Answer a refusal; with `wait` it may be tried again after so many seconds."""
        raise NotImplementedError

    # the life of a socket

    @classmethod
    def as_asgi(cls) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
        """Return the ASGI application that makes one instance for each connection."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            await cls(scope, send).live(receive)

        return application

    async def live(self, receive: Receive) -> None:
        """Serve the connection to its end."""
        await receive()
        # accepted even if it will be refused: a refusal before this reaches a browser without its reason
        await self._send({"type": "websocket.accept"})
        open_sockets().add(self)
        close_code: int | None = 1000
        try:
            if not same_origin(self.scope):
                raise Ended(4403, ErrorCode.ORIGIN_REFUSED)
            self._forget_request()
            await self.begin()
            close_code = await self._read(receive)
        except Ended as ended:
            close_code = ended.close_code
            if ended.error is not None:
                await self._quietly(self.error(ended.error))
        except Exception as error:
            logger.error("socket ended by a defect", exc_info=error)
            close_code = 4503
        finally:
            self.stop_sending()
            try:
                await self._quietly(self.end())
                if close_code is not None:
                    await self._quietly(self._send({"type": "websocket.close", "code": close_code}))
            finally:
                open_sockets().discard(self)

    def _forget_request(self) -> None:
        """Let go of headers that have said all they are asked: servers hold the scope for as long as this lives."""
        client = self.scope.get("client")
        self.scope.clear()
        self.scope["client"] = client

    def go(self) -> None:
        """End once the command under way is answered: the page comes back to another process."""
        self._going = True
        self._stop_listening()

    def _stop_listening(self) -> None:
        """End the wait for a frame; nothing where there is none, or where it is ending already."""
        if self._idle_since is not None and not self._listening.expired():
            self._listening.reschedule(asyncio.get_running_loop().time())

    async def _read(self, receive: Receive) -> int | None:
        """Serve frames until the page goes or is silent; one timer a socket, since one for each frame costs more."""
        self._watch_silence()
        try:
            async with self._listening:
                return await self._serve(receive)
        except TimeoutError:
            if not self._listening.expired():
                raise
            raise Ended(4503 if self._going else 4408) from None
        finally:
            if self._silence is not None:
                self._silence.cancel()

    def _watch_silence(self) -> None:
        loop = asyncio.get_running_loop()
        now, allowed = loop.time(), SILENCE if self.greeted else self.hello_within
        since = now if self._idle_since is None else self._idle_since
        if self._idle_since is not None and since + allowed <= now:
            self._stop_listening()
        else:
            self._silence = loop.call_at(since + allowed, self._watch_silence)

    async def _serve(self, receive: Receive) -> int | None:
        while True:
            event = await self._next(receive)
            if event["type"] == "websocket.disconnect":
                self.closed_with = event.get("code")
                return None
            await self._hold_back(receive)
            raw = event.get("text")
            if raw is None:
                await self._strike(ErrorCode.BINARY_FRAME)
            elif len(raw) > MOST_FRAME_BYTES or len(raw.encode(errors="surrogatepass")) > MOST_FRAME_BYTES:
                raise Ended(4413, ErrorCode.TOO_LARGE)
            else:
                await self._one(raw)

    async def _next(self, receive: Receive) -> dict[str, Any]:
        if self._going:
            raise Ended(4503)
        self._idle_since = asyncio.get_running_loop().time()
        try:
            event = await receive()
        finally:
            self._idle_since = None
        if self._listening.when() is not None:
            # told to go, or given up, in the very turn in which this frame came: it is answered first
            self._listening.reschedule(None)
        return event

    async def _hold_back(self, receive: Receive) -> None:
        """Slow down who sends many frames by reading on later; what is sent to them does not wait for this."""
        try:
            await self._pace.hold_back(unread(receive))
        except TooFast as too_fast:
            await self.error(too_fast.code, None, too_fast.wait)
            raise Ended(4429) from None

    async def _one(self, raw: str) -> None:
        try:
            await self.handle(raw)
        except Malformed as malformed:
            await self._strike(malformed.code, malformed.ref)

    async def _strike(self, code: ErrorCode, ref: int | None = None) -> None:
        await self.error(code, ref)
        if code is ErrorCode.TEXT_UNPAIRED:
            return  # a broken text, not a broken program
        self._strikes += 1
        if self._strikes >= MOST_STRIKES:
            raise Ended(4400)

    async def answer(self, ref: int, work: Callable[[], Awaitable[None]]) -> None:
        """Run a command; a refusal is answered with its code, an outage with `ours`, and the socket lives on."""
        try:
            await work()
        except TooFast as too_fast:
            await self.error(too_fast.code, ref, too_fast.wait)
        except Refused as refused:
            await self.error(refused.code, ref)
        except (Ended, asyncio.CancelledError):
            raise
        except Exception as error:
            logger.error("command failed", exc_info=error)
            await self.error(ErrorCode.OURS, ref)

    async def send_text(self, text: str) -> None:
        """Send one frame; raises `LineGone` where the server says that it cannot (ASGI: with an `OSError`)."""
        try:
            await self._send({"type": "websocket.send", "text": text})
        except OSError:
            raise LineGone from None

    async def _quietly(self, last_words: Awaitable[None]) -> None:
        try:
            await last_words
        except Exception as error:
            # the other side is gone, which is what is being cleaned up after
            logger.debug("clean-up: %s", type(error).__name__)

    # outbound, in order and bounded

    def enqueue(self, work: Callable[[], Awaitable[None]], size: int = 0) -> None:
        """Do something in the order of this queue; when it is full, read the log instead of piling up.

        `size` is how many bytes the work keeps in memory until it is done.
        """
        if len(self._pending) >= MOST_PENDING or self._pending_bytes + size > MOST_PENDING_BYTES:
            self.drop_pending()
            self.overflowed = True
            measures.resyncs.inc()
        else:
            self._pending.append((work, size))
            self._pending_bytes += size
        if self._pumping is None and not self._ended:
            self._pumping = asyncio.create_task(self._pump(), context=self._context)

    def drop_pending(self) -> None:
        """Do nothing of what waits."""
        self._pending.clear()
        self._pending_bytes = 0

    @property
    def up_to_date(self) -> bool:
        """Tell whether nothing waits to be sent or is being sent: the next line may go out at once."""
        return self._pumping is None and not (self._pending or self.overflowed)

    def stop_sending(self) -> None:
        """Do nothing more of what waits, nor of what comes."""
        self._ended = True
        if self._pumping is not None:
            self._pumping.cancel()

    async def _pump(self) -> None:
        """Do what waits until nothing does: a task for as long as that takes, not for as long as the socket lives."""
        try:
            while self._pending or self.overflowed:
                if self.overflowed:
                    self.overflowed = False
                    work: Callable[[], Awaitable[None]] = self.catch_up
                else:
                    work, size = self._pending.pop(0)
                    self._pending_bytes -= size
                try:
                    await work()
                except LineGone:
                    self.drop_pending()
                except Exception as error:
                    logger.error("outbound work failed", exc_info=error)
        finally:
            self._pumping = None


def same_origin(scope: Scope) -> bool:
    """Tell whether a browser opened this socket from a page of ours; a missing Origin is refused too."""
    headers = dict(scope.get("headers", ()))
    origin = urlsplit(headers.get(b"origin", b"").decode("latin-1"))
    host = headers.get(b"host", b"").decode("latin-1")
    if not host or origin.netloc != host or origin.scheme not in {"http", "https"}:
        return False
    if settings.SESSION_COOKIE_SECURE and origin.scheme != "https":
        return False
    return validate_host(host.rsplit(":", 1)[0] if not host.endswith("]") else host, settings.ALLOWED_HOSTS)


def unread(receive: Receive) -> int:
    """Return how many frames lie behind the one in hand, as far as the server tells.

    Daphne reads without end into a queue and hands its `get` over; uvicorn stops reading instead.
    """
    queue = getattr(receive, "__self__", None)
    return queue.qsize() if isinstance(queue, asyncio.Queue) else 0


def milliseconds(wait: float | None) -> int | None:
    """Return a wait as frames carry it."""
    return None if wait is None else math.ceil(wait * 1_000)


def now() -> Any:
    """Return the current time; the one clock of the sockets, which tests replace."""
    return timezone.now()
