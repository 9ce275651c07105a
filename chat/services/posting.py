"""Write messages and notes, one or many: what arrives at the same time shares a transaction.

This is the one place of the rules; the writer of a process (`chat.writer`) calls it with everything that waits. Each
post has its own outcome. What the rules refuse, or what cannot be sealed, touches no row; when the database refuses a
batch, every post of it is tried alone, so that one that cannot be stored fails alone.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.db import DatabaseError, InterfaceError, OperationalError, transaction

from chat import hooks, log
from chat.core.actors import Staff, Visitor
from chat.core.conversation import State, check_may_note, check_may_write
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.core.pausing import check_not_paused
from chat.core.text import MOST_CHARACTERS, checked
from chat.log import Head, StoredEvent
from chat.models import Conversation
from chat.selectors import admit, existing
from chat.services.base import Done, mover_of
from encryption.services import sealer_for
from encryption.text import Secret
from staff.permissions import Action


class Post(msgspec.Struct, frozen=True):
    """Be one text to be written, by whom and where; `client_id` makes a repeat harmless."""

    actor: Visitor | Staff
    conversation_id: UUID
    client_id: str
    body: str
    now: datetime
    kind: str = "message"

    def __repr__(self) -> str:
        return f"<post to {self.conversation_id}>"


Outcome = Done[StoredEvent] | Exception


class Held(Exception):
    """Report that somebody else holds the conversation's row; nothing was changed."""


def post_all(posts: Sequence[Post], *, wait: bool = True) -> list[Outcome]:
    """Write posts in their order, in one transaction; return for each what it gave or the exception that it met.

    Without `wait` a post whose row somebody else has locked meets `Held`, and the others are written.
    """
    findings = [_found(post) for post in posts]
    try:
        with transaction.atomic():
            return _Batch(posts, findings, wait=wait).write()
    except (OperationalError, InterfaceError) as outage:
        # no database, or a lock that does not come: trying one by one would only wait longer
        return [outage for _ in posts]
    except DatabaseError as error:
        return [error] if len(posts) == 1 else [post_all([post], wait=wait)[0] for post in posts]


def post_one(post: Post) -> Done[StoredEvent]:
    """Write one post, or raise what it met."""
    (outcome,) = post_all([post])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def takes_texts(conversation: Conversation) -> bool:
    """Tell whether a text may still be added: not once an erasure was asked for, or the footer sealed what there is.

    Ask under the row lock, as `log.locked` does of many. A process that has the key at hand would otherwise seal for
    up to a minute what nobody opens again, or what makes an honest transcript look tampered with.
    """
    return conversation.erase_asked_at is None and conversation.sealed_footer is None and conversation.purged_at is None


class _Batch:
    """Hold the rows that one transaction works on."""

    def __init__(self, posts: Sequence[Post], findings: Sequence[hooks.Finding | None], *, wait: bool) -> None:
        self._posts = posts
        self._findings = findings
        self._wait = wait
        self._held: set[UUID] = set()
        self._conversations: dict[UUID, Head] = {}
        self._known: dict[log.Key, StoredEvent] = {}
        self._fresh: list[StoredEvent] = []
        self._touched: dict[UUID, Head] = {}

    def write(self) -> list[Outcome]:
        """Decide on every post, then write all rows at once."""
        wanted = {post.conversation_id for post in self._posts}
        self._conversations = log.locked(wanted, wait=self._wait)
        self._held = existing(wanted - self._conversations.keys())
        self._known = log.known([_key(post) for post in self._posts])
        outcomes = [self._outcome(post) for post in self._posts]
        log.insert(self._fresh, self._touched.values())
        # the log is written: what a call for help appends comes after the message that it is about
        return [
            outcome if finding is None else self._called(post, finding, outcome)
            for post, finding, outcome in zip(self._posts, self._findings, outcomes, strict=True)
        ]

    def _outcome(self, post: Post) -> Outcome:
        try:
            return self._decided(post)
        except Exception as error:
            # a refusal, or a key that is gone: this post's alone, and it has changed nothing
            return error

    def _decided(self, post: Post) -> Done[StoredEvent]:
        text = checked(post.body)
        found = self._conversations.get(post.conversation_id)
        if found is None:
            raise Held if post.conversation_id in self._held else Unseen
        note = post.kind == "note"
        conversation = admit(post.actor, found, Action.WRITE_NOTE if note else Action.WRITE_MESSAGE)
        key = _key(post)
        known = self._known.get(key)
        if known is not None:
            return _repeated(known, post, text)
        state = State(conversation.state)
        if note:
            check_may_note(state)
        else:
            check_may_write(state, mover_of(post.actor))
            if isinstance(post.actor, Visitor):
                check_not_paused(conversation.paused_until, post.now)
        if not conversation.takes_texts:
            raise Refused(ErrorCode.TOKEN_SPENT if isinstance(post.actor, Visitor) else ErrorCode.WRONG_STATE)
        event = log.text_event(conversation, post.kind, text, actor=post.actor, client_id=post.client_id, now=post.now)
        if not note:
            _touch(conversation, post)
        self._fresh.append(event)
        self._touched[conversation.pk] = conversation
        self._known[key] = event
        return Done(event, (event,), Secret(text))

    def _called(self, post: Post, finding: hooks.Finding, outcome: Outcome) -> Outcome:
        """Let a stored text call for help; a repeat has called already."""
        if isinstance(outcome, Exception) or outcome.said is None:
            return outcome
        head = self._conversations[post.conversation_id]
        cues = hooks.called(post.conversation_id, post.client_id, finding, post.now, level=head.level)
        if not cues:
            return outcome
        # for the texts after it in this batch; the row itself has been changed by who raised the call
        head.level = max(event.level or 0 for event in cues)
        return msgspec.structs.replace(outcome, cues=cues)


def _key(post: Post) -> log.Key:
    return post.conversation_id, log.sender_of(post.actor), post.client_id


def _found(post: Post) -> hooks.Finding | None:
    """Return what screening finds in a visitor's text; before any lock is taken. A text that will be refused waits."""
    if not isinstance(post.actor, Visitor) or len(post.body) > MOST_CHARACTERS:
        return None
    return hooks.found(post.body)


def _touch(conversation: Head, post: Post) -> None:
    if isinstance(post.actor, Visitor):
        conversation.last_visitor_at = post.now
    else:
        conversation.last_staff_at = post.now


def _repeated(known: StoredEvent, post: Post, text: str) -> Done[StoredEvent]:
    """Return the event that this client id has made before; looked up under the row lock, so a retry burns no number.

    Raises `Refused(ID_REUSED)` for another kind or another text.
    """
    sealer = sealer_for(log.subject_of(post.conversation_id))
    if known.kind != post.kind or sealer.unseal(log.binding_for(known), known.sealed_body or b"").reveal() != text:
        raise Refused(ErrorCode.ID_REUSED)
    return Done(known, (known,))
