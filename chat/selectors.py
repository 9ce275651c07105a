"""Reads, and the doorway through which every conversation is fetched."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from chat.core.actors import Actor, Staff, System, Visitor
from chat.core.conversation import ENDED, OPEN, State
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.log import StoredEvent, stored
from chat.models import Conversation, Event, ReadMark, Site
from staff.permissions import Action, Relation, allowed, allowed_at_all
from staff.selectors import ready_people

STILL_READABLE = timedelta(minutes=10)
"""How long a visitor whose line dropped can still fetch the advocate's last words after an ordinary end."""


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


_UNSET = SiteView(
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
        return _UNSET
    return SiteView(**{field: getattr(row, field) for field in SiteView.__dataclass_fields__})


def token_digest(token: str) -> bytes:
    """Return under which digest a visitor's token is kept."""
    return hashlib.sha256(token.encode()).digest()


def relation_of(actor: Staff, conversation: Conversation) -> Relation:
    """Return how somebody stands to a conversation."""
    if conversation.state == State.WAITING:
        return Relation.WAITING
    if conversation.advocate_id != actor.id:
        return Relation.OTHER
    return Relation.OFFERED if conversation.state == State.OFFERED else Relation.OWN


def conversation_for(actor: Actor, conversation_id: UUID, action: Action, *, lock: bool = False) -> Conversation:
    """Return a conversation for somebody who may do `action` to it: the only way to one.

    `lock` takes its row lock; call it inside a transaction then. Raises `Unseen` for what this actor may not know
    of, `Refused(FORBIDDEN)` for what they may see but not do, `Refused(ALREADY_TAKEN)` for a lost race.
    """
    rows = Conversation.objects.select_related("advocate")
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    conversation = rows.filter(pk=conversation_id).first()
    if conversation is None:
        raise Unseen
    if isinstance(actor, System):
        return conversation
    if isinstance(actor, Visitor):
        if actor.conversation != conversation.pk:
            raise Unseen
        return conversation
    relation = relation_of(actor, conversation)
    if allowed(actor.role, action, relation):
        return conversation
    if action is Action.TAKE and allowed_at_all(actor.role, Action.TAKE):
        raise Refused(ErrorCode.ALREADY_TAKEN)
    if allowed(actor.role, Action.SEE_CONVERSATION, relation):
        raise Refused(ErrorCode.FORBIDDEN)
    raise Unseen


def visitor_by_token(token: str, now: datetime) -> Conversation:
    """Return the conversation that a token opens.

    Raises `Refused(TOKEN_UNKNOWN)`, or `Refused(TOKEN_SPENT)` once it is over: at once when the visitor ended it or
    left quickly, after some minutes when the advocate did.
    """
    conversation = Conversation.objects.select_related("advocate").filter(token_digest=token_digest(token)).first()
    if conversation is None:
        raise Refused(ErrorCode.TOKEN_UNKNOWN)
    if conversation.state in OPEN:
        return conversation
    ended_at = conversation.ended_at
    if conversation.ended_by == "advocate" and ended_at is not None and now - ended_at < STILL_READABLE:
        return conversation
    raise Refused(ErrorCode.TOKEN_SPENT)


def events_after(conversation_id: UUID, after: int, *, for_visitor: bool, limit: int = 200) -> list[StoredEvent]:
    """Return the lines of a log beyond a number, oldest first; a visitor's only those with a number of theirs."""
    rows: QuerySet[Event] = Event.objects.select_related("author").filter(conversation_id=conversation_id)
    if for_visitor:
        rows = rows.filter(visitor_seq__gt=after).order_by("visitor_seq")
    else:
        rows = rows.filter(staff_seq__gt=after).order_by("staff_seq")
    return [stored(event) for event in rows[:limit]]


def heads(conversation_ids: list[UUID]) -> dict[UUID, tuple[int, int]]:
    """Return the newest staff and visitor number of each conversation."""
    rows = Conversation.objects.filter(pk__in=conversation_ids).values_list("pk", "staff_head", "visitor_head")
    return {pk: (staff_head, visitor_head) for pk, staff_head, visitor_head in rows}


def staffed(now: datetime) -> bool:
    """Tell whether anybody on shift takes conversations now."""
    return ready_people(now).exists()


def running(now: datetime) -> list[Conversation]:
    """Return every conversation that has not ended, oldest first; what each person may see of them is decided later."""
    return list(Conversation.objects.select_related("advocate").exclude(state__in=ENDED).order_by("opened_at", "pk"))


def read_marks(conversation_ids: list[UUID]) -> dict[tuple[UUID, int], int]:
    """Return how far each person has read, by conversation and person."""
    rows = ReadMark.objects.filter(conversation_id__in=conversation_ids)
    return {(mark.conversation_id, mark.user_id): mark.up_to for mark in rows}
