"""Let a page come back by words, or ask for words: bounded, even in time, and never counted by address.

Two slow hashes run at a time and a few may wait; what comes beyond that is told to come again, so that a flood takes
neither the memory nor the processors from the conversations that run. Every answer to a return goes out on a whole
second after it was asked: how long the work took, and whether there was a row to write, does not show.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from django.conf import settings

from chat import broadcast, measures, services
from chat.core.pace import LONGEST_WAIT, Buckets, TooFast
from chat.db import in_slow_db
from chat.limits import MOST_SENDERS, pause, steady
from chat.per_loop import PerLoop
from chat.selectors import token_digest

STEP = 1.0
"""Seconds of which every answer to a return takes a whole number."""
MOST_WAITING = 8
"""Slow hashes of one process that are under way or wait; about a second's work."""
AGAIN_AFTER = 3.0
ASKS_BURST, ASKS_PER_SECOND = 3.0, 1 / 60
"""How often one page may ask for words."""

Answer = TypeVar("Answer")


class Returns:
    """Know how much slow work is under way in one process."""

    def __init__(self) -> None:
        self._waiting = 0
        self._asks = Buckets(ASKS_BURST, ASKS_PER_SECOND, MOST_SENDERS)

    async def come_back(self, words: str, token: str, now: datetime) -> bool:
        """Give the conversation of six words to a token; tell whether there was one. Raises `TooFast`."""
        began = steady()
        try:
            work = partial(services.return_by_words, phrase=words, token=token, now=now)
            done = await broadcast.told(self._slowly(work))
        finally:
            await pause(STEP - (steady() - began) % STEP)
        return done.result is not None

    async def give_words(self, token: str, now: datetime) -> tuple[str, ...]:
        """Return six words for the page of a token. Raises `TooFast`, and what the service raises."""
        wait = self._asks.take(token_digest(token), steady()) if settings.WRITES_PER_SECOND else 0.0
        if wait > 0:
            raise TooFast(max(wait, LONGEST_WAIT))
        return (await broadcast.told(self._slowly(partial(services.give_words, token=token, now=now)))).result

    async def _slowly(self, work: Callable[[], Answer]) -> Answer:
        if self._waiting >= MOST_WAITING:
            measures.slowed.labels("refused").inc()
            raise TooFast(AGAIN_AFTER)
        self._waiting += 1
        try:
            return await in_slow_db(work)
        finally:
            self._waiting -= 1


returns = PerLoop(Returns)
"""Return what this process knows of returns."""
