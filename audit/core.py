"""The chain: each event's digest is SHA-256 over its canonical form and the digest before it.

The chain alone finds who edits a row; who can write the database could compute it all anew. So its newest digest is
signed and kept elsewhere (Crosby and Wallach 2009, "Efficient data structures for tamper-evident logging", section 2).
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

GENESIS = bytes(32)
"""Stands before the first event."""

KEY_CHANGED = "audit_key.changed"
"""The event from which on heads are signed by another key."""

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


@dataclass(frozen=True, slots=True)
class Handover:
    """Be the word that another key signs heads from an event on: the event that says so, signed by both keys."""

    event: int
    digest: bytes
    at: datetime
    old: bytes
    new: bytes

    def signed_bytes(self) -> bytes:
        """Return what both signatures are made over."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds").encode()
        return b"havre-audit-handover-1" + self.event.to_bytes(8, "big") + self.digest + self.old + self.new + at

    def fits(self, link: Link) -> bool:
        """Tell whether an event of the trail is the change of key that was signed."""
        named = (link.data.get("old"), link.data.get("new"))
        return link.action == KEY_CHANGED and named == (self.old.hex(), self.new.hex())


@dataclass(frozen=True, slots=True)
class KeyLine:
    """Be the keys that signed heads, one after the other, each from an event on."""

    first: bytes
    handovers: tuple[Handover, ...] = ()

    def at(self, event: int) -> bytes:
        """Return the public key that signs the head of an event."""
        taken_over = [one.new for one in self.handovers if one.event <= event]
        return taken_over[-1] if taken_over else self.first


def key_line(known: bytes, handovers: Collection[Handover]) -> tuple[KeyLine, list[Break]]:
    """Return the line of keys in which a known one stands, and a break for each handover that does not fit into it.

    Both keys signed each handover, so a known key vouches for the one after it and the one before it.
    """
    line: list[Handover] = []
    left, broken = list(dict.fromkeys(handovers)), []
    first = last = known
    while following := [one for one in left if one.old == last]:
        line.append(following[0])
        last = following[0].new
        left.remove(following[0])
    while leading := [one for one in left if one.new == first]:
        line.insert(0, leading[0])
        first = leading[0].old
        left.remove(leading[0])
    for one, after in pairwise(line):
        if after.event <= one.event:
            broken.append(Break(after.event, "hands the signing key over before it was taken over"))
    broken += [Break(one.event, "hands a signing key over that is not this site's, or did so before") for one in left]
    return KeyLine(first, tuple(line)), broken


def breaks(
    links: Iterable[Link], newest: bytes, heads: Mapping[int, Head], keys: KeyLine | None = None
) -> Iterator[Break]:
    """Yield each place where the trail was tampered with; `newest` is the stored head, `heads` the signed ones.

    With `keys` each change of the signing key has to be one that was signed, too.
    """
    previous, unmet = GENESIS, dict(heads)
    handed = {one.event: one for one in keys.handovers} if keys else {}
    for link in links:
        if link.previous != previous:
            yield Break(link.id, "does not follow the event before it: one was removed, inserted or moved")
        if link.digest != link.own_digest():
            yield Break(link.id, "was edited")
        head = unmet.pop(link.id, None)
        if head is not None and head.digest != link.digest:
            yield Break(link.id, f"is not the one that was signed at {head.at:%Y-%m-%d %H:%M:%S} UTC")
        signed = handed.get(link.id)
        if keys and (signed is not None or link.action == KEY_CHANGED) and not (signed and signed.fits(link)):
            yield Break(link.id, "is not the change of the signing key that both keys signed")
        previous = link.digest
    for head in unmet.values():
        yield Break(head.event, f"was signed at {head.at:%Y-%m-%d %H:%M:%S} UTC and is gone")
    if newest != previous:
        yield Break(0, "the newest event is not the one that was written last: the end was cut off or added to")
