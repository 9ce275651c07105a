"""What a data key belongs to."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Subject:
    """Name the thing whose records share one data key: a conversation, a contact, a case."""

    kind: str
    id: UUID

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"
