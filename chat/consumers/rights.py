"""Rights end within two seconds: every process looks at the sessions of its open staff sockets once a second.

A nudge may be lost, and a script or the administration changes accounts without one; so the database is asked. One
reading of two queries serves all sockets of the process.
"""

import asyncio
import logging
from typing import Protocol

from chat.consumers import base
from chat.db import in_db
from chat.per_loop import PerLoop
from staff.models import User
from staff.selectors import signed_in_users

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0


class Holder(Protocol):
    """Be a socket whose rights come from a session."""

    session_key: str

    def on_rights(self, user: User | None) -> None:
        """Take who is signed in now, None when nobody is any more; must not wait."""


class Rights:
    """Watch the sessions of one process's staff sockets."""

    def __init__(self) -> None:
        self._holders: set[Holder] = set()
        self._task: asyncio.Task[None] | None = None

    def watch(self, holder: Holder) -> None:
        """Begin to look after a socket."""
        self._holders.add(holder)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_on())

    def unwatch(self, holder: Holder) -> None:
        """Stop looking after a socket."""
        self._holders.discard(holder)

    async def look(self) -> None:
        """Read all sessions once and tell each socket who it serves now."""
        holders = tuple(self._holders)
        users = await in_db(signed_in_users, {holder.session_key for holder in holders}, base.now())
        for holder in holders:
            holder.on_rights(users.get(holder.session_key))

    async def _look_on(self) -> None:
        while self._holders:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except Exception as error:
                # no database: nothing can be read or written over these sockets either
                logger.error("rights not read", exc_info=error)


rights = PerLoop(Rights)
"""Return the watch of this process."""
