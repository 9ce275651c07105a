"""Bring waiting conversations and people together, and never let one be stranded."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from audit.services import record
from chat import log
from chat.core.actors import Staff, System
from chat.core.conversation import HELD, Move, State, next_state
from chat.core.errors import ErrorCode, Refused
from chat.core.routing import (
    FADES_AFTER,
    NOT_AGAIN_WITHIN,
    OFFER_LASTS,
    RESCUE_GRACE,
    Ready,
    Waiting,
    free_seats,
    offers,
)
from chat.log import StoredEvent
from chat.models import Assignment, Conversation
from chat.selectors import conversation_for
from chat.services.base import Done, mover_of
from chat.services.ending import fade
from staff.models import User
from staff.permissions import Action
from staff.selectors import readiness_of, ready_people, vanished_people


def take(*, actor: Staff, conversation_id: UUID, now: datetime) -> Done[None]:
    """Take a waiting conversation or accept an offered one; taking what one already holds changes nothing.

    Raises `Refused`: `ALREADY_TAKEN`, `AT_CAPACITY`, `NOT_AVAILABLE` while away.
    """
    with transaction.atomic():
        # people are locked before conversations everywhere, so that two commands never wait for each other
        person = User.objects.select_for_update(no_key=True).get(pk=actor.id)
        held = Conversation.objects.filter(advocate=person, state__in=HELD)
        if held.filter(pk=conversation_id, state=State.ACTIVE).exists():
            return Done(None)
        conversation = conversation_for(actor, conversation_id, Action.TAKE, lock=True)
        if readiness_of(person.pk) == "away":
            raise Refused(ErrorCode.NOT_AVAILABLE)
        accepting = conversation.state == State.OFFERED
        others = held.exclude(pk=conversation.pk).values_list("level", flat=True)
        if free_seats(person.capacity, list(others)) < 1:
            raise Refused(ErrorCode.AT_CAPACITY)
        conversation.state = next_state(State(conversation.state), Move.TAKE, mover_of(actor))
        conversation.advocate = person
        conversation.accepted_at, conversation.waiting_since, conversation.offer_until = now, None, None
        if not accepting:
            Assignment.objects.create(conversation=conversation, advocate=person, begun_at=now, offered=False)
        event = log.append_fact(conversation, "joined", now=now, actor=actor, visible=True)
        record(actor=str(actor), action="conversation.taken", subject=f"conversation:{conversation.pk}", now=now)
    return Done(None, (event,))


def decline(*, actor: Staff, conversation_id: UUID, now: datetime) -> Done[None]:
    """Give an offered conversation back; it keeps its place, since its waiting time goes on counting."""
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.DECLINE, lock=True)
        event = _back_to_queue(conversation, Move.DECLINE, actor, "declined", now)
    return Done(None, (event,))


def offer_waiting(*, now: datetime) -> Done[int]:
    """Offer waiting conversations to people with a free seat; return how many offers were made."""
    events = []
    for conversation_id, user_id in offers(_waiting(now), _ready(now)):
        event = _offer(conversation_id, user_id, now)
        if event is not None:
            events.append(event)
    return Done(len(events), tuple(events))


def lapse_offers(*, now: datetime) -> Done[int]:
    """Take back offers that nobody answered in time."""
    late = Conversation.objects.filter(state=State.OFFERED, offer_until__lte=now).values_list("pk", flat=True)
    events = [_take_back(pk, Move.LAPSE, "lapsed", now) for pk in late]
    return _done(events)


def rescue_stranded(*, now: datetime) -> Done[int]:
    """Give the running conversations of people whose console vanished back to the queue.

    The first wait counts on from when the visitor arrived, so they come to the head of the queue.
    """
    vanished = [row.user_id for row in vanished_people(now, RESCUE_GRACE)]
    stranded = Conversation.objects.filter(state=State.ACTIVE, advocate_id__in=vanished).values_list("pk", flat=True)
    return _done([_take_back(pk, Move.RESCUE, "rescued", now) for pk in stranded])


def fade_waiting(*, now: datetime) -> Done[int]:
    """End the wait of visitors who were not seen for long; a flagged one is never ended by a clock."""
    unseen = Conversation.objects.filter(state=State.WAITING, level=0, visitor_seen_at__lte=now - FADES_AFTER)
    events: list[StoredEvent | None] = []
    for pk in unseen.values_list("pk", flat=True):
        with transaction.atomic():
            conversation = conversation_for(System(), pk, Action.SEE_CONVERSATION, lock=True)
            still = conversation.state == State.WAITING and conversation.visitor_seen_at <= now - FADES_AFTER
            events.append(fade(conversation, now) if still else None)
    return _done(events)


def _waiting(now: datetime) -> list[Waiting]:
    recent = Assignment.objects.filter(
        conversation__state=State.WAITING, outcome__in=["declined", "lapsed"], ended_at__gt=now - NOT_AGAIN_WITHIN
    )
    not_to: dict[UUID, set[int]] = {}
    for assignment in recent:
        not_to.setdefault(assignment.conversation_id, set()).add(assignment.advocate_id)
    return [
        Waiting(
            id=row.pk,
            level=row.level,
            since=row.waiting_since or row.opened_at,
            language=row.language,
            not_to=frozenset(not_to.get(row.pk, ())),
        )
        for row in Conversation.objects.filter(state=State.WAITING)
    ]


def _ready(now: datetime) -> list[Ready]:
    held: dict[int, list[int]] = {}
    for advocate_id, level in Conversation.objects.filter(state__in=HELD).values_list("advocate_id", "level"):
        held.setdefault(advocate_id or 0, []).append(level)
    begun = dict(Assignment.objects.values_list("advocate_id").annotate(Max("begun_at")))
    return [
        Ready(
            id=row.user.pk,
            language=row.user.language,
            capacity=row.user.capacity,
            held_levels=tuple(held.get(row.user.pk, ())),
            last_begun=begun.get(row.user.pk),
        )
        # a supervisor takes conversations by choice and is offered none
        for row in ready_people(now).filter(user__role="advocate")
    ]


def _offer(conversation_id: UUID, user_id: int, now: datetime) -> StoredEvent | None:
    """Make one offer if both sides are still free; another worker may have been quicker."""
    with transaction.atomic():
        person = User.objects.select_for_update(no_key=True).get(pk=user_id)
        conversation = conversation_for(System(), conversation_id, Action.SEE_CONVERSATION, lock=True)
        levels = list(Conversation.objects.filter(advocate=person, state__in=HELD).values_list("level", flat=True))
        if conversation.state != State.WAITING or free_seats(person.capacity, levels) < 1:
            return None
        conversation.state = next_state(State.WAITING, Move.OFFER, mover_of(System()))
        conversation.advocate, conversation.offer_until = person, now + OFFER_LASTS
        Assignment.objects.create(conversation=conversation, advocate=person, begun_at=now, offered=True)
        return log.append_fact(conversation, "offered", now=now, actor=System())


def _take_back(conversation_id: UUID, move: Move, outcome: str, now: datetime) -> StoredEvent | None:
    with transaction.atomic():
        conversation = conversation_for(System(), conversation_id, Action.SEE_CONVERSATION, lock=True)
        late = conversation.offer_until is not None and conversation.offer_until <= now
        if move is Move.LAPSE and not (conversation.state == State.OFFERED and late):
            return None
        if move is Move.RESCUE and conversation.state != State.ACTIVE:
            return None
        return _back_to_queue(conversation, move, System(), outcome, now)


def _back_to_queue(
    conversation: Conversation, move: Move, actor: Staff | System, outcome: str, now: datetime
) -> StoredEvent:
    conversation.state = next_state(State(conversation.state), move, mover_of(actor))
    conversation.advocate, conversation.offer_until = None, None
    conversation.waiting_since = conversation.waiting_since or conversation.opened_at
    Assignment.objects.filter(conversation=conversation, ended_at=None).update(ended_at=now, outcome=outcome)
    return log.append_fact(conversation, "returned_to_queue", now=now, actor=actor, visible=move is Move.RESCUE)


def _done(events: list[StoredEvent | None]) -> Done[int]:
    happened = tuple(event for event in events if event is not None)
    return Done(len(happened), happened)
