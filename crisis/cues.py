"""Screen what visitors write, and call for help where the rules find danger."""

from datetime import datetime
from uuid import UUID

from chat.log import StoredEvent
from crisis.core.screening import Screening
from crisis.rules import shipped
from crisis.services import raise_cue

MOST_CUES = 5
LONGEST_WORDS = 120


def screen_message(conversation_id: UUID, client_id: str, text: str, now: datetime) -> tuple[StoredEvent, ...]:
    """Screen a visitor's message and raise what it asks for; return what that appended to the log.

    Called once the message is committed. An ordinary message costs no query. Raises what `raise_cue` raises; the caller
    counts it.
    """
    screening = shipped().screen(text)
    if not screening.level:
        return ()
    done = raise_cue(
        conversation_id=conversation_id,
        level=screening.level,
        reason=because(screening),
        client_id=client_id,
        now=now,
    )
    return done.events


def because(screening: Screening) -> str:
    """Return why, for staff: the words that made each rule speak, and its id. It is sealed like any reason."""
    return "\n".join(f"“{cue.words[:LONGEST_WORDS]}” · {cue.rule}" for cue in screening.cues[:MOST_CUES])
