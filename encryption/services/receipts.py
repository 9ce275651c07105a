"""What the trail says was destroyed, and whether that is so: with the provider, and in the database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit.services import newest_of, trail
from encryption.core import life
from encryption.core.ceremony import recovery_key_id
from encryption.models import ArchiveKey, DataKey, Reader, RecoveryKey, Wrap
from encryption.services import sealing

LATE = timedelta(hours=1)
"""So long after its end a key may still be there: the worker destroys once a minute."""
ENDING, DESTROYED, SHREDDED = "epoch.ending", "epoch.destroyed", "key.shredded"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Be the proof that something was destroyed: `event` and `digest` are its place in the chain."""

    event: int
    digest: str
    at: datetime
    what: str
    name: str
    by: str
    wraps: int
    records: int
    epochs: tuple[str, ...]
    in_backups_until: str


def receipts() -> Iterator[Receipt]:
    """Yield every receipt, oldest first; an epoch's carries the count that was taken before its key died."""
    counts: dict[str, int] = {}
    for link in trail():
        name = link.subject.removeprefix("epoch:")
        if link.action == ENDING:
            # taken again after a crash, when the wraps were gone already: the first count is the true one
            counts[name] = max(counts.get(name, 0), int(link.data.get("wraps", 0)))
        elif link.action in {DESTROYED, SHREDDED}:
            whole = link.action == DESTROYED
            yield Receipt(
                event=link.id,
                digest=link.digest.hex(),
                at=link.at,
                what="epoch" if whole else "key",
                name=name,
                by=link.actor,
                wraps=counts.get(name, 0) if whole else int(link.data.get("wraps", 0)),
                records=int(link.data.get("records", 0)),
                epochs=(name,) if whole else tuple(str(link.data.get("epochs", "")).split()),
                in_backups_until=str(link.data.get("in_backups_until", "")),
            )


def discrepancies() -> list[str]:
    """Return each place where provider or database do not bear out the trail; empty if all is well.

    Raises `ProviderDown`.
    """
    there = set(sealing.provider().list_epochs())
    destroyed = {one.name: one.event for one in receipts() if one.what == "epoch"}
    used = set(Wrap.objects.values_list("epoch", flat=True).distinct())
    found = [
        f"epoch {name}: destroyed by event {destroyed[name]}, and its key is there" for name in destroyed.keys() & there
    ]
    found += [
        f"epoch {name}: destroyed by event {destroyed[name]}, and wraps of it are there"
        for name in destroyed.keys() & used
    ]
    found += [f"epoch {name}: its key is gone, and no receipt says so" for name in used - there - destroyed.keys()]
    found += [f"epoch {name}: was to be destroyed, and is still there" for name in _begun() - destroyed.keys()]
    keys = {f"{kind}:{pk}" for kind, pk in DataKey.objects.values_list("subject_kind", "subject_id")}
    shredded = {one.name: one.event for one in receipts() if one.what == "key"}
    found += [f"{name}: shredded by event {shredded[name]}, and its key is there" for name in shredded.keys() & keys]
    active = set(ArchiveKey.objects.filter(activated_at__isnull=False).values_list("name", flat=True))
    found += [f"archive key {name}: activated, and is active no longer" for name in _activated() - active]
    return sorted([*found, *_untested(), *_revived()])


def overdue(now: datetime) -> list[str]:
    """Return each wrapping key that should have been destroyed by now and is there. Raises `ProviderDown`."""
    there = sealing.provider().list_epochs()
    return [f"epoch {name}: its time is over, and its key is there" for name in there if life.is_over(name, now - LATE)]


def revocation_of(reader: Reader) -> int | None:
    """Return the event by which a reader who is one today was revoked after enrolling, None for who never was.

    Who can write the database can make a revoked row look like a present one; the trail and its twin still tell.
    """
    subject = f"staff:{reader.user_id}"
    revoked, enrolled = newest_of(["reader.revoked"], subject), newest_of(["reader.enrolled"], subject)
    if revoked is None:
        return None
    since = enrolled is None or revoked.id > enrolled.id or revoked.at > reader.created_at
    twin = Reader.objects.filter(user_id=reader.user_id, public=reader.public, revoked_at__isnull=False)
    return revoked.id if since or twin.exists() else None


def _revived() -> Iterator[str]:
    for reader in Reader.objects.filter(revoked_at=None).order_by("user_id"):
        event = revocation_of(reader)
        if event is not None:
            yield f"reader {reader.user_id}: revoked by event {event}, and is a reader"


def _untested() -> Iterator[str]:
    for key in RecoveryKey.objects.filter(tested_at__isnull=False).order_by("pk"):
        event = newest_of(["recovery_key.tested"], recovery_key_id(key.name))
        if event is None or event.at != key.tested_at:
            yield f"recovery key {key.name}: called tested, and no drill of that time stands in the trail"


def _activated() -> set[str]:
    return {link.subject.removeprefix("archive:") for link in trail() if link.action == "archive_key.activated"}


def _begun() -> set[str]:
    return {link.subject.removeprefix("epoch:") for link in trail() if link.action == ENDING}
