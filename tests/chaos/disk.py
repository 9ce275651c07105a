"""Fill the disk under a database: a small file system in memory where one may be mounted, else a file-size limit."""

import resource
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.daemon import Daemon

SIZE = 48
"""Mebibytes of the small disk."""


class SmallDisk:
    """Be a folder whose disk is filled and emptied."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="havre-disk-"))
        self.mounted = False

    def __enter__(self) -> Self:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}m,mode=0700", "havre-chaos", str(self.folder)]
        self.mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.mounted:
            subprocess.run(["umount", str(self.folder)], capture_output=True, check=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def how(self) -> str:
        """Say how the disk is made full."""
        return f"tmpfs of {SIZE} MiB filled" if self.mounted else "RLIMIT_FSIZE of the server lowered"

    def fill(self, daemon: Daemon) -> None:
        """Leave no byte."""
        if not self.mounted:
            _, hard = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (4_096, hard))
            return
        with (self.folder / "ballast").open("wb", buffering=0) as ballast:
            for size in (1 << 20, 4_096):
                try:
                    while ballast.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def says(self) -> str:
        """Return what SQLite says of a write to this disk; the server's log names errors by their type only."""
        if not self.mounted:
            return "files of the server cannot grow"
        try:
            with closing(sqlite3.connect(self.folder / "probe.sqlite3")) as probe:
                probe.execute("CREATE TABLE probe (at)")
        except sqlite3.OperationalError as error:
            return f"SQLite: {error}"
        return "the disk is not full"

    def free(self, daemon: Daemon) -> None:
        """Give the space back."""
        if not self.mounted:
            _, hard = resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (hard, hard))
            return
        (self.folder / "ballast").unlink(missing_ok=True)
