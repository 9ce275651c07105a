"""The shift as rows, read once for all the sockets of a process that ask at the same time."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.utils import timezone
from msgspec.structs import replace

from chat import frames, hooks
from chat import protocol as wire
from chat.core.actors import Staff
from chat.core.conversation import State
from chat.core.handles import spoken
from chat.core.routing import free_seats, may_overtake
from chat.db import in_db
from chat.per_loop import PerLoop
from chat.selectors import relation_of
from chat.selectors.listed import Listed, Tally, levels_held, overtaken, read_marks, running, tally
from staff.permissions import Action, Relation, allowed, allowed_at_all
from staff.selectors import readiness, ready_people

GATHER = 0.2
"""Seconds that a list waits before it asks, so that a burst of changes costs one reading."""
GATHER_COUNTS = 1.5
"""The same when only something was written: the text itself has gone ahead to who follows it."""

OVERTAKEN_FOR = timedelta(minutes=1)
"""How long the lists of somebody say that what was offered to them is with a colleague; a page tells it once."""
SPREAD = 0.7
"""Part of these times over which the lists of a process go out."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Say for whom a reading is: what none of them may see is not read."""

    people: frozenset[Staff]
    on_wall: bool = False

    def holders(self) -> frozenset[int] | None:
        """Return whose conversations are read beside those that wait; None when somebody may see all."""
        if any(allowed(one.role, Action.SEE_CONVERSATION, Relation.OTHER) for one in self.people):
            return None
        return frozenset(one.id for one in self.people)


@dataclass(frozen=True, slots=True)
class Shift:
    """Hold of what is going on what was asked; what each asker may see is cut out of it without further queries."""

    rows: dict[UUID, Listed]
    waiting: tuple[UUID, ...]
    """What anybody on shift may take, with those in danger that are offered to somebody."""
    overtaken: dict[int, tuple[tuple[UUID, datetime], ...]]
    """What was offered to each person and a colleague has taken a moment ago, and when."""
    held: dict[int, tuple[UUID, ...]]
    summaries: dict[UUID, wire.ConversationSummary]
    marks: dict[tuple[UUID, int], int]
    availability: dict[int, str]
    escalations: tuple[wire.EscalationSummary, ...]
    ready: int
    free: int
    counts: Tally | None
    """What a screen on a wall shows, where one has asked."""
    now: datetime

    def visible_to(self, actor: Staff) -> list[Listed]:
        """Return the conversations that somebody may see, oldest first."""
        # who may see others' as well looks through all; for everybody else a few rows are looked at
        if allowed(actor.role, Action.SEE_CONVERSATION, Relation.OTHER):
            candidates = list(self.rows.values())
        else:
            near = {*self.waiting, *self.held.get(actor.id, ())}
            candidates = sorted((self.rows[pk] for pk in near), key=lambda row: (row.opened_at, row.pk))
        return [row for row in candidates if allowed(actor.role, Action.SEE_CONVERSATION, relation_of(actor, row))]

    def seen_by(self, actor: Staff) -> wire.StaffOverview:
        """Return the overview of one person."""
        shown, escalations = self.visible_to(actor), self.escalations
        if not allowed_at_all(actor.role, Action.SEE_BOARD):
            own = {str(row.pk) for row in shown if row.advocate_id == actor.id}
            escalations = tuple(one for one in escalations if one.conversation in own)
        return wire.StaffOverview(
            at=frames.moment(self.now),
            availability=cast(wire.Readiness, self.availability.get(actor.id, "away")),
            ready=self.ready,
            free=self.free,
            conversations=tuple(self._summary(row.pk, actor) for row in shown),
            escalations=tuple(replace(one, handle=spoken(one.handle, actor.language)) for one in escalations),
            overtaken=tuple(
                wire.Overtaken(conversation=str(pk), at=frames.moment(at))
                for pk, at in self.overtaken.get(actor.id, ())
            ),
        )

    def on_wall(self, language: str) -> wire.Wall:
        """Return what a screen on a wall shows of it: counts, and escalations by their pseudonyms."""
        counts = self.counts or Tally(0, None, 0, 0)
        return wire.Wall(
            at=frames.moment(self.now),
            waiting=counts.waiting,
            waiting_since=frames.moment(counts.waiting_since) if counts.waiting_since else None,
            running=counts.running,
            ready=self.ready,
            free=self.free,
            escalations=tuple(
                wire.WallEscalation(
                    handle=spoken(one.handle, language),
                    level=one.level,
                    state=one.state,
                    raised_at=one.raised_at,
                    climbs=one.climbs,
                    aloud=one.aloud,
                    unreached=one.paged == "unreached",
                    drill=one.drill,
                    ended_by=one.ended_by,
                )
                for one in self.escalations
            ),
            drills=counts.drills,
        )

    def readable_by(self, actor: Staff, conversation_id: UUID) -> bool:
        """Tell whether somebody may go on reading a conversation: one that runs, or whose danger is not settled."""
        row = self.rows.get(conversation_id)
        if row is not None:
            return allowed(actor.role, Action.READ_CONVERSATION, relation_of(actor, row))
        unsettled = any(one.conversation == str(conversation_id) for one in self.escalations)
        return unsettled and allowed(actor.role, Action.READ_CONVERSATION, Relation.OTHER)

    def _summary(self, conversation_id: UUID, actor: Staff) -> wire.ConversationSummary:
        unread = self.summaries[conversation_id]
        read = self.marks.get((conversation_id, actor.id), 0)
        return replace(unread, read=read, handle=spoken(unread.handle, actor.language))


class Readings:
    """Read the shift for whoever asks, one reading at a time: who asks during one shares the next with all others."""

    def __init__(self) -> None:
        self._running: asyncio.Task[Shift] | None = None
        self._next: asyncio.Task[Shift] | None = None
        self._askers: set[Staff | None] = set()

    async def next(self, asker: Staff | None) -> Shift:
        """Return the shift as it is after this call began."""
        self._askers.add(asker)
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._running))
        # one asker who goes away takes it from nobody else
        return await asyncio.shield(self._next)

    async def _after(self, before: "asyncio.Task[Shift] | None") -> Shift:
        if before is not None:
            await asyncio.wait((before,))
            # with many thousands of rows two readings in memory are much
            del before
        self._running, self._next = self._next, None
        askers, self._askers = self._askers, set()
        asked = Asked(frozenset(one for one in askers if one is not None), on_wall=None in askers)
        try:
            now = timezone.now()
            # in three turns and not one: Python runs one thread at a time, and messages go in between
            rows = await in_db(_rows, asked)
            summaries = await in_db(_summaries, rows, now)
            return await in_db(_shift, asked, rows, summaries, now)
        finally:
            self._running = None


_readings = PerLoop(Readings)


async def shift(asker: Staff | None) -> Shift:
    """Return the shift as it is after this call began, as far as somebody may see it; None is a screen on a wall."""
    return await _readings().next(asker)


def read(asked: Asked, now: datetime) -> Shift:
    """Return the shift at a moment, read in one turn."""
    rows = _rows(asked)
    return _shift(asked, rows, _summaries(rows, now), now)


def _rows(asked: Asked) -> dict[UUID, Listed]:
    return {row.pk: row for row in running(asked.holders())}


def _summaries(rows: dict[UUID, Listed], now: datetime) -> dict[UUID, wire.ConversationSummary]:
    """Make once for everybody what the lists of many people hold."""
    return {pk: frames.summary(row, now) for pk, row in rows.items()}


def _is_free(row: Listed) -> bool:
    offered = row.state == State.OFFERED and may_overtake(row.level, drill=bool(row.drill))
    return row.state == State.WAITING or offered


def _shift(
    asked: Asked, rows: dict[UUID, Listed], summaries: dict[UUID, wire.ConversationSummary], now: datetime
) -> Shift:
    held: dict[int, list[UUID]] = {}
    for row in rows.values():
        if row.advocate_id is not None:
            held.setdefault(row.advocate_id, []).append(row.pk)
    ready = list(ready_people(now))
    levels = levels_held([one.user_id for one in ready])
    return Shift(
        rows=rows,
        waiting=tuple(pk for pk, row in rows.items() if _is_free(row)),
        overtaken=overtaken(now - OVERTAKEN_FOR),
        held={user_id: tuple(pks) for user_id, pks in held.items()},
        summaries=summaries,
        marks=read_marks([one.id for one in asked.people], asked.holders()),
        availability=readiness(),
        escalations=hooks.open_escalations(),
        ready=len(ready),
        free=sum(free_seats(one.user.capacity, levels.get(one.user_id, ())) > 0 for one in ready),
        counts=tally() if asked.on_wall else None,
        now=now,
    )
