"""Make the secrets of a development machine on first start, in the data folder and out of git."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PREFIX = "development-only-"
"""Begins every generated secret, so that the deploy check can refuse it wherever it was copied to."""


def development_secret(data_dir: Path) -> str:
    """Return the signing key kept in `data_dir`, made on the first call; safe when two processes start at once."""
    return _kept(data_dir / "development-secret", lambda: PREFIX + secrets.token_urlsafe(48))


def development_archive_root(data_dir: Path) -> str:
    """Return the public half of a root that a demo signs its sample archive with; made on the first call.

    A real root lies on an offline machine. This one lies beside the data, so that a demo can show the archive.
    """
    kept = _kept(data_dir / "development-archive-root", lambda: secrets.token_hex(32))
    root = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(kept))
    return root.public_key().public_bytes_raw().hex()


def _kept(path: Path, make: Callable[[], str]) -> str:
    """Return what the file holds; the first to come makes it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        # under its name only once it is whole: another process that starts now would read half a secret
        descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(make())
            with contextlib.suppress(FileExistsError):
                os.link(beside, path)
        finally:
            os.unlink(beside)
    return path.read_text(encoding="ascii").strip()
