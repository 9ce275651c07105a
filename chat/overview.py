"""The shift as rows, read once for all the sockets of a process that ask at the same time."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from uuid import UUID
from weakref import WeakKeyDictionary

from django.utils import timezone

from chat import frames, hooks
from chat import protocol as wire
from chat.core.actors import Staff
from chat.db import in_db
from chat.models import Conversation
from chat.selectors import read_marks, relation_of, running
from staff.permissions import Action, allowed
from staff.selectors import readiness, ready_people

GATHER = 0.2
"""Seconds that a list waits before it asks, so that a burst of changes costs one reading."""
GATHER_COUNTS = 1.0
"""The same when only something was written: the text itself has gone ahead to who follows it."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Hold what is going on; what each person may see of it is cut out of this without further queries on rows."""

    rows: tuple[Conversation, ...]
    marks: dict[tuple[UUID, int], int]
    availability: dict[int, str]
    escalations: dict[str, tuple[wire.EscalationSummary, ...]]
    ready: int
    now: datetime

    def seen_by(self, actor: Staff) -> wire.StaffOverview:
        """Return the overview of one person."""
        return frames.overview(
            actor,
            rows=self.rows,
            marks=self.marks,
            availability=self.availability.get(actor.id, "away"),
            escalations=self.escalations.get(actor.language, self.escalations["en"]),
            ready=self.ready,
            now=self.now,
        )

    def readable_by(self, actor: Staff, conversation_id: UUID) -> bool:
        """Tell whether somebody may go on reading a running conversation."""
        for row in self.rows:
            if row.pk == conversation_id:
                return allowed(actor.role, Action.READ_CONVERSATION, relation_of(actor, row))
        return False


_reading: WeakKeyDictionary[asyncio.AbstractEventLoop, "asyncio.Task[Shift]"] = WeakKeyDictionary()


async def shift() -> Shift:
    """Return the shift as it is after this call began."""
    loop = asyncio.get_running_loop()
    task = _reading.get(loop)
    if task is None or task.done():
        task = asyncio.create_task(_gather())
        _reading[loop] = task
    return await asyncio.shield(task)


async def _gather() -> Shift:
    # askers from here on start a reading of their own: this one may be older than what they heard of
    _reading.pop(asyncio.get_running_loop(), None)
    return await in_db(_read, timezone.now())


def _read(now: datetime) -> Shift:
    rows = tuple(running(now))
    return Shift(
        rows=rows,
        marks=read_marks([row.pk for row in rows]),
        availability=readiness(),
        escalations={language: hooks.open_escalations(language) for language in get_args(wire.Language)},
        ready=ready_people(now).count(),
        now=now,
    )
