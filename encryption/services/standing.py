"""How the archive stands: its keys, its readers, and what is to be done next. Shows no secret and changes nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from encryption.core import archive, ceremony
from encryption.core.archive import NotOurs
from encryption.models import ArchiveKey, Grant, Reader, RecoveryKey, Wrap
from encryption.services import rounds
from encryption.services.archive import current_key, root
from encryption.services.readers import DRILL_LASTS, ReaderView, missing_for, reader_views


@dataclass(frozen=True, slots=True)
class KeyView:
    """Show an archive key; `left` tells that somebody who could open it is no reader any more."""

    name: str
    fingerprint: str
    genuine: bool
    activated: bool
    missing: tuple[str, ...]
    readers: tuple[int, ...]
    conversations: int
    left: bool


@dataclass(frozen=True, slots=True)
class RecoveryView:
    """Show a recovery key, and when two people last proved that their shares open it."""

    name: str
    fingerprint: str
    genuine: bool
    tested_at: datetime | None
    fresh: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Show the archive as a whole; `swapped` names what the pinned root did not sign."""

    root: str
    readers: tuple[ReaderView, ...]
    recoveries: tuple[RecoveryView, ...]
    keys: tuple[KeyView, ...]
    current: str
    swapped: str
    next_month: str
    next_ready: bool
    clock_doubted: bool


def standing(now: datetime) -> Standing:
    """Return how the archive stands."""
    keys = tuple(_key(row, now) for row in ArchiveKey.objects.order_by("name"))
    current, swapped = _current(now)
    following = f"{now.astimezone(UTC).replace(day=1) + timedelta(days=32):%Y-%m}"
    return Standing(
        root=archive.fingerprint(root()) if settings.ARCHIVE_ROOT else "",
        readers=reader_views(),
        recoveries=tuple(_recovery(row, now) for row in RecoveryKey.objects.order_by("created_at")),
        keys=keys,
        current=current,
        swapped=swapped,
        next_month=following,
        next_ready=any(key.activated and key.genuine and key.name.startswith(following) for key in keys),
        clock_doubted=rounds.doubted(now),
    )


def _current(now: datetime) -> tuple[str, str]:
    try:
        key = current_key(now)
    except NotOurs as stranger:
        return "", str(stranger)
    return (key.name if key else ""), ""


def _key(row: ArchiveKey, now: datetime) -> KeyView:
    grants = Grant.objects.filter(archive_key=row, reader__isnull=False, reader__revoked_at=None)
    held = grants.order_by("reader__user_id").values_list("reader__user_id", flat=True)
    return KeyView(
        name=row.name,
        fingerprint=archive.fingerprint(bytes(row.public)),
        genuine=_genuine(ceremony.archive_key_id(row.name), bytes(row.public), bytes(row.signature)),
        activated=row.activated_at is not None,
        missing=missing_for(row.name, now),
        readers=tuple(one for one in held if one is not None),
        conversations=Wrap.objects.filter(recipient=row.name).count(),
        # a leaver's grants are gone from here, so whoever left after the key was made counts as having had it
        left=Reader.objects.filter(revoked_at__gte=row.created_at, signature__isnull=False).exists(),
    )


def _recovery(row: RecoveryKey, now: datetime) -> RecoveryView:
    return RecoveryView(
        name=row.name,
        fingerprint=archive.fingerprint(bytes(row.public)),
        genuine=_genuine(ceremony.recovery_key_id(row.name), bytes(row.public), bytes(row.signature)),
        tested_at=row.tested_at,
        fresh=row.tested_at is not None and now - row.tested_at < DRILL_LASTS,
    )


def _genuine(key_id: str, public: bytes, signature: bytes) -> bool:
    try:
        archive.check_public(root(), key_id, public, signature)
    except NotOurs:
        return False
    return True
