"""When an item of the outbox that could not be handed over is tried again."""

from datetime import timedelta

MOST_ATTEMPTS = 20
AFTER_OUTAGE = timedelta(seconds=1)
"""Pause after a failure that is not the item's own; it does not count as an attempt."""
_FIRST = timedelta(seconds=1)
_LONGEST = timedelta(minutes=5)


def back_off(attempts: int) -> timedelta | None:
    """Return how long to wait after this many failures: 1 s, doubling up to 5 min; None when it is given up."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return min(_FIRST * (1 << (attempts - 1)), _LONGEST)
