"""The ASGI application: pages through Django, sockets through Channels, and the worker loop when embedded."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - Django must be set up first
from django.conf import settings  # noqa: E402

from chat.routing import websocket_urlpatterns  # noqa: E402
from ops.worker import run_forever  # noqa: E402

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_router = ProtocolTypeRouter({"http": pages, "websocket": URLRouter(websocket_urlpatterns)})
_inline: set[asyncio.Task[None]] = set()


def start_inline_worker() -> None:
    """Run the worker loop on this event loop, once, when the settings ask for it.

    Without Redis no other process could reach this one's sockets, and a thread would touch another loop's queues.
    """
    if settings.INLINE_WORKER and not _inline:
        _inline.add(asyncio.get_running_loop().create_task(run_forever()))


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection. Daphne has no lifespan, so any first connection starts the inline worker too."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    start_inline_worker()
    try:
        await _router(scope, receive, send)
    except ValueError:
        if scope["type"] != "websocket":
            raise
        # no socket lives at that path
        await send({"type": "websocket.close", "code": 4403})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            start_inline_worker()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            for task in _inline:
                task.cancel()
            await send({"type": "lifespan.shutdown.complete"})
            return
