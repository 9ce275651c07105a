"""What clocks of calls for help do while workers die, start again and double; judged by the rows, past Havre."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import LiteralString

import psycopg

from crisis.core.ladder import HIGHEST, SHIPPED
from tests.chaos.calls import ACTED, Shift
from tests.support.servers import HavreWorker

ROUND = 5.0
"""Seconds that a worker which runs may need to look: it looks each second, and much else may run beside it."""
RUNS = "The worker runs."
"""What a worker prints once it does."""


def wait_until(holds: Callable[[], bool], what: str, within: float = 30.0) -> float:
    """Wait until something is so and return how many seconds that took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within, f"not within {within:.0f} s: {what}"
        time.sleep(0.05)
    return time.monotonic() - began


@dataclass
class Round:
    """Hold how many clocks had acted when, while workers did what was due."""

    seen: list[tuple[float, int]] = field(default_factory=list)
    connections: int = 0
    waiting: int = 0
    """The most that waited for a lock at one moment."""
    longest_wait: float = 0.0

    def after(self, part: float) -> float:
        """Return after how many seconds this part of them had acted."""
        total = self.seen[-1][1]
        return next(at for at, count in self.seen if count >= part * total)

    @property
    def first(self) -> float:
        """Return when the first one was seen to have acted."""
        return next(at for at, count in self.seen if count)


def watched(one: Shift, level: int, count: int, since: float, *, times: int = 1, within: float = 60.0) -> Round:
    """Watch until all clocks of a level have acted so often: how many had when, and who waits on the database."""
    seen = Round()
    with psycopg.connect(one.database, autocommit=True, connect_timeout=5) as server:
        while True:
            found = server.execute(ACTED, [level, times]).fetchone() or (0,)
            connections, waiting, longest = server.execute(_STANDS).fetchone() or (0, 0, 0)
            seen.seen.append((time.monotonic() - since, found[0]))
            seen.connections = max(seen.connections, connections)
            seen.waiting = max(seen.waiting, waiting)
            seen.longest_wait = max(seen.longest_wait, float(longest))
            if found[0] >= count:
                return seen
            assert seen.seen[-1][0] < within, f"{found[0]} of {count} clocks have acted"
            time.sleep(0.05)


_STANDS: LiteralString = (
    "SELECT count(*), count(*) FILTER (WHERE wait_event_type = 'Lock'),"
    " coalesce(max(extract(epoch FROM clock_timestamp() - query_start)) FILTER (WHERE wait_event_type = 'Lock'), 0)"
    " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@dataclass
class Killed:
    """Tell how it went with clocks whose worker was killed while they ran."""

    dead: float
    """Seconds from when the last clock ran out until another worker was started."""
    started: float
    """Seconds until that one ran."""
    acted: float
    """Seconds from its start until all clocks had acted."""


def killed(one: Shift, worker: HavreWorker, level: int, count: int, *, times: int = 1, left: float = 2.0) -> Killed:
    """Kill -9 a worker while clocks run, let them run out while nobody looks, and start it again."""
    ends = one.run_out(level, left=left)
    time.sleep(max(0.0, ends - time.monotonic() - left / 2))
    assert one.acted(level, times) == 0, "before its time"
    worker.kill9()
    time.sleep(max(0.0, ends - time.monotonic()) + 0.5)
    assert one.acted(level, times) == 0, "nobody is there who could have"
    lines = worker.log_text().count(RUNS)
    began = time.monotonic()
    worker.start()
    started = wait_until(lambda: worker.log_text().count(RUNS) > lines, "a worker runs")
    wait_until(lambda: one.acted(level, times) == count, "all clocks act")
    return Killed(began - ends, started, time.monotonic() - began)


@dataclass
class Judgement:
    """Hold what the rows say; everything in `wrong` must be nothing."""

    acts: int = 0
    late: list[float] = field(default_factory=list)
    """Seconds, by the worker's clock, between the moment at which a clock ran out and the look that acted on it."""
    wrong: list[str] = field(default_factory=list)


def judged(one: Shift) -> Judgement:
    """Go through trail, outbox, cases, logs and pages of every call that nobody has seen.

    Each act comes at its due time or later, one rung at a time, once; and stands once in each of these.
    """
    found = Judgement()
    trail: dict[str, list[tuple[datetime, str, int]]] = {}
    for subject, action, at, level in one.rows(
        "SELECT subject, action, at, (data->>'level')::int FROM audit_auditevent"
        " WHERE action IN ('escalation.climbed', 'escalation.repeated') ORDER BY id"
    ):
        trail.setdefault(subject.partition(":")[2], []).append((at, action, level))
    items = Counter(pk for (pk,) in one.rows(_ITEMS))
    entries = Counter(pk for (pk,) in one.rows(_ENTRIES))
    facts = Counter(pk for (pk,) in one.rows("SELECT conversation_id FROM chat_event WHERE code = 'flag_climbed'"))
    pagings = Counter(pk for (pk,) in one.rows("SELECT escalation_id FROM crisis_paging"))
    for pk, conversation, raised_at, raised, level, climbs in one.rows(
        "SELECT id, conversation_id, raised_at, raised_level, level, climbs FROM crisis_escalation"
        " WHERE state = 'raised'"
    ):
        acts = trail.get(str(pk), [])
        found.acts += len(acts)
        reached = _follow(found, raised_at, raised, acts)
        once = (climbs, items[str(pk)], entries[str(pk)])
        if reached != level or set(once) != {len(acts)}:
            found.wrong.append(f"{len(acts)} acts on the trail; row, outbox and case have {once}")
        if facts[conversation] != level - raised:
            found.wrong.append(f"climbed {level - raised} times, told {facts[conversation]} times in the log")
        if pagings[pk] != (level == HIGHEST):
            found.wrong.append(f"{pagings[pk]} pagings at level {level}")
    return found


_ITEMS: LiteralString = (
    "SELECT data->>'escalation' FROM chat_outboxitem WHERE topic IN ('escalation.climbed', 'escalation.repeated')"
)
_ENTRIES: LiteralString = (
    "SELECT item.data->>'escalation' FROM cases_entry AS entry JOIN chat_outboxitem AS item"
    " ON item.id = entry.source_item WHERE item.topic IN ('escalation.climbed', 'escalation.repeated')"
)


def _follow(found: Judgement, raised_at: datetime, raised: int, acts: list[tuple[datetime, str, int]]) -> int:
    """Follow one call up the ladder and return the level that it has reached."""
    level, due = raised, raised_at + SHIPPED[raised].within
    for at, action, told_level in acts:
        climbs = SHIPPED[level].climbs
        level += climbs
        if (action, told_level) != ("escalation.climbed" if climbs else "escalation.repeated", level):
            found.wrong.append(f"{action} to {told_level} where {level} is next")
        if at < due:
            found.wrong.append(f"acted {(due - at).total_seconds():.1f} s before its time")
        found.late.append((at - due).total_seconds())
        due = at + SHIPPED[level].within
    return level


def carried(one: Shift) -> bool:
    """Tell whether the outbox is empty: all is in its case."""
    return one.rows("SELECT count(*) FROM chat_outboxitem WHERE delivered_at IS NULL") == [(0,)]
