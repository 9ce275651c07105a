"""The life of a data key: made, renewed, retired, destroyed; and what the trail keeps of its end."""

import logging
from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.services import record
from encryption.core import envelope, life
from encryption.core.life import FILE, Life, working_epoch
from encryption.core.subject import Subject
from encryption.models import DataKey, Wrap
from encryption.providers import EpochGone
from encryption.services import archive, sealing
from encryption.services.sealing import OPERATIONAL, Sealer

logger = logging.getLogger(__name__)


def create_data_key(subject: Subject, now: datetime, life: Life = FILE) -> Sealer:
    """Make and store the data key of a new subject; inside the transaction that makes the subject.

    `life` says how it will end: a file's stays, a conversation's leaves daily work at its close. Raises
    `ProviderDown`, or `NotOurs` for a swapped archive key: then the subject must not be made either.
    """
    data_key = envelope.new_data_key()
    commitment = envelope.commitment(data_key, subject)
    epoch = working_epoch(life, now)
    row = DataKey.objects.create(
        subject_kind=subject.kind, subject_id=subject.id, commitment=commitment, created_at=now
    )
    blob = sealing.provider().wrap(epoch, data_key, sealing.context(subject, commitment))
    Wrap.objects.create(data_key=row, kind=OPERATIONAL, epoch=epoch, blob=blob)
    archive.add_wrap(row, data_key, life.keep, now, new=True)
    sealer = Sealer(subject, data_key, commitment)
    # at hand for the first text; of a transaction that fails nobody knows the subject
    sealing.keep(subject, sealer, row.pk)
    return sealer


def in_daily_work(kind: str) -> QuerySet[Wrap, UUID]:
    """Return the subjects of a kind that still open without a reader, for the database to look among."""
    return _in_daily_work(kind).values_list("data_key__subject_id", flat=True)


def outlived(kind: str, today: str) -> dict[UUID, str]:
    """Return the subjects of a kind that still open without a reader by the key of another day, with its epoch."""
    rows = _in_daily_work(kind).exclude(epoch=today)
    return dict(rows.values_list("data_key__subject_id", "epoch"))


def _in_daily_work(kind: str) -> QuerySet[Wrap]:
    return Wrap.objects.filter(kind=OPERATIONAL, data_key__subject_kind=kind)


def kept_until(kind: str, among: Collection[UUID] | None = None, *, held: bool = True) -> dict[UUID, date]:
    """Return the subjects of a kind that a reader can open, with the last day whose beginning they outlive.

    Without `held` only what opens without a hold, as after it was let go.
    """
    kinds = (archive.ARCHIVE, archive.HELD) if held else (archive.ARCHIVE,)
    rows = Wrap.objects.filter(kind__in=kinds, data_key__subject_kind=kind, expires__isnull=False)
    if among is not None:
        rows = rows.filter(data_key__subject_id__in=among)
    days: dict[UUID, date] = {}
    for subject_id, expires in rows.values_list("data_key__subject_id", "expires"):
        if expires is not None:
            days[subject_id] = max(expires, days.get(subject_id, expires))
    return days


def opens_daily(subject: Subject) -> bool:
    """Tell whether the wrap for daily work is there and opens, asked of the provider and not of a memory."""
    try:
        sealing.opened(sealing.operational_wrap(subject), subject)
    except (sealing.KeyGone, EpochGone):
        return False
    return True


def has_key(subject: Subject) -> bool:
    """Tell whether anybody can still open anything of a subject."""
    return DataKey.objects.filter(subject_kind=subject.kind, subject_id=subject.id).exists()


def keyless(kind: str, ids: list[UUID]) -> list[UUID]:
    """Return those of some subjects that have no key any more."""
    held = set(DataKey.objects.filter(subject_kind=kind, subject_id__in=ids).values_list("subject_id", flat=True))
    return [one for one in ids if one not in held]


def renew(subject: Subject, keep: timedelta, now: datetime) -> None:
    """Wrap the key of a subject that is still in work under today's epoch, and move its archive day on.

    Raises what `sealer_for` raises; the old wraps then stay. Raises `NotOurs` for a swapped archive key after the first
    half is done: nobody who is talking loses their key by that.
    """
    with transaction.atomic():
        wrap = sealing.operational_wrap(subject, lock=True)
        data_key = sealing.opened(wrap, subject)
        epoch = working_epoch(Life(standing=False), now)
        context = sealing.context(subject, bytes(wrap.data_key.commitment))
        wrap.blob = sealing.provider().wrap(epoch, data_key, context)
        wrap.epoch = epoch
        wrap.save(update_fields=["blob", "epoch"])
    with transaction.atomic():
        archive.add_wrap(wrap.data_key, data_key, keep, now)


def retire(subject: Subject, keep: timedelta, *, now: datetime | None = None) -> bool:
    """Take a closed subject out of daily work: from here on only a reader opens it, or nobody when nothing is kept.

    Return whether that was done. A site that keeps transcripts but has no archive key yet keeps the day's wrap, which
    dies with its day. A key that is not kept leaves a receipt, like one that is erased.
    """
    with transaction.atomic():
        wraps = Wrap.objects.filter(data_key__subject_kind=subject.kind, data_key__subject_id=subject.id)
        if keep and not wraps.filter(kind__in=(archive.ARCHIVE, archive.HELD)).exists():
            return False
        if not keep and not wraps.exclude(kind=OPERATIONAL).exists():
            if has_key(subject):
                shred(subject, actor="system", records=0, now=now or timezone.now())
            return True
        wraps.filter(kind=OPERATIONAL).delete()
    sealing.forget(subject)
    return True


def shred(subject: Subject, *, actor: str, records: int, now: datetime) -> None:
    """Destroy the key of one subject in this database, and put the receipt into the trail.

    A backup that was made before still holds its wraps until their epochs die: the receipt says when that is.
    """
    with transaction.atomic():
        wraps = Wrap.objects.filter(data_key__subject_kind=subject.kind, data_key__subject_id=subject.id)
        epochs = sorted(wraps.values_list("epoch", flat=True))
        ends = [end for end in map(life.dies_at, epochs) if end is not None]
        data: dict[str, str | int] = {"wraps": len(epochs), "records": records, "epochs": " ".join(epochs)}
        if ends:
            data["in_backups_until"] = max(ends).isoformat()
        DataKey.objects.filter(subject_kind=subject.kind, subject_id=subject.id).delete()
        record(actor=actor, action="key.shredded", subject=str(subject), data=data, now=now)
    sealing.forget(subject)


def destroy_over(now: datetime, *, spare: Collection[str] = ()) -> list[str]:
    """Destroy the wrapping keys whose time has come, and what they wrapped, but for some; return their epochs.

    One that cannot be destroyed keeps no other one alive; the next round tries it again.
    """
    gone, failed = [], []
    for epoch in sealing.provider().list_epochs():
        if not life.is_over(epoch, now) or epoch in spare:
            continue
        try:
            destroy(epoch, actor="system", now=now)
            gone.append(epoch)
        except Exception as error:
            failed.append(epoch)
            logger.error("a wrapping key whose time is over was not destroyed", exc_info=error)
    if gone:
        sealing.forget()
    # each round, and for what any process removed: a reader of that moment may have kept the log from being emptied
    clear_remains()
    if failed:
        logger.error("%s wrapping keys whose time is over are still there", len(failed))
    return gone


def destroy(epoch: str, *, actor: str, now: datetime) -> None:
    """Destroy one wrapping key and what it wrapped.

    The trail holds the count before the key dies and the fact after it, so that a crash between the two shows. Of two
    processes that do it at once, the one whose call took the key away writes the receipt.
    """
    with transaction.atomic():
        wraps = Wrap.objects.filter(epoch=epoch)
        record(actor=actor, action="epoch.ending", subject=f"epoch:{epoch}", data={"wraps": wraps.count()}, now=now)
        wraps.delete()
        DataKey.objects.filter(wraps__isnull=True).delete()
    if sealing.provider().destroy_epoch(epoch):
        record(actor=actor, action="epoch.destroyed", subject=f"epoch:{epoch}", now=now)


def destroy_if_there(epochs: Collection[str], *, actor: str, now: datetime) -> int:
    """Destroy those of some wrapping keys that the provider still has; return how many. Raises `ProviderDown`."""
    there = set(sealing.provider().list_epochs()) & set(epochs) if epochs else set()
    for epoch in sorted(there):
        destroy(epoch, actor=actor, now=now)
    if there:
        clear_remains()
    return len(there)


def clear_remains() -> bool:
    """Let SQLite empty its write-ahead log, which keeps what was deleted; elsewhere do nothing.

    Return False when somebody who was reading kept it from that: the worker's next round tries again.
    """
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return True
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy = bool((cursor.fetchone() or (0,))[0])
    if busy:
        logger.warning("the write-ahead log was in use and could not be emptied; the next round tries again")
    return not busy
