"""Start the server with the limits that Havre needs, and say where it is."""

import errno
import logging
import socket
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.utils import timezone

from crisis.in_force import rules
from encryption.providers import ProviderDown
from encryption.services import key_folder
from ops.one_server import AlreadyServed, claim
from ops.pauses import keep_pauses_short
from ops.servers import serve_daphne, serve_uvicorn


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
        if settings.EMBEDDED and not settings.ENV.database_url:
            try:
                claim(settings.DATA_DIR, f"port {port}")
            except AlreadyServed as served:
                raise CommandError(f"another Havre serves {settings.DATA_DIR} already, on {served}") from None
        _make_key_folder()
        _load_rules()
        keep_pauses_short()
        serve = serve_uvicorn if options["server"] == "uvicorn" else serve_daphne
        serve(host, port, partial(self._announce, host, port))

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
            self.stdout.write("  Two people at once need two browsers, or a private window each.")
            self.stdout.write("  An advocate begins by choosing Ready (cleo's pages are in French: Disponible).")
            self.stdout.write("Ctrl-C ends it.")
        self.stdout.flush()


def _make_key_folder() -> None:
    """Make the keys' folder at the very first start; where anything was sealed, only somebody who looks may."""
    try:
        if not settings.DEVELOPMENT:
            key_folder.first_start(timezone.now())
    except (DatabaseError, ProviderDown):
        # whoever asks this process next whether it is ready hears why it is not
        logging.getLogger(__name__).warning("the folder of the keys could not be looked at")
    finally:
        connection.close()


def _load_rules() -> None:
    """Read the rules now: the first message, and all that come with it, would wait a second for them."""
    try:
        rules.load()
    finally:
        connection.close()


def _check_free(host: str, port: int) -> None:
    if not 1 <= port <= 65_535:
        raise CommandError(f"{port} is no port; choose one from 1024 to 65535 with PORT=")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            raise CommandError(f"port {port} is for the system's administrator; choose one above 1023") from None
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(f"port {port} on {host} is taken; choose another with PORT=") from None
            raise CommandError(f"port {port} on {host} cannot be used: {error.strerror}") from None
