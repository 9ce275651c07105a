"""Page who is on call: rows that any worker takes up, each try one worker's; what is sent leaves between transactions.

Locks come in one order: conversation, paging, trail.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from audit.services import record
from chat import outbox
from chat.core.drills import marked, pages
from chat.selectors import site
from chat.services import Done
from crisis.core.ladder import Ladder, State
from crisis.core.notice import Notice, Way
from crisis.core.paging import (
    LEASE,
    MOST_TRIES,
    OPEN,
    DeliveryState,
    Kind,
    PagingState,
    calls_for_page,
    end_of,
    next_target,
    pause_after,
)
from crisis.models import Delivery, Escalation, OnCallTarget, Paging
from crisis.selectors.on_call import target_address, target_secret, targets
from crisis.transport import Errand, Outcome
from encryption.core.envelope import NotAuthentic
from encryption.providers import ProviderDown
from encryption.services import KeyGone

logger = logging.getLogger(__name__)

BOARD = "/staff/board"
KEPT = timedelta(days=90)
"""How long it can be looked up who was paged; the trail keeps it for good."""


def page_if_due(
    escalation: Escalation, ladder: Ladder, now: datetime, *, climbed_from: int | None = None, wait: bool = True
) -> None:
    """Begin a paging where the ladder says so, inside the transaction of its cause.

    `climbed_from` is the level whose clock ran out. A paging that still runs goes on and is not doubled: begun again
    with each repeat it would never come to its second target. Without `wait` one that a worker holds just now counts as
    running: a batch of messages that has called for another conversation holds the trail, for which that worker waits.
    A drill pages nobody unless it was begun so.
    """
    due = calls_for_page(ladder[escalation.level], overdue=False)
    if climbed_from is not None:
        due = due or calls_for_page(ladder[climbed_from], overdue=True)
    drill = escalation.conversation.drill if due else ""
    if not due or not pages(drill) or not targets():
        return
    running = Paging.objects.filter(escalation=escalation, state=PagingState.CALLING)
    known = None if wait else running.values_list("pk", flat=True).first()
    held = known is not None and _locked(known, wait=False) is None
    if not held and not running.update(level=escalation.level):
        paging = Paging.objects.create(
            escalation=escalation,
            kind=Kind.DRILL if drill else Kind.ESCALATION,
            level=escalation.level,
            begun_at=now,
            due_at=now,
        )
        _tell("paging.begun", paging, now)


def call_off(escalation: Escalation, now: datetime) -> None:
    """End what still pages, since somebody has come; inside the transaction in which they did."""
    for paging in Paging.objects.select_for_update(no_key=True).filter(
        escalation=escalation, state=PagingState.CALLING
    ):
        _end(paging, PagingState.ANSWERED, now)


def begin_test(target: OnCallTarget, actor: str, now: datetime) -> Paging:
    """Begin a paging that is a test and goes to one target only."""
    paging = Paging.objects.create(kind=Kind.TEST, level=0, begun_at=now)
    _deliver_to(paging, target, now)
    record(actor=actor, action="paging.test", subject=f"oncall:{target.pk}", data={"paging": str(paging.pk)}, now=now)
    return paging


def step_pagings(*, now: datetime, limit: int = 100) -> Done[int]:
    """Go on to the next target where its turn has come; return how many pagings moved. Any number may do it at once."""
    due = Paging.objects.filter(state=PagingState.CALLING, due_at__lte=now).order_by("due_at", "pk")
    pks = list(due.values_list("pk", flat=True)[:limit])
    return Done(sum(_quietly(lambda pk=pk: _step(pk, now)) for pk in pks))  # type: ignore[misc]


def claim_deliveries(*, now: datetime, limit: int) -> Done[tuple[Errand, ...]]:
    """Take up deliveries that are due: each is this worker's until its lease ends, and no transaction stays open.

    One whose address cannot be opened now is a try that failed: the next one, or another target, may do better.
    """
    due = Delivery.objects.filter(state__in=OPEN, due_at__lte=now).order_by("due_at", "pk")
    errands: list[Errand] = []

    def take(pk: int, paging_id: UUID) -> bool:
        delivery, notice = _claim(pk, paging_id, now)
        if delivery is None or notice is None or delivery.target is None:
            return False
        try:
            errands.append(_errand(delivery, delivery.target, notice))
        except (KeyGone, ProviderDown, NotAuthentic):
            settle_delivery(delivery_id=pk, tries=delivery.tries, outcome=Outcome(False, "keys"), now=now)
        return True

    for pk, paging_id in list(due.values_list("pk", "paging_id")[:limit]):
        _quietly(lambda pk=pk, paging_id=paging_id: take(pk, paging_id))  # type: ignore[misc]
    return Done(tuple(errands))


def settle_delivery(*, delivery_id: int, tries: int, outcome: Outcome, now: datetime) -> Done[int]:
    """Note what became of a try; nothing, when its lease had ended and another worker has taken it up."""
    with transaction.atomic():
        paging_id = Delivery.objects.filter(pk=delivery_id).values_list("paging_id", flat=True).first()
        paging = _locked(paging_id) if paging_id else None
        if paging is None:
            return Done(0)
        delivery = Delivery.objects.select_related("target").get(pk=delivery_id)
        # somebody may have come while it was on its way: that it arrived is told all the same
        late = outcome.arrived and delivery.state == DeliveryState.DROPPED
        if delivery.tries != tries or not (late or delivery.state in OPEN):
            return Done(0)
        delivery.result = outcome.code
        if outcome.arrived:
            _arrived(delivery, paging, now)
        else:
            _failed(delivery, paging, now)
    return Done(1)


def mend_pagings(*, now: datetime) -> Done[int]:
    """Let no page wait longer than its target was given, after the machine's clock was set back."""
    moved = Delivery.objects.filter(state__in=OPEN, due_at__gt=now + LEASE).update(due_at=now + LEASE)
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


def _quietly(work: Callable[[], bool]) -> bool:
    """Do one thing; one that fails is logged, tried again with the next look and holds no other one up."""
    try:
        return work()
    except Exception as error:
        logger.error("a page could not go on: %s", type(error).__name__)
        return False


def _step(paging_id: UUID, now: datetime) -> bool:
    with transaction.atomic():
        paging = _locked(paging_id, wait=False)
        if paging is None or paging.state != PagingState.CALLING or paging.due_at is None or paging.due_at > now:
            return False
        if paging.escalation is not None and paging.escalation.state != State.RAISED:
            _end(paging, PagingState.ANSWERED, now)
            return True
        tried = set(paging.deliveries.values_list("target", flat=True))
        # a test has its one target from the beginning
        order = {} if paging.kind == Kind.TEST else {one.pk: one for one in targets()}
        chosen = next_target(list(order), tried)
        target = order.get(chosen) if chosen else None
        if target is None:
            _end(paging, end_of(Kind(paging.kind), reached=paging.reached), now)
        else:
            _deliver_to(paging, target, now)
            paging.due_at = None
            paging.save(update_fields=["due_at"])
    return True


def _claim(delivery_id: int, paging_id: UUID, now: datetime) -> tuple[Delivery | None, Notice | None]:
    """Take one delivery up under its paging's lock, or nothing when it is not due any more."""
    with transaction.atomic():
        paging = _locked(paging_id, wait=False)
        delivery = Delivery.objects.select_related("target").filter(pk=delivery_id).first()
        if paging is None or delivery is None or delivery.state not in OPEN or delivery.due_at > now:
            return None, None
        if delivery.target is None or delivery.tries >= MOST_TRIES:
            # its target was removed, or every worker that took it up vanished
            delivery.result = "lost" if delivery.target else "removed"
            _give_up(delivery, paging, now)
            return None, None
        delivery.tries += 1
        delivery.due_at = now + LEASE
        delivery.save(update_fields=["tries", "due_at"])
        return delivery, _notice(paging, now)


def _errand(delivery: Delivery, target: OnCallTarget, notice: Notice) -> Errand:
    """Open what one try needs; raises what the key provider does."""
    return Errand(
        delivery=delivery.pk,
        tries=delivery.tries,
        way=Way(target.way),
        address=target_address(target),
        secret=target_secret(target),
        notice=notice,
    )


def _arrived(delivery: Delivery, paging: Paging, now: datetime) -> None:
    delivery.state, delivery.at = DeliveryState.SENT, now
    delivery.save(update_fields=["state", "at", "result"])
    _tell("paging.sent", paging, now, delivery)
    first = not paging.reached
    wait = delivery.target.wait_seconds if delivery.target and paging.kind != Kind.TEST else 0
    paging.reached = True
    if paging.state == PagingState.CALLING:
        paging.due_at = now + timedelta(seconds=wait)
    paging.save(update_fields=["reached", "due_at"])
    if first and not _others(paging, reached=True):
        _into_case("escalation.paged", paging, now)


def _failed(delivery: Delivery, paging: Paging, now: datetime) -> None:
    pause = pause_after(delivery.tries)
    if pause is None:
        _give_up(delivery, paging, now)
        return
    delivery.state, delivery.at, delivery.due_at = DeliveryState.FAILED, now, now + pause
    delivery.save(update_fields=["state", "at", "due_at", "result"])


def _give_up(delivery: Delivery, paging: Paging, now: datetime) -> None:
    delivery.state, delivery.at = DeliveryState.GAVE_UP, now
    delivery.save(update_fields=["state", "at", "result"])
    _tell("paging.gave_up", paging, now, delivery)
    if paging.state == PagingState.CALLING:
        paging.due_at = now
        paging.save(update_fields=["due_at"])


def _end(paging: Paging, state: PagingState, now: datetime) -> None:
    paging.state, paging.due_at = state, None
    paging.save(update_fields=["state", "due_at"])
    paging.deliveries.filter(state__in=OPEN).update(state=DeliveryState.DROPPED, at=now)
    _tell(f"paging.{state.value}", paging, now)
    if state is PagingState.UNREACHED and paging.kind != Kind.TEST:
        logger.error("nobody on call was reached%s", " in a drill" if paging.kind == Kind.DRILL else "")
        if not _others(paging, state=PagingState.UNREACHED):
            _into_case("escalation.unreached", paging, now)


def _deliver_to(paging: Paging, target: OnCallTarget, now: datetime) -> None:
    Delivery.objects.create(paging=paging, target=target, target_name=target.name, due_at=now, at=now)


def _locked(paging_id: UUID, *, wait: bool = True) -> Paging | None:
    """Return a paging under its lock; None, rather than to wait, for one that another worker holds just now."""
    skip = not wait and connection.features.has_select_for_update_skip_locked
    return Paging.objects.select_for_update(no_key=True, skip_locked=skip).filter(pk=paging_id).first()


def _notice(paging: Paging, now: datetime) -> Notice:
    return Notice(
        page=str(paging.pk),
        escalation=str(paging.escalation_id) if paging.escalation_id else None,
        kind=paging.kind,
        # one that a worker held as the level rose did not hear of it
        level=paging.escalation.level if paging.escalation else paging.level,
        at=now,
        site=site().name,
        board=f"{settings.SITE_URL}{BOARD}",
    )


def _others(paging: Paging, **like: object) -> bool:
    """Tell whether it was so with another paging of the same escalation: its case hears of each thing once."""
    return Paging.objects.filter(escalation=paging.escalation, **like).exclude(pk=paging.pk).exists()


def _into_case(topic: str, paging: Paging, now: datetime) -> None:
    if paging.escalation is None:
        return
    data: dict[str, str | int] = {
        "escalation": str(paging.escalation_id),
        "level": paging.level,
        "at": now.isoformat(),
    }
    outbox.put(topic, paging.escalation.conversation_id, data, now)


def _tell(action: str, paging: Paging, now: datetime, delivery: Delivery | None = None) -> None:
    """Put a step on the trail: ids and a level only."""
    data = marked("paging" if paging.kind == Kind.DRILL else "", {"level": paging.level})
    if paging.escalation_id is not None:
        data["escalation"] = str(paging.escalation_id)
    if delivery is not None:
        data["target"] = str(delivery.target_id)
    record(actor="system", action=action, subject=f"paging:{paging.pk}", data=data, now=now)
