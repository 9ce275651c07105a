"""Carry pages to who is on call: each on a thread of its own, a few at a time, while the loop goes on.

The threads touch no row. They are daemons, so that a far end that says nothing holds no process up that ends: its page
is taken up again when the lease is over.
"""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Thread
from time import monotonic

from django.utils import timezone

from chat import broadcast
from chat.db import in_db
from crisis.core.paging import LEASE
from crisis.services import claim_deliveries, settle_errand, step_pagings
from crisis.transport import Errand, Outcome, carry

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 16
GIVES_UP = 15.0
"""Seconds after which a try counts as failed although its thread still waits, as for a name that is not found."""
LATEST = 10.0
"""Seconds after it was taken up within which a try must begin: a key provider may be slow, and this process busy. Both
together leave the lease some seconds for noting what became of it, so that no other worker sends it again."""
AGAIN = 1.0
"""Seconds until it is noted again what became of a page, when the database did not take it."""


class Pager:
    """Take pages up and send them; its threads are counted until they end, however late that is."""

    def __init__(self) -> None:
        self._busy = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def look(self, now: datetime) -> None:
        """Let the pagings go on, and begin to send what is due as far as threads are free."""
        began = monotonic()
        moved = await in_db(step_pagings, now=now)
        while self._busy < MOST_AT_ONCE:
            # one at a time, and by the time that it is: its lease runs while the next one is opened
            taken = monotonic()
            later = now + timedelta(seconds=taken - began)
            errands = (await in_db(claim_deliveries, now=later, limit=1)).result
            if not errands:
                break
            self._busy += 1
            task = asyncio.create_task(self._carry(errands[0], taken))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if moved.result:
            await broadcast.publish_overview()

    def stop(self) -> None:
        """Note nothing more; what is on its way is taken up again when its lease is over."""
        for task in self._tasks:
            task.cancel()

    async def _carry(self, errand: Errand, taken: float) -> None:
        """Send a page and note what became of it, within the lease that began at `taken`."""
        if monotonic() - taken > LATEST:
            self._busy -= 1
            outcome = Outcome(False, "late")
        else:
            try:
                outcome = await asyncio.wait_for(self._sent(errand), GIVES_UP)
            except TimeoutError:
                outcome = Outcome(False, "timeout")
        while not await self._noted(errand, outcome):
            if monotonic() - taken > LEASE.total_seconds():
                # another worker takes it up now; who receives it twice knows it by its key
                break
            await asyncio.sleep(AGAIN)

    async def _noted(self, errand: Errand, outcome: Outcome) -> bool:
        try:
            await in_db(settle_errand, errand=errand, outcome=outcome, now=timezone.now())
            await broadcast.publish_overview()
        except Exception as error:
            logger.error("a page was not noted: %s", type(error).__name__)
            return False
        return True

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
