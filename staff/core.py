"""A signed-in person, as services know them. No Django."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Staff:
    """Stand for a signed-in member of staff; `name` is the chosen work name that visitors may see."""

    id: int
    role: str
    name: str
    language: str

    def __str__(self) -> str:
        return f"staff:{self.id}"
