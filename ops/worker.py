"""The worker loop: offers, rescues, clocks and the outbox, once a second.

Each step is a service that any number of workers may run at the same time; none of them keeps anything in memory.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from audit import heads
from audit.services import newest_head
from cases.delivery import deliver_due
from chat import broadcast, services
from chat.db import in_db
from crisis.services import climb_due

logger = logging.getLogger(__name__)

EVERY = 1.0
HEADS = 60.0
"""Seconds between two signed heads of the audit trail, when something was added to it."""
REFRESH = 5.0
"""Seconds after which lists are renewed although nothing was written: a lease that lapses writes nothing."""

Step = Callable[..., services.Done[int]]

STEPS: tuple[Step, ...] = (
    services.rescue_stranded,
    services.lapse_offers,
    services.fade_waiting,
    services.offer_waiting,
    climb_due,
)


async def run_forever() -> None:
    """Run every step again and again; one that fails is logged and tried again with the next round."""
    last_refresh = last_head = timezone.now()
    while True:
        now = timezone.now()
        await run_once(now)
        if (now - last_refresh).total_seconds() >= REFRESH:
            last_refresh = now
            await broadcast.publish_overview()
        if (now - last_head).total_seconds() >= HEADS:
            last_head = now
            await sign_head(now)
        await asyncio.sleep(EVERY)


async def run_once(now: datetime) -> None:
    """Run every step once and publish what they did."""
    for step in STEPS:
        try:
            done = await in_db(step, now=now)
            await broadcast.publish(done.events)
            if done.result and not done.events:
                # a clock that repeats at the highest level writes no line, yet the board must show it
                await broadcast.publish_overview()
        except Exception as error:
            logger.error("step %s failed", step.__name__, exc_info=error)
    try:
        await in_db(deliver_due, now=now)
    except Exception as error:
        logger.error("delivery failed", exc_info=error)


async def sign_head(now: datetime) -> None:
    """Sign the newest event of the audit trail, outside of the database."""
    try:
        await in_db(_sign_head, now)
    except Exception as error:
        logger.error("audit head not signed", exc_info=error)


def _sign_head(now: datetime) -> None:
    global _signed
    head = newest_head(now)
    if head is not None and head.digest != _signed:
        heads.append(head, settings.AUDIT_DIR, heads.signing_key(settings.KEYS_DIR))
        _signed = head.digest


_signed = b""
_inline: set[asyncio.Task[None]] = set()


def start_inline_worker() -> None:
    """Run the loop on this event loop, once, when the settings ask for it.

    Without Redis no other process could reach this one's sockets, and a thread would touch another loop's queues.
    """
    if settings.INLINE_WORKER and not _inline:
        _inline.add(asyncio.get_running_loop().create_task(run_forever()))


def stop_inline_worker() -> None:
    """End the loop; what it was doing is done again by the next one."""
    for task in _inline:
        task.cancel()
    _inline.clear()
