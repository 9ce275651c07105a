"""Reads of external notifications."""

from typing import Literal, cast

from chat.protocol import ExternalStanding
from crisis.models import Escalation, ExternalNotification
from encryption.core.envelope import Binding

AgencyName = Literal["police", "ambulance", "child_protection", "other"]


def notification_of(escalation: Escalation) -> ExternalNotification | None:
    """Return the record of an escalation, None when nobody proposed to tell somebody outside."""
    return ExternalNotification.objects.filter(pk=escalation.pk).first()


def contact_open(escalation: Escalation) -> bool:
    """Tell whether two people had somebody told and nobody has said that contact was made."""
    rows = ExternalNotification.objects.filter(pk=escalation.pk, confirmed_at__isnull=False, contact_at=None)
    return rows.exists()


def standing_of(escalation: Escalation) -> ExternalStanding | None:
    """Return how it stands, for the overview; the record was read with the escalation."""
    if not hasattr(escalation, "external"):
        return None
    record = escalation.external
    return ExternalStanding(
        agency=cast(AgencyName, record.agency),
        proposed_by=record.proposed_by.work_name,
        confirmed=record.confirmed_at is not None,
        told=record.told_at is not None,
        contact=record.contact_at is not None,
    )


def field_binding(escalation: Escalation, field: str) -> Binding:
    """Return what a sealed field of a record is bound to besides its subject, the escalation's."""
    return Binding(kind=f"external_{field}", record=str(escalation.pk), sequence=0, author_role="staff")
