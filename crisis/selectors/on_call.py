"""Reads about paging: the targets, what became of the latest pages, and how it stands with an escalation."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Exists, Max, OuterRef, Q, Subquery

from crisis.core.paging import COUNTED, DeliveryState, Kind, PagingState, Standing, standing
from crisis.models import Delivery, Escalation, OnCallTarget, Paging
from encryption.core.envelope import Binding
from encryption.core.subject import Subject
from encryption.services import Sealer, sealer_for
from encryption.text import Secret

LATEST = 30


@dataclass(frozen=True, slots=True)
class TargetView:
    """Show a target without its address and its secret."""

    id: UUID
    name: str
    way: str
    shown: str
    wait_seconds: int
    version: int


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """Show what became of one page to one target."""

    kind: str
    level: int
    target_name: str
    state: str
    tries: int
    result: str
    at: datetime
    answered: bool


def targets() -> list[OnCallTarget]:
    """Return all targets in the order in which they are paged."""
    return list(OnCallTarget.objects.all())


def target_views() -> tuple[TargetView, ...]:
    """Return all targets as a page shows them."""
    fields = TargetView.__dataclass_fields__
    return tuple(TargetView(**{field: getattr(one, field) for field in fields}) for one in targets())


def latest_deliveries() -> tuple[DeliveryView, ...]:
    """Return the latest pages, the newest first."""
    rows = Delivery.objects.select_related("paging").order_by("-at", "-pk")[:LATEST]
    return tuple(
        DeliveryView(
            kind=row.paging.kind,
            level=row.paging.level,
            target_name=row.target_name,
            state=row.state,
            tries=row.tries,
            result=row.result,
            at=row.at,
            answered=row.paging.state == PagingState.ANSWERED,
        )
        for row in rows
    )


def standings(escalations: Collection[UUID]) -> Mapping[UUID, Standing]:
    """Return for each escalation that was paged for how that stands.

    However often it was paged for, two looks at an index say it: whether somebody is being paged, and how the newest
    paging went of which that is known.
    """
    pagings = Paging.objects.filter(escalation=OuterRef("pk"))
    known = pagings.filter(Q(reached=True) | Q(state=PagingState.UNREACHED)).order_by("-begun_at", "pk")
    rows = Escalation.objects.filter(pk__in=escalations).annotate(
        calling=Exists(pagings.filter(state=PagingState.CALLING)), arrived=Subquery(known.values("reached")[:1])
    )
    return {
        pk: standing(arrived, calling=calling) for pk, calling, arrived in rows.values_list("pk", "calling", "arrived")
    }


def pages_left_for(target_id: UUID, kind: Kind, now: datetime) -> list[tuple[datetime, int]]:
    """Return when pages of a kind left for a target lately that arrived or are on their way, and each one's level."""
    rows = Delivery.objects.filter(target=target_id, paging__kind=kind)
    rows = rows.filter(left_at__gt=now - COUNTED, left_at__lte=now)
    rows = rows.filter(Q(state=DeliveryState.SENT) | Q(state=DeliveryState.DUE, due_at__gt=now))
    # those that travelled together were one page
    pages = rows.values("left_at").annotate(gravest=Max("paging__level")).values_list("left_at", "gravest")
    return [(at, gravest) for at, gravest in pages if at is not None]


def page_counts(now: datetime) -> Mapping[str, int]:
    """Return how many deliveries of the last hour stand where, and how many pagings reached nobody."""
    since = now - timedelta(hours=1)
    rows = Delivery.objects.filter(at__gt=since, paging__kind=Kind.ESCALATION)
    counts = dict(rows.values_list("state").annotate(Count("pk")))
    unreached = Paging.objects.filter(begun_at__gt=since, kind=Kind.ESCALATION, state=PagingState.UNREACHED).count()
    return {**{state.value: counts.get(state.value, 0) for state in DeliveryState}, "unreached": unreached}


def target_subject(target_id: UUID) -> Subject:
    """Return the subject whose data key seals a target's address and secret."""
    return Subject("oncall", target_id)


def address_binding(target_id: UUID) -> Binding:
    """Return what a target's address is bound to besides its subject."""
    return Binding(kind="address", record=str(target_id), sequence=0, author_role="staff")


def secret_binding(target_id: UUID) -> Binding:
    """Return what a target's secret is bound to besides its subject."""
    return Binding(kind="secret", record=str(target_id), sequence=0, author_role="staff")


def target_address(target: OnCallTarget) -> Secret:
    """Return where a target is paged; raises what `sealer_for` raises."""
    return _sealer(target).unseal(address_binding(target.pk), bytes(target.sealed_address))


def target_secret(target: OnCallTarget) -> Secret | None:
    """Return what signs a target's pages, None where nothing is signed; raises what `sealer_for` raises."""
    if target.sealed_secret is None:
        return None
    return _sealer(target).unseal(secret_binding(target.pk), bytes(target.sealed_secret))


def _sealer(target: OnCallTarget) -> Sealer:
    return sealer_for(target_subject(target.pk))
