"""Keep the keys that wrap data keys: outside of the database and of its backups."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from encryption.core.envelope import KEY_BYTES, NotAuthentic

_NONCE = 12


class ProviderDown(Exception):
    """Report that wrapping keys cannot be reached; nothing may be stored in clear because of it."""


class KeyProvider(Protocol):
    """Wrap and unwrap under keys named by epoch, which can be destroyed for good."""

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        """Return `key` wrapped under the epoch's key and bound to `context`; makes the epoch when it is new."""

    def unwrap(self, epoch: str, blob: bytes, context: bytes) -> bytes:
        """Return the key, raise `NotAuthentic` for a wrong blob or context, `ProviderDown` without the epoch."""

    def create_epoch(self, epoch: str) -> None:
        """Make the epoch's key; harmless when it exists."""

    def destroy_epoch(self, epoch: str) -> None:
        """Destroy the epoch's key; harmless when it is gone."""

    def list_epochs(self) -> tuple[str, ...]:
        """Return the epochs that can still unwrap, sorted."""


def epoch_of(kind: str, now: datetime) -> str:
    """Return the name of the epoch of a UTC day, such as `op-2026-11-23`."""
    return f"{kind}-{now.astimezone(UTC):%Y-%m-%d}"


class MemoryProvider:
    """Keep the keys in this process; for tests."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        """Wrap under the epoch's key."""
        self.create_epoch(epoch)
        return _wrap(self._keys[epoch], key, context)

    def unwrap(self, epoch: str, blob: bytes, context: bytes) -> bytes:
        """Unwrap with the epoch's key."""
        if epoch not in self._keys:
            raise ProviderDown(epoch)
        return _unwrap(self._keys[epoch], blob, context)

    def create_epoch(self, epoch: str) -> None:
        """Make the epoch's key."""
        self._keys.setdefault(epoch, os.urandom(KEY_BYTES))

    def destroy_epoch(self, epoch: str) -> None:
        """Forget the epoch's key."""
        self._keys.pop(epoch, None)

    def list_epochs(self) -> tuple[str, ...]:
        """Return the epochs that are there."""
        return tuple(sorted(self._keys))


class FileProvider:
    """Keep one file per epoch, mode 0400, in a folder of its own."""

    def __init__(self, folder: Path, *, development: bool = False) -> None:
        self._folder = folder
        self._development = development

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        """Wrap under the epoch's key."""
        self.create_epoch(epoch)
        return _wrap(self._read(epoch), key, context)

    def unwrap(self, epoch: str, blob: bytes, context: bytes) -> bytes:
        """Unwrap with the epoch's key."""
        return _unwrap(self._read(epoch), blob, context)

    def create_epoch(self, epoch: str) -> None:
        """Make the epoch's key file; of two processes that race, one file wins and both use it."""
        path = self._path(epoch)
        if path.exists():
            return
        try:
            self._prepare()
            fresh = self._folder / f".{epoch}.{os.getpid()}.{os.urandom(4).hex()}"
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(fresh, path)
            except FileExistsError:
                return
            finally:
                fresh.unlink()
                self._sync()
        except OSError:
            raise ProviderDown(epoch) from None

    def destroy_epoch(self, epoch: str) -> None:
        """Remove the epoch's key file and make the removal durable."""
        try:
            self._path(epoch).unlink(missing_ok=True)
            self._sync()
        except OSError:
            raise ProviderDown(epoch) from None

    def list_epochs(self) -> tuple[str, ...]:
        """Return the epochs that have a file."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.key")))

    def _path(self, epoch: str) -> Path:
        return self._folder / f"{epoch}.key"

    def _prepare(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._development:
            # check --deploy looks for this mark, so that keys of a demo never serve real people
            (self._folder / "DEVELOPMENT").touch(mode=0o400, exist_ok=True)

    def _read(self, epoch: str) -> bytes:
        try:
            key = self._path(epoch).read_bytes()
        except OSError:
            raise ProviderDown(epoch) from None
        if len(key) != KEY_BYTES:
            raise ProviderDown(epoch)
        return key

    def _sync(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _wrap(wrapping: bytes, key: bytes, context: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(wrapping).encrypt(nonce, key, context)


def _unwrap(wrapping: bytes, blob: bytes, context: bytes) -> bytes:
    try:
        return AESGCM(wrapping).decrypt(blob[:_NONCE], blob[_NONCE:], context)
    except (InvalidTag, ValueError):
        raise NotAuthentic("wrapped key") from None
