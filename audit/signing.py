"""The keys that sign heads: files in the key folder, and the change from one to the next while everything runs.

Which key signs a head is decided by the trail alone: the one named by the newest change up to that event. So a worker
that signs while the key is changed takes the right one, whatever comes first. The change is an event, then a line among
the heads that both keys signed, then the end of the old secret; what was cut off in between is finished by whoever
signs next.
"""

import os
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import heads
from audit.core import Handover, Link
from audit.heads import HeadsUnusable
from audit.services import KeyChanged, key_change, newest_head, note_key_change

FIRST = "audit-head.secret"
LATER = "audit-head-*.secret"
_KEY_BYTES = 32


def signing_key(keys: Path, up_to: int | None = None) -> Ed25519PrivateKey:
    """Return the key that signs the head of an event, or of the newest one; the site's first is made on first use.

    Raises `HeadsUnusable`.
    """
    change = key_change(up_to)
    if change is not None:
        return _held(keys, bytes.fromhex(str(change.data["new"])))
    path = keys / FIRST
    try:
        if not path.exists():
            if any(keys.glob(LATER)):
                # a database of before a change was restored: a new first key would hide that
                raise HeadsUnusable(path.name)
            _write(path, os.urandom(_KEY_BYTES))
    except OSError:
        raise HeadsUnusable(path.name) from None
    key = _read(path)
    if key is None:
        raise HeadsUnusable(path.name)
    return key


def current_public(keys: Path) -> bytes | None:
    """Return the public half of the key that signs heads now; None when there is none yet. Makes none.

    Raises `HeadsUnusable`.
    """
    if key_change() is None and not (keys / FIRST).exists() and not any(keys.glob(LATER)):
        return None
    return public_of(signing_key(keys))


def sign_newest(*, keys: Path, folder: Path, now: datetime, after: bytes) -> bytes:
    """Sign the newest event, unless it is the one of the digest `after`; return the digest of what is signed now.

    Raises `HeadsUnusable`.
    """
    head = newest_head(now)
    if head is None or head.digest == after:
        return after
    finish_change(keys, folder)
    try:
        key = signing_key(keys, head.event)
    except HeadsUnusable:
        newer = newest_head(now)
        if newer is None or newer.event == head.event:
            raise
        # the key of that event was let go a moment ago; there is a newer event now, which the new one signs
        head, key = newer, signing_key(keys, newer.event)
    heads.append(head, folder, key)
    return head.digest


def change_key(*, keys: Path, folder: Path, actor: str, now: datetime) -> Handover:
    """Let a new key sign heads from now on, and return the word of it.

    The old one is proved to be there and the folder to take lines before anything is written. Raises `HeadsUnusable`,
    `KeyChanged`.
    """
    finish_change(keys, folder)
    old = public_of(signing_key(keys))
    heads.make_ready(folder)
    new = Ed25519PrivateKey.generate()
    path = _file_of(keys, public_of(new))
    try:
        # durable before the event: from its commit on it is needed
        _write(path, new.private_bytes_raw())
        change = note_key_change(old=old, new=public_of(new), actor=actor, now=now)
    except OSError:
        raise HeadsUnusable(path.name) from None
    except KeyChanged:
        _remove(path)
        raise
    finish_change(keys, folder)
    return _handover(change)


def finish_change(keys: Path, folder: Path) -> bool:
    """Sign the newest change with both keys and let the old secret go; False when there is nothing to finish.

    The old secret is there until that is done. Raises `HeadsUnusable`.
    """
    change = key_change()
    if change is None:
        return False
    handover = _handover(change)
    found = _place_of(keys, handover.old)
    if found is None:
        return False
    path, old = found
    heads.append_handover(handover, folder, old, _held(keys, handover.new))
    _remove(path)
    return True


def public_of(key: Ed25519PrivateKey) -> bytes:
    """Return the public half of a key."""
    return key.public_key().public_bytes_raw()


def _handover(change: Link) -> Handover:
    old, new = (bytes.fromhex(str(change.data[name])) for name in ("old", "new"))
    return Handover(change.id, change.digest, change.at, old, new)


def _file_of(keys: Path, public: bytes) -> Path:
    return keys / LATER.replace("*", public.hex()[:16])


def _place_of(keys: Path, public: bytes) -> tuple[Path, Ed25519PrivateKey] | None:
    """Return the secret of a public key with the file that holds it, None when none does."""
    for path in (keys / FIRST, _file_of(keys, public)):
        key = _read(path) if path.exists() else None
        if key is not None and public_of(key) == public:
            return path, key
    return None


def _held(keys: Path, public: bytes) -> Ed25519PrivateKey:
    found = _place_of(keys, public)
    if found is None:
        raise HeadsUnusable(_file_of(keys, public).name)
    return found[1]


def _read(path: Path) -> Ed25519PrivateKey | None:
    """Return the key in a file, None when another process has just let it go."""
    try:
        return Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise HeadsUnusable(path.name) from None


def _write(path: Path, secret: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    try:
        # of two processes that race, one file wins and both use it
        os.link(fresh, path)
        _settle(path.parent)
    except FileExistsError:
        return
    finally:
        fresh.unlink()


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
        _settle(path.parent)
    except OSError:
        raise HeadsUnusable(path.name) from None


def _settle(folder: Path) -> None:
    """Make what was added to or removed from a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
