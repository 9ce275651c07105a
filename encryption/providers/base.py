"""What a key provider is, and what those share that hold raw keys."""

import os
from datetime import UTC, datetime
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption.core.envelope import NotAuthentic

_NONCE = 12


class ProviderDown(Exception):
    """Report that wrapping keys cannot be reached; nothing may be stored in clear because of it."""


class EpochGone(ProviderDown):
    """Report that the provider answers and has no such key: what it wrapped is closed to everybody, for good."""


class KeyProvider(Protocol):
    """Wrap and unwrap under keys named by epoch, which can be destroyed for good."""

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        """Return `key` wrapped under the epoch's key and bound to `context`; makes the epoch when it is new."""

    def unwrap(self, epoch: str, blob: bytes, context: bytes) -> bytes:
        """Return the key, raise `NotAuthentic` for a wrong blob or context, `EpochGone` without the epoch."""

    def create_epoch(self, epoch: str) -> None:
        """Make the epoch's key; harmless when it exists."""

    def destroy_epoch(self, epoch: str) -> bool:
        """Destroy the epoch's key and tell whether this call did; harmless when it is gone."""

    def list_epochs(self) -> tuple[str, ...]:
        """Return the epochs that can still unwrap, sorted."""


def epoch_of(kind: str, now: datetime) -> str:
    """Return the name of the epoch of a UTC day, such as `op-2026-11-23`."""
    return f"{kind}-{now.astimezone(UTC):%Y-%m-%d}"


def wrap_with(wrapping: bytes, key: bytes, context: bytes) -> bytes:
    """Return a key wrapped under another with AES-256-GCM, bound to its context."""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(wrapping).encrypt(nonce, key, context)


def unwrap_with(wrapping: bytes, blob: bytes, context: bytes) -> bytes:
    """Return the wrapped key, or raise `NotAuthentic`."""
    try:
        return AESGCM(wrapping).decrypt(blob[:_NONCE], blob[_NONCE:], context)
    except (InvalidTag, ValueError):
        raise NotAuthentic("wrapped key") from None
