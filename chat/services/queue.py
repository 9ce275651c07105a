"""Bring waiting conversations and people together, and never let one be stranded."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet

from chat import log
from chat.core.actors import Staff, System
from chat.core.conversation import HELD, OPEN, Move, State, next_state
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.core.routing import (
    FADES_AFTER,
    NOT_AGAIN_WITHIN,
    NOTED_EVERY,
    OFFER_LASTS,
    OVERTAKEN,
    RESCUE_GRACE,
    URGENT,
    Ready,
    Unmet,
    Waiting,
    has_room,
    may_practise,
    offers,
    watched_since,
    with_past,
)
from chat.log import StoredEvent
from chat.models import Assignment, Conversation, Watch
from chat.selectors import conversation_for
from chat.services.base import Done, mover_of
from chat.services.ending import fade
from chat.services.trail import put_on_trail
from staff.models import User
from staff.permissions import Action
from staff.selectors import on_shift, ready_people, vanished_people

logger = logging.getLogger(__name__)


def take(*, actor: Staff, conversation_id: UUID, now: datetime) -> Done[None]:
    """Take a waiting conversation, accept an offered one, or take one in danger that is offered to somebody else.

    Taking what one already holds changes nothing. What else is offered to this person gives way to a danger.
    Raises `Refused`: `ALREADY_TAKEN`, `BEING_ASKED`, `FOR_ANOTHER`, `AT_CAPACITY`, `NOT_AVAILABLE` while away or
    without a console: nobody would notice that they are gone.
    """
    with transaction.atomic():
        # people are locked before conversations everywhere, so that two commands never wait for each other
        person = User.objects.select_for_update(no_key=True).get(pk=actor.id)
        held = Conversation.objects.filter(advocate=person, state__in=HELD)
        if held.filter(pk=conversation_id, state=State.ACTIVE).exists():
            return Done(None)
        conversation = conversation_for(actor, conversation_id, Action.TAKE, lock=True)
        if not on_shift(now).filter(pk=person.pk).exists():
            raise Refused(ErrorCode.NOT_AVAILABLE)
        if not has_seat(person, conversation):
            raise Refused(ErrorCode.AT_CAPACITY)
        given = _give_way(person, conversation, now)
        conversation.state = next_state(State(conversation.state), Move.TAKE, mover_of(actor))
        asked_id = _hand_over(conversation, person, now)
        conversation.accepted_at, conversation.waiting_since, conversation.offer_until = now, None, None
        event = log.append_fact(conversation, "joined", now=now, actor=actor, visible=True)
        put_on_trail(
            actor, "conversation.taken", conversation, now, {"offered_to": f"staff:{asked_id}"} if asked_id else None
        )
    return Done(None, (event, *given))


def decline(*, actor: Staff, conversation_id: UUID, now: datetime) -> Done[None]:
    """Give an offered conversation back; it keeps its place, since its waiting time goes on counting."""
    with transaction.atomic():
        conversation = conversation_for(actor, conversation_id, Action.DECLINE, lock=True)
        event = _back_to_queue(conversation, Move.DECLINE, actor, "declined", now)
    return Done(None, (event,))


def offer_waiting(*, now: datetime) -> Done[int]:
    """Offer waiting conversations to people with a free seat; return how many offers were made."""
    ready = _ready(now)
    # most of the time nobody is free, and who waits need not be looked through each second
    pairs = dict(offers(_waiting(now), ready)) if ready else {}
    return each(pairs, lambda pk: offer_one(pk, pairs[pk], now))


def lapse_offers(*, now: datetime) -> Done[int]:
    """Take back offers that nobody answered in time."""
    late = Conversation.objects.filter(state=State.OFFERED, offer_until__lte=now).values_list("pk", flat=True)
    return each(late, lambda pk: _take_back(pk, Move.LAPSE, "lapsed", now))


def clear_offers(*, now: datetime) -> Done[int]:
    """Give back calm offers to people who by now hold a danger: they could not be accepted any more."""
    calm = Conversation.objects.filter(state=State.OFFERED, level__lt=URGENT, drill="")
    stuck = calm.filter(Exists(_dangers().filter(advocate=OuterRef("advocate")))).values_list("pk", flat=True)
    return each(stuck, lambda pk: _clear(pk, now))


def rescue_stranded(*, now: datetime) -> Done[int]:
    """Give the running conversations of people whose console vanished back to the queue.

    The first wait counts on from when the visitor arrived, so they come to the head of the queue. While the system
    itself was away nobody could be heard: silence counts from its return.
    """
    since = _watch(now)
    if now - since < RESCUE_GRACE:
        return Done(0)
    vanished = [row.user_id for row in vanished_people(now, RESCUE_GRACE)]
    stranded = Conversation.objects.filter(state=State.ACTIVE, advocate_id__in=vanished).values_list("pk", flat=True)
    return each(stranded, lambda pk: _take_back(pk, Move.RESCUE, "rescued", now))


def hand_back_all(*, user_id: int, now: datetime) -> Done[int]:
    """Give somebody's offers and running conversations back to the head of the queue, as they sign out.

    What waits for its record stays theirs.
    """
    with transaction.atomic():
        # waits for a take of theirs that has begun, and people are locked before conversations everywhere
        User.objects.select_for_update(no_key=True).get(pk=user_id)
        held = Conversation.objects.filter(advocate_id=user_id, state__in=[State.OFFERED, State.ACTIVE])
        pks = list(held.values_list("pk", flat=True))
    return each(pks, lambda pk: _hand_back(pk, user_id, now))


def fade_waiting(*, now: datetime) -> Done[int]:
    """End the wait of visitors who were not seen for long; a flagged one is never ended by a clock."""
    unseen = Conversation.objects.filter(state=State.WAITING, level=0, visitor_seen_at__lte=now - FADES_AFTER)
    return each(unseen.values_list("pk", flat=True), lambda pk: _fade(pk, now))


def each(pks: Iterable[UUID], one: Callable[[UUID], StoredEvent | tuple[StoredEvent, ...] | None]) -> Done[int]:
    """Do something to each conversation; one that fails, or that somebody holds just now, holds no other one up.

    What it is done to is counted, also where its events are several.
    """
    count, events = 0, list[StoredEvent]()
    for pk in pks:
        try:
            made = one(pk)
        except Unseen:
            continue
        except Exception as error:
            logger.error("clock of conversation %s failed", pk, exc_info=error)
            continue
        if made is not None:
            count += 1
            events += made if isinstance(made, tuple) else (made,)
    return Done(count, tuple(events))


def _watch(now: datetime) -> datetime:
    """Return since when rescues are looked for without a longer break, and note that they are."""
    row = Watch.objects.filter(pk=1).first()
    since = watched_since(row.since, row.last, now) if row else now
    if row is None or since != row.since or abs(now - row.last) >= NOTED_EVERY:
        Watch.objects.update_or_create(pk=1, defaults={"since": since, "last": now})
    return since


def _dangers() -> QuerySet[Conversation]:
    return Conversation.objects.filter(state=State.ACTIVE, level__gte=URGENT, drill="")


def _clear(pk: UUID, now: datetime) -> StoredEvent | None:
    with transaction.atomic():
        offer = conversation_for(System(), pk, Action.SEE_CONVERSATION, lock=True, wait=False)
        # looked at again under the lock: it may have been answered, or have become a danger itself
        calm = offer.state == State.OFFERED and offer.level < URGENT
        if not calm or not _dangers().filter(advocate=offer.advocate).exists():
            return None
        return _back_to_queue(offer, Move.LAPSE, System(), "gave_way", now)


def _fade(pk: UUID, now: datetime) -> StoredEvent | None:
    with transaction.atomic():
        conversation = conversation_for(System(), pk, Action.SEE_CONVERSATION, lock=True, wait=False)
        # looked at again under the lock: a flag may have been raised meanwhile
        unseen = conversation.visitor_seen_at <= now - FADES_AFTER
        if conversation.state != State.WAITING or conversation.level or not unseen:
            return None
        return fade(conversation, now)


def _hand_back(pk: UUID, user_id: int, now: datetime) -> StoredEvent | None:
    with transaction.atomic():
        conversation = conversation_for(System(), pk, Action.SEE_CONVERSATION, lock=True)
        if conversation.advocate_id != user_id or conversation.state not in {State.OFFERED, State.ACTIVE}:
            return None
        move = Move.LAPSE if conversation.state == State.OFFERED else Move.RESCUE
        event = _back_to_queue(conversation, move, System(), "signed_out", now)
        put_on_trail(f"staff:{user_id}", "conversation.handed_back", conversation, now)
        return event


def _waiting(now: datetime) -> list[Waiting]:
    recent = Assignment.objects.filter(
        conversation__state=State.WAITING, outcome__in=["declined", "lapsed"], ended_at__gt=now - NOT_AGAIN_WITHIN
    )
    past: dict[UUID, list[Unmet]] = {}
    for pk, person, ended_at, outcome in recent.values_list("conversation_id", "advocate_id", "ended_at", "outcome"):
        past.setdefault(pk, []).append(Unmet(person, ended_at or now, lapsed=outcome == "lapsed"))
    return [
        with_past(
            Waiting(row.pk, row.level, row.waiting_since or row.opened_at, row.language), past.get(row.pk, ()), now
        )
        # a drill takes no visitor's turn: `chat.services.drills` offers it to whom it is for
        for row in Conversation.objects.filter(state=State.WAITING, drill="")
    ]


def _ready(now: datetime) -> list[Ready]:
    # a supervisor takes conversations by choice and is offered none
    people = list(ready_people(now).filter(user__role="advocate"))
    ids = [row.user_id for row in people]
    seats: dict[int, list[tuple[int, str]]] = {}
    rows = Conversation.objects.filter(advocate_id__in=ids, state__in=HELD, drill="")
    for advocate_id, level, state in rows.values_list("advocate_id", "level", "state"):
        seats.setdefault(advocate_id or 0, []).append((level, state))
    real = Assignment.objects.filter(advocate_id__in=ids, conversation__drill="")
    begun = dict(real.values_list("advocate_id").annotate(Max("begun_at")))
    found = []
    for row in people:
        held, calm, to_record = _seats(seats.get(row.user.pk, ()))
        found.append(
            Ready(
                id=row.user.pk,
                languages=row.user.languages,
                capacity=row.user.capacity,
                held_levels=held,
                last_begun=begun.get(row.user.pk),
                to_record=to_record,
                calm_offers=calm,
            )
        )
    return found


def _seats(visitors: Iterable[tuple[int, str]]) -> tuple[tuple[int, ...], int, tuple[int, ...]]:
    """Return the levels of what somebody holds, how many calm offers they have, and the levels of what is to record."""
    held, calm, to_record = list[int](), 0, list[int]()
    for level, state in visitors:
        if state == State.WRAP_UP:
            to_record.append(level)
        elif state == State.OFFERED and level < URGENT:
            calm += 1
        else:
            held.append(level)
    return tuple(held), calm, tuple(to_record)


def has_seat(person: User, conversation: Conversation) -> bool:
    """Tell whether somebody can hold one more; drills take no seat from visitors. The caller holds both locks.

    Of several offers in danger each can be accepted: the others give way to it.
    """
    rows = Conversation.objects.filter(advocate=person, state__in=HELD).exclude(pk=conversation.pk)
    others = list(rows.values_list("drill", "level", "state"))
    visitors = [(level, state) for drill, level, state in others if not drill]
    if conversation.drill:
        # a drill whose contact is still to be recorded keeps nobody from the next one
        drills = sum(drill != "" and state in OPEN for drill, _, state in others)
        return may_practise(person.capacity, [level for level, _ in visitors], drills)
    if conversation.advocate_id == person.pk and conversation.level >= URGENT:
        visitors = [(level, state) for level, state in visitors if state != State.OFFERED]
    held, calm, to_record = _seats(visitors)
    return has_room(person.capacity, held, calm, to_record, level=conversation.level)


def offer_one(conversation_id: UUID, user_id: int, now: datetime) -> tuple[StoredEvent, ...] | None:
    """Make one offer if both sides are still free; another worker may have been quicker.

    Calm offers that this person has not answered give way to a danger.
    """
    with transaction.atomic():
        person = User.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=user_id).first()
        if person is None:
            return None
        conversation = conversation_for(System(), conversation_id, Action.SEE_CONVERSATION, lock=True, wait=False)
        if conversation.state != State.WAITING or not has_seat(person, conversation):
            return None
        given = _give_way(person, conversation, now)
        conversation.state = next_state(State.WAITING, Move.OFFER, mover_of(System()))
        conversation.advocate, conversation.offer_until = person, now + OFFER_LASTS
        Assignment.objects.create(conversation=conversation, advocate=person, begun_at=now, offered=True)
        return (log.append_fact(conversation, "offered", now=now, actor=System()), *given)


def _give_way(person: User, conversation: Conversation, now: datetime) -> tuple[StoredEvent, ...]:
    """Give somebody's other offers back to the queue where the conversation is one in danger; it counts against nobody.

    One that another command holds just now stays, and is waited for by nobody: `clear_offers` comes for it, or it
    runs out.
    """
    if conversation.level < URGENT or conversation.drill:
        return ()
    others = Conversation.objects.filter(advocate=person, state=State.OFFERED, drill="").exclude(pk=conversation.pk)
    given = [_one_gives_way(pk, person, now) for pk in others.order_by("pk").values_list("pk", flat=True)]
    return tuple(event for event in given if event is not None)


def _one_gives_way(pk: UUID, person: User, now: datetime) -> StoredEvent | None:
    with suppress(Unseen):
        offer = conversation_for(System(), pk, Action.SEE_CONVERSATION, lock=True, wait=False)
        # looked at again under the lock: a colleague may have taken it meanwhile
        if offer.state == State.OFFERED and offer.advocate_id == person.pk:
            return _back_to_queue(offer, Move.LAPSE, System(), "gave_way", now)
    return None


def _hand_over(conversation: Conversation, person: User, now: datetime) -> int | None:
    """Make a conversation somebody's; return who else was asked about it just now.

    They did nothing wrong: their offer has an end of its own, which bars them from nothing.
    """
    before = conversation.advocate_id
    conversation.advocate = person
    if before == person.pk:
        return None
    Assignment.objects.filter(conversation=conversation, ended_at=None).update(ended_at=now, outcome=OVERTAKEN)
    Assignment.objects.create(conversation=conversation, advocate=person, begun_at=now, offered=False)
    return before


def _take_back(conversation_id: UUID, move: Move, outcome: str, now: datetime) -> StoredEvent | None:
    with transaction.atomic():
        conversation = conversation_for(System(), conversation_id, Action.SEE_CONVERSATION, lock=True, wait=False)
        late = conversation.offer_until is not None and conversation.offer_until <= now
        if move is Move.LAPSE and not (conversation.state == State.OFFERED and late):
            return None
        if move is Move.RESCUE and not (conversation.state == State.ACTIVE and _vanished(conversation, now)):
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


def _vanished(conversation: Conversation, now: datetime) -> bool:
    """Tell under the lock whether who holds it now is gone: it may have been taken by somebody who is there."""
    return vanished_people(now, RESCUE_GRACE).filter(pk=conversation.advocate_id).exists()
