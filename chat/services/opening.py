"""Begin a conversation, and know whether its visitor is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from chat import log
from chat.core.actors import System, Visitor
from chat.core.drills import Drill
from chat.core.errors import ErrorCode, Refused
from chat.core.handles import new_handle
from chat.models import Conversation
from chat.selectors import handles_in_use, is_full, keep_of, site, token_digest, visitor_by_token
from chat.services.base import Done
from encryption.core.archive import NotOurs
from encryption.core.life import Life
from encryption.providers import ProviderDown
from encryption.services import create_data_key
from staff.selectors import LEASE


@dataclass(frozen=True, slots=True)
class Opened:
    """Tell which conversation a token opened."""

    conversation: UUID


def open_conversation(*, token: str, language: str, door: str, now: datetime) -> Done[Opened]:
    """Begin the conversation of a token that the visitor's page made; a repeat finds the same one.

    Raises `Refused`: `CLOSED` when the site takes none, `FULL` while too many wait, `TOKEN_SPENT` for one that is over,
    `OURS` when keys cannot be reached: nothing is ever stored in clear instead.
    """
    try:
        return Done(Opened(visitor_by_token(token, now).pk))
    except Refused as refused:
        if refused.code is not ErrorCode.TOKEN_UNKNOWN:
            raise
    if not site().open:
        raise Refused(ErrorCode.CLOSED)
    if is_full():
        raise Refused(ErrorCode.FULL)
    try:
        return _begin(token, language, door, now)
    except IntegrityError:
        # the same hello arrived twice at once; the other one has made the conversation
        return Done(Opened(visitor_by_token(token, now).pk))
    except (ProviderDown, NotOurs):
        raise Refused(ErrorCode.OURS) from None


def open_drill(*, token: str, language: str, door: str, mark: Drill, trainee_id: int, now: datetime) -> Done[Opened]:
    """Begin a drill for one person, whose visitor holds this token; it needs no open site and no room in the queue.

    The log says at once what it is. Raises `Refused(OURS)` when keys cannot be reached.
    """
    try:
        return _begin(token, language, door, now, mark, trainee_id)
    except (ProviderDown, NotOurs):
        raise Refused(ErrorCode.OURS) from None


def _begin(
    token: str, language: str, door: str, now: datetime, mark: Drill = Drill.NONE, trainee_id: int | None = None
) -> Done[Opened]:
    with transaction.atomic():
        # written with its first line, which counts it on
        conversation = Conversation(
            token_digest=token_digest(token),
            handle=new_handle(handles_in_use(), drill=bool(mark)),
            language=language,
            door=door,
            opened_at=now,
            waiting_since=now,
            visitor_seen_at=now,
            drill=mark.value,
            drill_for_id=trainee_id,
        )
        create_data_key(log.subject_of(conversation.pk), now, Life(standing=False, keep=keep_of(mark)))
        events = [log.append_fact(conversation, "opened", now=now, actor=Visitor(conversation.pk))]
        if mark:
            events.append(log.append_fact(conversation, "drill", now=now, actor=System()))
    return Done(Opened(conversation.pk), tuple(events))


def note_visitors(*, here: Mapping[UUID, datetime], gone: Mapping[UUID, datetime]) -> None:
    """Note which visitors' pages are alive, and shorten the presence of those whose line closed.

    The times are when they were last heard; the earliest is written for all who are here, and they lie close together.
    Who was heard after their line closed, by whatever process, is there. A row that somebody else holds is left out:
    the next sign comes soon, and a presence lapses by itself.
    """
    with transaction.atomic():
        rows = Conversation.objects.select_for_update(no_key=True, skip_locked=True)
        seen = dict(rows.filter(pk__in=[*here, *gone]).order_by("pk").values_list("pk", "visitor_seen_at"))
        _seen_at({pk: at for pk, at in here.items() if pk in seen})
        _seen_at({pk: last - LEASE for pk, last in gone.items() if pk in seen and seen[pk] <= last})


def _seen_at(times: Mapping[UUID, datetime]) -> None:
    if times:
        Conversation.objects.filter(pk__in=times).update(visitor_seen_at=min(times.values()))
