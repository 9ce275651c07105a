"""Changes to the directory."""

from datetime import datetime

from django.db import transaction

from directory.models import Organization, Service
from directory.samples import ORGANIZATION, ORGANIZATION_ID, SERVICES


def seed_samples(*, now: datetime) -> int:
    """Add the invented entries, or bring them back to their first state; return how many there are."""
    with transaction.atomic():
        organization, _ = Organization.objects.update_or_create(
            pk=ORGANIZATION_ID,
            defaults={
                "name": ORGANIZATION,
                "website": "https://directory.example.org/",
                "sample": True,
                "last_modified": now,
            },
        )
        for sample in SERVICES:
            columns = {name: value for name, value in sample.items() if name != "id"}
            Service.objects.update_or_create(
                pk=sample["id"], defaults={**columns, "organization": organization, "last_modified": now}
            )
    return len(SERVICES)
