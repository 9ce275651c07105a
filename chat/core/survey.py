"""What a visitor may be asked once a chat is over: two questions, and how they feel, in words for 0 to 10."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

ASKED_FOR = timedelta(hours=1)
"""How long after the end somebody can answer: a page that was left open asks nobody else later."""


class Survey(StrEnum):
    """Name what a site asks."""

    OFF = "off"
    QUESTIONS = "questions"
    DISTRESS = "distress"


class Helpful(StrEnum):
    """Name the answers to "Was this helpful?"."""

    YES = "yes"
    LITTLE = "a_little"
    NO = "no"


class Again(StrEnum):
    """Name the answers to "Would you come back?"."""

    YES = "yes"
    MAYBE = "maybe"
    NO = "no"


CALM, WORST = 0, 10


@dataclass(frozen=True, slots=True)
class Answers:
    """Hold what somebody chose; each question may be left out."""

    helpful: Helpful | None = None
    again: Again | None = None
    before: int | None = None
    after: int | None = None

    def __bool__(self) -> bool:
        return (self.helpful, self.again, self.before, self.after) != (None, None, None, None)

    def fit(self, survey: Survey) -> bool:
        """Tell whether a site that asks this can have got these answers."""
        levels = [level for level in (self.before, self.after) if level is not None]
        if survey is Survey.OFF or (levels and survey is not Survey.DISTRESS):
            return False
        return bool(self) and all(CALM <= level <= WORST for level in levels)


def month_of(moment: datetime) -> date:
    """Return the first day of a moment's month: nearer than that no answer is kept."""
    return moment.astimezone(UTC).date().replace(day=1)
