"""The worker: offers, rescues, clocks, pages and the outbox, once a second.

Each step is a service that any number of workers may run at the same time; none of them keeps anything in memory. Its
loops do not wait for each other: a slow key provider holds up what needs keys, and no clock.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime

from django.conf import settings
from django.utils import timezone

from audit import signing
from cases.delivery import deliver_due, given_up
from cases.services import forget_drills as forget_drill_cases
from chat import broadcast, services
from chat.db import in_db
from crisis import in_force
from crisis.services import CLIMBS_AT_ONCE, climb_due, forget_pagings, mend_clocks, mend_pagings, raise_unspoken
from drills.services import forget_drills, step_drills
from encryption.services import rounds
from encryption.services.sealing import LOOK_AGAIN, sweep
from ops.on_call import Pager
from ops.pauses import collect
from staff.services.displays import forget_displays, mend_displays

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
    services.clear_offers,
    services.fade_waiting,
    services.offer_waiting,
    services.offer_drills,
    services.end_pauses,
)
CALLS: tuple[Step, ...] = (mend_clocks, mend_pagings)
"""What mends the times of calls for help, which come no later by it. Done for a while after the clock was set back, and
as a worker begins, since nobody knows what the clock did before."""


def mend_screens(*, now: datetime) -> services.Done[int]:
    """Let no screen on a wall hang longer than it was let in for."""
    return services.Done(mend_displays(now=now))


BOUNDS: tuple[Step, ...] = (services.mend_pauses, mend_screens)
"""What lets nothing last longer than it was made for. Done beside `CALLS`."""
SET_BACK = 5.0
"""Seconds by which a clock goes back that is set; smaller steps are how clocks are kept right."""
STRAGGLING = 60.0
"""Seconds for which a command that began before the clock was set back may still commit a time of then."""


async def run_forever() -> None:
    """Run every step again and again; one that fails is logged and tried again with the next round."""
    async with AsyncExitStack() as ends, asyncio.TaskGroup() as loops:
        wall, pager = WallClock(), Pager()
        ends.callback(pager.stop)
        loops.create_task(_again(EVERY, lambda now: mend_clock(wall, now)))
        loops.create_task(_again(EVERY, run_shift))
        loops.create_task(_again(EVERY, run_clocks))
        loops.create_task(_again(EVERY, call_unspoken))
        loops.create_task(_again(EVERY, pager.look))
        loops.create_task(_again(EVERY, deliver))
        loops.create_task(_again(EVERY, run_drills))
        loops.create_task(_again(REFRESH, _refresh))
        loops.create_task(_again(REFRESH, _retire))
        loops.create_task(_again(HEADS, _tend))
        loops.create_task(_again(HEADS, _report))
        for every, chore in CHORES:
            loops.create_task(_again(every, chore))


class WallClock:
    """Notice when the clock on the wall goes back, which a clock that is never set does not; remember what to mend."""

    def __init__(self) -> None:
        self._ahead: float | None = None
        self._owed: dict[Step, float] = {}

    def is_new(self) -> bool:
        """Tell whether this clock was never looked at."""
        return self._ahead is None

    def went_back(self, now: datetime, steady: float) -> bool:
        """Tell whether it was set back by more than a moment since the last look."""
        ahead, before = now.timestamp() - steady, self._ahead
        self._ahead = ahead
        return before is not None and before - ahead > SET_BACK

    def owe(self, steps: tuple[Step, ...], until: float) -> None:
        """Remember steps that are due at each look until one has worked at this moment of the steady clock or later."""
        self._owed |= dict.fromkeys(steps, until)

    def owed(self) -> tuple[Step, ...]:
        """Return the steps that are due."""
        return tuple(self._owed)

    def worked(self, step: Step, steady: float) -> None:
        """Note that a step has worked."""
        if steady >= self._owed[step]:
            del self._owed[step]


async def run_shift(now: datetime) -> None:
    """Bring people together."""
    for step in STEPS:
        await _step(step, now)


async def mend_clock(wall: WallClock, now: datetime) -> None:
    """Mend times that lie an age ahead once the clock was set back; what fails is tried again with the next look."""
    steady = time.monotonic()
    new, went_back = wall.is_new(), wall.went_back(now, steady)
    if new or went_back:
        wall.owe((*CALLS, *BOUNDS), until=steady + STRAGGLING)
    if went_back:
        logger.warning("the clock was set back: times that lie ahead are mended")
        # once: silence counts anew from it
        wall.owe((services.mend_set_back,), until=steady)
    for step in wall.owed():
        if await _step(step, now) is not None:
            wall.worked(step, steady)


async def run_clocks(now: datetime) -> None:
    """Let escalations climb, however many; each batch is told of before the next one."""
    while await _step(climb_due, now) == CLIMBS_AT_ONCE:
        continue


async def call_unspoken(now: datetime) -> None:
    """Call because of what was not said: a loop of its own, since it seals reasons and keys may be slow."""
    await _step(raise_unspoken, now)


async def run_drills(now: datetime) -> None:
    """Let scripted visitors go on: in a loop of its own, since words to come back with take a slow hash."""
    await _step(step_drills, now)


async def deliver(now: datetime) -> None:
    """Carry the outbox."""
    try:
        await in_db(deliver_due, now=now)
    except Exception as error:
        logger.error("delivery failed", exc_info=error)


async def _again(every: float, work: Callable[[datetime], Awaitable[None]]) -> None:
    while True:
        try:
            await work(timezone.now())
        except Exception as error:
            logger.error("a loop of the worker failed", exc_info=error)
        await asyncio.sleep(every)


async def _refresh(now: datetime) -> None:
    await broadcast.publish_overview()


async def _retire(now: datetime) -> None:
    await _step(services.forget_words, now)
    await _step(services.retire_closed, now)
    await _quietly(forget_displays, now)


async def _tend(now: datetime) -> None:
    """Destroy what is over, by a clock that moves as clocks do."""
    if await in_db(rounds.begin, now=now, steady=rounds.steady()):
        await _quietly(services.tend_keys, now)
        await _quietly(forget_pagings, now)
        await _quietly(services.shelve_drills, now)
        await _quietly(forget_drill_cases, now)
        await _quietly(forget_drills, now)


async def _report(now: datetime) -> None:
    await _quietly(_sign_head, now)
    await _quietly(_tell_given_up, now)


async def _step(step: Step, now: datetime) -> int | None:
    """Run a step, publish what it did and return how much that was, None when it failed."""
    done = None
    try:
        done = await in_db(step, now=now)
        await broadcast.publish(done.events)
        if done.result and not done.events:
            # a clock that repeats at a level that does not climb writes no line, yet the board must show it
            await broadcast.publish_overview()
    except Exception as error:
        logger.error("step %s failed", step.__name__, exc_info=error)
    return None if done is None else done.result


async def _quietly(step: Callable[..., object], now: datetime) -> None:
    try:
        await in_db(step, now=now)
    except Exception as error:
        logger.error("step %s failed", step.__name__, exc_info=error)


def _tell_given_up(*, now: datetime) -> None:
    """Say again and again that something never reached its case, until somebody has seen to it."""
    lost = given_up()
    if lost:
        logger.error("%s outbox items were given up: manage.py outbox lists them", len(lost))


def _sign_head(*, now: datetime) -> None:
    """Sign the newest event of the audit trail, outside of the database."""
    global _signed
    _signed = signing.sign_newest(keys=settings.KEYS_DIR, folder=settings.AUDIT_DIR, now=now, after=_signed)


_signed = b""
_inline: set[asyncio.Task[None]] = set()


async def _tidy(now: datetime) -> None:
    """Let no key stay in this process's memory after its wrap was removed, and nothing that is over."""
    collect()
    await in_db(sweep)


CHORES: tuple[tuple[float, Callable[[datetime], Awaitable[None]]], ...] = (
    (LOOK_AGAIN, _tidy),
    (in_force.EVERY, in_force.rules.look),
)
"""What every process does, web process and worker."""


async def _run_chores() -> None:
    async with asyncio.TaskGroup() as loops:
        for every, chore in CHORES:
            loops.create_task(_again(every, chore))


def start_inline_worker() -> None:
    """Run the loop on this event loop, once, when the settings ask for it; else only what every process must do.

    Without Redis no other process could reach this one's sockets, and a thread would touch another loop's queues.
    """
    if not _inline:
        work = run_forever() if settings.INLINE_WORKER else _run_chores()
        _inline.add(asyncio.get_running_loop().create_task(work))


def stop_inline_worker() -> None:
    """End the loop; what it was doing is done again by the next one."""
    for task in _inline:
        task.cancel()
    _inline.clear()
