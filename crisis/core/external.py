"""Level 4: somebody outside is told. Two people decide it, and no clock and no rule ever does."""

from datetime import datetime, timedelta
from enum import StrEnum

from chat.core.errors import ErrorCode, Refused

EXTERNAL = 4
"""The level of an escalation whose external notification two people have confirmed."""
PROPOSED_LEVEL = 3
"""The level at which a proposal calls the supervisors: its clock repeats until somebody looks."""
LONGEST_AGO = timedelta(hours=24)


class Agency(StrEnum):
    """Name who is told."""

    POLICE = "police"
    AMBULANCE = "ambulance"
    CHILD_PROTECTION = "child_protection"
    OTHER = "other"


def check_second(proposed_by: int, actor: int) -> None:
    """Raise `Refused(SECOND_PERSON)` for who proposed it: nobody decides alone."""
    if proposed_by == actor:
        raise Refused(ErrorCode.SECOND_PERSON)


def moment_ago(minutes: int, now: datetime) -> datetime:
    """Return when something was done that many minutes ago; raise `Refused(BAD_FRAME)` beyond a day."""
    if not timedelta() <= timedelta(minutes=minutes) <= LONGEST_AGO:
        raise Refused(ErrorCode.BAD_FRAME)
    return now - timedelta(minutes=minutes)
