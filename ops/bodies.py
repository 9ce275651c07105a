"""No body of a request is larger than this, and none comes to lie on a disk, whatever server takes it.

What somebody writes or brings may be kept nowhere but sealed in the database. Django and Twisted write a longer body
into a temporary file before anybody is asked who sent it.
"""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

from django.conf import settings

MOST_BODY_BYTES = settings.FILE_UPLOAD_MAX_MEMORY_SIZE
"""Far more than any form holds: what is too long for a form is cut by the view that it is for."""

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def within_bounds(app: App) -> App:
    """Return the application, which hears of no request with more than `MOST_BODY_BYTES`; those get a 413."""

    async def bounded(scope: Scope, receive: Receive, send: Send) -> None:
        came = 0

        async def counted() -> dict[str, Any]:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            # as if they had gone: nobody reads on
            return message if came <= MOST_BODY_BYTES else {"type": "http.disconnect"}

        if _declared(scope) > MOST_BODY_BYTES:
            await _refuse(send)
            return
        await app(scope, counted, send)
        if came > MOST_BODY_BYTES:
            await _refuse(send)

    return bounded


def _declared(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name.lower() == b"content-length"]
    return max((int(one) if one.isdigit() and len(one) < 19 else MOST_BODY_BYTES + 1 for one in lengths), default=0)


async def _refuse(send: Send) -> None:
    headers = [(b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def keep_daphnes_in_memory() -> None:
    """Let Daphne take bodies into memory and hang up on longer ones.

    Twisted puts what has no length, or one from 100,000 bytes on, into a temporary file
    (`twisted.web.http._getContentFile`).
    """
    from daphne.http_protocol import WebRequest

    def got_length(request: Any, length: int | None) -> None:
        request.content = BytesIO()
        if length is not None and length > MOST_BODY_BYTES:
            request.channel.transport.write(b"HTTP/1.1 413 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            request.channel.loseConnection()

    def take(request: Any, data: bytes) -> None:
        if request.content.tell() > MOST_BODY_BYTES:
            return
        # the last piece as well: where the request ends with it, it is refused for its length
        request.content.write(data)
        if request.content.tell() > MOST_BODY_BYTES:
            request.channel.loseConnection()

    WebRequest.gotLength = got_length
    WebRequest.handleContentChunk = take
