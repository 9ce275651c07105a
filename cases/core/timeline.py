"""What can stand on a case's timeline, and in which order."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class Code(StrEnum):
    """Name one thing that happened; the words for people live in the catalogues."""

    CONTACT_BEGAN = "contact_began"
    OPENED = "opened"  # the case itself
    ESCALATION_RAISED = "escalation_raised"
    ESCALATION_CLIMBED = "escalation_climbed"
    ESCALATION_REPEATED = "escalation_repeated"  # it called again, on the same level
    ESCALATION_PAGED = "escalation_paged"  # a page first arrived
    ESCALATION_UNREACHED = "escalation_unreached"  # nobody on call was reached, for the first time
    ESCALATION_ACKNOWLEDGED = "escalation_acknowledged"
    ESCALATION_STARTED = "escalation_started"
    ESCALATION_EXTERNAL_PROPOSED = "escalation_external_proposed"
    ESCALATION_EXTERNAL_CONFIRMED = "escalation_external_confirmed"
    ESCALATION_EXTERNAL_TOLD = "escalation_external_told"
    ESCALATION_EXTERNAL_CONTACT = "escalation_external_contact"
    ESCALATION_RESOLVED = "escalation_resolved"
    ESCALATION_STOOD_DOWN = "escalation_stood_down"
    LEFT_QUICKLY = "left_quickly"
    CAME_BACK = "came_back"  # by words
    ENDED_BY_VISITOR = "ended_by_visitor"
    ENDED_BY_ADVOCATE = "ended_by_advocate"
    FADED = "faded"
    CONTACT_CLOSED = "contact_closed"
    ERASED = "erased"  # the texts of the conversation


RANK: dict[Code, int] = {code: number for number, code in enumerate(Code)}
"""Order of what has the same time."""

KINDS: dict[str, str] = {
    "opened": "case",
    "escalation": "escalation",
    "contact": "contact",
    "left": "exit",
    "came": "contact",
    "ended": "contact",
    "faded": "contact",
    "erased": "contact",
}


@dataclass(frozen=True, slots=True)
class Line:
    """Show one line of a timeline; its text stays out of tracebacks."""

    at: datetime
    code: Code
    level: int | None = None
    author: str = ""
    text: str = field(default="", repr=False)
    times: int = 1
    drill: bool = False

    @property
    def kind(self) -> str:
        """Return which sort of thing it is: case, escalation, contact, exit, or drill for whatever is of one."""
        return "drill" if self.drill else KINDS[self.code.partition("_")[0]]


def merged(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return the lines by time, so that the order in which they were delivered does not matter."""
    return tuple(sorted(lines, key=lambda line: (line.at, RANK[line.code], line.author)))


def folded(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Return the lines with calls that only repeated put together: a night that nobody answered stays readable."""
    shown: list[Line] = []
    for line in lines:
        last = shown[-1] if shown else None
        if last is not None and line.code is last.code is Code.ESCALATION_REPEATED and line.level == last.level:
            shown[-1] = replace(last, times=last.times + 1)
        else:
            shown.append(line)
    return tuple(shown)
