"""Carry pages to their targets: each try is one worker's, and what is sent leaves between transactions.

What is due for one target at a time leaves as one page. Under its lock it is decided whether one may leave now.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q

from chat.selectors import site
from chat.services import Done
from crisis.core.ladder import State, Told
from crisis.core.notice import Notice, Way, key_of
from crisis.core.paging import (
    LEASE,
    MOST_TRIES,
    OPEN,
    DeliveryState,
    Kind,
    PagingState,
    Turn,
    begins_to_hold_back,
    pause_after,
    turn,
)
from crisis.models import Delivery, OnCallTarget, Paging
from crisis.selectors.on_call import pages_left_for, target_address, target_secret
from crisis.services.paging_rows import can_skip, end, goes_on, has_risen, into_case_once, locked, quietly, tell
from crisis.transport import Errand, Outcome
from encryption.core.envelope import NotAuthentic
from encryption.providers import ProviderDown
from encryption.services import KeyGone

BOARD = "/staff/board"
MOST_TOGETHER = 200
"""How many calls one page stands for at most: each is noted by itself, within its lease."""

Together = tuple[OnCallTarget, Sequence[Delivery], Notice]
"""Whom a page goes to, the deliveries that leave with it, the gravest first, and what it says."""


def claim_deliveries(*, now: datetime, limit: int) -> Done[tuple[Errand, ...]]:
    """Take up deliveries that are due: each is this worker's until its lease ends, and no transaction stays open.

    One whose address cannot be opened now is a try that failed: the next one, or another target, may do better.
    """
    errands: list[Errand] = []

    def take(target_id: UUID | None, pks: Sequence[int]) -> bool:
        together = _claim(target_id, pks, now)
        if together is None:
            return False
        try:
            errands.append(_errand(*together))
        except (KeyGone, ProviderDown, NotAuthentic):
            for one in together[1]:
                settle_delivery(delivery_id=one.pk, tries=one.tries, outcome=Outcome(False, "keys"), now=now)
        return True

    for target_id, pks in _due(now):
        if len(errands) == limit:
            break
        quietly(lambda target_id=target_id, pks=pks: take(target_id, pks))  # type: ignore[misc]
    return Done(tuple(errands))


def settle_errand(*, errand: Errand, outcome: Outcome, now: datetime) -> Done[int]:
    """Note what became of a page for everything that left with it; again, it changes nothing more."""
    noted = 0
    for delivery_id, tries in ((errand.delivery, errand.tries), *errand.others):
        noted += settle_delivery(delivery_id=delivery_id, tries=tries, outcome=outcome, now=now).result
    return Done(noted)


def settle_delivery(*, delivery_id: int, tries: int, outcome: Outcome, now: datetime) -> Done[int]:
    """Note what became of a try; nothing, when its lease had ended and another worker has taken it up."""
    with transaction.atomic():
        paging_id = Delivery.objects.filter(pk=delivery_id).values_list("paging_id", flat=True).first()
        paging = locked(paging_id) if paging_id else None
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


def _due(now: datetime) -> Iterator[tuple[UUID | None, list[int]]]:
    """Yield what is due as it may leave together: by target, the gravest first, then what goes alone."""
    due = Delivery.objects.filter(state__in=OPEN, due_at__lte=now)
    for kind in (Kind.ESCALATION, Kind.DRILL):
        # a drill never travels with what is none
        calls = due.filter(target__isnull=False, paging__kind=kind)
        for target_id in list(calls.order_by("target").values_list("target_id", flat=True).distinct()):
            rows = calls.filter(target=target_id).order_by("-paging__level", "due_at", "pk")
            yield target_id, list(rows.values_list("pk", flat=True)[:MOST_TOGETHER])
    # a test is about its own way, and what has lost its target is only put away
    alone = due.filter(Q(target=None) | Q(paging__kind=Kind.TEST)).order_by("due_at", "pk")
    for target_id, pk in list(alone.values_list("target_id", "pk")[:MOST_TOGETHER]):
        yield target_id, [pk]


def _claim(target_id: UUID | None, pks: Sequence[int], now: datetime) -> Together | None:
    """Take up what is due for a target, or nothing when another worker is at it or no page may leave for it now."""
    with transaction.atomic():
        rows = OnCallTarget.objects.select_for_update(no_key=True, skip_locked=can_skip())
        target = rows.filter(pk=target_id).first() if target_id else None
        if target is None and target_id is not None:
            return None
        found = _still_due(pks, now)
        if target is None or not found:
            return None
        first, holds_back = found[0], False
        if first.paging.kind != Kind.TEST:
            left = pages_left_for(target.pk, Kind(first.paging.kind), now)
            may = turn(left, first.paging.level, now)
            if may is Turn.HELD:
                for one in found:
                    _give_up(one, one.paging, now, DeliveryState.HELD)
            if may is not Turn.GO:
                return None
            holds_back = first.paging.kind == Kind.ESCALATION and begins_to_hold_back(left, now)
        _take(found, now)
        return target, found, _notice(first.paging, more=len(found) - 1, holds_back=holds_back)


def _still_due(pks: Sequence[int], now: datetime) -> list[Delivery]:
    """Return what may leave now under the locks of their pagings, the gravest first, then the longest due.

    What nobody can carry any more is given up. One whose level has risen waits for its paging to begin anew, and
    one that somebody answered meanwhile ends.
    """
    wanted = list(Delivery.objects.filter(pk__in=pks).values_list("paging_id", flat=True))
    rows = Paging.objects.select_for_update(no_key=True, skip_locked=can_skip(), of=("self",))
    pagings = {one.pk: one for one in rows.select_related("escalation").filter(pk__in=wanted)}
    due = Delivery.objects.filter(pk__in=pks, paging__in=list(pagings), state__in=OPEN, due_at__lte=now)
    found = []
    for one in due.select_related("target").order_by("due_at", "pk"):
        one.paging = pagings[one.paging_id]
        if one.target is None or one.tries >= MOST_TRIES:
            # its target was removed, or every worker that took it up vanished
            one.result = "lost" if one.target else "removed"
            _give_up(one, one.paging, now)
        elif _answered(one.paging):
            end(one.paging, PagingState.ANSWERED, now)
        elif not has_risen(one.paging):
            found.append(one)
    return sorted(found, key=lambda one: -one.paging.level)


def _answered(paging: Paging) -> bool:
    """Tell whether somebody answered meanwhile: its paging may have begun in the moment in which they did."""
    return paging.escalation is not None and paging.escalation.state != State.RAISED


def _take(found: Sequence[Delivery], now: datetime) -> None:
    rows = Delivery.objects.filter(pk__in=[one.pk for one in found])
    rows.update(state=DeliveryState.DUE, tries=F("tries") + 1, due_at=now + LEASE, left_at=now)
    for one in found:
        one.tries += 1


def _errand(target: OnCallTarget, found: Sequence[Delivery], notice: Notice) -> Errand:
    """Open what one try needs; raises what the key provider does."""
    first, *others = found
    return Errand(
        delivery=first.pk,
        tries=first.tries,
        others=tuple((one.pk, one.tries) for one in others),
        way=Way(target.way),
        address=target_address(target),
        secret=target_secret(target),
        notice=notice,
        key=key_of(notice, [one.pk for one in found]),
    )


def _arrived(delivery: Delivery, paging: Paging, now: datetime) -> None:
    delivery.state, delivery.at = DeliveryState.SENT, now
    delivery.save(update_fields=["state", "at", "result"])
    tell(DeliveryState.SENT, paging, now, delivery)
    first, paging.reached = not paging.reached, True
    paging.save(update_fields=["reached"])
    goes_on(paging, now + timedelta(seconds=_waits(delivery, paging)))
    if first:
        into_case_once(Told.PAGED, paging, now, reached=True)


def _waits(delivery: Delivery, paging: Paging) -> int:
    return delivery.target.wait_seconds if delivery.target and paging.kind != Kind.TEST else 0


def _failed(delivery: Delivery, paging: Paging, now: datetime) -> None:
    pause = pause_after(delivery.tries)
    if pause is None:
        _give_up(delivery, paging, now)
        return
    delivery.state, delivery.at, delivery.due_at = DeliveryState.FAILED, now, now + pause
    delivery.save(update_fields=["state", "at", "due_at", "result"])


def _give_up(delivery: Delivery, paging: Paging, now: datetime, state: DeliveryState = DeliveryState.GAVE_UP) -> None:
    delivery.state, delivery.at = state, now
    delivery.save(update_fields=["state", "at", "result"])
    tell(state, paging, now, delivery)
    goes_on(paging, now)


def _notice(paging: Paging, *, more: int, holds_back: bool) -> Notice:
    return Notice(
        page=str(paging.pk),
        escalation=str(paging.escalation_id) if paging.escalation_id else None,
        kind=paging.kind,
        level=paging.level,
        # the same in every try, or a repeat would not be one to who receives it
        at=paging.begun_at,
        site=site().name,
        board=f"{settings.SITE_URL}{BOARD}",
        more=more,
        holds_back=holds_back,
    )
