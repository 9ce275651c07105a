"""Keep the keys of running conversations fresh, and take closed ones out of daily work."""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet

from audit.services import first_of
from chat import log
from chat.core.actors import System
from chat.core.conversation import ENDED, OPEN
from chat.models import Conversation, Event, Hold, OutboxItem, ReturnWords
from chat.selectors import STILL_READABLE, conversation_for, keep_of
from chat.selectors.archive import on_hold
from chat.services.base import Done
from chat.services.erasing import erase, remove_texts
from chat.services.trail import put_on_trail
from encryption.core.envelope import Binding
from encryption.core.footer import footer_of
from encryption.core.life import Life, hold_epoch, working_epoch
from encryption.providers import EpochGone, ProviderDown
from encryption.services import lifecycle, sealer_for
from staff.permissions import Action

logger = logging.getLogger(__name__)
FOOTER = Binding(kind="footer", record="footer", sequence=0, author_role="system")
SEALED = "conversation.sealed"
WRAP_UP_WITHIN = timedelta(hours=24)
"""After this an ended conversation whose contact nobody recorded goes into the archive all the same."""


def retire_closed(*, now: datetime) -> Done[int]:
    """Take every conversation that is over out of daily work, or erase it where that was asked; return how many.

    Before a key is taken away the footer is sealed. One stays while its visitor may still read the last words, while
    something of it waits to be written into a case, and while an escalation of it is open. One that fails holds no
    other one up.
    """
    over = _settled(lifecycle.in_daily_work("conversation")).filter(
        Q(state__in=ENDED, ended_at__lte=now - STILL_READABLE) | Q(ended_at__lte=now - WRAP_UP_WITHIN)
    )
    # who left quickly may come back by words, and then it goes on
    over = over.exclude(pk__in=ReturnWords.objects.filter(until__gt=now).values("pk"))
    wished = _settled(None).filter(erase_asked_at__isnull=False, purged_at=None).exclude(state__in=OPEN)
    done, events = 0, []
    for pk in {*over.values_list("pk", flat=True), *wished.values_list("pk", flat=True)}:
        try:
            gone, event = _retire(pk, now)
            done += gone
            events += [event] if event else []
        except Exception as error:
            logger.error("conversation not taken out of daily work", exc_info=error)
    if done:
        lifecycle.clear_remains()
    return Done(done, tuple(events))


def tend_keys(*, now: datetime) -> Done[int]:
    """Renew the keys of conversations that outlived their day, then destroy the keys whose time has come.

    A running conversation never loses its key to an outage: the day key of one that could not be renewed for that
    reason is spared, that key alone. What nobody can open any more is removed.
    """
    today = working_epoch(Life(standing=False), now)
    old = lifecycle.outlived("conversation", today)
    running = Conversation.objects.filter(pk__in=old).filter(
        Q(ended_at=None) | Q(level__gt=0) | Q(ended_at__gt=now - WRAP_UP_WITHIN) | Q(pk__in=_waited_for())
    )
    spare = {old[pk] for pk, drill in running.values_list("pk", "drill") if not _renewed(pk, drill, now)}
    gone = lifecycle.destroy_over(now, spare=spare)
    end_holds(now=now)
    purge(now=now)
    return Done(len(gone))


def _renewed(pk: UUID, drill: str, now: datetime) -> bool:
    """Renew one key; False only when an outage forbids it, so that the next round may."""
    try:
        lifecycle.renew(log.subject_of(pk), keep_of(drill), now)
    except EpochGone as error:
        logger.error("key of a running conversation is gone", exc_info=error)
    except (ProviderDown, OperationalError) as error:
        logger.error("key of a running conversation not renewed", exc_info=error)
        return False
    except Exception as error:
        # a spoilt wrap stays spoilt: it must not keep the keys of a whole day alive
        logger.error("key of a running conversation cannot be renewed", exc_info=error)
    return True


def end_holds(*, now: datetime) -> Done[int]:
    """Destroy the keys of holds that were let go while that was not possible; return how many."""
    let_go = Hold.objects.filter(ended_at__isnull=False, confirmed_at__isnull=False)
    epochs = [hold_epoch(pk, until) for pk, until in let_go.values_list("pk", "until")]
    return Done(lifecycle.destroy_if_there(epochs, actor="system", now=now))


def purge(*, now: datetime) -> Done[int]:
    """Remove the texts of conversations that nobody can open any more; return how many conversations that were."""
    over = list(Conversation.objects.filter(ended_at__isnull=False, purged_at=None).values_list("pk", flat=True))
    closed = lifecycle.keyless("conversation", over)
    for pk in closed:
        with transaction.atomic():
            conversation = conversation_for(System(), pk, Action.SEE_CONVERSATION, lock=True)
            count = remove_texts(conversation, now)
            put_on_trail(System(), "texts.purged", conversation, now, {"records": count})
    if closed:
        lifecycle.clear_remains()
    return Done(len(closed))


def _settled(among: QuerySet[Any, UUID] | None) -> QuerySet[Conversation]:
    """Return the conversations that no case waits for and whose escalations are settled."""
    rows = Conversation.objects.filter(level=0)
    if among is not None:
        rows = rows.filter(pk__in=among)
    return rows.exclude(pk__in=_waited_for())


def _waited_for() -> QuerySet[OutboxItem, UUID]:
    """Return the conversations of which something is still to be written down; what was given up holds nothing up."""
    return OutboxItem.objects.filter(delivered_at=None, dead=False).values_list("conversation_id", flat=True)


def _retire(pk: UUID, now: datetime) -> tuple[bool, log.StoredEvent | None]:
    with transaction.atomic():
        conversation = conversation_for(System(), pk, Action.SEE_CONVERSATION, lock=True)
        if conversation.level or conversation.ended_at is None:
            # somebody came back by words between the list and this lock, or a danger was raised, which comes first
            return False, None
        if conversation.erase_asked_at is not None and not on_hold(pk):
            return True, erase(conversation, now)
        if conversation.sealed_footer is None and not sealed_before(pk):
            _seal_footer(conversation, now)
        return lifecycle.retire(log.subject_of(pk), keep_of(conversation.drill), now=now), None


def _seal_footer(conversation: Conversation, now: datetime) -> None:
    """Seal how many texts there are, once: the trail holds the digest, so that nobody seals a shorter log as whole."""
    texts = Event.objects.filter(conversation=conversation, sealed_body__isnull=False).order_by("staff_seq")
    whole = footer_of((number, bytes(body or b"")) for number, body in texts.values_list("staff_seq", "sealed_body"))
    sealer = sealer_for(log.subject_of(conversation.pk))
    conversation.sealed_footer = sealer.seal_bytes(FOOTER, whole.packed())
    conversation.save(update_fields=["sealed_footer"])
    data: dict[str, str | int] = {"records": whole.count, "last": whole.last, "digest": whole.digest.hex()}
    put_on_trail(System(), SEALED, conversation, now, data)


def sealed_before(conversation_id: UUID) -> str | None:
    """Return the digest over a conversation's texts that the trail holds since it left daily work, None before."""
    known = first_of(SEALED, f"conversation:{conversation_id}")
    return None if known is None else str(known["digest"])
