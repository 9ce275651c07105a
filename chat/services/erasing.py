"""Erase what was written in one conversation: asked by its visitor or a supervisor, done by the worker.

Asking is one step and doing another, because what a case must still be told, and a danger that is not settled yet,
come first. From the asking on nobody can write in it.
"""

from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from chat import log, outbox
from chat.core.actors import Actor, Staff, System
from chat.core.conversation import OPEN
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.core.text import checked_reason
from chat.models import CodeWord, Conversation, Erasure, Event, ReturnWords, Site
from chat.selectors import conversation_for, token_digest, visitor_of
from chat.selectors.archive import on_hold, reason_of_erasure
from chat.services.base import Done
from chat.services.closed import proved, seal_reason
from chat.services.ending import end_conversation
from chat.services.holds import end_lapsed
from chat.services.trail import put_on_trail
from encryption.providers import ProviderDown
from encryption.services import lifecycle
from encryption.services.unlock import Unlocked
from encryption.text import Secret
from staff.permissions import Action


def ask_erasure_by_token(*, token: str, now: datetime) -> Done[bool]:
    """Ask for the erasure of the conversation of a visitor's page, ending it first when it runs.

    Return whether it will be erased: not when the site does not offer it or the law holds it. An unknown token is
    answered like one that was erased, so that nothing can be learned with it. A repeat changes nothing.
    """
    site = Site.objects.filter(pk=1).first()
    if site is None or not site.visitor_may_erase:
        return Done(False)
    theirs = Conversation.objects.filter(token_digest=token_digest(token))
    # before anything is locked, since anybody may ask
    if not theirs.exists():
        return Done(True)
    events: tuple[log.StoredEvent, ...] = ()
    with transaction.atomic():
        # how it stands is read under the lock: its advocate may be ending it in this very moment
        row = theirs.select_for_update(no_key=True).first()
        if row is None:
            return Done(True)
        if row.return_open:
            # who came back by words may be somebody else
            return Done(False)
        actor = visitor_of(row)
        if row.state in OPEN:
            events = end_conversation(actor=actor, conversation_id=row.pk, now=now).events
        asked = _ask(conversation_for(actor, row.pk, Action.ERASE, lock=True), actor, now)
    return Done(asked is not None, (*events, *(asked or ())))


def ask_erasure(
    *, actor: Staff, unlocked: Unlocked | None, conversation_id: UUID, reason: str, now: datetime
) -> Done[None]:
    """Ask for the erasure of a conversation that has ended. A repeat changes nothing.

    Raises `Refused`: `LOCKED` unless the key was unlocked or proved anew within minutes, `REASON_MISSING`, a text code,
    `WRONG_STATE`, `ON_HOLD` until the hold is over, `OURS`.
    """
    proved(actor, unlocked)
    text = checked_reason(reason)
    try:
        with transaction.atomic():
            conversation = conversation_for(actor, conversation_id, Action.ERASE, lock=True)
            if conversation.state in OPEN:
                raise Refused(ErrorCode.WRONG_STATE)
            if conversation.erase_asked_at is not None:
                return Done(None)
            pk = uuid4()
            # before anything is put into the trail, whose one head must not be held while keys are asked for
            sealed = seal_reason("erasure", pk, text, now)
            end_lapsed(conversation, now)
            if on_hold(conversation.pk):
                raise Refused(ErrorCode.ON_HOLD)
            event = _wish(conversation, actor, {"erasure": str(pk)}, now)
            Erasure.objects.create(
                pk=pk, conversation=conversation, asked_by_id=actor.id, asked_at=now, sealed_reason=sealed
            )
    except ProviderDown:
        raise Refused(ErrorCode.OURS) from None
    return Done(None, (event,))


def read_erasure_reason(*, actor: Staff, conversation_id: UUID, now: datetime) -> Done[Secret]:
    """Return why staff had a conversation erased, once the trail says who reads it.

    Raises what the doorway and `sealer_for` raise, `NotAuthentic`.
    """
    conversation = conversation_for(actor, conversation_id, Action.ERASE)
    erasure = Erasure.objects.filter(conversation=conversation).first()
    if erasure is None:
        raise Unseen
    # before the trail is written: its one head must not be held while a slow provider is asked
    reason = Secret(reason_of_erasure(erasure))
    with transaction.atomic():
        put_on_trail(actor, "erasure.reason_read", conversation, now, {"erasure": str(erasure.pk)})
    return Done(reason)


def erase(conversation: Conversation, now: datetime) -> log.StoredEvent:
    """Destroy the key and remove the texts, and return the word of it, which empties the pages that still show them.

    The caller holds the row lock and knows that nothing needs them.
    """
    count = remove_texts(conversation, now)
    lifecycle.shred(log.subject_of(conversation.pk), actor="system", records=count, now=now)
    outbox.put("conversation.erased", conversation.pk, {}, now)
    return log.append_fact(conversation, "erase_done", now=now, actor=System())


def remove_texts(conversation: Conversation, now: datetime) -> int:
    """Remove the sealed texts of a conversation that nobody can or may open any more; return how many there were.

    Their lines stay, as facts: a log without gaps is what every cursor relies on.
    """
    CodeWord.objects.filter(conversation=conversation).delete()
    texts = Event.objects.filter(conversation=conversation, sealed_body__isnull=False)
    count = texts.update(kind="fact", code="erased", sealed_body=None, client_id=None)
    conversation.sealed_footer, conversation.purged_at = None, now
    conversation.save(update_fields=["sealed_footer", "purged_at"])
    return count


def _ask(conversation: Conversation, actor: Actor, now: datetime) -> tuple[log.StoredEvent, ...] | None:
    """Note a visitor's wish; None when a hold forbids it, no event when it was asked before."""
    end_lapsed(conversation, now)
    if on_hold(conversation.pk):
        return None
    return () if conversation.erase_asked_at is not None else (_wish(conversation, actor, {}, now),)


def _wish(conversation: Conversation, actor: Actor, data: dict[str, str | int], now: datetime) -> log.StoredEvent:
    put_on_trail(actor, "erasure.asked", conversation, now, data)
    conversation.erase_asked_at = now
    ReturnWords.objects.filter(conversation=conversation).delete()
    return log.append_fact(conversation, "erase_asked", now=now, actor=actor)
