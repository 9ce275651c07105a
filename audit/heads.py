"""Signed heads of the trail, outside of the database: one line of JSON each, in a file that only grows.

Whoever rewrites the whole trail in the database would have to rewrite this file too, with a key that is not there.
Where the key was changed, a line signed by both keys says from which event on (`audit.signing`).
Copy the folder to a place that this machine cannot change, as often as you like; `verify_audit` takes any copy.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.core import Break, Handover, Head, KeyLine, key_line

UNREADABLE = (ValueError, KeyError, TypeError, OverflowError, InvalidSignature)


class HeadsUnusable(Exception):
    """Report that the signing key or the folder of heads cannot be used; names the file."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Hold the first signed head of each event, the line of keys that signed them, and what is wrong with the lines."""

    heads: Mapping[int, Head]
    keys: KeyLine
    broken: list[Break]


def append(head: Head, folder: Path, key: Ed25519PrivateKey) -> None:
    """Add a signed head to this machine's file; durable when this returns. Raises `HeadsUnusable`."""
    _append(folder, _fields(head) | {"signature": key.sign(head.signed_bytes()).hex()})


def append_handover(handover: Handover, folder: Path, old: Ed25519PrivateKey, new: Ed25519PrivateKey) -> None:
    """Add the word that another key signs from an event on; durable when this returns. Raises `HeadsUnusable`."""
    signed = handover.signed_bytes()
    keys = {"old": handover.old.hex(), "new": handover.new.hex()}
    _append(folder, _fields(handover) | keys | {"by_old": old.sign(signed).hex(), "by_new": new.sign(signed).hex()})


def make_ready(folder: Path) -> None:
    """Make the folder, or raise `HeadsUnusable` where this machine's file takes no line."""
    path = _file(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    except OSError:
        raise HeadsUnusable(path.name) from None


def read(folder: Path, known: bytes) -> Signed:
    """Return what was signed, as far as a known public key vouches for it, first of all or at any time since.

    A break tells of each line that is not ours, of a head that another key than that of its time signed, and of one
    that signs another event.
    """
    lines = list(_lines(folder))
    handovers = {at: one for at, held in lines if (one := _handover(held)) is not None}
    keys, broken = key_line(known, tuple(handovers.values()))
    found = {signed.event: Head(signed.event, signed.digest, signed.at) for signed in keys.handovers}
    for at, held in lines:
        if at in handovers:
            continue
        head = _head(held, keys)
        if head is None:
            broken.append(Break(0, f"{at} is not signed by this site's key of that time"))
        elif found.setdefault(head.event, head).digest != head.digest:
            # a trail that was written anew and signed again would otherwise hide behind its own later line
            broken.append(Break(head.event, f"{at} signs another event under this number"))
    return Signed(found, keys, broken)


def _head(held: Any, keys: KeyLine) -> Head | None:
    """Return a signed head, None unless the key of its time signed it."""
    try:
        head = Head(int(held["event"]), bytes.fromhex(held["digest"]), datetime.fromisoformat(held["at"]))
        _verify(keys.at(head.event), held["signature"], head.signed_bytes())
    except UNREADABLE:
        return None
    return head


def _handover(held: Any) -> Handover | None:
    """Return a change of key, None for a line that is none or that both its keys did not sign."""
    try:
        old, new = bytes.fromhex(held["old"]), bytes.fromhex(held["new"])
        at = datetime.fromisoformat(held["at"])
        handover = Handover(int(held["event"]), bytes.fromhex(held["digest"]), at, old, new)
        _verify(old, held["by_old"], handover.signed_bytes())
        _verify(new, held["by_new"], handover.signed_bytes())
    except UNREADABLE:
        return None
    return handover


def _verify(public: bytes, signature: str, signed: bytes) -> None:
    Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature), signed)


def _fields(one: Head | Handover) -> dict[str, Any]:
    return {"event": one.event, "digest": one.digest.hex(), "at": one.at.isoformat()}


def _append(folder: Path, line: dict[str, Any]) -> None:
    path = _file(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="ascii") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        raise HeadsUnusable(path.name) from None


def _file(folder: Path) -> Path:
    return folder / f"heads-{socket.gethostname()}.jsonl"


def _lines(folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield where each line stands, and what it holds; None for one that is no JSON."""
    for path in sorted(folder.glob("heads-*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            try:
                held = json.loads(line)
            except ValueError:
                held = None
            yield f"line {number} of {path.name}", held
