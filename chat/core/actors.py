"""Who is doing something. A service, a doorway and a frame know only these three."""

from dataclasses import dataclass
from uuid import UUID

from staff.core import Staff

__all__ = ["Actor", "Staff", "System", "Visitor"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Stand for the anonymous holder of one conversation's token.

    `since` is the visitor's number of the return by words that gave them the token, 0 for who began it: with the next
    return an older holder may do nothing any more, also over a line that is still open.
    """

    conversation: UUID
    since: int = 0

    def __str__(self) -> str:
        return "visitor"


@dataclass(frozen=True, slots=True)
class System:
    """Stand for a clock of the worker."""

    def __str__(self) -> str:
        return "system"


Actor = Visitor | Staff | System
