"""The chain: each event's digest is SHA-256 over its canonical form and the digest before it.

The chain alone finds who edits a row; who can write the database could compute it all anew. So its newest digest is
signed and kept elsewhere (Crosby and Wallach 2009, "Efficient data structures for tamper-evident logging", section 2).
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Link:
    """Be one event of the trail as it stands in the database."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    data: Data
    previous: bytes
    digest: bytes

    def own_digest(self) -> bytes:
        """Return the digest that this event should have."""
        return digest_of(
            self.previous, at=self.at, actor=self.actor, action=self.action, subject=self.subject, data=self.data
        )


@dataclass(frozen=True, slots=True)
class Break:
    """Say where the trail is not what was written; event 0 is its end."""

    event: int
    what: str


@dataclass(frozen=True, slots=True)
class Head:
    """Be what the newest event was at some time, as it was signed."""

    event: int
    digest: bytes
    at: datetime

    def signed_bytes(self) -> bytes:
        """Return what the signature is made over."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds").encode()
        return b"havre-audit-head-1" + self.event.to_bytes(8, "big") + self.digest + at


def breaks(links: Iterable[Link], newest: bytes, heads: Mapping[int, Head]) -> Iterator[Break]:
    """Yield each place where the trail was tampered with; `newest` is the stored head, `heads` the signed ones."""
    previous, unmet = GENESIS, dict(heads)
    for link in links:
        if link.previous != previous:
            yield Break(link.id, "does not follow the event before it: one was removed, inserted or moved")
        if link.digest != link.own_digest():
            yield Break(link.id, "was edited")
        head = unmet.pop(link.id, None)
        if head is not None and head.digest != link.digest:
            yield Break(link.id, f"is not the one that was signed at {head.at:%Y-%m-%d %H:%M:%S} UTC")
        previous = link.digest
    for head in unmet.values():
        yield Break(head.event, f"was signed at {head.at:%Y-%m-%d %H:%M:%S} UTC and is gone")
    if newest != previous:
        yield Break(0, "the newest event is not the one that was written last: the end was cut off or added to")
