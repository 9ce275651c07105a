"""End a conversation: in words, in a hurry, or on paper."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from chat import log, outbox
from chat.core.actors import Actor, Staff, System, Visitor
from chat.core.conversation import Move, State, next_state
from chat.core.errors import ErrorCode, Refused
from chat.core.returning import GRACE
from chat.models import Assignment, CodeWord, Conversation, ReturnWords
from chat.selectors import conversation_for, token_digest, visitor_of
from chat.services.base import Done, mover_of
from chat.services.trail import put_on_trail
from staff.permissions import Action


def end_conversation(*, actor: Visitor | Staff, conversation_id: UUID, now: datetime) -> Done[None]:
    """End a conversation in the ordinary way; ending what one has ended already changes nothing."""
    by = "visitor" if isinstance(actor, Visitor) else "advocate"
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.END_CONVERSATION, lock=True)
        if conversation.ended_by == by:
            return Done(None)
        _end(conversation, Move.END, actor, by, now)
        event = log.append_fact(conversation, f"ended_by_{by}", now=now, actor=actor, visible=True)
        if isinstance(actor, Staff):
            put_on_trail(actor, "conversation.ended", conversation, now)
    return Done(None, (event,))


def leave_quickly(*, token: str, now: datetime) -> Done[UUID | None]:
    """Note a quick exit and give its token no more power; unknown, repeated or late exits change nothing."""
    theirs = Conversation.objects.filter(token_digest=token_digest(token))
    if not theirs.exists():
        # anybody may ask this, and on SQLite a transaction keeps every other writer out
        return Done(None)
    with transaction.atomic():
        conversation = theirs.select_for_update(no_key=True).first()
        if conversation is None:
            return Done(None)
        actor = visitor_of(conversation)
        try:
            _end(conversation, Move.LEAVE, actor, "left_quickly", now)
        except Refused as refused:
            if refused.code is not ErrorCode.WRONG_STATE:
                raise
            return Done(conversation.pk)
        event = log.append_fact(conversation, "left_quickly", now=now, actor=actor)
        outbox.put("conversation.left_quickly", conversation.pk, {"at": now.isoformat()}, now)
    return Done(conversation.pk, (event,))


def close_conversation(*, actor: Staff, conversation_id: UUID, now: datetime) -> Done[Conversation]:
    """Close the record once its contact is written down; called by the room that writes it, in its transaction."""
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.RECORD_CONTACT, lock=True)
        conversation.state = next_state(State(conversation.state), Move.RECORD, mover_of(actor))
        end_words(conversation)
        event = log.append_fact(conversation, "recorded", now=now, actor=actor)
        outbox.put("contact.closed", conversation.pk, {"by": actor.id, "at": now.isoformat()}, now)
        put_on_trail(actor, "conversation.closed", conversation, now)
    return Done(conversation, (event,))


def end_by_advocate(conversation: Conversation, actor: Staff, now: datetime) -> log.StoredEvent:
    """End a conversation that runs, and tell both sides; the caller holds the row lock."""
    _end(conversation, Move.END, actor, "advocate", now)
    return log.append_fact(conversation, "ended_by_advocate", now=now, actor=actor, visible=True)


def _end(conversation: Conversation, move: Move, actor: Actor, by: str, now: datetime) -> None:
    offered = conversation.state == State.OFFERED
    conversation.state = next_state(State(conversation.state), move, mover_of(actor))
    conversation.ended_at, conversation.ended_by = now, by
    conversation.waiting_since = conversation.offer_until = None
    if offered:
        conversation.advocate = None
    outcome = "withdrawn" if offered else "ended"
    Assignment.objects.filter(conversation=conversation, ended_at=None).update(ended_at=now, outcome=outcome)
    outbox.put("conversation.ended", conversation.pk, {"ended_by": by, "state": conversation.state}, now)
    if move is Move.LEAVE:
        ReturnWords.objects.filter(conversation=conversation).update(until=now + GRACE)
    else:
        end_words(conversation)


def end_words(conversation: Conversation) -> None:
    """Let nobody come back by words any more; the caller holds the row lock."""
    ReturnWords.objects.filter(conversation=conversation).delete()
    CodeWord.objects.filter(conversation=conversation).delete()


def fade(conversation: Conversation, now: datetime) -> log.StoredEvent:
    """End the wait of a visitor who was not seen for long; the caller holds the row lock."""
    actor = System()
    _end(conversation, Move.FADE, actor, "faded", now)
    return log.append_fact(conversation, "faded", now=now, actor=actor)
