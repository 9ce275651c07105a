"""What both kinds of socket share: accept, read, answer, keep time, and end in words.

Channels' own consumers hop to a thread for every event, close a socket on malformed JSON and skip its clean-up on
errors (`livechat.md` section 5, rows 12 and 15), so this is a plain ASGI application behind Channels' routing.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http.request import validate_host
from django.utils import timezone

from chat.codec import Malformed
from chat.core.errors import ErrorCode, Refused
from chat.frames import Rendered
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
"""Events kept for one slow socket; beyond that it reads the log again when it is free."""


class Ended(Exception):
    """End this socket with a close code."""

    def __init__(self, close_code: int, error: ErrorCode | None = None) -> None:
        super().__init__(close_code)
        self.close_code = close_code
        self.error = error


class Socket:
    """Be one connection; subclasses say what its frames mean."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self.scope = scope
        self._send = send
        self._strikes = 0
        self._pending: deque[Callable[[], Awaitable[None]]] = deque()
        self._wake = asyncio.Event()
        self.overflowed = False
        self.greeted = False

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

    async def error(self, code: ErrorCode, ref: int | None = None) -> None:
        """Answer a refusal."""
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
        pump = asyncio.create_task(self._pump())
        close_code: int | None = 1000
        try:
            if not same_origin(self.scope):
                raise Ended(4403, ErrorCode.ORIGIN_REFUSED)
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
            pump.cancel()
            await self._quietly(self.end())
            if close_code is not None:
                await self._quietly(self._send({"type": "websocket.close", "code": close_code}))

    async def _read(self, receive: Receive) -> int | None:
        while True:
            try:
                event = await asyncio.wait_for(receive(), SILENCE if self.greeted else HELLO_WITHIN)
            except TimeoutError:
                raise Ended(4408) from None
            if event["type"] == "websocket.disconnect":
                return None
            raw = event.get("text")
            if raw is None:
                await self._strike(ErrorCode.BINARY_FRAME)
            elif len(raw) > MOST_FRAME_BYTES or len(raw.encode(errors="surrogatepass")) > MOST_FRAME_BYTES:
                raise Ended(4413, ErrorCode.TOO_LARGE)
            else:
                await self._one(raw)

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
        except Refused as refused:
            await self.error(refused.code, ref)
        except (Ended, asyncio.CancelledError):
            raise
        except Exception as error:
            logger.error("command failed", exc_info=error)
            await self.error(ErrorCode.OURS, ref)

    async def send_text(self, text: str) -> None:
        """Send one frame."""
        await self._send({"type": "websocket.send", "text": text})

    async def _quietly(self, last_words: Awaitable[None]) -> None:
        try:
            await last_words
        except Exception as error:
            # the other side is gone, which is what is being cleaned up after
            logger.debug("clean-up: %s", type(error).__name__)

    # outbound, in order and bounded

    def enqueue(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something in the order of this queue; when it is full, read the log instead of piling up."""
        if len(self._pending) >= MOST_PENDING:
            self._pending.clear()
            self.overflowed = True
        else:
            self._pending.append(work)
        self._wake.set()

    async def _pump(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending or self.overflowed:
                if self.overflowed:
                    self.overflowed = False
                    work: Callable[[], Awaitable[None]] = self.catch_up
                else:
                    work = self._pending.popleft()
                try:
                    await work()
                except Exception as error:
                    logger.error("outbound work failed", exc_info=error)


class Cursor:
    """Know which number of a conversation comes next on one socket."""

    def __init__(self, conversation: UUID, after: int, *, for_visitor: bool) -> None:
        self.conversation = conversation
        self.last = after
        self._for_visitor = for_visitor

    def number_of(self, rendered: Rendered) -> int | None:
        """Return the event's number on this side."""
        return rendered.event.visitor_seq if self._for_visitor else rendered.event.staff_seq

    def text_of(self, rendered: Rendered) -> str | None:
        """Return the frame for this side."""
        return rendered.visitor_text if self._for_visitor else rendered.staff_text

    def fitting(self, events: Iterable[Rendered]) -> Iterable[str]:
        """Yield the frames that come next and move on; stop at a gap."""
        for rendered in events:
            number = self.number_of(rendered)
            if number is None or number <= self.last:
                continue
            if number > self.last + 1:
                return
            text = self.text_of(rendered)
            self.last = number
            if text is not None:
                yield text

    def leaves_gap(self, rendered: Rendered) -> bool:
        """Tell whether something before this event is missing."""
        number = self.number_of(rendered)
        return number is not None and number > self.last + 1


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


def now() -> Any:
    """Return the current time; the one clock of the sockets, which tests replace."""
    return timezone.now()
