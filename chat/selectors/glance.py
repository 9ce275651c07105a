"""What a visitor's page is told that has no number in the log, read in one go."""

from dataclasses import dataclass
from datetime import datetime

from chat.core.conversation import State
from chat.core.expectation import Expectation
from chat.models import Conversation
from chat.selectors import staffed, visitor_by_token
from chat.selectors.marks import Reached, reached_by_staff
from chat.selectors.outlook import outlook


@dataclass(frozen=True, slots=True)
class Glance:
    """Show how things stand for one visitor: `language_read` is whether anybody on shift reads theirs."""

    conversation: Conversation
    staffed: bool
    reached: Reached
    expects: Expectation | None = None
    language_read: bool = True


def glance(token: str, now: datetime) -> Glance:
    """Return how things stand for the visitor of a token. Raises what `visitor_by_token` raises."""
    conversation = visitor_by_token(token, now)
    # where the visitor can see nothing yet, nobody has got anywhere in it
    reached = reached_by_staff(conversation.pk) if conversation.visitor_head else (0, 0)
    if conversation.state not in {State.WAITING, State.OFFERED}:
        return Glance(conversation, staffed(now), reached)
    seen = outlook(now)
    return Glance(conversation, staffed(now), reached, seen.expects(conversation), seen.is_read(conversation.language))
