"""Write to the trail, and check it."""

from datetime import datetime

from django.db import transaction

from audit.core import GENESIS, Data, digest_of
from audit.models import AuditEvent, AuditHead


def record(*, actor: str, action: str, subject: str, now: datetime, data: Data | None = None) -> None:
    """Append an event to the trail; call it inside the transaction that does what it tells of."""
    with transaction.atomic():
        head, _ = AuditHead.objects.get_or_create(pk=1, defaults={"digest": GENESIS})
        head = AuditHead.objects.select_for_update().get(pk=1)
        previous = bytes(head.digest)
        digest = digest_of(previous, at=now, actor=actor, action=action, subject=subject, data=data or {})
        AuditEvent.objects.create(
            at=now,
            actor=actor,
            action=action,
            subject=subject,
            data=dict(data or {}),
            previous=previous,
            digest=digest,
        )
        head.digest = digest
        head.save(update_fields=["digest"])


def first_broken() -> int | None:
    """Return the id of the first event that does not fit the chain, 0 if the head does not, None if all is well."""
    previous = GENESIS
    for event in AuditEvent.objects.order_by("pk").iterator(chunk_size=2_000):
        expected = digest_of(
            previous, at=event.at, actor=event.actor, action=event.action, subject=event.subject, data=event.data
        )
        if bytes(event.previous) != previous or bytes(event.digest) != expected:
            return event.pk
        previous = expected
    head = AuditHead.objects.filter(pk=1).first()
    newest = bytes(head.digest) if head else GENESIS
    return None if newest == previous else 0
