"""The ASGI application: pages through Django, sockets through Channels, and the worker loop when embedded."""

import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

from django.core.asgi import get_asgi_application

from config.process import harden

# once more for a server that was not started by manage.py
harden()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - Django must be set up first

from chat.routing import websocket_urlpatterns  # noqa: E402
from ops.bodies import App, within_bounds  # noqa: E402
from ops.worker import start_inline_worker, stop_inline_worker  # noqa: E402

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_router = ProtocolTypeRouter({"http": within_bounds(cast(App, pages)), "websocket": URLRouter(websocket_urlpatterns)})


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
            stop_inline_worker()
            await send({"type": "lifespan.shutdown.complete"})
            return
