"""The ladder of danger and the life of an escalation, as tables.

An escalation that nobody has acknowledged when its time is up climbs one level with a fresh clock, or calls again on
its own; at the top it always calls again. No clock ever lowers or settles one: only a person does, with a reason.
A site sets the times (`crisis.services.rungs`); those shipped are a proposal, since no public norm for chat was found.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chat.core.errors import ErrorCode, Refused


class State(StrEnum):
    """Where an escalation stands."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    IN_PROGRESS = "in_progress"
    RESOLVED = "resolved"
    STOOD_DOWN = "stood_down"


class Step(StrEnum):
    """What a person does with an escalation."""

    ACKNOWLEDGE = "acknowledge"
    START = "start"
    RESOLVE = "resolve"
    STAND_DOWN = "stand_down"


class Told(StrEnum):
    """Name what trail and case are told of an escalation."""

    RAISED = "raised"
    CLIMBED = "climbed"
    REPEATED = "repeated"
    ACKNOWLEDGED = "acknowledged"
    STARTED = "started"
    PAGED = "paged"
    UNREACHED = "unreached"
    EXTERNAL_PROPOSED = "external_proposed"
    EXTERNAL_CONFIRMED = "external_confirmed"
    EXTERNAL_TOLD = "external_told"
    EXTERNAL_CONTACT = "external_contact"
    RESOLVED = "resolved"
    STOOD_DOWN = "stood_down"


S, T = State, Step

STEPS: dict[tuple[Step, State], State] = {
    (T.ACKNOWLEDGE, S.RAISED): S.ACKNOWLEDGED,
    (T.START, S.ACKNOWLEDGED): S.IN_PROGRESS,
    (T.RESOLVE, S.RAISED): S.RESOLVED,
    (T.RESOLVE, S.ACKNOWLEDGED): S.RESOLVED,
    (T.RESOLVE, S.IN_PROGRESS): S.RESOLVED,
    (T.STAND_DOWN, S.RAISED): S.STOOD_DOWN,
    (T.STAND_DOWN, S.ACKNOWLEDGED): S.STOOD_DOWN,
    (T.STAND_DOWN, S.IN_PROGRESS): S.STOOD_DOWN,
}

SETTLED = frozenset({S.RESOLVED, S.STOOD_DOWN})
"""Nothing moves any more."""
UNSETTLED = frozenset(S) - SETTLED

ORDINARY = 0
"""The level of a conversation that has no open escalation."""
HIGHEST = 3
"""The top of the ladder for clocks and single people; level 4 is a record that two people make."""

LEVELS = (1, 2, 3)
"""The levels that can be raised."""
URGENT = 2
"""From here on a danger is open."""
SHORTEST, LONGEST = timedelta(seconds=15), timedelta(minutes=30)
"""Within which a site may set a clock: less cannot be answered, and after more nobody was called."""


class Pages(StrEnum):
    """Say when who is on call is paged for a level."""

    NEVER = "never"
    UNANSWERED = "unanswered"  # when its clock ran out and nobody had acknowledged it
    AT_ONCE = "at_once"  # as it is reached


@dataclass(frozen=True, slots=True)
class Rung:
    """Tell how long an escalation of a level may wait for a person, and whether it then climbs or calls again.

    `aloud` ones come with sound and a spoken line on every board, the others stand in its list. `pages` says when who
    is on call is paged.
    """

    within: timedelta
    climbs: bool
    aloud: bool = True
    pages: Pages = Pages.NEVER


Ladder = Mapping[int, Rung]
"""A rung for each of `LEVELS`."""

SHIPPED: Ladder = {
    1: Rung(timedelta(minutes=5), climbs=True),
    2: Rung(timedelta(minutes=2), climbs=True, pages=Pages.UNANSWERED),
    3: Rung(timedelta(seconds=60), climbs=False, pages=Pages.AT_ONCE),
}


@dataclass(frozen=True, slots=True)
class Climb:
    """Tell what a clock did; where nothing climbs `level` stays and `repeated` is set."""

    level: int
    due_at: datetime
    repeated: bool


def next_state(state: State, step: Step) -> State:
    """Return the state after `step`, or raise `Refused`.

    `ALREADY_SETTLED` once it is over, `ALREADY_TAKEN` when a colleague was quicker to acknowledge or start,
    `WRONG_STATE` when the step comes too early.
    """
    target = STEPS.get((step, state))
    if target is not None:
        return target
    if state in SETTLED:
        raise Refused(ErrorCode.ALREADY_SETTLED)
    raise Refused(ErrorCode.WRONG_STATE if state is State.RAISED else ErrorCode.ALREADY_TAKEN)


def rung_for(level: int, within: timedelta, *, climbs: bool, aloud: bool = True, pages: Pages = Pages.NEVER) -> Rung:
    """Return a rung as a site may set it, or raise `ValueError` in a plain sentence."""
    if level not in LEVELS:
        raise ValueError(f"There is no level {level} that can be raised; there are 1, 2 and 3.")
    if not SHORTEST <= within <= LONGEST:
        raise ValueError("A clock runs for 15 seconds at least and for 1,800 at most.")
    if climbs and level == HIGHEST:
        raise ValueError("Level 3 is the top: it calls again and cannot climb.")
    if level == HIGHEST and not (aloud and pages is not Pages.NEVER):
        raise ValueError("Level 3 is never silent: it sounds on the boards and pages who is on call.")
    if not climbs and pages is Pages.NEVER:
        raise ValueError("A level that does not climb pages who is on call: nobody need be at a board to hear of it.")
    return Rung(within, climbs, aloud, pages)


def first_due(level: int, now: datetime, ladder: Ladder = SHIPPED) -> datetime:
    """Return by when somebody must have acknowledged, or raise `Refused(LEVEL_UNKNOWN)`."""
    if level not in ladder:
        raise Refused(ErrorCode.LEVEL_UNKNOWN)
    return now + ladder[level].within


def climb(level: int, state: State, due_at: datetime | None, now: datetime, ladder: Ladder = SHIPPED) -> Climb | None:
    """Return what the clock does now, None while there is nothing to do.

    The next clock starts at `now` and not at `due_at`: after an outage people get the whole time of the new level,
    and a long one does not race through the ladder before anybody could look.
    """
    if state is not State.RAISED or due_at is None or due_at > now:
        return None
    reached = level + 1 if ladder[level].climbs and level < HIGHEST else level
    return Climb(level=reached, due_at=now + ladder[reached].within, repeated=reached == level)


def level_after(open_levels: Iterable[int]) -> int:
    """Return the level of a conversation whose open escalations have these levels."""
    return max(open_levels, default=ORDINARY)
