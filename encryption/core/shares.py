"""Split a secret among three people so that any two of them have it and one alone has nothing.

Replicated secret sharing (Ito, Saito and Nishizeki 1987): for each pair of people the secret is split anew with a
one-time pad, each of the two keeping one half. One person's halves are random bytes that say nothing of the secret.
A digest in each share finds a mistyped or foreign one.
"""

import base64
import hashlib
import os
from dataclasses import dataclass
from itertools import combinations

PEOPLE = (1, 2, 3)
_CHECK = 8


class BadShare(ValueError):
    """Report a share that is damaged, or two that do not belong together."""


@dataclass(frozen=True, slots=True)
class Share:
    """Hold what one of the three people keeps: a half for each pair they are in."""

    person: int
    set_id: bytes
    halves: dict[tuple[int, int], bytes]

    def __repr__(self) -> str:
        return f"<share {self.person} of 3>"


def split(secret: bytes) -> tuple[Share, Share, Share]:
    """Return three shares of a secret, any two of which give it back."""
    set_id = os.urandom(_CHECK)
    halves: dict[int, dict[tuple[int, int], bytes]] = {person: {} for person in PEOPLE}
    for pair in combinations(PEOPLE, 2):
        pad = os.urandom(len(secret))
        halves[pair[0]][pair] = pad
        halves[pair[1]][pair] = _xor(pad, secret)
    one, two, three = (Share(person, set_id, halves[person]) for person in PEOPLE)
    return one, two, three


def join(one: Share, two: Share) -> bytes:
    """Return the secret from two shares; raises `BadShare` when they are the same or of different sets."""
    pair = (min(one.person, two.person), max(one.person, two.person))
    if one.person == two.person or one.set_id != two.set_id:
        raise BadShare("these two shares do not belong together")
    return _xor(one.halves[pair], two.halves[pair])


def printed(share: Share) -> str:
    """Return a share as text to be printed: groups of five signs, a check at the end."""
    body = bytes([share.person]) + share.set_id + b"".join(share.halves[pair] for pair in sorted(share.halves))
    text = base64.b32encode(body + _check(body)).decode("ascii").rstrip("=")
    return " ".join(text[at : at + 5] for at in range(0, len(text), 5))


def read(text: str) -> Share:
    """Return a share from its printed text, or raise `BadShare`."""
    bare = "".join(text.split()).upper()
    try:
        raw = base64.b32decode(bare + "=" * (-len(bare) % 8))
    except ValueError:
        raise BadShare("this is not a share") from None
    body, check = raw[:-_CHECK], raw[-_CHECK:]
    halves = body[1 + _CHECK :]
    if len(body) < 3 + _CHECK or check != _check(body) or body[0] not in PEOPLE or len(halves) % 2:
        raise BadShare("this share is not complete, or a sign of it is wrong")
    person, size = body[0], len(halves) // 2
    pairs = [pair for pair in combinations(PEOPLE, 2) if person in pair]
    return Share(person, body[1 : 1 + _CHECK], {pairs[0]: halves[:size], pairs[1]: halves[size:]})


def _check(body: bytes) -> bytes:
    return hashlib.sha256(b"hl1-share" + body).digest()[:_CHECK]


def _xor(one: bytes, two: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, two, strict=True))
