"""Make, find and destroy data keys, and hand out sealers. Nobody else touches a key."""

import hmac
import threading
from collections import OrderedDict
from datetime import datetime
from functools import cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import transaction

from encryption.core import envelope
from encryption.core.envelope import Binding, NotAuthentic
from encryption.core.subject import Subject
from encryption.models import DataKey, Wrap
from encryption.providers import FileProvider, KeyProvider, VaultProvider, epoch_of
from encryption.text import Secret

OPERATIONAL = "op"
MOST_CACHED = 2_048
"""Data keys kept ready in a process; the least recently used goes first."""


class KeyGone(Exception):
    """Report that a subject has no key, or none that still opens: its records cannot be read by anybody."""


class Sealer:
    """Seal and unseal records of one subject. Keys stay inside; keep no sealer longer than one command."""

    __slots__ = ("_ciphers", "_commitment", "_data_key", "_subject")

    def __init__(self, subject: Subject, data_key: bytes, commitment: bytes) -> None:
        self._subject = subject
        self._data_key = data_key
        self._commitment = commitment
        self._ciphers: dict[str, AESGCM] = {}

    def __repr__(self) -> str:
        return f"<sealer of {self._subject}>"

    def seal(self, binding: Binding, text: str) -> bytes:
        """Return the sealed record."""
        return envelope.seal(self._cipher(binding.kind), self._subject, self._commitment, binding, text.encode())

    def unseal(self, binding: Binding, record: bytes) -> Secret:
        """Return the text, or raise `NotAuthentic`."""
        opened = envelope.unseal(self._cipher(binding.kind), self._subject, self._commitment, binding, bytes(record))
        return Secret(opened.decode())

    def _cipher(self, kind: str) -> AESGCM:
        if kind not in self._ciphers:
            self._ciphers[kind] = AESGCM(envelope.derive(self._data_key, self._subject, kind))
        return self._ciphers[kind]


_cached: OrderedDict[Subject, Sealer] = OrderedDict()
_lock = threading.Lock()


@cache
def provider() -> KeyProvider:
    """Return this site's key provider."""
    if settings.VAULT_URL:
        return VaultProvider(settings.VAULT_URL, settings.VAULT_TOKEN, mount=settings.VAULT_MOUNT, ca=settings.VAULT_CA)
    return FileProvider(settings.KEYS_DIR, development=settings.DEVELOPMENT)


def create_data_key(subject: Subject, now: datetime) -> Sealer:
    """Make and store the data key of a new subject; inside the transaction that makes the subject.

    Raises `ProviderDown`: then the subject must not be made either.
    """
    data_key = envelope.new_data_key()
    commitment = envelope.commitment(data_key, subject)
    epoch = epoch_of(OPERATIONAL, now)
    row = DataKey.objects.create(
        subject_kind=subject.kind, subject_id=subject.id, commitment=commitment, created_at=now
    )
    blob = provider().wrap(epoch, data_key, _context(subject, commitment))
    Wrap.objects.create(data_key=row, kind=OPERATIONAL, epoch=epoch, blob=blob)
    return Sealer(subject, data_key, commitment)


def sealer_for(subject: Subject) -> Sealer:
    """Return the sealer of a subject, from this process's memory or with one query.

    Raises `KeyGone` without a key, `ProviderDown` without its epoch, `NotAuthentic` for a swapped wrap.
    """
    with _lock:
        if subject in _cached:
            _cached.move_to_end(subject)
            return _cached[subject]
    sealer = _load(subject)
    with _lock:
        _cached[subject] = sealer
        while len(_cached) > MOST_CACHED:
            _cached.popitem(last=False)
    return sealer


def shred(subject: Subject) -> None:
    """Destroy the data key of a subject in the database; its day keys die on their own schedule."""
    with transaction.atomic():
        DataKey.objects.filter(subject_kind=subject.kind, subject_id=subject.id).delete()
    forget(subject)


def forget(subject: Subject | None = None) -> None:
    """Drop one sealer, or all of them, from this process's memory."""
    with _lock:
        if subject is None:
            _cached.clear()
        else:
            _cached.pop(subject, None)


def _load(subject: Subject) -> Sealer:
    wrap = (
        Wrap.objects.select_related("data_key")
        .filter(data_key__subject_kind=subject.kind, data_key__subject_id=subject.id, kind=OPERATIONAL)
        .first()
    )
    if wrap is None:
        raise KeyGone(str(subject))
    stored = bytes(wrap.data_key.commitment)
    data_key = provider().unwrap(wrap.epoch, bytes(wrap.blob), _context(subject, stored))
    if not hmac.compare_digest(stored, envelope.commitment(data_key, subject)):
        raise NotAuthentic(str(subject))
    return Sealer(subject, data_key, stored)


def _context(subject: Subject, commitment: bytes) -> bytes:
    return b"|".join((b"hl1", b"op", subject.kind.encode(), subject.id.bytes, commitment))
