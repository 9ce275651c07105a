"""Wrap anew what outlives a key, a batch at a time, while conversations run.

Each batch is one transaction and leaves nothing half done, so a rotation that was cut off is simply begun again. A dry
run opens and counts and changes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from audit.services import record
from encryption.core import archive as hpke
from encryption.core.envelope import NotAuthentic
from encryption.core.life import FILE, STANDING, working_epoch
from encryption.core.subject import Subject
from encryption.models import ArchiveKey, Wrap
from encryption.providers import ProviderDown
from encryption.services import archive, lifecycle, sealing
from encryption.services.archive import Secrets
from encryption.services.sealing import KeyGone

BATCH = 500
_SURE = timedelta(days=2)
"""After a month's end, how long its standing key is spared: a clock may be behind, a transaction may be running."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Say how far a rotation is; `failed` wraps were left as they are."""

    total: int
    done: int
    failed: int


def rotate_standing(*, now: datetime, dry: bool = False) -> Iterator[Progress]:
    """Wrap the keys of files under this month's standing epoch, then destroy the older ones that wrap nothing more."""
    epoch = working_epoch(FILE, now)

    def rewrap(wrap: Wrap) -> None:
        subject = Subject(wrap.data_key.subject_kind, wrap.data_key.subject_id)
        data_key = sealing.opened(wrap, subject)
        context = sealing.context(subject, bytes(wrap.data_key.commitment))
        if not dry:
            wrap.epoch, wrap.blob = epoch, sealing.provider().wrap(epoch, data_key, context)

    old = Wrap.objects.filter(kind=sealing.OPERATIONAL, epoch__startswith=f"{STANDING}-").exclude(epoch=epoch)
    yield from _rewrapped(old, rewrap, dry=dry)
    if not dry:
        for empty in _empty_standing(working_epoch(FILE, now - _SURE)):
            lifecycle.destroy(empty, actor="command", now=now)
        record(actor="command", action="rotation.standing", subject=f"epoch:{epoch}", now=now)


def rekey(*, old: str, new: str, secrets: Secrets, actor: str, now: datetime, dry: bool = False) -> Iterator[Progress]:
    """Seal everything that was archived to one key to another, as after a reader's departure.

    Raises `ArchiveKey.DoesNotExist`, or `NotOurs` for a new key that was swapped.
    """
    to = ArchiveKey.objects.get(pk=new, activated_at__isnull=False)
    hpke.check_public(archive.root(), archive.key_id(to.name), bytes(to.public), bytes(to.signature))
    secret = secrets(old)

    def reseal(wrap: Wrap) -> None:
        archive.reseal(wrap, lambda _: secret, to)

    yield from _rewrapped(Wrap.objects.filter(recipient=old), reseal, dry=dry)
    if not dry:
        record(actor=actor, action="rotation.archive", subject=archive.key_id(old), data={"to": new}, now=now)


def _rewrapped(wraps: QuerySet[Wrap], rewrap: Callable[[Wrap], None], *, dry: bool) -> Iterator[Progress]:
    total, done, failed, after = wraps.count(), 0, 0, 0
    yield Progress(total, 0, 0)
    while True:
        with transaction.atomic():
            rows = list(
                wraps.filter(pk__gt=after)
                .select_related("data_key")
                .select_for_update(of=("self",), no_key=True)
                .order_by("pk")[:BATCH]
            )
            good = [wrap for wrap in rows if _worked(rewrap, wrap)]
            if not dry:
                Wrap.objects.bulk_update(good, ["epoch", "recipient", "blob"])
        if not rows:
            return
        after, done, failed = rows[-1].pk, done + len(good), failed + len(rows) - len(good)
        yield Progress(max(total, done + failed), done, failed)


def _worked(rewrap: Callable[[Wrap], None], wrap: Wrap) -> bool:
    """Tell whether one wrap could be made anew; one that cannot stays as it is and is counted."""
    try:
        rewrap(wrap)
    except (NotAuthentic, KeyGone, ProviderDown):
        return False
    return True


def _empty_standing(before: str) -> list[str]:
    used = set(Wrap.objects.filter(epoch__startswith=f"{STANDING}-").values_list("epoch", flat=True))
    return [
        epoch
        for epoch in sealing.provider().list_epochs()
        if epoch.startswith(f"{STANDING}-") and epoch < before and epoch not in used
    ]
