"""Read and write the files of the ceremony; one that is there is never written over."""

import os
from pathlib import Path

from encryption.core import papers
from encryption.core.papers import BadPaper, Kind, Paper, RootFile

_ROOT_MODE, _MODE = 0o400, 0o644


def must_be_new(path: Path) -> None:
    """Raise `BadPaper` when a file could not be written at the end of a step; asked before the step begins."""
    if path.exists():
        raise BadPaper(f"{path} is there already and is never written over. Give another name.")
    if not os.access(path.parent, os.W_OK):
        raise BadPaper(f"Nothing can be written into {path.parent}. Is the stick there, and not locked?")


def write(path: Path, paper: Paper | RootFile) -> None:
    """Write a new file; on the disk when this returns. Raises `BadPaper`."""
    mode = _ROOT_MODE if isinstance(paper, RootFile) else _MODE
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(papers.written(paper))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise BadPaper(f"{path} could not be written: {error.strerror}.") from None


def read(path: Path, *kinds: Kind) -> Paper:
    """Return what a file says; raises `BadPaper`."""
    return papers.read(_text(path), *kinds)


def read_root(path: Path) -> RootFile:
    """Return the locked root; raises `BadPaper`."""
    return papers.read_root(_text(path))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > 4 * papers.MOST_CHARACTERS:
            raise BadPaper(f"{path} is too large to be a file of the ceremony.")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadPaper(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise BadPaper(f"{path} is not a file of the ceremony.") from None
