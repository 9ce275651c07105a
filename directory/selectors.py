"""Reads of the directory."""

from dataclasses import dataclass
from uuid import UUID

from directory.core.visibility import SEES, Status, matches
from directory.models import Service
from staff.core import Staff


@dataclass(frozen=True, slots=True)
class ServiceView:
    """Show a service in the language of the person who looks."""

    id: UUID
    name: str
    organization: str
    description: str
    status: str
    phone: str
    url: str
    email: str
    languages: tuple[str, ...]
    areas: tuple[str, ...]
    visibility: str


def visible_services(actor: Staff, text: str = "") -> tuple[ServiceView, ...]:
    """Return the services that somebody may see and that hold every word of `text`, by name."""
    rows = (
        Service.objects.select_related("organization")
        .filter(visibility__in=SEES.get(actor.role, frozenset()), status__in=[Status.ACTIVE, Status.TEMPORARILY_CLOSED])
        .order_by("name", "pk")
    )
    return tuple(_view(row, actor.language) for row in rows if matches(text, _searched(row)))


def _searched(row: Service) -> tuple[str, ...]:
    return (row.name, row.organization.name, row.description_en, row.description_fr, *row.areas)


def _view(row: Service, language: str) -> ServiceView:
    chosen, other = row.description_en, row.description_fr
    if language == "fr":
        chosen, other = other, chosen
    return ServiceView(
        id=row.pk,
        name=row.name,
        organization=row.organization.name,
        description=chosen or other,
        status=row.status,
        phone=row.phone,
        url=row.url,
        email=row.email,
        languages=tuple(row.languages),
        areas=tuple(row.areas),
        visibility=row.visibility,
    )
