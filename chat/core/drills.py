"""What a drill is: a conversation like every other one, but for a mark that it is born with and never loses.

A drill is counted nowhere and takes nobody's place: what counts conversations for visitors, figures or seats leaves
out whatever has a mark.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from chat.core.conversation import OPEN

KEPT_FOR = timedelta(hours=24)
"""How long a drill's transcript is kept, less where the site's own is; keys end with UTC days, up to a day later."""


class Drill(StrEnum):
    """Say whether a conversation is a drill, and what its escalations may set off."""

    NONE = ""  # a visitor's
    PRACTICE = "practice"  # somebody's own: it makes no sound on a board and pages nobody
    DRILL = "drill"  # it sounds on the boards as a real one does
    PAGING = "paging"  # and pages who is on call, in pages that say so


MARKED = tuple(kind.value for kind in Drill if kind is not Drill.NONE)
"""The marks of drills, the first of which sets the least off."""


def sounds(mark: str) -> bool:
    """Tell whether an escalation of a conversation with this mark may sound on the boards."""
    return mark != Drill.PRACTICE


def pages(mark: str, state: str) -> bool:
    """Tell whether who is on call may be paged for a conversation: for a drill only if it was begun so and runs."""
    return mark == Drill.NONE or (mark == Drill.PAGING and state in OPEN)


def marked(mark: str, data: Mapping[str, str | int] | None = None) -> dict[str, str | int]:
    """Return what the trail or the outbox keeps of something that happened, and that it was a drill."""
    return {**(data or {}), **({"drill": mark} if mark else {})}
