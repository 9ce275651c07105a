"""Run the worker loop as a process of its own."""

import asyncio
import contextlib
import signal
from typing import Any

from django.core.management.base import BaseCommand

from ops.worker import run_forever


class Command(BaseCommand):
    """Run until SIGTERM or Ctrl-C; nothing is lost by ending it at any moment."""

    help = "Run offers, rescues, clocks and the outbox"

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the loop."""
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(self._run())

    async def _run(self) -> None:
        task = asyncio.create_task(run_forever())
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
        self.stdout.write("The worker runs.")
        with contextlib.suppress(asyncio.CancelledError):
            await task
