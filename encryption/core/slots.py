"""Lock a reader's secret key into slots: each opens it alone, by a phrase, by a printed code, or by a passkey.

The phrase is generated, never invented: six words of a list of 2,048 (BIP-39, whose words differ in their first four
letters) are 66 bits, behind Argon2id (RFC 9106) with 128 MiB and three passes. The printed code has 160 bits and a
passkey's PRF output 256, so a fast key derivation is enough for them. Design: `docs/encryption.md`.
"""

import base64
import hmac
import os
import threading
import unicodedata
from dataclasses import dataclass
from functools import cache

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from mnemonic import Mnemonic

from encryption.core.envelope import NotAuthentic, fields

WORDS = 6
CODE_BYTES = 20
LISTS = {"en": "english", "fr": "french"}
_LABEL = b"hl1"
_SALT = 16
_NONCE = 12

_at_once = threading.BoundedSemaphore(2)
"""At most two phrases are worked on at a time, so that a burst of sign-ins cannot take all memory."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Be the parameters of Argon2id; they are stored with each slot, so that they may grow."""

    memory_kib: int = 131_072
    passes: int = 3
    lanes: int = 4


COST = Cost()
MOST = Cost(memory_kib=1_048_576, passes=16, lanes=16)
"""Costs beyond these are not ours: whoever can write the database must not be able to take a server's memory."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Hold a secret locked one way; without the way in, these are noise."""

    kind: str
    salt: bytes
    cost: Cost | None
    blob: bytes


def new_phrase(language: str) -> str:
    """Return six random words in English or French."""
    words = _words(language)
    return " ".join(words[int.from_bytes(os.urandom(2), "big") % len(words)] for _ in range(WORDS))


def new_code() -> str:
    """Return 160 random bits to be printed: eight groups of four signs that are not mistaken for each other."""
    text = base64.b32encode(os.urandom(CODE_BYTES)).decode("ascii")
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def lock_with_phrase(secret: bytes, phrase: str, owner: bytes, cost: Cost = COST) -> Slot:
    """Return a slot that opens with a phrase; `owner` binds it to a person and their public key."""
    salt = os.urandom(_SALT)
    return Slot("phrase", salt, cost, _lock(_from_phrase(phrase, salt, cost), "phrase", secret, owner))


def lock_with_code(secret: bytes, code: str, owner: bytes) -> Slot:
    """Return a slot that opens with a printed code."""
    salt = os.urandom(_SALT)
    return Slot("code", salt, None, _lock(_from_bits(_code_bits(code), salt, "code"), "code", secret, owner))


def lock_with_passkey(secret: bytes, prf_output: bytes, owner: bytes) -> Slot:
    """Return a slot that opens with the 32 bytes of a passkey's PRF extension (WebAuthn level 3, 10.1.4)."""
    salt = os.urandom(_SALT)
    return Slot("passkey", salt, None, _lock(_from_bits(prf_output, salt, "passkey"), "passkey", secret, owner))


def unlock(slot: Slot, entered: str | bytes, owner: bytes) -> bytes:
    """Return the secret key, or raise `NotAuthentic` for a wrong phrase, code or passkey."""
    if slot.kind == "passkey" and isinstance(entered, bytes):
        key = _from_bits(entered, slot.salt, slot.kind)
    elif slot.kind == "code" and isinstance(entered, str):
        key = _from_bits(_code_bits(entered), slot.salt, slot.kind)
    elif slot.kind == "phrase" and isinstance(entered, str) and slot.cost is not None:
        _check_cost(slot)
        key = _from_phrase(entered, slot.salt, slot.cost)
    else:
        raise NotAuthentic("slot")
    try:
        return AESGCM(key).decrypt(slot.blob[:_NONCE], slot.blob[_NONCE:], _binding(slot.kind, owner))
    except (InvalidTag, ValueError):
        raise NotAuthentic("slot") from None


def plain_phrase(entered: str) -> str:
    """Return a phrase as it is hashed: one form of accents and case, single spaces.

    Accents go: French words of the list differ without them too, and a borrowed keyboard may have none.
    """
    bare = (c for c in unicodedata.normalize("NFKD", entered.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(bare).split())


@cache
def _words(language: str) -> tuple[str, ...]:
    return tuple(unicodedata.normalize("NFC", word) for word in Mnemonic(LISTS[language]).wordlist)


def _check_cost(slot: Slot) -> None:
    cost = slot.cost
    fits = cost is not None and (
        1 <= cost.lanes <= MOST.lanes
        and 1 <= cost.passes <= MOST.passes
        and 8 * cost.lanes <= cost.memory_kib <= MOST.memory_kib
    )
    if not fits or len(slot.salt) != _SALT:
        raise NotAuthentic("slot")


def _from_phrase(phrase: str, salt: bytes, cost: Cost) -> bytes:
    # argon2-cffi, not `cryptography`: there, two derivations with several lanes at once share a pool and can hang
    plain = plain_phrase(phrase).encode()
    with _at_once:
        stretched = hash_secret_raw(plain, salt, cost.passes, cost.memory_kib, cost.lanes, 32, Type.ID)
    return _from_bits(stretched, salt, "phrase")


def _from_bits(bits: bytes, salt: bytes, kind: str) -> bytes:
    info = fields(_LABEL, b"slot", kind.encode())
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(bits)


def _code_bits(code: str) -> bytes:
    """Return the bits of a code however it was typed; a code that cannot be one gives bits that open nothing."""
    bare = code.upper().replace("0", "O").replace("1", "I").replace("8", "B")
    try:
        return base64.b32decode("".join(sign for sign in bare if sign.isalnum()))
    except ValueError:
        return hmac.digest(b"not a code", code.encode("utf-8", "replace"), "sha256")


def _lock(key: bytes, kind: str, secret: bytes, owner: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(key).encrypt(nonce, secret, _binding(kind, owner))


def _binding(kind: str, owner: bytes) -> bytes:
    return fields(_LABEL, b"slot", kind.encode(), owner)
