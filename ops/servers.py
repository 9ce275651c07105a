"""The two servers with Havre's limits, and with an end that drains instead of cutting off."""

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn
from django.conf import settings
from django.utils.module_loading import import_string
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from chat.protocol import MOST_FRAME_BYTES
from ops.bodies import keep_daphnes_in_memory
from ops.drain import drain
from ops.lines import ANSWERED_WITHIN, QUIET, Line
from ops.quiet_twisted import quiet_twisted
from ops.worker import start_inline_worker

FINISH_WITHIN = 2
"""Seconds that requests may go on after the sockets have gone."""
END_WITHIN = 9.5


def serve_uvicorn(host: str, port: int, announce: Callable[[], None]) -> None:
    """Serve with uvicorn until SIGTERM or Ctrl-C."""
    config = uvicorn.Config(
        import_string(settings.ASGI_APPLICATION),
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        log_level="warning",
        ws_max_size=MOST_FRAME_BYTES + 1024,
        ws=Line,
        ws_ping_interval=QUIET,
        ws_ping_timeout=ANSWERED_WITHIN,
        ws_per_message_deflate=False,
        proxy_headers=bool(settings.TRUSTED_PROXIES),
        forwarded_allow_ips=list(settings.TRUSTED_PROXIES),
        timeout_graceful_shutdown=FINISH_WITHIN,
        server_header=False,
    )
    with suppress(KeyboardInterrupt):
        _Uvicorn(config, announce).run()


class _Uvicorn(uvicorn.Server):
    """Drain before the connections are closed."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say where it is once it listens."""
        await super().startup(sockets)
        self._announce()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let nobody new in, send on who is here, then end."""
        for server in self.servers:
            server.close()
        if not self.force_exit:
            await drain()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal: Ctrl-C ends at once, whoever is here."""
        super().handle_exit(sig, frame)
        if sig == signal.SIGINT:
            self.force_exit = True


def serve_daphne(host: str, port: int, announce: Callable[[], None]) -> None:
    """Serve with Daphne until SIGTERM or Ctrl-C.

    Left to itself it ends open sockets without a word and without their clean-up, so the signal is taken here.
    """
    ports: list[Any] = []
    listening = _listening(ports)
    quiet_twisted()
    # until the loop runs, and for Ctrl-C always: what was acknowledged is in the database, and pages come back
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    logging.getLogger("daphne").setLevel(logging.WARNING)
    from twisted.internet import reactor as installed

    reactor: Any = installed  # Twisted's own annotations lack `self` here

    def ready() -> None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: ending.append(loop.create_task(_end_daphne(server, ports))))
        start_inline_worker()
        announce()

    keep_daphnes_in_memory()
    application = import_string(settings.ASGI_APPLICATION)
    ending: list[asyncio.Task[None]] = []
    server = listening(
        # it would believe the header of anybody
        application=ProxyHeadersMiddleware(application, list(settings.TRUSTED_PROXIES)),
        endpoints=[f"tcp:port={port}:interface={host}"],
        signal_handlers=False,
        action_logger=None,
        # called back once the loop runs: the worker is a task on it
        ready_callable=lambda: reactor.callLater(0, ready),
        websocket_handshake_timeout=10,
        verbosity=0,
    )
    server.run()


def _listening(ports: list[Any]) -> type[Any]:
    """Return Daphne's server, made to note where it listens in `ports` and to wait for who does not read."""
    from daphne.server import Server

    from ops.brake import brake_of

    class Listening(Server):  # type: ignore[misc]
        def listen_success(self, port: Any) -> None:
            ports.append(port)
            super().listen_success(port)

        async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
            await super().handle_reply(protocol, message)
            if message["type"] == "websocket.send":
                await brake_of(protocol).released()

    return Listening


async def _end_daphne(server: Any, ports: list[Any]) -> None:
    try:
        async with asyncio.timeout(END_WITHIN):
            for port in ports:
                port.stopListening()
            await drain()
            ends = time.monotonic() + FINISH_WITHIN
            while _busy(server) and time.monotonic() < ends:
                await asyncio.sleep(0.05)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _busy(server: Any) -> bool:
    """Tell whether a request is still being answered, or a socket's last words are on their way."""
    return any(
        "disconnected" not in details and ("application_instance" in details or hasattr(protocol, "sendClose"))
        for protocol, details in server.connections.items()
    )
