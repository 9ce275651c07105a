"""End a process without harm: nobody new comes in, who is here is sent on, what was begun is finished.

Pages come back by themselves, to another process or to the next one. They are sent on over some seconds, so that they
do not all knock at the same moment; a command under way is answered first, and what the writer holds is committed. What
a browser began that has gone (`chat/under_way.py`) is finished too.
"""

import asyncio
import logging
import random
from collections.abc import Awaitable

from chat import measures
from chat.consumers.open import Open, open_sockets
from chat.presence import presence
from chat.under_way import under_way
from chat.writer import writer
from ops.worker import stop_inline_worker

logger = logging.getLogger(__name__)

SPREAD = 3.0
ANSWERED_WITHIN = 2.5
WRITTEN_WITHIN = 2.0
NOTED_WITHIN = 0.5
"""Seconds over which sockets are sent on, then for what they had begun, the writer and presence: within ten in all."""


async def drain() -> None:
    """Send everybody on and finish what was begun."""
    everybody = open_sockets()
    everybody.draining = True
    measures.draining.set(1)
    now = asyncio.get_running_loop().time()
    due = sorted(((now + random.uniform(0, SPREAD), one) for one in everybody), key=lambda pair: pair[0])  # noqa: S311
    for when, socket in due:
        await pause(max(0.0, when - asyncio.get_running_loop().time()))
        _send_on(socket)
    await _within(ANSWERED_WITHIN, everybody.empty(), "sockets are still open")
    await _within(WRITTEN_WITHIN, _all_written(), "texts are still being written")
    await _within(NOTED_WITHIN, presence().written(), "who has gone is still being written")
    stop_inline_worker()


def _send_on(socket: Open) -> None:
    try:
        socket.go()
    except Exception as error:
        # a defect of one line leaves nobody else without their word, and the writer waited for
        logger.error("a socket was not sent on", exc_info=error)


async def _all_written() -> None:
    # what is under way is over once its text is written and told: nothing reaches the writer after both
    await asyncio.gather(writer().empty(), under_way().empty())


async def _within(seconds: float, finished: Awaitable[None], otherwise: str) -> None:
    try:
        await asyncio.wait_for(finished, seconds)
    except TimeoutError:
        # nobody was told that it is done, so pages bring it again
        logger.warning("ending although %s", otherwise)


async def pause(seconds: float) -> None:
    """Let time pass; tests replace it."""
    await asyncio.sleep(seconds)
