"""Let a page come back by words, or ask for words: bounded, and even in time.

Two slow hashes run at a time and a few may wait; what comes beyond that is told to come again, so that a flood takes
neither the memory nor the processors from the conversations that run. Strangers who guess cannot take the places of
pages that ask for words. Nor can one network take all places of strangers: who comes from where very many tries come
from shares one place, and is not shut out, since it may be a shelter, or a house that is shared with who guesses. Where
from is known as a digest in memory (`chat.core.pace`). Every answer to a return goes out on a whole second after it was
asked: how long the work took, and whether there was a row to write, does not show.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import partial
from typing import TypeVar

from django.conf import settings

from chat import broadcast, measures, services
from chat.core.pace import LONGEST_WAIT, Buckets, TooFast
from chat.db import in_slow_db, in_visitor_db
from chat.limits import MOST_SENDERS, limits, pause, steady
from chat.per_loop import PerLoop
from chat.selectors import token_digest, visitor_by_token

STEP = 1.0
"""Seconds of which every answer to a return takes a whole number."""
MOST_WAITING = 8
"""Slow hashes of returns in one process that are under way or wait, and as many of pages that ask: a second's work."""
MOST_OFTEN = 1
"""How many of them are for networks from which very many tries come."""
AGAIN_AFTER = 3.0
ASKS_BURST, ASKS_PER_SECOND = 3.0, 1 / 60
"""How often one page may ask for words."""

Answer = TypeVar("Answer")


class Returns:
    """Know how much slow work is under way in one process."""

    def __init__(self) -> None:
        self._strangers, self._often, self._pages = Places(MOST_WAITING), Places(MOST_OFTEN), Places(MOST_WAITING)
        self._asks = Buckets(ASKS_BURST, ASKS_PER_SECOND, MOST_SENDERS)

    async def come_back(self, words: str, token: str, now: datetime, *, address: str) -> bool:
        """Give the conversation of six words to a token; tell whether there was one. Raises `TooFast`.

        `address` is where the page is, to be counted and not kept.
        """
        began = steady()
        try:
            work = partial(services.return_by_words, phrase=words, token=token, now=now)
            often = limits().returns_often(address, now)
            places = (self._often, self._strangers) if often else (self._strangers,)
            done = await broadcast.told(_slowly(work, *places))
        finally:
            await pause(STEP - (steady() - began) % STEP)
        return done.result is not None

    async def give_words(self, token: str, now: datetime) -> tuple[str, ...]:
        """Return six words for the page of a token. Raises `TooFast`, and what the service raises."""
        # before it counts: made-up tokens take no place, and push nobody out of the counts
        await in_visitor_db(visitor_by_token, token, now)
        wait = self._asks.take(token_digest(token), steady()) if settings.WRITES_PER_SECOND else 0.0
        if wait > 0:
            raise TooFast(max(wait, LONGEST_WAIT))
        work = partial(services.give_words, token=token, now=now)
        return (await broadcast.told(_slowly(work, self._pages))).result


class Places:
    """Know how many of some places are taken."""

    def __init__(self, most: int) -> None:
        self._most, self._taken = most, 0

    @contextmanager
    def place(self) -> Iterator[None]:
        """Hold a place; raises `TooFast` where there is none."""
        if self._taken >= self._most:
            measures.slowed.labels("refused").inc()
            raise TooFast(AGAIN_AFTER)
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


async def _slowly(work: Callable[[], Answer], *places: Places) -> Answer:
    with ExitStack() as held:
        for one in places:
            held.enter_context(one.place())
        return await in_slow_db(work)


returns = PerLoop(Returns)
"""Return what this process knows of returns."""
