"""The word, or question and answer, by which a visitor is known again: sealed, and for the advocate only."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from chat import log
from chat.core.actors import Staff, Visitor
from chat.core.conversation import OPEN
from chat.core.errors import ErrorCode, Refused
from chat.core.pausing import check_not_paused
from chat.core.returning import MOST_CODE_WORD, check_is_known
from chat.core.text import checked
from chat.log import StoredEvent
from chat.models import CodeWord
from chat.selectors import conversation_for, visitor_by_token, visitor_of
from chat.services.base import Done
from chat.services.posting import takes_texts
from chat.services.trail import put_on_trail
from encryption.core.envelope import Binding
from encryption.providers import EpochGone, ProviderDown
from encryption.services import KeyGone, sealer_for
from encryption.text import Secret
from staff.permissions import Action


def agree_by_token(*, token: str, text: str, now: datetime) -> Done[None]:
    """Keep the code word that the visitor of a page chose; raises as `agree` and `visitor_by_token` do."""
    return agree(actor=visitor_of(visitor_by_token(token, now)), text=text, now=now)


def agree(*, actor: Visitor | Staff, text: str, now: datetime, conversation_id: UUID | None = None) -> Done[None]:
    """Keep a code word; a later one takes its place.

    Raises what the doorway raises, a text code, `Refused`: `WRONG_STATE` once it is over, `FORBIDDEN` for who came
    back and is not known yet, `PAUSED`, `OURS` without keys.
    """
    said = checked(text)
    if len(said) > MOST_CODE_WORD:
        raise Refused(ErrorCode.TEXT_TOO_LONG)
    pk = actor.conversation if isinstance(actor, Visitor) else conversation_id
    if pk is None:
        raise Refused(ErrorCode.NOT_FOUND)
    try:
        return Done(None, (_keep(actor, pk, said, now),))
    except (ProviderDown, KeyGone, EpochGone):
        raise Refused(ErrorCode.OURS) from None


def read_code_word(*, actor: Staff, conversation_id: UUID, now: datetime) -> Done[Secret | None]:
    """Return the code word, None when none was agreed on, once the trail says who reads it.

    Raises what the doorway and `sealer_for` raise, `NotAuthentic`.
    """
    conversation = conversation_for(actor, conversation_id, Action.READ_CONVERSATION)
    kept = CodeWord.objects.filter(conversation=conversation).first()
    if kept is None:
        return Done(None)
    # before the trail is written: its one head must not be held while a slow provider is asked
    text = sealer_for(log.subject_of(kept.pk)).unseal(_binding(kept.author_role), bytes(kept.sealed_text))
    with transaction.atomic():
        put_on_trail(actor, "code_word.read", conversation, now)
    return Done(text)


def _keep(actor: Visitor | Staff, pk: UUID, said: str, now: datetime) -> StoredEvent:
    role = "visitor" if isinstance(actor, Visitor) else "staff"
    log.warm(pk)
    with transaction.atomic():
        conversation = conversation_for(actor, pk, Action.WRITE_MESSAGE, lock=True)
        if isinstance(actor, Visitor):
            check_is_known(return_open=conversation.return_open)
            check_not_paused(conversation.paused_until, now)
        if conversation.state not in OPEN or not takes_texts(conversation):
            raise Refused(ErrorCode.WRONG_STATE)
        sealed = sealer_for(log.subject_of(pk)).seal(_binding(role), said)
        CodeWord.objects.update_or_create(
            conversation=conversation, defaults={"sealed_text": sealed, "author_role": role, "at": now}
        )
        put_on_trail(actor, "code_word.agreed", conversation, now)
        return log.append_fact(conversation, "code_word_agreed", now=now, actor=actor)


def _binding(author_role: str) -> Binding:
    return Binding(kind="code_word", record="code_word", sequence=0, author_role=author_role)
