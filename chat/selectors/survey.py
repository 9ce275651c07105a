"""What visitors answered, added up; what few gave is not told."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from chat.models import SurveyAnswer

FEWEST = 11
"""Of answers in a month before they are shown: fewer could be put to somebody."""


@dataclass(frozen=True, slots=True)
class Month:
    """Show the answers of a month: how many there are, and once there are enough, what they say."""

    month: date
    answers: int
    helpful: Mapping[str, int]
    again: Mapping[str, int]
    before: float | None
    after: float | None


def survey_months() -> list[Month]:
    """Return the months with answers, oldest first. Distress is the mean of those who gave it both times."""
    rows = SurveyAnswer.objects.order_by("month").values_list("month", "helpful", "again", "before", "after")
    months: dict[date, list[tuple[str, str, int | None, int | None]]] = {}
    for month, helpful, again, before, after in rows:
        months.setdefault(month, []).append((helpful, again, before, after))
    return [_month(month, answers) for month, answers in months.items()]


def _month(month: date, answers: list[tuple[str, str, int | None, int | None]]) -> Month:
    both = [(before, after) for _, _, before, after in answers if before is not None and after is not None]
    told = len(both) >= FEWEST
    return Month(
        month,
        len(answers),
        _counted([helpful for helpful, *_ in answers]),
        _counted([again for _, again, *_ in answers]),
        sum(before for before, _ in both) / len(both) if told else None,
        sum(after for _, after in both) / len(both) if told else None,
    )


def _counted(choices: list[str]) -> Mapping[str, int]:
    """Return how often each choice was made; nothing when few answered."""
    made = Counter(choice for choice in choices if choice)
    return made if made.total() >= FEWEST else {}
