"""What calls for help although nobody wrote it: a quick exit, a silence, a return by words. Pure: a row in, cues out.

Each is looked for in how a conversation stands, again and again, and not in something that happens once: a worker that
was away finds the same a little later. `episode` names the one exit, silence or return that is meant, so that whoever
looks first calls and nobody calls twice. A cue raises one level at most and never beyond the top of the ladder.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chat.core.conversation import OPEN, State
from crisis.core.ladder import HIGHEST, LEVELS, URGENT

SILENT_AFTER = timedelta(minutes=5)
"""How long somebody in danger may say nothing before that calls for help; a site sets its own."""
SHORTEST_SILENCE, LONGEST_SILENCE = timedelta(minutes=1), timedelta(minutes=30)


class Source(StrEnum):
    """Name what an escalation was raised by."""

    PERSON = "person"
    VOICE = "voice"  # a person too: the advocate finds that somebody else writes
    SCREENING = "screening"
    LEFT = "left"
    SILENCE = "silence"
    RETURNED = "returned"


BY_PEOPLE = frozenset({Source.PERSON, Source.VOICE})
UNSPOKEN = frozenset({Source.LEFT, Source.SILENCE, Source.RETURNED})


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold of a conversation what these cues are read from.

    `lost_since` is from when on the visitor's page was not heard of; it lies ahead while the page is there.
    """

    state: str
    level: int
    opened_at: datetime
    ended_at: datetime | None
    ended_by: str
    lost_since: datetime
    last_visitor_at: datetime | None
    last_staff_at: datetime | None
    paused_until: datetime | None
    return_seq: int
    return_open: bool
    return_times: int


@dataclass(frozen=True, slots=True)
class Cue:
    """Say what calls, how loudly and since when; `lost`: the line was; `times`: how often somebody returned."""

    source: Source
    level: int
    episode: str
    since: datetime
    lost: bool = False
    times: int = 0


def silence_for(seconds: int) -> timedelta:
    """Return a silence as a site may set it, or raise `ValueError` in a plain sentence."""
    if not SHORTEST_SILENCE <= timedelta(seconds=seconds) <= LONGEST_SILENCE:
        raise ValueError("A silence counts after 60 seconds at the earliest and 1,800 at the latest.")
    return timedelta(seconds=seconds)


def cues(one: Standing, now: datetime, silent_after: timedelta) -> tuple[Cue, ...]:
    """Return what may call now.

    What stands in the log is not looked at here: whether the danger was there before the exit, and whether the advocate
    has waited for an answer for so long (`asked_too_lately`), is for the caller to ask of the few that are left.
    """
    found = (_left(one), _silence(one, now, silent_after), _returned(one))
    return tuple(cue for cue in found if cue is not None)


def asked_too_lately(silence: Cue, asked_at: datetime, now: datetime, silent_after: timedelta) -> bool:
    """Tell whether a silence on a line that is there is none yet: whoever was asked a minute ago may still answer.

    `asked_at` is when staff first wrote after the visitor's last text; what they add to it starts no clock anew.
    """
    return max(asked_at, silence.since) + silent_after > now


def _left(one: Standing) -> Cue | None:
    if one.level < URGENT or one.ended_by != "left_quickly" or one.ended_at is None:
        return None
    return Cue(Source.LEFT, _raised(one.level), episode_of(Source.LEFT, one.ended_at.isoformat()), one.ended_at)


def _silence(one: Standing, now: datetime, silent_after: timedelta) -> Cue | None:
    if one.level < URGENT or one.state not in OPEN:
        return None
    wrote = one.last_visitor_at or one.opened_at
    lost = one.lost_since <= now
    # who waits, or has not been answered, says nothing because there is nothing to answer
    asked = one.state == State.ACTIVE and one.last_staff_at is not None and one.last_staff_at >= wrote
    if not (lost or asked):
        return None
    # whoever is paused cannot answer
    since = max(wrote, one.paused_until or wrote, one.lost_since if lost else wrote)
    if since + silent_after > now:
        return None
    return Cue(Source.SILENCE, _raised(one.level), episode_of(Source.SILENCE, wrote.isoformat()), since, lost=lost)


def _returned(one: Standing) -> Cue | None:
    if not one.return_open or one.state not in OPEN:
        return None
    # twice, and nobody was accepted: two people may have the words
    level = min(LEVELS) if one.return_times < 2 else URGENT
    since = one.last_visitor_at or one.opened_at
    return Cue(Source.RETURNED, level, episode_of(Source.RETURNED, str(one.return_seq)), since, times=one.return_times)


def _raised(level: int) -> int:
    return min(HIGHEST, level + 1)


def episode_of(source: Source, which: str) -> str:
    """Return the client id under which this one calls, the same on every worker."""
    return hashlib.sha256(f"{source}:{which}".encode()).hexdigest()[:32]
