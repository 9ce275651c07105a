"""Write to the trail, and check it."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import Subquery

from audit.core import GENESIS, KEY_CHANGED, Break, Data, Head, KeyLine, Link, breaks, digest_of
from audit.models import AuditEvent, AuditHead

KEY_SUBJECT = "audit_key"


class KeyChanged(Exception):
    """Report that somebody else changed the signing key first."""


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


def recorded(*, action: str, subject: str, data: Data) -> bool:
    """Tell whether the trail holds this already; call it inside a transaction, until whose end nobody appends.

    Two processes find the same thing at the same moment: the head's lock lets one look after the other.
    """
    AuditHead.objects.select_for_update().filter(pk=1).first()
    return AuditEvent.objects.filter(action=action, subject=subject, data=dict(data)).exists()


def first_of(action: str, subject: str) -> Data | None:
    """Return the data of the first event of a kind about something, None while there is none."""
    row = AuditEvent.objects.filter(subject=subject, action=action).order_by("pk").first()
    return None if row is None else row.data


def newest_of(actions: Collection[str], subject: str) -> Link | None:
    """Return the newest event of some actions about a subject, None without one."""
    row = AuditEvent.objects.filter(action__in=actions, subject=subject).order_by("-pk").first()
    return _link(row) if row else None


def events_of(actions: Collection[str]) -> Iterator[Link]:
    """Yield every event of some actions, oldest first."""
    return map(_link, AuditEvent.objects.filter(action__in=actions).order_by("pk").iterator(chunk_size=2_000))


def trail(up_to: int | None = None) -> Iterator[Link]:
    """Yield every event up to a number, oldest first, a batch at a time."""
    rows = AuditEvent.objects.order_by("pk")
    if up_to is not None:
        rows = rows.filter(pk__lte=up_to)
    for row in rows.iterator(chunk_size=2_000):
        yield _link(row)


def find_breaks() -> list[Break]:
    """Return each place where the trail does not fit its own chain; empty if all is well."""
    return check_trail({})[1]


def check_trail(heads: Mapping[int, Head], keys: KeyLine | None = None) -> tuple[int, list[Break]]:
    """Return how many events there are, and each place where they are not what was written or signed.

    Without `keys` nobody asks whether changes of the signing key were signed.

    Nobody waits for it: head and newest number are read in one statement, so they fit, and what is appended from then
    on is left to the next check.
    """
    last = AuditEvent.objects.order_by("-pk").values("pk")[:1]
    row = AuditHead.objects.filter(pk=1).annotate(last=Subquery(last)).values_list("digest", "last").first()
    newest, up_to = (bytes(row[0]), row[1] or 0) if row else (GENESIS, None)
    links = _Counted(trail(up_to))
    found = list(breaks(links, newest, heads, keys))
    return links.count, found


class _Counted:
    """Count what is read once."""

    def __init__(self, links: Iterable[Link]) -> None:
        self._links = links
        self.count = 0

    def __iter__(self) -> Iterator[Link]:
        for link in self._links:
            self.count += 1
            yield link


def key_change(up_to: int | None = None) -> Link | None:
    """Return the newest event, up to one, that gave the heads another signing key; None before the first."""
    rows = AuditEvent.objects.filter(subject=KEY_SUBJECT, action=KEY_CHANGED)
    if up_to is not None:
        rows = rows.filter(pk__lte=up_to)
    row = rows.order_by("-pk").first()
    return _link(row) if row else None


def note_key_change(*, old: bytes, new: bytes, actor: str, now: datetime) -> Link:
    """Let the trail say that another key signs its heads from this event on, and return the event.

    Raises `KeyChanged` when the key was changed by somebody else in the meantime.
    """
    with transaction.atomic():
        # until the end nobody appends, so the event that is written is the newest one
        AuditHead.objects.select_for_update().filter(pk=1).first()
        before = key_change()
        if before is not None and before.data.get("new") != old.hex():
            raise KeyChanged
        record(
            actor=actor,
            action=KEY_CHANGED,
            subject=KEY_SUBJECT,
            data={"old": old.hex(), "new": new.hex()},
            now=now,
        )
        return _link(AuditEvent.objects.filter(subject=KEY_SUBJECT, action=KEY_CHANGED).latest("pk"))


def newest_head(now: datetime) -> Head | None:
    """Return the newest event to be signed, None while there is none."""
    row = AuditEvent.objects.order_by("-pk").first()
    return Head(row.pk, bytes(row.digest), now) if row else None


def _link(row: AuditEvent) -> Link:
    return Link(
        id=row.pk,
        at=row.at,
        actor=row.actor,
        action=row.action,
        subject=row.subject,
        data=row.data,
        previous=bytes(row.previous),
        digest=bytes(row.digest),
    )
