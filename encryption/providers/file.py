"""Keys as files in a folder of their own, for a site on one or a few machines.

The folder lies on a disk that is in no backup and in no snapshot; a key that is removed there is gone.
"""

import os
from pathlib import Path

from encryption.core.envelope import KEY_BYTES
from encryption.providers.base import ProviderDown, unwrap_with, wrap_with


class FileProvider:
    """Keep one file per epoch, mode 0400, in a folder of its own."""

    def __init__(self, folder: Path, *, development: bool = False) -> None:
        self._folder = folder
        self._development = development

    def wrap(self, epoch: str, key: bytes, context: bytes) -> bytes:
        """Wrap under the epoch's key."""
        self.create_epoch(epoch)
        return wrap_with(self._read(epoch), key, context)

    def unwrap(self, epoch: str, blob: bytes, context: bytes) -> bytes:
        """Unwrap with the epoch's key."""
        return unwrap_with(self._read(epoch), blob, context)

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
