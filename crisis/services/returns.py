"""Accept who came back by words, and with it end the consult about whether it is the same person."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from chat import log
from chat import services as chat
from chat.core.actors import Staff
from chat.log import StoredEvent
from chat.selectors import conversation_for
from chat.services import Done
from crisis.because import because_known
from crisis.core.ladder import LEVELS, State, Step, Told, level_after, next_state
from crisis.core.unspoken import Source
from crisis.models import Escalation
from crisis.selectors import open_levels, sealer_of, settlement_binding
from crisis.services.calls import tell
from crisis.services.paging import call_off
from encryption.providers import ProviderDown
from encryption.services import KeyGone, Sealer
from staff.permissions import Action


def accept_return(*, actor: Staff, conversation_id: UUID, returned: int, now: datetime) -> Done[None]:
    """Accept a return as `chat.services.accept_return` does and refuses, and stand its consult down.

    That is a person's answer to what the consult asks, with the reason. One that a supervisor has taken up, that
    climbed, or that says that two people may have the words, stays for a supervisor to settle.
    """
    sealers = _sealers(conversation_id)
    with transaction.atomic():
        done = chat.accept_return(actor=actor, conversation_id=conversation_id, returned=returned, now=now)
        return Done(None, (*done.events, *_stood_down(actor, conversation_id, sealers, now)))


def _asked(conversation_id: UUID) -> QuerySet[Escalation]:
    rows = Escalation.objects.filter(conversation=conversation_id, source=Source.RETURNED)
    return rows.filter(state=State.RAISED, level=min(LEVELS))


def _sealers(conversation_id: UUID) -> dict[UUID, Sealer]:
    """Return what seals the reasons, before any lock is taken; without keys they accept all the same, and it stays."""
    found = {}
    for escalation in _asked(conversation_id):
        with suppress(ProviderDown, KeyGone):
            found[escalation.pk] = sealer_of(escalation)
    return found


def _stood_down(
    actor: Staff, conversation_id: UUID, sealers: Mapping[UUID, Sealer], now: datetime
) -> list[StoredEvent]:
    if not sealers:
        return []
    conversation = conversation_for(actor, conversation_id, Action.DECIDE_RETURN, lock=True)
    events = []
    for escalation in _asked(conversation_id).filter(pk__in=sealers):
        escalation.state = next_state(State(escalation.state), Step.STAND_DOWN)
        escalation.settled_by_id, escalation.settled_at, escalation.due_at = actor.id, now, None
        sealer = sealers[escalation.pk]
        escalation.sealed_settlement = sealer.seal(settlement_binding(escalation.pk), because_known())
        escalation.save()
        conversation.level = level_after(open_levels(conversation))
        events.append(log.append_fact(conversation, "flag_stood_down", now=now, actor=actor, level=escalation.level))
        call_off(escalation, now)
        tell(escalation, Told.STOOD_DOWN, actor, now)
    return events
