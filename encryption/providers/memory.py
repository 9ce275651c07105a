"""Keys in the memory of one process."""

import os

from encryption.core.envelope import KEY_BYTES
from encryption.providers.base import EpochGone, unwrap_with, wrap_with


class MemoryProvider:
    """Keep the keys in this process; for tests."""

    def __init__(self) -> None:
        self._keys: dict[str, bytes] = {}

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        """Wrap under the epoch's key."""
        self.create_epoch(epoch)
        return wrap_with(self._keys[epoch], key, context)

    def unwrap(self, epoch: str, blob: bytes, context: bytes) -> bytes:
        """Unwrap with the epoch's key."""
        if epoch not in self._keys:
            raise EpochGone(epoch)
        return unwrap_with(self._keys[epoch], blob, context)

    def create_epoch(self, epoch: str) -> None:
        """Make the epoch's key."""
        self._keys.setdefault(epoch, os.urandom(KEY_BYTES))

    def destroy_epoch(self, epoch: str) -> bool:
        """Forget the epoch's key."""
        return self._keys.pop(epoch, None) is not None

    def list_epochs(self) -> tuple[str, ...]:
        """Return the epochs that are there."""
        return tuple(sorted(self._keys))
