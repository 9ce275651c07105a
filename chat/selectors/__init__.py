"""Reads, and the doorway through which every conversation is fetched."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db.models import F, Q, QuerySet

from chat import log
from chat.core.actors import Actor, Staff, System, Visitor
from chat.core.conversation import ENDED, OPEN, State
from chat.core.drills import KEPT_FOR
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.core.pausing import SHIPPED, lengths_of
from chat.core.routing import may_overtake
from chat.log import Head, StoredEvent
from chat.models import Conversation, Event, Site
from chat.selectors.listed import Listed
from encryption.core import life
from staff.permissions import Action, Relation, allowed, allowed_at_all
from staff.selectors import ready_people

Known = TypeVar("Known", Conversation, Head)
MOST_HANDLES = 200
STILL_READABLE = timedelta(minutes=10)
"""How long a visitor whose line dropped can still fetch the advocate's last words after an ordinary end."""

_SHOWN = Q(conversation__return_open=False) | Q(visitor_seq__gte=F("conversation__return_seq"))
"""What a visitor may see: all, or what stands before a return by words only once an advocate knows them again."""

MOST_LINES = 200
MOST_PAGE_BYTES = 256 * 1024
"""Lines, and bytes of sealed text, in one page of a log."""


@dataclass(frozen=True, slots=True)
class SiteView:
    """Show what the site set for its visitors."""

    name: str
    phone: str
    emergency: str
    exit_url_en: str
    exit_url_fr: str
    page_title_en: str
    page_title_fr: str
    open: bool
    visitor_may_erase: bool = False
    interpreters_phone: str = ""
    for_work_en: str = ""
    for_work_fr: str = ""
    survey: str = "off"


UNSET = SiteView(
    name="Havre",
    phone="",
    emergency="911",
    exit_url_en="https://weather.gc.ca/",
    exit_url_fr="https://meteo.gc.ca/",
    page_title_en="Home",
    page_title_fr="Accueil",
    open=False,
)
"""Stands in until somebody has set the site up: closed, with the emergency number."""


def site() -> SiteView:
    """Return the site's settings."""
    row = Site.objects.filter(pk=1).first()
    if row is None:
        return UNSET
    return SiteView(**{field: getattr(row, field) for field in SiteView.__dataclass_fields__})


def pause_lengths() -> tuple[int, ...]:
    """Return for how many minutes the site lets a conversation be paused."""
    text = Site.objects.filter(pk=1).values_list("pause_minutes", flat=True).first()
    return SHIPPED if text is None else lengths_of(text)


def is_full() -> bool:
    """Tell whether as many wait as the site takes; who is among them stays, and nobody new comes in."""
    most = Site.objects.filter(pk=1).values_list("most_waiting", flat=True).first()
    if most is None:
        return False
    # no more than that is counted, however many there are; drills as well at first, for which the index is enough
    waits = Conversation.objects.filter(state__in=[State.WAITING, State.OFFERED]).values("state")
    return waits[:most].count() >= most and waits.filter(drill="")[:most].count() >= most


def keep_for() -> timedelta:
    """Return how long the site keeps a transcript readable after its close."""
    row = Site.objects.filter(pk=1).values_list("keep_hours", flat=True).first()
    return life.KEEP if row is None else timedelta(hours=row)


def keep_of(drill: str) -> timedelta:
    """Return how long a conversation with this mark stays readable after its close: a drill for a day at most."""
    return min(keep_for(), KEPT_FOR) if drill else keep_for()


def token_digest(token: str) -> bytes:
    """Return under which digest a visitor's token is kept."""
    return hashlib.sha256(token.encode()).digest()


def relation_of(actor: Staff, conversation: Conversation | Head | Listed) -> Relation:
    """Return how somebody stands to a conversation."""
    if conversation.state == State.WAITING:
        return Relation.OTHER if _is_for_another(actor, conversation) else Relation.WAITING
    offered = conversation.state == State.OFFERED
    if conversation.advocate_id == actor.id:
        return Relation.OFFERED if offered else Relation.OWN
    # for who only writes texts the two are the same
    free = not isinstance(conversation, Head) and may_overtake(conversation.level, drill=bool(conversation.drill))
    return Relation.PRESSING if offered and free else Relation.OTHER


def _is_for_another(actor: Staff, conversation: Conversation | Head | Listed) -> bool:
    """Tell whether it is a drill for one other person; who only writes texts asks about none that waits."""
    return not isinstance(conversation, Head) and conversation.drill_for_id not in {None, actor.id}


def conversation_for(
    actor: Actor, conversation_id: UUID, action: Action, *, lock: bool = False, wait: bool = True
) -> Conversation:
    """Return a conversation for somebody who may do `action` to it: the only way to one.

    `lock` takes its row lock; call it inside a transaction then. Without `wait` one that somebody else has locked is
    `Unseen`: a clock comes again in a second and must not stand still behind one row. Raises `Unseen` for what this
    actor may not know of, `Refused(FORBIDDEN)` for what they may see but not do, `Refused(ALREADY_TAKEN)` for a lost
    race, `Refused(BEING_ASKED)` while it is offered to a colleague, `Refused(FOR_ANOTHER)` for somebody else's drill,
    `Refused(ARCHIVED)` for the text of a conversation that is over.
    """
    rows = Conversation.objects.select_related("advocate")
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True, skip_locked=not wait)
    conversation = rows.filter(pk=conversation_id).first()
    if conversation is None:
        raise Unseen
    return admit(actor, conversation, action)


def existing(ids: Collection[UUID]) -> set[UUID]:
    """Return those of some conversations that there are."""
    return set(Conversation.objects.filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()


def admit(actor: Actor, conversation: Known, action: Action) -> Known:
    """Return a conversation to who may do `action` to it; raises as `conversation_for` does."""
    if isinstance(actor, System):
        return conversation
    if isinstance(actor, Visitor):
        if actor != Visitor(conversation.pk, conversation.return_seq):
            raise Unseen
        return conversation
    relation = relation_of(actor, conversation)
    if allowed(actor.role, action, relation):
        # while a danger is not settled its conversation stays at hand
        if action is Action.READ_CONVERSATION and conversation.state in ENDED and not conversation.level:
            raise Refused(ErrorCode.ARCHIVED)
        return conversation
    # an offer too may be answered a moment after a colleague took its visitor, or was asked
    lost = action is Action.TAKE or (action is Action.DECLINE and relation is Relation.OTHER)
    if lost and allowed_at_all(actor.role, action):
        if _is_for_another(actor, conversation):
            raise Refused(ErrorCode.FOR_ANOTHER)
        raise Refused(ErrorCode.BEING_ASKED if conversation.state == State.OFFERED else ErrorCode.ALREADY_TAKEN)
    if allowed(actor.role, Action.SEE_CONVERSATION, relation):
        raise Refused(ErrorCode.FORBIDDEN)
    raise Unseen


def visitor_by_token(token: str, now: datetime) -> Conversation:
    """Return the conversation that a token opens.

    Raises `Refused(TOKEN_UNKNOWN)`, or `Refused(TOKEN_SPENT)` once it is over: at once when the visitor ended it or
    left quickly, after some minutes when the advocate did.
    """
    rows = Conversation.objects.select_related("advocate").filter(token_digest=token_digest(token))
    return admitted(rows.first(), now)


def admitted(conversation: Conversation | None, now: datetime) -> Conversation:
    """Return what was found for a token, if the token opens it still; raises as `visitor_by_token` does."""
    if conversation is None:
        raise Refused(ErrorCode.TOKEN_UNKNOWN)
    if conversation.state in OPEN:
        return conversation
    ended_at = conversation.ended_at
    if conversation.ended_by == "advocate" and ended_at is not None and now - ended_at < STILL_READABLE:
        return conversation
    raise Refused(ErrorCode.TOKEN_SPENT)


def visitor_of(conversation: Conversation) -> Visitor:
    """Return who holds a conversation's token now."""
    return Visitor(conversation.pk, conversation.return_seq)


def is_known(token: str) -> bool:
    """Tell whether a conversation was ever begun with a token."""
    return Conversation.objects.filter(token_digest=token_digest(token)).exists()


def events_after(conversation_id: UUID, after: int, *, for_visitor: bool, limit: int = MOST_LINES) -> list[StoredEvent]:
    """Return the lines of a log beyond a number, oldest first; a visitor's only those with a number of theirs.

    A page of very long texts ends early, with one line at least: a reader who has stopped reading holds it in memory.
    """
    rows: QuerySet[Event] = Event.objects.filter(conversation_id=conversation_id)
    if for_visitor:
        rows = rows.filter(_SHOWN, visitor_seq__gt=after).order_by("visitor_seq")
    else:
        rows = rows.filter(staff_seq__gt=after).order_by("staff_seq")
    return log.lines(rows[:limit], most_bytes=MOST_PAGE_BYTES)


def is_last(page: Collection[StoredEvent]) -> bool:
    """Tell whether the log ended with a page of it, when it was read."""
    return len(page) < MOST_LINES and sum(len(event.sealed_body or b"") for event in page) < MOST_PAGE_BYTES


def events_before(conversation_id: UUID, before: int, *, for_visitor: bool, limit: int = 200) -> list[StoredEvent]:
    """Return the lines of a log with the next `limit` numbers below one, newest first."""
    rows: QuerySet[Event] = Event.objects.filter(conversation_id=conversation_id)
    number = "visitor_seq" if for_visitor else "staff_seq"
    rows = rows.filter(**{f"{number}__lt": before, f"{number}__gte": before - limit}).order_by(f"-{number}")
    if for_visitor:
        rows = rows.filter(_SHOWN)
    return log.lines(rows)


def heads(conversation_ids: list[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return the newest staff and visitor number of each conversation."""
    rows = Conversation.objects.filter(pk__in=conversation_ids).values_list("pk", "staff_head", "visitor_head")
    return {pk: (staff_head, visitor_head) for pk, staff_head, visitor_head in rows}


def handles_in_use() -> list[str]:
    """Return handles of conversations that go on, of some hundred at most: that is many times the birds there are."""
    rows = Conversation.objects.filter(state__in=frozenset(State) - ENDED)
    return list(rows.values_list("handle", flat=True)[:MOST_HANDLES])


def staffed(now: datetime) -> bool:
    """Tell whether anybody on shift takes conversations now."""
    return ready_people(now).exists()
