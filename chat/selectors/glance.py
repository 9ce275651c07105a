"""What a visitor's page is told that has no number in the log, read in one go for however many pages ask."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chat.core.conversation import State
from chat.core.errors import Refused, Unseen
from chat.core.expectation import Expectation
from chat.models import Conversation
from chat.selectors import admitted, staffed, token_digest
from chat.selectors.marks import Heads, Reached, reached_in
from chat.selectors.outlook import Outlook, outlook

_WAITS = frozenset({State.WAITING.value, State.OFFERED.value})


@dataclass(frozen=True, slots=True)
class Glance:
    """Show how things stand for one visitor: `language_read` is whether anybody on shift reads theirs."""

    conversation: Conversation
    staffed: bool
    reached: Reached
    expects: Expectation | None = None
    language_read: bool = True


@dataclass(frozen=True, slots=True)
class Progress:
    """Show the newest number of a visitor's log, and how far staff have got in it."""

    head: int
    reached: Reached


def glances(tokens: Collection[str], now: datetime) -> dict[str, Glance | Refused]:
    """Return how things stand for the visitors of some tokens, or why a token opens nothing."""
    digests = {token_digest(token): token for token in tokens}
    rows = Conversation.objects.select_related("advocate").filter(token_digest__in=digests)
    found = {digests[bytes(row.token_digest)]: row for row in rows}
    looked: dict[str, Conversation | Refused] = {token: _admitted(found.get(token), now) for token in tokens}
    open_ = [one for one in looked.values() if isinstance(one, Conversation)]
    reached = reached_in({one.pk: Heads(one.staff_head, one.visitor_head) for one in open_})
    on_shift = bool(open_) and staffed(now)
    # read once in some seconds, and only for who waits
    queue = outlook(now) if any(one.state in _WAITS for one in open_) else None
    return {
        token: one if isinstance(one, Refused) else _glance(one, on_shift, reached[one.pk], queue)
        for token, one in looked.items()
    }


def progress(conversations: Collection[UUID]) -> dict[UUID, Progress | Unseen]:
    """Return how far the log of each conversation goes for its visitor; `Unseen` for one that was erased."""
    rows = Conversation.objects.filter(pk__in=conversations).values_list("pk", "staff_head", "visitor_head")
    heads = {pk: Heads(staff, visitor) for pk, staff, visitor in rows}
    reached = reached_in(heads)
    return {pk: Progress(heads[pk].visitor, reached[pk]) if pk in heads else Unseen() for pk in conversations}


def _admitted(conversation: Conversation | None, now: datetime) -> Conversation | Refused:
    try:
        return admitted(conversation, now)
    except Refused as refused:
        return refused


def _glance(conversation: Conversation, on_shift: bool, reached: Reached, queue: Outlook | None) -> Glance:
    if queue is None or conversation.state not in _WAITS:
        return Glance(conversation, on_shift, reached)
    read = queue.is_read(conversation.language)
    return Glance(conversation, on_shift, reached, queue.expects(conversation), read)
