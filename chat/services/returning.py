"""Come back by six words: give them, take them, and let the advocate say whether it is the same person.

The slow hash is worked on outside of every transaction. No answer tells whether a conversation exists: what is found
under the first two words is only used to count wrong tries, whoever makes them.
"""

from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import IntegrityError, transaction

from chat import log, outbox
from chat.core.actors import Staff, System, Visitor
from chat.core.conversation import OPEN, State
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.core.returning import check_is_known, check_is_newest, check_may_decide, state_after_return, words_end
from chat.log import StoredEvent
from chat.models import Assignment, CodeWord, Conversation, ReturnWords
from chat.selectors import conversation_for, token_digest, visitor_by_token, visitor_of
from chat.services.base import Done
from chat.services.ending import end_by_advocate
from chat.services.posting import takes_texts
from chat.services.trail import put_on_trail
from encryption.services import words
from staff.permissions import Action

MOST_DRAWS = 3
"""Words are drawn anew when their lookup is taken: one time in many thousands."""


def give_words(*, token: str, now: datetime) -> Done[tuple[str, ...]]:
    """Return six words that lead back to the conversation of a token; earlier ones lead nowhere any more.

    Raises what `visitor_by_token` raises, `Refused`: `WRONG_STATE` once it is over, `FORBIDDEN` for who came back and
    is not known yet.
    """
    conversation = visitor_by_token(token, now)
    for _ in range(MOST_DRAWS):
        drawn = words.new_words(conversation.language)
        kept = words.keep(" ".join(drawn))
        try:
            return Done(drawn, (_keep(visitor_of(conversation), kept, now),))
        except IntegrityError:
            continue
    raise Refused(ErrorCode.OURS)


def _keep(actor: Visitor, kept: words.Kept, now: datetime) -> StoredEvent:
    with transaction.atomic():
        conversation = conversation_for(actor, actor.conversation, Action.SEE_CONVERSATION, lock=True)
        check_is_known(return_open=conversation.return_open)
        if conversation.state not in OPEN or not takes_texts(conversation):
            raise Refused(ErrorCode.WRONG_STATE)
        ReturnWords.objects.update_or_create(
            conversation=conversation,
            defaults={
                "lookup": kept.lookup,
                "salt": kept.salt,
                "digest": kept.digest,
                "lanes": kept.lanes,
                "tries": 0,
                "given_at": now,
                "until": None,
            },
        )
        put_on_trail(actor, "words.given", conversation, now)
        return log.append_fact(conversation, "words_given", now=now, actor=actor)


def return_by_words(*, phrase: str, token: str, now: datetime) -> Done[UUID | None]:
    """Give the conversation of six words to a new token, which the page made; the old one opens nothing any more.

    None for everything that is not found, whatever the reason. Five wrong tries with the same first two words end the
    words. The same return again finds the same conversation.
    """
    row = ReturnWords.objects.filter(lookup=words.lookup_of(phrase)).first()
    right = words.fits(phrase, None if row is None else _kept(row))
    if row is None:
        return Done(None)
    try:
        with transaction.atomic():
            return _tried(row, token, now, right=right)
    except (Unseen, IntegrityError):
        # gone meanwhile, or a token that is in use already
        return Done(None)


def _tried(row: ReturnWords, token: str, now: datetime, *, right: bool) -> Done[UUID | None]:
    conversation = conversation_for(System(), row.pk, Action.SEE_CONVERSATION, lock=True)
    # read again under the lock: others may have tried meanwhile
    held = ReturnWords.objects.filter(pk=row.pk, digest=bytes(row.digest)).first()
    goes_on = state_after_return(State(conversation.state), conversation.ended_by, conversation.ended_at, now)
    if held is None or goes_on is None or not takes_texts(conversation):
        return Done(None)
    if not right:
        return Done(None, _count(conversation, held, now))
    if bytes(conversation.token_digest) == token_digest(token):
        return Done(conversation.pk)
    return Done(conversation.pk, (_come_back(conversation, held, goes_on, token, now),))


def _count(conversation: Conversation, held: ReturnWords, now: datetime) -> tuple[StoredEvent, ...]:
    """Count one wrong try; the fifth ends the words, and both sides are told."""
    held.tries += 1
    if not words_end(held.tries):
        held.save(update_fields=["tries"])
        return ()
    held.delete()
    put_on_trail(System(), "words.ended", conversation, now)
    return (log.append_fact(conversation, "words_ended", now=now, actor=System(), visible=True),)


def _come_back(conversation: Conversation, held: ReturnWords, goes_on: State, token: str, now: datetime) -> StoredEvent:
    was = State(conversation.state)
    conversation.state, conversation.token_digest = goes_on, token_digest(token)
    conversation.ended_at, conversation.ended_by = None, ""
    conversation.visitor_seen_at, conversation.last_visitor_at = now, now
    if was is State.ABANDONED:
        conversation.waiting_since = conversation.opened_at
    if was is State.WRAP_UP:
        advocate_id = cast(int, conversation.advocate_id)  # somebody holds it until it is recorded
        Assignment.objects.create(conversation=conversation, advocate_id=advocate_id, begun_at=now, offered=False)
    held.until = None
    held.save(update_fields=["until"])
    # the next number for the visitor is that of this return
    conversation.return_times = conversation.return_times + 1 if conversation.return_open else 1
    conversation.return_seq, conversation.return_open = conversation.visitor_head + 1, True
    event = log.append_fact(conversation, "came_back", now=now, actor=visitor_of(conversation), visible=True)
    outbox.put("conversation.came_back", conversation.pk, {"at": now.isoformat()}, now)
    put_on_trail(Visitor(conversation.pk), "words.returned", conversation, now)
    return event


def accept_return(*, actor: Staff, conversation_id: UUID, returned: int, now: datetime) -> Done[None]:
    """Say that who came back is the same person: they may see what was written before. A repeat changes nothing.

    `returned` is the number of the return that the advocate looked at. Raises what the doorway raises,
    `Refused(WRONG_STATE)` when somebody came back since, and unless the conversation runs.
    """
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.DECIDE_RETURN, lock=True)
        check_is_newest(returned, conversation.return_seq)
        if not conversation.return_open and conversation.return_seq:
            return Done(None)
        check_may_decide(State(conversation.state), return_open=conversation.return_open)
        conversation.return_open = False
        ReturnWords.objects.filter(conversation=conversation).update(tries=0)
        event = log.append_fact(conversation, "return_accepted", now=now, actor=actor, visible=True)
        put_on_trail(actor, "return.accepted", conversation, now)
    return Done(None, (event,))


def refuse_return(*, actor: Staff, conversation_id: UUID, returned: int, now: datetime) -> Done[None]:
    """Say that it is somebody else: the conversation ends, nothing older is ever shown, and the words are over.

    Who came back is told only that the advocate ended the chat. Raises as `accept_return` does.
    """
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.DECIDE_RETURN, lock=True)
        check_is_newest(returned, conversation.return_seq)
        check_may_decide(State(conversation.state), return_open=conversation.return_open)
        refused = log.append_fact(conversation, "return_refused", now=now, actor=actor)
        ended = end_by_advocate(conversation, actor, now)
        put_on_trail(actor, "return.refused", conversation, now)
    return Done(None, (refused, ended))


def forget_words(*, now: datetime) -> Done[int]:
    """Remove words whose time is over, and the code words that went with them; return how many."""
    gone, _ = ReturnWords.objects.filter(until__lte=now).delete()
    CodeWord.objects.exclude(conversation__state__in=OPEN).exclude(
        conversation__in=ReturnWords.objects.values("pk")
    ).delete()
    return Done(gone)


def _kept(row: ReturnWords) -> words.Kept:
    return words.Kept(bytes(row.lookup), bytes(row.salt), bytes(row.digest), row.lanes)
