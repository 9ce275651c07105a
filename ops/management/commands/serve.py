"""Start the server with the limits that Havre needs, and say where it is."""

import logging
import os
import signal
import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

from chat.protocol import MOST_FRAME_BYTES
from ops.worker import start_inline_worker

STOP_WITHIN = 10


class Command(BaseCommand):
    """Serve pages and sockets until Ctrl-C or SIGTERM."""

    help = "Serve the site (daphne by default, or uvicorn)"

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the port, then serve."""
        host, port = options["host"], options["port"]
        _check_free(host, port)
        if options["server"] == "uvicorn":
            self._uvicorn(host, port)
        else:
            self._daphne(host, port)

    def _daphne(self, host: str, port: int) -> None:
        from daphne.server import Server

        application = import_string(settings.ASGI_APPLICATION)

        def ready() -> None:
            start_inline_worker()
            self._announce(host, port)

        # Ended at once: every message that was acknowledged is in the database, and pages come back by themselves.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: os._exit(0))
        logging.getLogger("daphne").setLevel(logging.WARNING)
        from twisted.internet import reactor as installed

        reactor: Any = installed  # Twisted's own annotations lack `self` here

        Server(
            application=application,
            endpoints=[f"tcp:port={port}:interface={host}"],
            signal_handlers=False,
            action_logger=None,
            # called back once the loop runs: the worker is a task on it
            ready_callable=lambda: reactor.callLater(0, ready),
            websocket_handshake_timeout=10,
            verbosity=0,
        ).run()

    def _uvicorn(self, host: str, port: int) -> None:
        import uvicorn

        class Announced(uvicorn.Server):
            async def startup(server, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets)
                self._announce(host, port)

        config = uvicorn.Config(
            import_string(settings.ASGI_APPLICATION),
            host=host,
            port=port,
            access_log=False,
            log_config=None,
            log_level="warning",
            ws_max_size=MOST_FRAME_BYTES + 1024,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=STOP_WITHIN,
            server_header=False,
        )
        Announced(config).run()

    def _announce(self, host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        self.stdout.write(f"Havre listens on http://{shown}:{port}/")
        if settings.DEVELOPMENT:
            from concurrent.futures import ThreadPoolExecutor

            from ops.samples import sign_ins

            with ThreadPoolExecutor(1) as pool:
                lines = pool.submit(sign_ins).result()
            self.stdout.write(f"  visitors  http://{shown}:{port}/")
            self.stdout.write(f"  staff     http://{shown}:{port}/staff/")
            for line in lines:
                self.stdout.write(f"    {line}")
            self.stdout.write("Ctrl-C ends it.")
        self.stdout.flush()


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise CommandError(f"port {port} on {host} is taken; choose another with PORT=") from None
