"""The part of a staff socket about the list of the shift: when it is sent, and what its reader follows no more."""

import asyncio
import logging
import random
from collections.abc import Coroutine
from typing import Any
from uuid import UUID

from chat import codec
from chat import protocol as wire
from chat.consumers.base import LineGone, Scope, Send
from chat.consumers.following import FollowingSocket
from chat.overview import GATHER, GATHER_COUNTS, SPREAD, Shift, shift

logger = logging.getLogger(__name__)


class ListingSocket(FollowingSocket):
    """Be a socket of somebody signed in who sees the list of the shift."""

    def __init__(self, scope: Scope, send: Send) -> None:
        super().__init__(scope, send)
        self._overview_due: float | None = None
        self._shown: set[UUID] = set()
        self._overview: asyncio.Task[None] | None = None
        self._readings = self._told = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def on_change(self) -> None:
        """Take the word that the overview is out of date."""
        self._ask_for_overview(GATHER)

    def on_counts(self, conversations: frozenset[UUID]) -> None:
        """Take the word that something was written; it changes only a list that shows one of these."""
        if not self._shown.isdisjoint(conversations):
            self._ask_for_overview(GATHER_COUNTS)

    def _read_anew(self) -> None:
        """Send no list that was read before now: it does not know what this person has just done."""
        self._told = self._readings + 1
        self.on_change()

    def _ask_for_overview(self, gather: float) -> None:
        """Send an overview after a while; several wishes at once become one, the hastiest sets the time."""
        if not self.greeted:
            return
        due = asyncio.get_running_loop().time() + gather
        if self._overview_due is not None and self._overview is not None:
            if self._overview_due <= due:
                return
            self._overview.cancel()
        self._overview_due = due
        # a task of its own: gathering a burst takes a moment that no message waits for
        self._overview = self._spawn(self._tell_overview(due, gather))

    async def _tell_overview(self, due: float, gather: float) -> None:
        try:
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            # from here on a change asks for another overview: this one may be read before it
            self._overview_due = None
            self._readings = reading = self._readings + 1
            if self._actor is None:
                return
            view: Shift = await shift(self._actor)
            # not all lists at one moment, which a message would have to wait out
            await asyncio.sleep(random.random() * gather * SPREAD)  # noqa: S311
            if self._actor is None or reading < self._told:
                # a hastier one that was read later has gone ahead: this one would take back what it showed
                return
            self._told = reading
            await self._drop_lost_rights(view)
            self._shown = {row.pk for row in view.visible_to(self.actor)}
            await self.send_text(codec.encode(view.seen_by(self.actor)))
        except LineGone:
            return
        except Exception as error:
            # the next change, or the worker's refresh within seconds, brings a whole new overview
            logger.error("overview not sent", exc_info=error)

    async def _drop_lost_rights(self, view: Shift) -> None:
        """Stop following what this person may no longer read: handed back, taken over, or closed."""
        for conversation_id in list(self._cursors):
            if not view.readable_by(self.actor, conversation_id):
                self._unfollow(conversation_id)
                await self.send_text(codec.encode(wire.StaffUnfollowed(conversation=str(conversation_id))))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _cancel_all(self) -> None:
        for task in self._tasks:
            task.cancel()
