"""Whether the clock may be trusted to destroy keys: one round with a wrong clock would destroy all of them.

The trail keeps the time of the rounds. A clock that moved too far beyond the last one, or otherwise than this process's
steady one did, destroys nothing until it fits again or an operator says that it is right.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.core import Link
from audit.services import newest_of, record

logger = logging.getLogger(__name__)

FURTHEST = timedelta(hours=36)
"""So far beyond the last round a clock may be: a machine that was off for a night and a day goes on by itself."""
DRIFT = timedelta(minutes=10)
NOTED = timedelta(hours=1)
"""So often the trail keeps the time of a round."""
ROUND, DOUBTED, CONFIRMED = "keys.round", "keys.clock_doubted", "keys.clock_confirmed"
SUBJECT = "keys"


@dataclass(frozen=True, slots=True)
class _Seen:
    """Keep when the last trusted round of this process was, by both clocks, and what an operator had said by then."""

    wall: datetime
    steady: float
    confirmed: int


_seen: _Seen | None = None


def steady() -> float:
    """Return seconds of a clock that nobody sets; it runs on while the machine sleeps, where there is such a one."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def begin(*, now: datetime, steady: float) -> bool:
    """Tell whether keys may be destroyed in a round that begins now; the trail and the log say when they may not."""
    global _seen
    newest = newest_of([ROUND, DOUBTED, CONFIRMED], SUBJECT)
    said = newest_of([CONFIRMED], SUBJECT)
    confirmed = said.id if said else 0
    if _is_doubtful(newest, confirmed, now, steady):
        if newest is None or newest.action != DOUBTED:
            record(actor="system", action=DOUBTED, subject=SUBJECT, now=now)
        logger.error("no key is destroyed: the clock jumped. Set it right; or: manage.py archive clock-is-right")
        return False
    if newest is None or newest.action == DOUBTED or not timedelta(0) <= now - newest.at < NOTED:
        record(actor="system", action=ROUND, subject=SUBJECT, now=now)
    _seen = _Seen(now, steady, confirmed)
    return True


def doubted(now: datetime) -> bool:
    """Tell whether keys are not destroyed because of the clock, as far as every process can know."""
    newest = newest_of([ROUND, DOUBTED, CONFIRMED], SUBJECT)
    return newest is not None and (newest.action == DOUBTED or now - newest.at > FURTHEST)


def confirm(now: datetime) -> None:
    """Take an operator's word that the clock is right."""
    record(actor="command", action=CONFIRMED, subject=SUBJECT, now=now)


def forget() -> None:
    """Forget what this process has seen, as a new one would."""
    global _seen
    _seen = None


def _is_doubtful(newest: Link | None, confirmed: int, now: datetime, steady: float) -> bool:
    trusted = newest_of([ROUND, CONFIRMED], SUBJECT)
    if trusted is not None and now - trusted.at > FURTHEST:
        return True
    if _seen is not None and _seen.confirmed == confirmed:
        passed = timedelta(seconds=steady - _seen.steady)
        return abs(now - _seen.wall - passed) > DRIFT
    # a new process cannot compare: what another one doubted stands, unless the clock was set back since
    return newest is not None and newest.action == DOUBTED and newest.at <= now
