"""A signed-in person, as services know them, and how long a wall display may stand. No Django."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Staff:
    """Stand for a signed-in member of staff; `name` is the chosen work name that visitors may see."""

    id: int
    role: str
    name: str
    language: str

    def __str__(self) -> str:
        return f"staff:{self.id}"


HOURS = (1, 4, 8, 12)
"""For how long a supervisor can let a wall show the shift: at most one long day at work."""
OPEN_WITHIN = timedelta(minutes=15)
"""How long a link waits for its screen: it is carried across a room, not kept."""
LOOKED_EVERY = timedelta(minutes=1)
"""How often it is noted that a screen is there."""


def display_lives(made_at: datetime, opened_at: datetime | None, ends_at: datetime, now: datetime) -> bool:
    """Tell whether a display may show anything by its times alone."""
    return now < ends_at and (opened_at is not None or now < made_at + OPEN_WITHIN)
