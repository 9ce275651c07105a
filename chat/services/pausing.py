"""Pause a conversation for a while, lift the pause, and let it end by itself."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from chat import log
from chat.core.actors import Staff, System
from chat.core.conversation import OPEN, State
from chat.core.errors import ErrorCode, Refused
from chat.core.pausing import Why, check_may_pause, danger_ends_it, is_paused
from chat.log import StoredEvent
from chat.models import Conversation
from chat.selectors import conversation_for, pause_lengths
from chat.services.base import Done
from chat.services.queue import each
from chat.services.trail import put_on_trail
from staff.permissions import Action


def pause(*, actor: Staff, conversation_id: UUID, minutes: int, why: Why, now: datetime) -> Done[None]:
    """Let the visitor write nothing for so many minutes; both sides are told.

    Raises what the doorway raises, `Refused`: `LENGTH_UNKNOWN` for one that the site does not offer, `DANGER_OPEN`
    while a danger is not settled and no supervisor does it, `WRONG_STATE` for what is over or paused already.
    """
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.PAUSE, lock=True)
        if minutes not in pause_lengths():
            raise Refused(ErrorCode.LENGTH_UNKNOWN)
        check_may_pause(
            State(conversation.state),
            conversation.level,
            conversation.paused_until,
            now,
            supervisor=actor.role == "supervisor",
        )
        conversation.paused_until, conversation.pause_minutes = now + timedelta(minutes=minutes), minutes
        event = log.append_fact(conversation, "paused", now=now, actor=actor, visible=True)
        put_on_trail(actor, "conversation.paused", conversation, now, {"minutes": minutes, "why": why.value})
    return Done(None, (event,))


def lift_pause(*, actor: Staff, conversation_id: UUID, now: datetime) -> Done[None]:
    """Let the visitor write again before the time; lifting what is over changes nothing."""
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.PAUSE, lock=True)
        if conversation.state not in OPEN or not is_paused(conversation.paused_until, now):
            return Done(None)
        event = _over(conversation, actor, now)
        put_on_trail(actor, "conversation.pause_lifted", conversation, now)
    return Done(None, (event,))


def end_pause_for(conversation: Conversation, level: int, now: datetime) -> tuple[StoredEvent, ...]:
    """End the pause of a locked conversation because somebody was just called for it with this level.

    Inside the caller's transaction, after every other lock: it writes to the trail. Both sides read that it is over; a
    supervisor can pause again.
    """
    if not danger_ends_it(State(conversation.state), level, conversation.paused_until, now):
        return ()
    event = _over(conversation, System(), now)
    put_on_trail(System(), "conversation.pause_lifted", conversation, now, {"level": level})
    return (event,)


def end_pauses(*, now: datetime) -> Done[int]:
    """Tell both sides of pauses whose time is up; the visitor could write from that moment on, whoever told them."""
    over = Conversation.objects.filter(state__in=OPEN, paused_until__lte=now)
    return each(over.values_list("pk", flat=True), lambda pk: _end(pk, now))


def _end(pk: UUID, now: datetime) -> StoredEvent | None:
    with transaction.atomic():
        conversation = conversation_for(System(), pk, Action.SEE_CONVERSATION, lock=True, wait=False)
        until = conversation.paused_until
        if conversation.state not in OPEN or until is None or is_paused(until, now):
            return None
        return _over(conversation, System(), now)


def _over(conversation: Conversation, actor: Staff | System, now: datetime) -> StoredEvent:
    conversation.paused_until = conversation.pause_minutes = None
    return log.append_fact(conversation, "pause_over", now=now, actor=actor, visible=True)
