"""Seal and open one record.

Layout: version (1 byte), algorithm (1 byte), nonce (12), ciphertext, tag (16). AES-256-GCM under a key that HKDF-SHA256
derives from the subject's data key for the record's kind. Everything that places a record is bound in as associated
data, so a row that was moved, renumbered or given another author does not open. The text is padded to steps of 256
bytes (ISO/IEC 7816-4 padding), so its length says little. Design: `docs/encryption.md`.
"""

import hmac
import os
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from encryption.core.subject import Subject

VERSION = 1
AES_256_GCM = 1
STEP = 256
KEY_BYTES = 32
_LABEL = b"hl1"
_NONCE = 12
_TAG = 16


class NotAuthentic(Exception):
    """Report that sealed bytes did not verify; names the record and nothing else."""


class Binding(NamedTuple):
    """Place a record: its kind, its own id, its number in the log and the role of its author."""

    kind: str
    record: str
    sequence: int
    author_role: str


def new_data_key() -> bytes:
    """Return 32 random bytes."""
    return os.urandom(KEY_BYTES)


def commitment(data_key: bytes, subject: Subject) -> bytes:
    """Return 32 bytes that commit to the key: GCM alone would let one ciphertext open under two keys."""
    return hmac.digest(derive(data_key, subject, "commit"), subject.id.bytes, "sha256")


def derive(data_key: bytes, subject: Subject, kind: str) -> bytes:
    """Return the 32-byte key for one kind of record of a subject (HKDF-SHA256, RFC 5869)."""
    info = fields(_LABEL, subject.kind.encode(), kind.encode())
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=subject.id.bytes, info=info).derive(data_key)


def seal(cipher: AESGCM, subject: Subject, key_id: bytes, binding: Binding, text: bytes) -> bytes:
    """Return the sealed record; `cipher` holds the key derived for `binding.kind`."""
    nonce = os.urandom(_NONCE)
    associated = _associated(AES_256_GCM, subject, key_id, binding)
    return bytes((VERSION, AES_256_GCM)) + nonce + cipher.encrypt(nonce, pad(text), associated)


def unseal(cipher: AESGCM, subject: Subject, key_id: bytes, binding: Binding, record: bytes) -> bytes:
    """Return the text of a record, or raise `NotAuthentic`; never returns bytes that did not verify."""
    name = f"{subject} {binding.kind} {binding.sequence}"
    if len(record) < 2 + _NONCE + STEP + _TAG or record[0] != VERSION or record[1] != AES_256_GCM:
        raise NotAuthentic(name)
    if not 0 <= binding.sequence < 2**64:
        raise NotAuthentic(name)
    nonce, body = record[2 : 2 + _NONCE], record[2 + _NONCE :]
    try:
        return unpad(cipher.decrypt(nonce, body, _associated(record[1], subject, key_id, binding)))
    except (InvalidTag, ValueError):
        raise NotAuthentic(name) from None


def pad(text: bytes) -> bytes:
    """Return the text with 0x80 and zeros up to the next step."""
    return text + b"\x80" + bytes(-(len(text) + 1) % STEP)


def unpad(padded: bytes) -> bytes:
    """Return the text without its padding, or raise `ValueError`."""
    end = padded.rstrip(b"\x00")
    if len(padded) % STEP or not end.endswith(b"\x80"):
        raise ValueError("bad padding")
    return end[:-1]


def _associated(algorithm: int, subject: Subject, key_id: bytes, binding: Binding) -> bytes:
    return fields(
        _LABEL,
        bytes((algorithm,)),
        binding.kind.encode(),
        subject.kind.encode(),
        subject.id.bytes,
        binding.record.encode(),
        binding.sequence.to_bytes(8, "big"),
        binding.author_role.encode(),
        key_id,
    )


def fields(*values: bytes) -> bytes:
    """Join with length prefixes, so that no two different lists give the same bytes."""
    return b"".join([len(value).to_bytes(4, "big") + value for value in values])
