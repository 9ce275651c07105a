"""Make the secrets of a development machine on first start, in the data folder and out of git."""

import os
import secrets
from pathlib import Path

PREFIX = "development-only-"
"""Begins every generated secret, so that the deploy check can refuse it wherever it was copied to."""


def development_secret(data_dir: Path) -> str:
    """Return the signing key kept in `data_dir`, made on the first call; safe when two processes start at once."""
    path = data_dir / "development-secret"
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(PREFIX + secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()
