"""Stand down what a drill has raised, once it is over."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction

from chat import log
from chat.core.actors import Staff, System
from chat.selectors import conversation_for
from chat.services import Done
from crisis.because import because_drill_over
from crisis.core.ladder import SETTLED, State, Step, Told, level_after, next_state
from crisis.models import Escalation
from crisis.selectors import open_levels, reason_subject, sealer_of, settlement_binding
from crisis.services.calls import tell
from crisis.services.paging import call_off
from encryption.providers import EpochGone
from encryption.services import KeyGone, Sealer, create_data_key
from staff.permissions import Action


def stand_down_drill(*, actor: Staff, conversation_id: UUID, now: datetime) -> Done[int]:
    """Settle every open escalation of a drill because it is over; return how many. Of a real one, nothing.

    `actor` is who ended the drill, or started it: to practise is their word that nobody is in danger. What is raised
    in this very moment is left to the next look. Raises `ProviderDown`.
    """
    open_ = Escalation.objects.filter(conversation=conversation_id).exclude(state__in=SETTLED)
    sealers: dict[UUID, Sealer | None] = {}
    for escalation in open_:
        sealers[escalation.pk] = None
        with suppress(KeyGone, EpochGone):
            # before any lock is taken, behind which others would wait for the key provider
            sealers[escalation.pk] = sealer_of(escalation)
    events = []
    with transaction.atomic():
        conversation = conversation_for(System(), conversation_id, Action.SEE_CONVERSATION, lock=True)
        # read again: somebody may have settled one meanwhile, whose words stay
        for escalation in open_.filter(pk__in=sealers) if conversation.drill else ():
            escalation.conversation = conversation
            escalation.state = next_state(State(escalation.state), Step.STAND_DOWN)
            escalation.settled_by_id, escalation.settled_at, escalation.due_at = actor.id, now, None
            sealer = sealers.get(escalation.pk) or create_data_key(reason_subject(escalation.pk), now)
            escalation.sealed_settlement = sealer.seal(settlement_binding(escalation.pk), because_drill_over())
            escalation.save()
            conversation.level = level_after(open_levels(conversation))
            events.append(
                log.append_fact(conversation, "flag_stood_down", now=now, actor=actor, level=escalation.level)
            )
            call_off(escalation, now)
            tell(escalation, Told.STOOD_DOWN, actor, now)
    return Done(len(events), tuple(events))
