"""Write to the trail, and check it."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from django.db import transaction

from audit.core import GENESIS, Break, Data, Head, Link, breaks, digest_of
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


def trail() -> Iterator[Link]:
    """Yield every event, oldest first, a batch at a time."""
    for row in AuditEvent.objects.order_by("pk").iterator(chunk_size=2_000):
        yield Link(
            id=row.pk,
            at=row.at,
            actor=row.actor,
            action=row.action,
            subject=row.subject,
            data=row.data,
            previous=bytes(row.previous),
            digest=bytes(row.digest),
        )


def find_breaks() -> list[Break]:
    """Return each place where the trail does not fit its own chain; empty if all is well."""
    return check_trail({})[1]


def check_trail(heads: Mapping[int, Head]) -> tuple[int, list[Break]]:
    """Return how many events there are, and each place where they are not what was written or signed."""
    with transaction.atomic():
        # nobody appends between the reading of the head and of the events
        row = AuditHead.objects.select_for_update().filter(pk=1).first()
        newest = bytes(row.digest) if row else GENESIS
        return AuditEvent.objects.count(), list(breaks(trail(), newest, heads))


def newest_head(now: datetime) -> Head | None:
    """Return the newest event to be signed, None while there is none."""
    row = AuditEvent.objects.order_by("-pk").first()
    return Head(row.pk, bytes(row.digest), now) if row else None
