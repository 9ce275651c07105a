"""When a hold, or the wish to end one, waits for its second person in vain; and how long a hold can last."""

from datetime import UTC, date, datetime, timedelta

LONGEST_HOLD = timedelta(days=731)

CONFIRM_WITHIN = timedelta(hours=24)
"""How long what one person asked for waits for a second one: alone, nobody keeps an erasure away, and what was asked
for on another day is not confirmed by somebody who knows no more of it."""


def waited_in_vain(asked_at: datetime, until: date, now: datetime) -> bool:
    """Tell whether what one person asked about a hold through the day `until` can be confirmed no longer."""
    return now >= asked_at + CONFIRM_WITHIN or is_over(until, now)


def is_over(until: date, now: datetime) -> bool:
    """Tell whether the last day of a hold has passed; its key is destroyed then, whoever agrees."""
    return now.astimezone(UTC).date() > until


def day_fits(until: date, now: datetime) -> bool:
    """Tell whether a hold may last through this day: it lies ahead, and within two years."""
    return timedelta(0) < until - now.date() <= LONGEST_HOLD
