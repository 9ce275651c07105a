"""Reads about paging: the targets, what became of the latest pages, and how it stands with an escalation."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count

from crisis.core.paging import DeliveryState, Kind, PagingState, Standing, standing
from crisis.models import Delivery, OnCallTarget, Paging
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
    """Return for each escalation that was paged for how that stands."""
    known: dict[UUID, list[tuple[PagingState, bool]]] = {}
    rows = Paging.objects.filter(escalation__in=escalations).order_by("-begun_at", "pk")
    for escalation_id, state, reached in rows.values_list("escalation_id", "state", "reached"):
        if escalation_id is not None:
            known.setdefault(escalation_id, []).append((PagingState(state), reached))
    return {escalation_id: standing(pagings) for escalation_id, pagings in known.items()}


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
