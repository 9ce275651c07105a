"""Screen what visitors write, and call for help where the rules find danger."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from chat.log import StoredEvent
from crisis.core.screening import Screener, Screening
from crisis.rules import shipped
from crisis.services import raise_cue

MOST_CUES = 5
LONGEST_WORDS = 120


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
    """Return why, for staff: the words that made each rule speak, and its id. It is sealed like any reason."""
    return "\n".join(f"“{cue.words[:LONGEST_WORDS]}” · {cue.rule}" for cue in screening.cues[:MOST_CUES])
