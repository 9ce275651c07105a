"""The ASGI application: pages through Django, sockets, and the worker loop when embedded."""

import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

from django.core.asgi import get_asgi_application

from config.process import harden

# once more for a server that was not started by manage.py
harden()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

from chat.routing import sockets  # noqa: E402 - Django must be set up first
from ops.bodies import App, within_bounds  # noqa: E402
from ops.worker import start_inline_worker, stop_inline_worker  # noqa: E402

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_pages = within_bounds(cast(App, pages))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection. Daphne has no lifespan, so any first connection starts the inline worker too."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    start_inline_worker()
    if scope["type"] == "http":
        await _pages(scope, receive, send)
        return
    socket = sockets.get(scope["path"])
    if socket is None:
        await send({"type": "websocket.close", "code": 4403})
        return
    # not through Channels' routers, which keep copies of the scope for as long as the socket lives
    await socket(scope, receive, send)


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            start_inline_worker()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            stop_inline_worker()
            await send({"type": "lifespan.shutdown.complete"})
            return
