"""The write-only archive: make a conversation's archive wrap, and open it with a reader's secret.

Two locks hang one behind the other: HPKE to the month's archive key, whose secret only readers have, and the retention
key of the expiry day, which the provider destroys. A thief of database and server has neither secret; when the day
begins, nobody has the second. A hold is a wrap of the same make under a key of its own, which lives longer.
"""

import hmac
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from django.conf import settings

from encryption.core import archive, envelope, life
from encryption.core.archive import NotOurs, Placing
from encryption.core.envelope import NotAuthentic
from encryption.core.subject import Subject
from encryption.models import ArchiveKey, DataKey, Wrap
from encryption.services import sealing
from encryption.services.sealing import KeyGone, Sealer

ARCHIVE = "archive"
HELD = "hold"
Secrets = Callable[[str], bytes]
"""Gives the secret of an archive key by its name, or raises `KeyGone`: a reader's grants do."""


def root() -> bytes:
    """Return the public half of the offline root; raises `NotOurs` when the site has pinned none."""
    if not settings.ARCHIVE_ROOT:
        raise NotOurs("HAVRE_ARCHIVE_ROOT is not set")
    return bytes.fromhex(settings.ARCHIVE_ROOT)


def key_id(name: str) -> str:
    """Return under which name the root signs an archive key: never that of a reader's or a recovery key."""
    return f"archive:{name}"


def current_key(now: datetime) -> ArchiveKey | None:
    """Return the activated key of this month, else the newest before it; None while there is none.

    It is checked against the pinned root each time; what an earlier root signed is passed over. Raises `NotOurs` for a
    key that was swapped in the database: then nothing new may be begun.
    """
    month = f"{now.astimezone(UTC):%Y-%m}"
    for key in ArchiveKey.objects.filter(activated_at__isnull=False).order_by("-name"):
        if key.name[: len(month)] <= month and not _of_earlier_root(key):
            archive.check_public(root(), key_id(key.name), bytes(key.public), bytes(key.signature))
            return key
    return None


def add_wrap(row: DataKey, data_key: bytes, keep: timedelta, now: datetime, *, new: bool = False) -> None:
    """Make or renew the archive wrap of a data key; none when the site keeps nothing or has no archive key yet.

    A `new` data key has none that would be looked for first.
    """
    key = current_key(now) if keep else None
    if key is None:
        return
    expires = life.expiry_day(now, keep)
    _put(row, ARCHIVE, key, data_key, expires, life.day_epoch(life.RETENTION, expires), new=new)


def hold(subject: Subject, secrets: Secrets, *, until: date, epoch: str, now: datetime) -> None:
    """Wrap the key of an archived subject once more, under an epoch that lives through the day `until`.

    Raises what `open_wrap` raises, `KeyGone` without an archive key.
    """
    wrap = _wrap(subject)
    data_key = _opened(wrap, subject, secrets)
    key = current_key(now)
    if key is None:
        raise KeyGone(str(subject))
    _put(wrap.data_key, HELD, key, data_key, until, epoch)


def open_wrap(subject: Subject, secrets: Secrets) -> Sealer:
    """Return the sealer of an archived subject, opened with the secret of its archive key.

    Raises `KeyGone` without a wrap or a grant, `ProviderDown` once its day has come, `NotAuthentic` for another secret
    or a wrap that was swapped.
    """
    wrap = _wrap(subject)
    return Sealer(subject, _opened(wrap, subject, secrets), bytes(wrap.data_key.commitment))


def reseal(wrap: Wrap, secrets: Secrets, to: ArchiveKey) -> None:
    """Seal what a wrap holds to another archive key; its day stays. The caller holds its row and saves it.

    Raises what `open_wrap` raises.
    """
    subject = Subject(wrap.data_key.subject_kind, wrap.data_key.subject_id)
    data_key = _opened(wrap, subject, secrets)
    wrap.recipient, wrap.blob = to.name, _blob(wrap.data_key, to, data_key, _day(wrap), wrap.epoch)


def _wrap(subject: Subject) -> Wrap:
    """Return the wrap that readers open; a hold's outlives the ordinary one."""
    wraps = Wrap.objects.select_related("data_key").filter(
        data_key__subject_kind=subject.kind, data_key__subject_id=subject.id, kind__in=(ARCHIVE, HELD)
    )
    wrap = wraps.order_by("-kind").first()
    if wrap is None:
        raise KeyGone(str(subject))
    return wrap


def _of_earlier_root(key: ArchiveKey) -> bool:
    for earlier in settings.EARLIER_ARCHIVE_ROOTS:
        with suppress(NotOurs):
            archive.check_public(bytes.fromhex(earlier), key_id(key.name), bytes(key.public), bytes(key.signature))
            return True
    return False


def _unwrapped(wrap: Wrap) -> tuple[bytes, Placing]:
    """Return what stands behind the outer lock, and the placing that it was locked with.

    That names the root of its day; an earlier root still opens what is left from its time.
    """
    for site in (settings.ARCHIVE_ROOT, *settings.EARLIER_ARCHIVE_ROOTS):
        placing = replace(_placing(wrap.data_key, wrap.recipient, _day(wrap)), site=site)
        with suppress(NotAuthentic):
            return sealing.provider().unwrap(wrap.epoch, bytes(wrap.blob), placing.info()), placing
    raise NotAuthentic(f"wrap {wrap.pk}")


def _opened(wrap: Wrap, subject: Subject, secrets: Secrets) -> bytes:
    inner, placing = _unwrapped(wrap)
    data_key = archive.open_with(secrets(wrap.recipient), inner, placing.info())
    if not hmac.compare_digest(placing.commitment, envelope.commitment(data_key, subject)):
        raise NotAuthentic(str(subject))
    return data_key


def _put(
    row: DataKey, kind: str, key: ArchiveKey, data_key: bytes, expires: date, epoch: str, *, new: bool = False
) -> None:
    blob = _blob(row, key, data_key, expires, epoch)
    about = {"epoch": epoch, "recipient": key.name, "expires": expires, "blob": blob}
    if new:
        Wrap.objects.create(data_key=row, kind=kind, **about)
    else:
        Wrap.objects.update_or_create(data_key=row, kind=kind, defaults=about)


def _blob(row: DataKey, key: ArchiveKey, data_key: bytes, expires: date, epoch: str) -> bytes:
    placing = _placing(row, key.name, expires)
    return sealing.provider().wrap(epoch, archive.seal_to(bytes(key.public), data_key, placing.info()), placing.info())


def _day(wrap: Wrap) -> date:
    if wrap.expires is None:
        raise NotAuthentic(f"wrap {wrap.pk}")
    return wrap.expires


def _placing(row: DataKey, key_name: str, expires: date) -> Placing:
    return Placing(
        site=settings.ARCHIVE_ROOT,
        subject=Subject(row.subject_kind, row.subject_id),
        key_id=key_name,
        expires=expires,
        commitment=bytes(row.commitment),
    )
