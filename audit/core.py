"""The digest of one event: SHA-256 over its canonical form and the digest before it."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

GENESIS = bytes(32)
"""Stands before the first event."""

Data = Mapping[str, str | int]


def digest_of(previous: bytes, *, at: datetime, actor: str, action: str, subject: str, data: Data) -> bytes:
    """Return the 32-byte digest that chains an event to `previous`."""
    canonical = json.dumps(
        [at.astimezone(UTC).isoformat(timespec="microseconds"), actor, action, subject, dict(data)],
        sort_keys=True,
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return hashlib.sha256(b"havre-audit-1" + previous + canonical.encode()).digest()
