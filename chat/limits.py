"""Hold back who writes fast, and notice when very many begin: what `chat.core.pace` decides, for one process.

Nothing in here leaves the memory of this process. Who is held back is known by conversation and sender; where somebody
begins from is known as a digest under a key that is made here and forgotten with its day.
"""

import asyncio
import os
from collections.abc import Hashable
from datetime import datetime

from django.conf import settings

from chat import measures
from chat.core.pace import BURST, FRAME_BURST, FRAMES_PER_SECOND, LONGEST_WAIT, Bucket, Buckets, Openings, TooFast
from chat.per_loop import PerLoop

MOST_SENDERS = 20_000


class Limits:
    """Keep the buckets of one process."""

    def __init__(self, per_second: float) -> None:
        self._texts = Buckets(BURST, per_second, MOST_SENDERS) if per_second else None
        self._openings: Openings | None = None

    async def hold_back(self, sender: Hashable) -> None:
        """Return when a text of this sender may be written; raise `TooFast` when that would be too late."""
        if self._texts is None:
            return
        wait = self._texts.take(sender, steady())
        if wait > LONGEST_WAIT:
            measures.slowed.labels("refused").inc()
            raise TooFast(wait)
        if wait > 0:
            measures.slowed.labels("text").inc()
            await pause(wait)

    def is_flood(self, address: str, now: datetime) -> bool:
        """Count one beginning; tell whether there are too many."""
        return self._texts is not None and self._today(now).is_flood(address, now.timestamp())

    def returns_often(self, address: str, now: datetime) -> bool:
        """Count one return by words; tell whether there were very many from this network."""
        return self._texts is not None and self._today(now).returns_often(address, now.timestamp())

    def signs_in_often(self, address: str, account: str, now: datetime) -> bool:
        """Count one try to sign in; tell whether there were very many from this network, for this account or in all."""
        return self._texts is not None and self._today(now).signs_in_often(address, account, now.timestamp())

    def _today(self, now: datetime) -> Openings:
        day, at = now.toordinal(), now.timestamp()
        if self._openings is None or self._openings.day != day:
            fresh = Openings(os.urandom(32), day, at)
            if self._openings is not None:
                # midnight forgets where people came from, and not that there are very many
                fresh.everybody = self._openings.everybody
            self._openings = fresh
        return self._openings


class FramePace:
    """Slow one socket down by letting it be read more slowly."""

    __slots__ = ("_bucket",)

    def __init__(self) -> None:
        self._bucket = Bucket.full(FRAME_BURST, FRAMES_PER_SECOND, steady()) if settings.WRITES_PER_SECOND else None

    async def hold_back(self, unread: int) -> None:
        """Return when the next frame may be looked at.

        Raises `TooFast` when so many lie unread behind it that the last of them would wait too long: a server that
        reads without end would keep them all in memory.
        """
        if self._bucket is None:
            return
        wait = self._bucket.take(steady())
        if wait <= 0:
            return
        measures.slowed.labels("frame").inc()
        last = wait + unread / FRAMES_PER_SECOND
        if last > LONGEST_WAIT:
            raise TooFast(last)
        await pause(wait)


def steady() -> float:
    """Return the seconds of a clock that is never set; tests replace it."""
    return asyncio.get_running_loop().time()


async def pause(seconds: float) -> None:
    """Let time pass; tests replace it."""
    await asyncio.sleep(seconds)


limits = PerLoop(lambda: Limits(settings.WRITES_PER_SECOND))
"""Return the limits of this process."""
