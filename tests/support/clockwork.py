"""Calls for help with clocks that a test holds: one on the wall, which anybody sets, and one that nobody can.

The services and the worker's steps are the real ones. After each look the world is compared with the invariant that
`tests/property/test_escalations.py` states.
"""

from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import UUID

from django.db import OperationalError, transaction

from audit.models import AuditEvent
from audit.services import find_breaks
from chat import hooks
from chat.models import Conversation, OutboxItem
from crisis.core.ladder import HIGHEST, Ladder, State, level_after
from crisis.core.paging import LEASE, LONGEST_WAIT, OPEN, PagingState, calls_for_page
from crisis.models import Delivery, Escalation, Paging
from crisis.selectors import ladder, open_levels
from crisis.selectors.on_call import targets
from encryption.services import sealing
from ops import worker
from tests.support.pagers import worker_looks
from tests.support.people import NOON


@dataclass
class Call:
    """Hold of an escalation that no person has seen what the world saw of it; times by the clock that nobody sets."""

    level: int
    climbs: int
    last: float
    anew: int = 0
    """How often a clock that was set back gave it its time anew."""
    unseen: float = 0.0
    """Seconds for which nobody looked before that."""


class Clockwork:
    """Hold clocks, a worker that comes and goes, and what is called for; all of it in a transaction that is undone."""

    def __init__(self) -> None:
        self.steady, self.ahead = 0.0, 0.0
        self.up, self.away, self.answer = True, False, "204"
        self.calls: dict[UUID, Call] = {}
        """What nobody has acknowledged or settled, by what people did and not by what rows say."""
        self.lifted: dict[UUID, int] = {}
        """How often a rule lifted each escalation that there ever was."""
        self._wall, self._looked, self._told = worker.WallClock(), 0.0, 0
        self._set_back, self._longest = False, 0.0
        self._stack = ExitStack()
        for name, stand_in in (
            ("in_db", self._in_db),
            ("broadcast", SimpleNamespace(publish=self._published, publish_overview=self._overview)),
            ("time", SimpleNamespace(monotonic=lambda: self.steady)),
        ):
            self._stack.enter_context(mock.patch.object(worker, name, stand_in))
        self._stack.enter_context(transaction.atomic())
        self.note_ladder()

    def end(self) -> None:
        """Undo everything."""
        transaction.set_rollback(True)
        self._stack.close()
        sealing.forget()

    @property
    def now(self) -> datetime:
        """Return what the clock on the wall shows."""
        return NOON + timedelta(seconds=self.steady + self.ahead)

    # what happens

    def set_clock(self, by: int) -> None:
        """Set the clock on the wall."""
        self.ahead += by
        if by < 0:
            self.lie_ahead()

    def lie_ahead(self) -> None:
        """Let the rows hold times that lie ahead of the wall's, until the next look."""
        self._set_back = True

    def pass_time(self, seconds: float) -> None:
        """Let time pass; a worker that runs looks at its end."""
        self.steady += seconds
        if self.up:
            self.look()

    def start(self) -> None:
        """Start another worker, which knows nothing."""
        self.up, self._wall = True, worker.WallClock()
        self.pass_time(1)

    def look_in_vain(self, seconds: float) -> None:
        """Let time pass, and the look at its end fail as a whole."""
        self.away = True
        self.steady += seconds
        self._steps()
        self.away = False

    def note_ladder(self) -> None:
        """Remember the longest clock that the ladder has had."""
        self._longest = max(self._longest, *(rung.within.total_seconds() for rung in ladder().values()))

    def take_in(self) -> None:
        """Add to what is called for whatever is new."""
        for row in Escalation.objects.exclude(pk__in=list(self.lifted)).order_by("raised_at", "pk"):
            self.lifted[row.pk] = 0
            if row.state == State.RAISED:
                self.calls[row.pk] = Call(row.level, row.climbs, self.steady)

    def lift(self, pk: UUID, level: int) -> None:
        """Note that a rule has found worse."""
        self.lifted[pk] += 1
        self.calls[pk].level, self.calls[pk].last = level, self.steady

    # what must hold

    def look(self) -> None:
        """Let the worker look, and see what became of every clock."""
        gap, self._looked = self.steady - self._looked, self.steady
        for call in self.calls.values():
            call.anew += self._set_back
            call.unseen += gap if self._set_back else 0
        self._set_back = False
        self._steps()
        self.take_in()
        rows = _raised()
        for pk, call in self.calls.items():
            waited, due = self.steady - call.last, rows[pk].due_at
            assert waited <= self._longest * (1 + call.anew) + call.unseen, f"nobody was called for {waited:.0f} s"
            assert due is not None, "no clock runs"
            assert self.now < due <= self.now + timedelta(seconds=self._longest), "it waits for longer than it may"
        for paging in Paging.objects.filter(state=PagingState.CALLING):
            tries = Delivery.objects.filter(paging=paging, state__in=OPEN, due_at__lte=self.now + LEASE)
            turn = paging.due_at is not None and paging.due_at <= self.now + LONGEST_WAIT
            assert turn or tries.exists(), "a paging stands still"
        self.check_shown()

    def check_open(self) -> None:
        """See that all that is called for is open, and nothing else is."""
        rows = _raised()
        assert rows.keys() == self.calls.keys(), "nothing but a person ends a call"
        for pk, call in self.calls.items():
            assert (rows[pk].level, rows[pk].climbs) == (call.level, call.climbs)

    def check_shown(self) -> None:
        """See that it is on the boards, and counted in its conversation's level."""
        assert {str(pk) for pk in self.calls} <= {one.id for one in hooks.open_escalations()}
        for one in Conversation.objects.filter(escalations__isnull=False).distinct():
            assert one.level == level_after(open_levels(one))

    def check_told(self) -> None:
        """See that each act stands on the trail and in the outbox as often as it happened."""
        for row in Escalation.objects.all():
            steps = ["escalation.climbed", "escalation.repeated"]
            trail = AuditEvent.objects.filter(subject=f"escalation:{row.pk}", action__in=steps).count()
            items = OutboxItem.objects.filter(topic__in=steps, data__escalation=str(row.pk)).count()
            assert trail == items == row.climbs + self.lifted[row.pk]
        assert find_breaks() == []

    def _steps(self) -> None:
        """Let the worker do what it does in a second; two of them let clocks act."""
        _run(worker.mend_clock(self._wall, self.now))
        _run(worker.run_shift(self.now))
        before, rungs, self._told = _raised(), ladder(), 0
        for _ in range(2):
            _run(worker.run_clocks(self.now))
        if not self.away:
            rows = _raised()
            for pk, was in before.items():
                self._check_clock(was, rows[pk], rungs)
            worker_looks(self.now, lambda errand: self.answer)
        _run(worker.call_unspoken(self.now))

    def _check_clock(self, was: Escalation, row: Escalation, rungs: Ladder) -> None:
        assert was.due_at is not None
        if was.due_at > self.now:
            assert (row.climbs, row.level, row.due_at) == (was.climbs, was.level, was.due_at)
            return
        call = self.calls[was.pk]
        climbs = rungs[was.level].climbs and was.level < HIGHEST
        assert row.climbs == was.climbs + 1, "once, and not twice"
        assert row.level == was.level + climbs
        assert row.due_at == self.now + rungs[row.level].within
        assert self._told, "boards must hear of it"
        pages = calls_for_page(rungs[row.level], overdue=False) or calls_for_page(rungs[was.level], overdue=True)
        assert climbs or pages, "what does not climb calls somebody who is not at a board"
        if pages and targets():
            assert Paging.objects.filter(escalation=row, state=PagingState.CALLING).count() == 1
        self.calls[was.pk] = Call(row.level, call.climbs + 1, self.steady)

    # what stands in for threads and sockets

    async def _in_db(self, function: Callable[..., Any], **about: Any) -> Any:
        if self.away:
            raise OperationalError
        return function(**about)

    async def _published(self, events: Any) -> None:
        self._told += bool(events)

    async def _overview(self) -> None:
        self._told += 1


def _raised() -> dict[UUID, Escalation]:
    return {row.pk: row for row in Escalation.objects.filter(state=State.RAISED)}


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run what never waits: the stand-in for the database's threads answers at once."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")
