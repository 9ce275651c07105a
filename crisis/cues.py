"""Screen what visitors write, and call for help where the rules find danger."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from chat.log import StoredEvent
from crisis.core.screening import Cue, Screener, Screening
from crisis.core.screening.result import WORDS
from crisis.rules import shipped
from crisis.services import raise_cue

MOST_CUES = 5
LONGEST_WORDS, LONGEST_NOTE = 120, 200
IN_GENERAL, IN_GENERAL_ALONE = "and the words in general", "the words in general"


class Cues:
    """Be the screener that `chat` asks. `rules` gives what screens now, None while the site does not screen."""

    def __init__(self, rules: Callable[[], Screener | None] = shipped) -> None:
        self._rules = rules

    def found(self, text: str) -> Screening | None:
        """Return what the rules find, None in an ordinary message."""
        screener = self._rules()
        if screener is None:
            return None
        screening = screener.screen(text)
        return screening if screening.level else None

    def call(self, conversation_id: UUID, client_id: str, finding: Screening, now: datetime) -> tuple[StoredEvent, ...]:
        """Raise what a finding asks for, as `raise_cue` does and refuses."""
        done = raise_cue(
            conversation_id=conversation_id,
            level=finding.level,
            reason=because(finding),
            client_id=client_id,
            now=now,
        )
        return done.events


def because(screening: Screening) -> str:
    """Return why, for staff, what tells most first: the words found, what that means, and in brackets the rule's id.

    What words count by themselves comes last, and is not listed: a row of fragments tells nobody anything. It is sealed
    like any reason, and whoever reads it gets it in their language (`frontend.reasons`).
    """
    lines = [_line(cue) for cue in screening.telling[:MOST_CUES]]
    if screening.in_general:
        lines.append(f"{IN_GENERAL if lines else IN_GENERAL_ALONE} [{WORDS}]")
    return "\n".join(lines)


def _line(cue: Cue) -> str:
    words = f"“{cue.words[:LONGEST_WORDS]}” · " if cue.words else ""
    meaning = cue.note[:LONGEST_NOTE] or cue.category.replace("_", " ") or cue.rule
    return f"{words}{meaning} [{cue.rule}]"
