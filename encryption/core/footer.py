"""The footer that closes a conversation: how many records it had, the last number, and a digest over all of them.

Each record proves its own place; only the footer proves that none is missing. It is sealed like a record.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from encryption.core.envelope import NotAuthentic

_HEAD = struct.Struct(">QQ")
_TAG = 16


@dataclass(frozen=True, slots=True)
class Footer:
    """Say what a whole conversation is made of."""

    count: int
    last: int
    digest: bytes

    def packed(self) -> bytes:
        """Return 48 bytes to be sealed."""
        return _HEAD.pack(self.count, self.last) + self.digest


def footer_of(records: Iterable[tuple[int, bytes]]) -> Footer:
    """Return the footer of sealed records, given with their numbers in order; only their tags are digested."""
    digest, count, last = hashlib.sha256(b"hl1-footer"), 0, 0
    for number, sealed in records:
        digest.update(number.to_bytes(8, "big") + sealed[-_TAG:])
        count, last = count + 1, number
    return Footer(count, last, digest.digest())


def unpacked(raw: bytes) -> Footer:
    """Return the footer from its bytes; raises `NotAuthentic` for another length."""
    if len(raw) != _HEAD.size + 32:
        raise NotAuthentic("footer")
    count, last = _HEAD.unpack_from(raw)
    return Footer(count, last, raw[_HEAD.size :])
