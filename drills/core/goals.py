"""Which goals of a script were reached, and when: worked out from what really happened, and from nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from drills.core.progress import Happening, found
from drills.core.script import JOINED, START, Goal, Script, What


@dataclass(frozen=True, slots=True)
class Reached:
    """Show one goal: whether it was reached, when that happened, and whether it happened too late."""

    name: str
    words: str
    reached: bool
    at: datetime | None
    late: bool


def results(
    script: Script, happened: Sequence[Happening], entered: Mapping[str, datetime], opened_at: datetime
) -> tuple[Reached, ...]:
    """Return how it came out with each goal, of a drill that nobody took with none; `entered` says when a step began.

    A goal whose time counts from a step that the visitor never came to was not asked of anybody, and is left out.
    """
    joined = next((one.at for one in happened if one.what is What.JOINED), None)
    if joined is None:
        # nobody can be judged for what nobody was in
        return ()
    begins = {**entered, START: opened_at, JOINED: joined}
    return tuple(_result(goal, happened, begins[goal.since]) for goal in script.goals if goal.since in begins)


def _result(goal: Goal, happened: Sequence[Happening], since: datetime) -> Reached:
    # a level that stood before the step began answers to it as well
    begins = None if goal.need.what is What.RAISED else since
    later = [one for one in happened if begins is None or one.at >= begins]
    first = found(goal.need, later, people_only=True)
    if goal.need.what is What.NEVER:
        return Reached(goal.name, goal.words, first is None, first.at if first else None, False)
    if first is None:
        return Reached(goal.name, goal.words, False, None, False)
    late = bool(goal.within) and first.at > since + timedelta(seconds=goal.within)
    return Reached(goal.name, goal.words, not late, first.at, late)
