"""Let one server at a time serve a data folder while nothing joins two: with SQLite and no Redis they would not hear
each other, and each would run the clocks."""

import fcntl
import os
from pathlib import Path

LOCK = "serving.lock"


class AlreadyServed(Exception):
    """Report that another process serves this folder; says where."""


def claim(folder: Path, where: str) -> int:
    """Hold the folder until this process ends, however it ends; return the lock's descriptor.

    Raises `AlreadyServed` with what the other process said of itself.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        other = os.read(descriptor, 100).decode("ascii", "replace")
        os.close(descriptor)
        raise AlreadyServed(other) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, where.encode("ascii", "replace"))
    return descriptor
