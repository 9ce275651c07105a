"""Hand out sealers for daily work, from the wrap that the key provider opens."""

import hmac
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from time import monotonic

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from encryption.core import envelope
from encryption.core.envelope import Binding, NotAuthentic
from encryption.core.subject import Subject
from encryption.models import Wrap
from encryption.providers import FileProvider, KeyProvider
from encryption.text import Secret

OPERATIONAL = "op"
MOST_CACHED = 2_048
"""Data keys kept ready in a process; the least recently used goes first."""
LOOK_AGAIN = 60.0
"""Seconds after which the database is asked whether the wrap of a cached key still stands: a key that was retired,
erased or destroyed works in no process for longer. The provider is not asked, so running conversations outlast its
outage."""


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

    def seal_bytes(self, binding: Binding, raw: bytes) -> bytes:
        """Return a sealed record of something that is not a text."""
        return envelope.seal(self._cipher(binding.kind), self._subject, self._commitment, binding, raw)

    def unseal_bytes(self, binding: Binding, record: bytes) -> bytes:
        """Return what was sealed, or raise `NotAuthentic`."""
        return envelope.unseal(self._cipher(binding.kind), self._subject, self._commitment, binding, bytes(record))

    def unseal(self, binding: Binding, record: bytes) -> Secret:
        """Return the text, or raise `NotAuthentic`."""
        opened = envelope.unseal(self._cipher(binding.kind), self._subject, self._commitment, binding, bytes(record))
        return Secret(opened.decode())

    def _cipher(self, kind: str) -> AESGCM:
        if kind not in self._ciphers:
            self._ciphers[kind] = AESGCM(envelope.derive(self._data_key, self._subject, kind))
        return self._ciphers[kind]


@dataclass(slots=True)
class _Held:
    """Keep a sealer with the wrap that it came from, and when that wrap was last seen."""

    sealer: Sealer
    data_key: int
    seen: float


_cached: OrderedDict[Subject, _Held] = OrderedDict()
_lock = threading.Lock()


@cache
def provider() -> KeyProvider:
    """Return this site's key provider."""
    if settings.VAULT_URL:
        # its client takes a while to load, and few sites have one
        from encryption.providers.vault import VaultProvider

        return VaultProvider(settings.VAULT_URL, settings.VAULT_TOKEN, mount=settings.VAULT_MOUNT, ca=settings.VAULT_CA)
    return FileProvider(settings.KEYS_DIR, development=settings.DEVELOPMENT)


def sealer_for(subject: Subject) -> Sealer:
    """Return the sealer of a subject, from this process's memory or with one query.

    Raises `KeyGone` without a key, `ProviderDown` without its epoch, `NotAuthentic` for a swapped wrap.
    """
    with _lock:
        held = _cached.get(subject)
        if held is not None:
            _cached.move_to_end(subject)
    if held is None:
        return _load(subject)
    if monotonic() - held.seen >= LOOK_AGAIN:
        if not Wrap.objects.filter(data_key_id=held.data_key, kind=OPERATIONAL).exists():
            forget(subject)
            raise KeyGone(str(subject))
        held.seen = monotonic()
    return held.sealer


def ready(subject: Subject) -> Sealer | None:
    """Return the sealer of a subject if this process has it at hand, without asking anybody."""
    with _lock:
        held = _cached.get(subject)
    return held.sealer if held is not None and monotonic() - held.seen < LOOK_AGAIN else None


def keep(subject: Subject, sealer: Sealer, data_key: int) -> None:
    """Keep a sealer at hand; the least recently used makes room."""
    with _lock:
        _cached[subject] = _Held(sealer, data_key, monotonic())
        _cached.move_to_end(subject)
        while len(_cached) > MOST_CACHED:
            _cached.popitem(last=False)


def sweep() -> int:
    """Drop every sealer whose wrap is no longer there, asked of the database at once; return how many.

    Each process runs it every `LOOK_AGAIN` seconds: a closed conversation's key is then in no memory, and a running
    one's outlasts an outage of the provider.
    """
    with _lock:
        held = {subject: one.data_key for subject, one in _cached.items()}
    there = set(
        Wrap.objects.filter(data_key_id__in=held.values(), kind=OPERATIONAL).values_list("data_key_id", flat=True)
    )
    gone = [subject for subject, data_key in held.items() if data_key not in there]
    with _lock:
        for subject in gone:
            _cached.pop(subject, None)
    return len(gone)


def forget(subject: Subject | None = None) -> None:
    """Drop one sealer, or all of them, from this process's memory."""
    with _lock:
        if subject is None:
            _cached.clear()
        else:
            _cached.pop(subject, None)


def operational_wrap(subject: Subject, *, lock: bool = False) -> Wrap:
    """Return the wrap that daily work opens, or raise `KeyGone`; `lock` takes its row lock."""
    rows = Wrap.objects.select_related("data_key")
    if lock:
        rows = rows.select_for_update(of=("self",))
    wrap = rows.filter(data_key__subject_kind=subject.kind, data_key__subject_id=subject.id, kind=OPERATIONAL).first()
    if wrap is None:
        raise KeyGone(str(subject))
    return wrap


def opened(wrap: Wrap, subject: Subject) -> bytes:
    """Return the data key of a wrap; raises `ProviderDown` or `NotAuthentic`."""
    stored = bytes(wrap.data_key.commitment)
    data_key = provider().unwrap(wrap.epoch, bytes(wrap.blob), context(subject, stored))
    if not hmac.compare_digest(stored, envelope.commitment(data_key, subject)):
        raise NotAuthentic(str(subject))
    return data_key


def context(subject: Subject, commitment: bytes) -> bytes:
    """Return what a wrap for daily work is bound to."""
    return b"|".join((b"hl1", b"op", subject.kind.encode(), subject.id.bytes, commitment))


def _load(subject: Subject) -> Sealer:
    wrap = operational_wrap(subject)
    sealer = Sealer(subject, opened(wrap, subject), bytes(wrap.data_key.commitment))
    keep(subject, sealer, wrap.data_key_id)
    return sealer
