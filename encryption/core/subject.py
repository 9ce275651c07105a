"""What a data key belongs to."""

from typing import NamedTuple
from uuid import UUID


class Subject(NamedTuple):
    """Name the thing whose records share one data key: a conversation, a contact, a case.

    A tuple, since it is looked up several times for each message.
    """

    kind: str
    id: UUID

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"
