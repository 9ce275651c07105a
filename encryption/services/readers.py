"""Who can open the archive, and by which slot; every change of that is in the trail.

A reader's own pair is made here and its secret leaves only as slots. It counts once the offline root has signed its
public half. Grants hold the secrets of archive keys, sealed to a reader or to the recovery key.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from audit.services import record
from encryption.core import archive, slots
from encryption.core.archive import NotOurs
from encryption.core.ceremony import FEWEST_READERS
from encryption.core.ceremony import grant_info as grant_info
from encryption.core.ceremony import reader_key_id as reader_key_id
from encryption.core.ceremony import recovery_key_id as recovery_key_id
from encryption.core.envelope import NotAuthentic, fields
from encryption.core.slots import COST, Cost, Slot
from encryption.models import ArchiveKey, Grant, Reader, ReaderSlot, RecoveryKey
from encryption.services.archive import Secrets, key_id, root
from encryption.services.sealing import KeyGone

DRILL_LASTS = timedelta(days=400)
"""A recovery that was tested longer ago than this counts as untested for a new key."""


class NotReader(Exception):
    """Report that somebody has no reader key, or one that is not signed yet."""


class NotGranted(KeyGone):
    """Report that a reader was not given an archive key; others may have it."""


class NotReady(Exception):
    """Refuse to activate an archive key; `reasons` are codes of what is missing."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Hold what a new reader must write down now; it is never shown again."""

    phrase: str
    code: str

    def __repr__(self) -> str:
        return "<enrolment>"


@dataclass(frozen=True, slots=True)
class PasskeyView:
    """Show one of somebody's passkeys."""

    id: int
    added_at: datetime


@dataclass(frozen=True, slots=True)
class ReaderView:
    """Show how somebody stands to the archive."""

    user_id: int
    signed: bool
    grants: tuple[str, ...]
    slots: tuple[str, ...]
    fingerprint: str


def enrol(*, user_id: int, language: str, now: datetime, cost: Cost = COST) -> Enrolment:
    """Make somebody's reader pair with a phrase and a printed code; an unsigned one is made anew.

    Raises `NotReady` when they have a signed one: that is revoked first, by somebody else.
    """
    pair = archive.new_pair()
    secrets = Enrolment(slots.new_phrase(language), slots.new_code())
    owner = _owner(user_id, pair.public)
    made = (
        slots.lock_with_phrase(pair.secret, secrets.phrase, owner, cost),
        slots.lock_with_code(pair.secret, secrets.code, owner),
    )
    with transaction.atomic():
        old = Reader.objects.select_for_update().filter(user_id=user_id, revoked_at=None).first()
        if old is not None and old.signature is not None:
            raise NotReady(("already_a_reader",))
        if old is not None:
            old.delete()
        reader = Reader.objects.create(user_id=user_id, public=pair.public, created_at=now)
        for slot in made:
            _store(reader, slot, now)
        _tell(f"staff:{user_id}", "reader.enrolled", user_id, now)
    return secrets


def add_passkey(*, user_id: int, secret: bytes, credential: bytes, prf_output: bytes, now: datetime) -> None:
    """Let a passkey open somebody's secret too; `secret` is that of the unlocked reader."""
    reader = _reader(user_id)
    slot = slots.lock_with_passkey(_checked(reader, secret), prf_output, _owner_of(reader))
    with transaction.atomic():
        _store(reader, slot, now, credential)
        _tell(f"staff:{user_id}", "reader.passkey_added", user_id, now)


def passkeys(user_id: int) -> tuple[PasskeyView, ...]:
    """Return somebody's passkeys, the oldest first."""
    rows = ReaderSlot.objects.filter(reader__user_id=user_id, reader__revoked_at=None, kind="passkey").order_by("pk")
    return tuple(PasskeyView(pk, at) for pk, at in rows.values_list("pk", "created_at"))


def remove_passkey(*, user_id: int, slot_id: int, now: datetime) -> None:
    """Let one of somebody's own passkeys open nothing any more, as when it is lost; a repeat changes nothing."""
    with transaction.atomic():
        gone, _ = _reader(user_id).slots.filter(pk=slot_id, kind="passkey").delete()
        if gone:
            _tell(f"staff:{user_id}", "reader.passkey_removed", user_id, now)


def renew_slot(*, user_id: int, secret: bytes, kind: str, language: str, now: datetime, cost: Cost = COST) -> str:
    """Make a new phrase or code for an unlocked reader and return it; the old one opens nothing any more."""
    reader = _reader(user_id)
    words = slots.new_phrase(language) if kind == "phrase" else slots.new_code()
    owner = _owner_of(reader)
    if kind == "phrase":
        slot = slots.lock_with_phrase(_checked(reader, secret), words, owner, cost)
    else:
        slot = slots.lock_with_code(_checked(reader, secret), words, owner)
    with transaction.atomic():
        reader.slots.filter(kind=slot.kind).delete()
        _store(reader, slot, now)
        _tell(f"staff:{user_id}", f"reader.{slot.kind}_renewed", user_id, now)
    return words


def open_secret(*, user_id: int, kind: str, entered: str | bytes) -> bytes:
    """Return somebody's reader secret from what they entered; raises `NotReader` or `NotAuthentic`."""
    reader = _reader(user_id)
    owner = _owner_of(reader)
    for row in reader.slots.filter(kind=kind).order_by("pk"):
        try:
            return slots.unlock(_slot(row), entered, owner)
        except NotAuthentic:
            continue
    raise NotAuthentic("slot")


def holds(user_id: int, secret: bytes) -> bool:
    """Tell whether a secret is that of somebody's present reader key: not once it was revoked or made anew."""
    reader = Reader.objects.filter(user_id=user_id, revoked_at=None).first()
    return reader is not None and archive.public_of(secret) == bytes(reader.public)


def passkeys_of(user_id: int) -> tuple[bytes, ...]:
    """Return the credential ids of somebody's passkey slots, for the browser to choose from."""
    rows = ReaderSlot.objects.filter(reader__user_id=user_id, reader__revoked_at=None, kind="passkey")
    return tuple(bytes(one) for one in rows.values_list("credential", flat=True) if one is not None)


def secrets_of(user_id: int, secret: bytes) -> Secrets:
    """Return what gives an unlocked reader the secret of each archive key that they were granted.

    What comes out is checked against the signed public key: a forged grant opens nothing.
    """

    def secret_of(name: str) -> bytes:
        grant = (
            Grant.objects.select_related("archive_key", "reader")
            .filter(archive_key_id=name, reader__user_id=user_id, reader__revoked_at=None)
            .first()
        )
        if grant is None or grant.reader is None:
            raise NotGranted(f"archive key {name}")
        info = grant_info(name, reader_key_id(user_id), bytes(grant.reader.public))
        opened = archive.open_with(secret, bytes(grant.blob), info)
        if archive.public_of(opened) != bytes(grant.archive_key.public):
            raise NotAuthentic(f"grant {grant.pk}")
        return opened

    return secret_of


def reader_view(user_id: int) -> ReaderView | None:
    """Return how somebody stands to the archive, None for who never enrolled or was revoked."""
    reader = Reader.objects.filter(user_id=user_id, revoked_at=None).first()
    return None if reader is None else _view(reader)


def reader_views() -> tuple[ReaderView, ...]:
    """Return every reader that was not revoked."""
    return tuple(_view(reader) for reader in Reader.objects.filter(revoked_at=None).order_by("user_id"))


def accept_signature(*, user_id: int, public: bytes, signature: bytes, now: datetime) -> None:
    """Take the root's signature over somebody's key. Raises `NotOurs`, or `NotReader` for another key than theirs."""
    archive.check_public(root(), reader_key_id(user_id), public, signature)
    with transaction.atomic():
        reader = Reader.objects.select_for_update().filter(user_id=user_id, revoked_at=None, public=public).first()
        if reader is None:
            raise NotReader(str(user_id))
        reader.signature = signature
        reader.save(update_fields=["signature"])
        _tell("command", "reader.signed", user_id, now)


def publish_key(*, name: str, public: bytes, signature: bytes, now: datetime) -> ArchiveKey:
    """Store a month's public key; raises `NotOurs` unless the pinned root signed it under this name."""
    archive.check_public(root(), key_id(name), public, signature)
    with transaction.atomic():
        key = ArchiveKey.objects.create(name=name, public=public, signature=signature, created_at=now)
        record(actor="command", action="archive_key.published", subject=key_id(name), now=now)
    return key


def publish_recovery(*, name: str, public: bytes, signature: bytes, now: datetime) -> RecoveryKey:
    """Store the organisation's public recovery key; raises `NotOurs` unless the pinned root signed it."""
    archive.check_public(root(), recovery_key_id(name), public, signature)
    with transaction.atomic():
        key = RecoveryKey.objects.create(name=name, public=public, signature=signature, created_at=now)
        record(actor="command", action="recovery_key.published", subject=recovery_key_id(name), now=now)
    return key


def store_grant(*, archive_name: str, to: Reader | RecoveryKey, blob: bytes, actor: str, now: datetime) -> None:
    """Keep the secret of an archive key for somebody, as a ceremony or a reader sealed it."""
    key = ArchiveKey.objects.get(pk=archive_name)
    whom = {"reader": to} if isinstance(to, Reader) else {"recovery": to}
    name = reader_key_id(to.user_id) if isinstance(to, Reader) else recovery_key_id(to.name)
    with transaction.atomic():
        Grant.objects.update_or_create(archive_key=key, **whom, defaults={"blob": blob, "made_at": now})
        record(actor=actor, action="archive_key.granted", subject=key_id(archive_name), data={"to": name}, now=now)


def grant_all(*, to_user: int, by_user: int, secret: bytes, now: datetime) -> tuple[str, ...]:
    """Give another signed reader every archive key that an unlocked one holds; return their names.

    Raises `NotReader` for who is not signed, `NotOurs` for a key that was swapped, `NotAuthentic`.
    """
    to = signed_reader(to_user)
    secrets = secrets_of(by_user, secret)
    names = tuple(
        Grant.objects.filter(reader__user_id=by_user, reader__revoked_at=None)
        .order_by("archive_key_id")
        .values_list("archive_key_id", flat=True)
    )
    with transaction.atomic():
        for name in names:
            info = grant_info(name, reader_key_id(to_user), bytes(to.public))
            blob = archive.seal_to(bytes(to.public), secrets(name), info)
            store_grant(archive_name=name, to=to, blob=blob, actor=f"staff:{by_user}", now=now)
    return names


def revoke(*, user_id: int, actor: str, now: datetime) -> None:
    """Take the archive from somebody: slots and grants go, and what they unlocked ends. Raises `NotReader`.

    Who once held a key may have copied it: `rotation.rekey` is what makes a copy worthless.
    """
    with transaction.atomic():
        reader = Reader.objects.select_for_update().filter(user_id=user_id, revoked_at=None).first()
        if reader is None:
            raise NotReader(str(user_id))
        reader.revoked_at = now
        reader.save(update_fields=["revoked_at"])
        reader.slots.all().delete()
        reader.grants.all().delete()
        _tell(actor, "reader.revoked", user_id, now)


def missing_for(name: str, now: datetime) -> tuple[str, ...]:
    """Return as codes what an archive key lacks before it may be activated."""
    grants = Grant.objects.filter(archive_key_id=name)
    holders = [one.reader for one in grants.filter(reader__revoked_at=None).select_related("reader") if one.reader]
    signed = sum(_is_signed(reader) for reader in holders)
    recoveries = [one.recovery for one in grants.select_related("recovery") if one.recovery and _is_ours(one.recovery)]
    tested = [one for one in recoveries if one.tested_at and now - one.tested_at < DRILL_LASTS]
    reasons = []
    if not ArchiveKey.objects.filter(pk=name).exists():
        reasons.append("unknown_key")
    if signed < FEWEST_READERS:
        reasons.append("two_readers")
    if not recoveries:
        reasons.append("recovery_grant")
    elif not tested:
        reasons.append("recovery_drill")
    return tuple(reasons)


def activate(*, name: str, now: datetime) -> None:
    """Let new conversations be archived to a key. Raises `NotReady`: two readers and a tested recovery come first."""
    with transaction.atomic():
        missing = missing_for(name, now)
        if missing:
            raise NotReady(missing)
        key = ArchiveKey.objects.select_for_update().get(pk=name)
        archive.check_public(root(), key_id(name), bytes(key.public), bytes(key.signature))
        key.activated_at = key.activated_at or now
        key.save(update_fields=["activated_at"])
        record(actor="command", action="archive_key.activated", subject=key_id(name), now=now)


def signed_reader(user_id: int) -> Reader:
    """Return a reader whose key the root has signed; raises `NotReader`, `NotOurs`."""
    reader = _reader(user_id)
    if reader.signature is None:
        raise NotReader(str(user_id))
    archive.check_public(root(), reader_key_id(user_id), bytes(reader.public), bytes(reader.signature))
    return reader


def _is_signed(reader: Reader) -> bool:
    try:
        return signed_reader(reader.user_id).pk == reader.pk
    except (NotReader, NotOurs):
        return False


def _is_ours(recovery: RecoveryKey) -> bool:
    try:
        archive.check_public(root(), recovery_key_id(recovery.name), bytes(recovery.public), bytes(recovery.signature))
    except NotOurs:
        return False
    return True


def _reader(user_id: int) -> Reader:
    reader = Reader.objects.filter(user_id=user_id, revoked_at=None).first()
    if reader is None:
        raise NotReader(str(user_id))
    return reader


def _view(reader: Reader) -> ReaderView:
    return ReaderView(
        user_id=reader.user_id,
        signed=_is_signed(reader),
        grants=tuple(reader.grants.order_by("archive_key_id").values_list("archive_key_id", flat=True)),
        slots=tuple(reader.slots.order_by("kind", "pk").values_list("kind", flat=True)),
        fingerprint=archive.fingerprint(bytes(reader.public)),
    )


def _owner(user_id: int, public: bytes) -> bytes:
    return fields(reader_key_id(user_id).encode(), public)


def _owner_of(reader: Reader) -> bytes:
    return _owner(reader.user_id, bytes(reader.public))


def _checked(reader: Reader, secret: bytes) -> bytes:
    if archive.public_of(secret) != bytes(reader.public):
        raise NotAuthentic(f"reader {reader.pk}")
    return secret


def _store(reader: Reader, slot: Slot, now: datetime, credential: bytes | None = None) -> None:
    cost = slot.cost
    ReaderSlot.objects.create(
        reader=reader,
        kind=slot.kind,
        salt=slot.salt,
        memory_kib=cost.memory_kib if cost else None,
        passes=cost.passes if cost else None,
        lanes=cost.lanes if cost else None,
        credential=credential,
        blob=slot.blob,
        created_at=now,
    )


def _slot(row: ReaderSlot) -> Slot:
    cost = None
    if row.memory_kib and row.passes and row.lanes:
        cost = Cost(row.memory_kib, row.passes, row.lanes)
    return Slot(row.kind, bytes(row.salt), cost, bytes(row.blob))


def _tell(actor: str, action: str, user_id: int, now: datetime) -> None:
    record(actor=actor, action=action, subject=f"staff:{user_id}", now=now)
