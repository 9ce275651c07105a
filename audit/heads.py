"""Signed heads of the trail, outside of the database: one line of JSON each, in a file that only grows.

Whoever rewrites the whole trail in the database would have to rewrite this file too, with a key that is not there.
Copy the folder to a place that this machine cannot change, as often as you like; `verify_audit` takes any copy.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.core import Break, Head

KEY_FILE = "audit-head.secret"
_KEY_BYTES = 32


class HeadsUnusable(Exception):
    """Report that the signing key or the folder of heads cannot be used; names the file."""


def signing_key(keys: Path) -> Ed25519PrivateKey:
    """Return the key that signs heads, made on first use with mode 0400; raises `HeadsUnusable`."""
    path = keys / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except (OSError, ValueError):
        raise HeadsUnusable(path.name) from None


def append(head: Head, folder: Path, key: Ed25519PrivateKey) -> None:
    """Add a signed head to this machine's file; durable when this returns. Raises `HeadsUnusable`."""
    line = {
        "event": head.event,
        "digest": head.digest.hex(),
        "at": head.at.isoformat(),
        "signature": key.sign(head.signed_bytes()).hex(),
    }
    path = folder / f"heads-{socket.gethostname()}.jsonl"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="ascii") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        raise HeadsUnusable(path.name) from None


def read(folder: Path, key: Ed25519PublicKey) -> tuple[Mapping[int, Head], list[Break]]:
    """Return the signed heads by event, and a break for each line whose signature is not ours."""
    heads: dict[int, Head] = {}
    forged: list[Break] = []
    for name, number, line in _lines(folder):
        try:
            held = json.loads(line)
            head = Head(int(held["event"]), bytes.fromhex(held["digest"]), datetime.fromisoformat(held["at"]))
            key.verify(bytes.fromhex(held["signature"]), head.signed_bytes())
        except (ValueError, KeyError, TypeError, OverflowError, InvalidSignature):
            forged.append(Break(0, f"line {number} of {name} is not signed by this site's key"))
            continue
        heads[head.event] = head
    return heads, forged


def _lines(folder: Path) -> Iterator[tuple[str, int, str]]:
    for path in sorted(folder.glob("heads-*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            yield path.name, number, line


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        # of two processes that race, one file wins and both use it
        os.link(fresh, path)
    except FileExistsError:
        return
    finally:
        fresh.unlink()
