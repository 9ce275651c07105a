"""The short pause of a conversation: its visitor can read, leave and end it, and writes again when it is over. Pure.

It is about one conversation's token and about nobody's address: who begins a new chat is not known. It ends by itself.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from chat.core.conversation import OPEN, State
from chat.core.errors import ErrorCode, Refused

SHORTEST, LONGEST = timedelta(minutes=5), timedelta(hours=24)
SHIPPED = (15, 60)
"""Minutes between which staff choose; a site sets its own."""
MOST_LENGTHS = 4
DANGER = 2
"""From this level on only a supervisor keeps somebody from writing."""


class Why(StrEnum):
    """Name what a pause is about; the steps that come before it differ."""

    ABUSE = "abuse"  # of the person who answers
    SEXUAL = "sexual"  # the line is used for arousal


def lengths_of(text: str) -> tuple[int, ...]:
    """Return minutes as a site writes them, such as "15,60", or raise `ValueError`."""
    lengths = tuple(int(one) if one.isascii() and one.isdigit() else 0 for one in text.split(","))
    shortest, longest = SHORTEST // timedelta(minutes=1), LONGEST // timedelta(minutes=1)
    rising = list(lengths) == sorted(set(lengths))
    if not (rising and len(lengths) <= MOST_LENGTHS and shortest <= lengths[0] and lengths[-1] <= longest):
        raise ValueError(f"one to {MOST_LENGTHS} numbers of minutes, rising, from {shortest} to {longest}: 15,60")
    return lengths


def check_may_pause(state: State, level: int, until: datetime | None, now: datetime, *, supervisor: bool) -> None:
    """Raise `Refused`: `WRONG_STATE` for what is over or paused already, `DANGER_OPEN` where a supervisor decides."""
    if state not in OPEN or is_paused(until, now):
        raise Refused(ErrorCode.WRONG_STATE)
    if level >= DANGER and not supervisor:
        raise Refused(ErrorCode.DANGER_OPEN)


def is_paused(until: datetime | None, now: datetime) -> bool:
    """Tell whether a pause lasts; its end needs no clock that runs."""
    return until is not None and now < until


def danger_ends_it(state: State, level: int, until: datetime | None, now: datetime) -> bool:
    """Tell whether a call for help of a level ends a pause: whoever may be in danger can say so."""
    return level >= DANGER and state in OPEN and is_paused(until, now)


def check_not_paused(until: datetime | None, now: datetime) -> None:
    """Raise `Refused(PAUSED)` while a pause lasts."""
    if is_paused(until, now):
        raise Refused(ErrorCode.PAUSED)
