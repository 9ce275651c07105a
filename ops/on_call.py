"""Carry pages to who is on call: each on a thread of its own, a few at a time, while the loop goes on.

The threads touch no row. They are daemons, so that a far end that says nothing holds no process up that ends: its page
is taken up again when the lease is over.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime
from threading import Thread

from django.utils import timezone

from chat import broadcast
from chat.db import in_db
from crisis.services import claim_deliveries, settle_delivery, step_pagings
from crisis.transport import Errand, Outcome, carry

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 16
GIVES_UP = 20.0
"""Seconds after which a try counts as failed although its thread still waits, as for a name that is not found. The
lease of a delivery is longer."""


class Pager:
    """Take pages up and send them; its threads are counted until they end, however late that is."""

    def __init__(self) -> None:
        self._busy = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def look(self, now: datetime) -> None:
        """Let the pagings go on, and begin to send what is due as far as threads are free."""
        moved = await in_db(step_pagings, now=now)
        free = MOST_AT_ONCE - self._busy
        if free > 0:
            for errand in (await in_db(claim_deliveries, now=now, limit=free)).result:
                self._busy += 1
                task = asyncio.create_task(self._carry(errand))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        if moved.result:
            await broadcast.publish_overview()

    def stop(self) -> None:
        """Note nothing more; what is on its way is taken up again when its lease is over."""
        for task in self._tasks:
            task.cancel()

    async def _carry(self, errand: Errand) -> None:
        try:
            outcome = await asyncio.wait_for(self._sent(errand), GIVES_UP)
        except TimeoutError:
            outcome = Outcome(False, "timeout")
        try:
            await in_db(
                settle_delivery,
                delivery_id=errand.delivery,
                tries=errand.tries,
                outcome=outcome,
                now=timezone.now(),
            )
            await broadcast.publish_overview()
        except Exception as error:
            # it is due again when its lease is over
            logger.error("a page was not noted: %s", type(error).__name__)

    def _sent(self, errand: Errand) -> "asyncio.Future[Outcome]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()

        def ended(outcome: Outcome) -> None:
            self._busy -= 1
            if not future.done():
                future.set_result(outcome)

        def run() -> None:
            outcome = carry(errand, timezone.now())
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(ended, outcome)

        try:
            Thread(target=run, name="havre-page", daemon=True).start()
        except RuntimeError:
            # this machine has no thread left: a try that failed, and its place is free for the next one
            ended(Outcome(False, "failed"))
        return future
