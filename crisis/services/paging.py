"""Page who is on call: rows that any worker takes up, target after target until somebody comes.

Locks come in one order: conversation, target, paging, trail.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from audit.services import record
from chat.core.actors import System
from chat.core.drills import marked, pages
from chat.core.errors import Unseen
from chat.services import Done
from crisis.core.ladder import Ladder, State
from crisis.core.paging import (
    LEASE,
    OPEN,
    DeliveryState,
    Kind,
    PagingState,
    calls_for_page,
    end_of,
    next_target,
)
from crisis.models import Delivery, Escalation, OnCallTarget, Paging
from crisis.selectors import escalation_for, ladder
from crisis.selectors.on_call import targets
from crisis.services.paging_rows import end, has_risen, locked, quietly
from staff.permissions import Action

KEPT = timedelta(days=90)
"""How long it can be looked up who was paged; the trail keeps it for good."""


def page_if_due(
    escalation: Escalation, rungs: Ladder, now: datetime, *, climbed_from: int | None = None, wait: bool = True
) -> None:
    """Begin a paging where the ladder says so, inside the transaction of its cause.

    `climbed_from` is the level whose clock ran out. A paging that still runs for the same level goes on and is not
    doubled: begun again with each repeat it would never come to its second target. One that runs for a lower level
    begins anew. Without `wait` one that a worker holds just now is left to that worker, which looks at the level with
    its next look: a batch of messages that has called for another conversation holds the trail, for which it waits.
    A drill pages nobody unless it was begun so and runs.
    """
    due = calls_for_page(rungs[escalation.level], overdue=False)
    if climbed_from is not None:
        due = due or calls_for_page(rungs[climbed_from], overdue=True)
    if not due or not _may_page(escalation) or not targets():
        return
    running = Paging.objects.filter(escalation=escalation, state=PagingState.CALLING)
    known = running.values_list("pk", flat=True).first()
    if known is None:
        _begin(escalation, now)
        return
    paging = locked(known, wait=wait)
    if paging is None:
        return
    if paging.state != PagingState.CALLING:
        # it ended while its lock was waited for, or a worker has begun anew for the level that it saw
        if not running.exists():
            _begin(escalation, now)
    elif paging.level < escalation.level:
        _begin_anew(paging, escalation, now)


def call_off(escalation: Escalation, now: datetime) -> None:
    """End what still pages, since somebody has come; inside the transaction in which they did."""
    for paging in Paging.objects.select_for_update(no_key=True).filter(
        escalation=escalation, state=PagingState.CALLING
    ):
        end(paging, PagingState.ANSWERED, now)


def begin_test(target: OnCallTarget, actor: str, now: datetime) -> None:
    """Begin a paging that is a test and goes to one target only; under its lock, and not while one is on its way."""
    if Delivery.objects.filter(target=target, paging__kind=Kind.TEST, state__in=OPEN).exists():
        return
    paging = Paging.objects.create(kind=Kind.TEST, level=0, begun_at=now)
    _deliver_to(paging, target, now)
    record(actor=actor, action="paging.test", subject=f"oncall:{target.pk}", data={"paging": str(paging.pk)}, now=now)


def step_pagings(*, now: datetime, limit: int = 100) -> Done[int]:
    """Go on to the next target where its turn has come, and begin where it should have; return how many moved.

    Any number of workers may do it at once.
    """
    begun = sum(quietly(lambda pk=pk: _begin_late(pk, now)) for pk in _not_paged())  # type: ignore[misc]
    due = Paging.objects.filter(Q(due_at__lte=now) | Q(level__lt=F("escalation__level")), state=PagingState.CALLING)
    pks = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    return Done(begun + sum(quietly(lambda pk=pk: _step(pk, now)) for pk in pks))  # type: ignore[misc]


def mend_pagings(*, now: datetime) -> Done[int]:
    """Let no page wait longer than its target was given, after the machine's clock was set back."""
    moved = Delivery.objects.filter(state__in=OPEN, due_at__gt=now + LEASE).update(due_at=now + LEASE)
    # what began later than now stands before what begins from now on
    Paging.objects.filter(begun_at__gt=now).update(begun_at=now)
    calling = Paging.objects.filter(state=PagingState.CALLING)
    for pk in list(calling.filter(due_at__gt=now).values_list("pk", flat=True)):
        arrived = Delivery.objects.filter(paging=pk, state=DeliveryState.SENT).order_by("-pk")
        seconds = arrived.values_list("target__wait_seconds", flat=True).first()
        late = now + timedelta(seconds=seconds or 0)
        moved += calling.filter(pk=pk, due_at__gt=late).update(due_at=late)
    return Done(moved)


def forget_pagings(*, now: datetime) -> int:
    """Remove the rows of pagings that were over long ago."""
    over = Paging.objects.filter(begun_at__lt=now - KEPT).exclude(state=PagingState.CALLING)
    return over.delete()[0]


def _not_paged() -> list[UUID]:
    """Return what waits for somebody, pages at once, and was never paged for on its level.

    There was no target then, or a worker was ending its paging in the moment in which the level rose.
    """
    paged = Paging.objects.filter(escalation=OuterRef("pk"), level__gte=OuterRef("level"))
    raised = Escalation.objects.filter(~Exists(paged), state=State.RAISED)
    rows = raised.values_list("pk", "level", "conversation__drill", "conversation__state")
    missed = [(pk, level) for pk, level, drill, state in rows if pages(drill, state)]
    if not missed or not targets():
        return []
    rungs = ladder()
    return [pk for pk, level in missed if calls_for_page(rungs[level], overdue=False)]


def _may_page(escalation: Escalation) -> bool:
    return pages(escalation.conversation.drill, escalation.conversation.state)


def _begin_late(escalation_id: UUID, now: datetime) -> bool:
    with transaction.atomic():
        try:
            _, escalation = escalation_for(System(), escalation_id, Action.SEE_BOARD, lock=True, wait=False)
        except Unseen:
            # somebody holds its conversation just now, and may be calling for it
            return False
        if escalation.state != State.RAISED:
            return False
        page_if_due(escalation, ladder(), now, wait=False)
    return True


def _step(paging_id: UUID, now: datetime) -> bool:
    with transaction.atomic():
        paging = locked(paging_id, wait=False)
        if paging is None or paging.state != PagingState.CALLING:
            return False
        escalation = paging.escalation
        if escalation is not None and escalation.state != State.RAISED:
            end(paging, PagingState.ANSWERED, now)
            return True
        if escalation is not None and not _may_page(escalation):
            # a drill that is over, and not yet stood down
            return False
        if escalation is not None and has_risen(paging):
            if calls_for_page(ladder()[escalation.level], overdue=False):
                paging = _begin_anew(paging, escalation, now)
            else:
                # the new level does not page by itself: this one goes on, and says the new level
                paging.level = escalation.level
                paging.save(update_fields=["level"])
        if paging.due_at is None or paging.due_at > now:
            return False
        _to_the_next(paging, now)
    return True


def _to_the_next(paging: Paging, now: datetime) -> None:
    tried = set(paging.deliveries.values_list("target", flat=True))
    # a test has its one target from the beginning
    order = {} if paging.kind == Kind.TEST else {one.pk: one for one in targets()}
    chosen = next_target(list(order), tried)
    target = order.get(chosen) if chosen else None
    if target is None:
        end(paging, end_of(Kind(paging.kind), reached=paging.reached), now)
        return
    _deliver_to(paging, target, now)
    paging.due_at = None
    paging.save(update_fields=["due_at"])


def _begin(escalation: Escalation, now: datetime) -> Paging:
    drill = escalation.conversation.drill
    kind = Kind.DRILL if drill else Kind.ESCALATION
    paging = Paging.objects.create(escalation=escalation, kind=kind, level=escalation.level, begun_at=now, due_at=now)
    told = marked(drill, {"level": escalation.level, "escalation": str(escalation.pk)})
    record(actor="system", action="paging.begun", subject=f"paging:{paging.pk}", data=told, now=now)
    return paging


def _begin_anew(paging: Paging, escalation: Escalation, now: datetime) -> Paging:
    """Page from the first target on for the level that was reached; what the lower one has still to send is dropped."""
    end(paging, PagingState.RISEN, now)
    return _begin(escalation, now)


def _deliver_to(paging: Paging, target: OnCallTarget, now: datetime) -> None:
    Delivery.objects.create(paging=paging, target=target, target_name=target.name, due_at=now, at=now)
