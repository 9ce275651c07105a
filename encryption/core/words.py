"""The six words by which a visitor comes back: made at random, kept only as what they are checked by.

Six words of a list of 2,048 are 66 bits, below what may be hashed fast (112 bits, ASVS 6.5.2), so they go through
Argon2id with a salt of their own. A slow hash cannot be looked up: the first two words, which protect nothing, are what
a row is found by. Both are keyed with the site's secret, so that the database alone tells nothing.
docs/adr/0009-two-words-find-six-words-open.md
"""

import hashlib
import hmac
import os
import threading
import unicodedata
from dataclasses import dataclass, replace

from argon2.low_level import Type, hash_secret_raw

from encryption.core.envelope import fields
from encryption.core.slots import Cost, new_phrase, plain_phrase

COST = Cost(memory_kib=65_536, passes=3, lanes=1)
"""One lane: the library takes a thread for each, and a flood of guesses is to take no more processors than hashes."""
LOOKUP_WORDS = 2
TELLING_LETTERS = 4
MOST_CHARACTERS = 200
"""What is longer are no six words of ours, and is not hashed at length."""
SALT = 16
_LABEL = b"hl1"

_at_once = threading.BoundedSemaphore(2)
"""At most two are worked on at a time, so that a flood cannot take all memory."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Hold what six words are found and checked by."""

    lookup: bytes
    salt: bytes
    digest: bytes
    lanes: int


def new_words(language: str) -> tuple[str, ...]:
    """Return six random words in English or French."""
    return tuple(new_phrase(language).split(" "))


def keep(phrase: str, pepper: bytes, cost: Cost) -> Kept:
    """Return what is stored of six words; slow on purpose."""
    salt = os.urandom(SALT)
    return Kept(lookup_of(phrase, pepper), salt, _digest(phrase, salt, pepper, cost), cost.lanes)


def lookup_of(phrase: str, pepper: bytes) -> bytes:
    """Return under what six words are found: it opens nothing."""
    first = " ".join(plain_words(phrase).split()[:LOOKUP_WORDS])
    return hmac.digest(pepper, fields(_LABEL, b"return lookup", first.encode()), hashlib.sha256)


def fits(phrase: str, kept: Kept | None, pepper: bytes, cost: Cost) -> bool:
    """Tell whether these are the words; without anything to compare with it takes as long and is false."""
    salt = os.urandom(SALT) if kept is None else kept.salt
    cost = cost if kept is None else replace(cost, lanes=kept.lanes)
    right = hmac.compare_digest(
        _digest(phrase, salt, pepper, cost), bytes(hashlib.sha256().digest_size) if kept is None else kept.digest
    )
    return right and kept is not None


def plain_words(entered: str) -> str:
    """Return words as they are hashed, however they were typed: no accents, case, numbers or signs between them.

    Of each word its first letters, by which the words of a list differ: a slip behind them does no harm.
    """
    bare = plain_phrase(unicodedata.normalize("NFKD", entered[:MOST_CHARACTERS]))
    spaced = "".join(sign if sign.isalpha() else " " for sign in bare)
    return " ".join(word[:TELLING_LETTERS] for word in spaced.split())


def _digest(phrase: str, salt: bytes, pepper: bytes, cost: Cost) -> bytes:
    plain = plain_words(phrase).encode("utf-8", "replace")
    with _at_once:
        stretched = hash_secret_raw(plain, salt, cost.passes, cost.memory_kib, cost.lanes, 32, Type.ID)
    return hmac.digest(pepper, fields(_LABEL, b"return words", stretched), hashlib.sha256)
