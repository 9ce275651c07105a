"""Keys as files in a folder of their own, for a site on one or a few machines.

The folder lies on a disk that is in no backup and in no snapshot; a key that is removed there is gone. A marker in it,
made once, tells it from the empty place where that disk is not mounted: without it nothing is made, found or destroyed.
"""

import os
from pathlib import Path

from encryption.core.envelope import KEY_BYTES
from encryption.providers.base import EpochGone, ProviderDown, unwrap_with, wrap_with

MARKER = "HAVRE-KEYS"


class FileProvider:
    """Keep one file per epoch, mode 0400, in a folder of its own.

    `development` is None where no site stands behind it, as in a measurement: a folder that is not there is made then.
    In development the folder is made whatever is there; elsewhere somebody makes it with `make_folder`.
    """

    def __init__(self, folder: Path, *, development: bool | None = None) -> None:
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
        self._checked(epoch)
        try:
            if path.exists():
                return
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

    def destroy_epoch(self, epoch: str) -> bool:
        """Remove the epoch's key file and make the removal durable."""
        self._checked(epoch)
        try:
            self._path(epoch).unlink()
            self._sync()
        except FileNotFoundError:
            return False
        except OSError:
            raise ProviderDown(epoch) from None
        return True

    def list_epochs(self) -> tuple[str, ...]:
        """Return the epochs that have a file."""
        self._checked("list")
        return self.found()

    def found(self) -> tuple[str, ...]:
        """Return the epochs that have a file, whatever folder this is."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.key")))

    def is_there(self) -> bool:
        """Tell whether there is a folder, be it the right one or an empty place."""
        return self._folder.exists()

    def is_made(self) -> bool:
        """Tell whether the folder is there and is the one that was made for keys."""
        return (self._folder / MARKER).exists()

    def make_folder(self) -> None:
        """Make the folder and put the marker into it; harmless when it is there. Raises `ProviderDown`."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._development:
                # check --deploy looks for this mark, so that keys of a demo never serve real people
                (self._folder / "DEVELOPMENT").touch(mode=0o400, exist_ok=True)
            (self._folder / MARKER).touch(mode=0o400, exist_ok=True)
            self._sync()
        except OSError:
            raise ProviderDown("folder") from None

    def _path(self, epoch: str) -> Path:
        return self._folder / f"{epoch}.key"

    def _checked(self, epoch: str) -> None:
        """Raise `ProviderDown` unless this is the folder of the keys."""
        if self.is_made():
            return
        if not (self._development or (self._development is None and not self._folder.exists())):
            raise ProviderDown(epoch)
        self.make_folder()

    def _read(self, epoch: str) -> bytes:
        try:
            key = self._path(epoch).read_bytes()
        except FileNotFoundError:
            # a folder that is not mounted holds nothing either, and that is an outage
            raise (EpochGone if self.is_made() else ProviderDown)(epoch) from None
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
