"""Open what Havre sealed, from the description of the format alone: no line here comes from `encryption`.

Whoever doubts the code, or has to read an archive without it, needs this file and the keys. Byte strings that are bound
in are written `parts(...)`: each with its length before it in four bytes. A refusal is `InvalidTag` or `ValueError`.
"""

import base64
import hashlib
import hmac
import json
import unicodedata
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

Subject = tuple[str, bytes]
"""The kind of a thing, such as `conversation`, and the 16 bytes of its id."""

SUITE = b"HPKE" + b"\x64\x7a" + b"\x00\x01" + b"\x00\x02"
"""MLKEM768-X25519 (X-Wing), HKDF-SHA256, AES-256-GCM."""


def parts(*values: bytes | str) -> bytes:
    """Join values, each behind its length."""
    raw = [value.encode() if isinstance(value, str) else value for value in values]
    return b"".join(len(value).to_bytes(4, "big") + value for value in raw)


def expand(key: bytes, info: bytes) -> bytes:
    """Return the first 32 bytes of HKDF-Expand (RFC 5869, 2.3)."""
    return hmac.digest(key, info + b"\x01", "sha256")


def aes(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """Open AES-256-GCM: 12 bytes of nonce, ciphertext, 16 bytes of tag."""
    return AESGCM(key).decrypt(sealed[:12], sealed[12:], bound)


def key_for(data_key: bytes, subject: Subject, kind: str) -> bytes:
    """Derive the key of one kind of record."""
    return expand(hmac.digest(subject[1], data_key, "sha256"), parts("hl1", subject[0], kind))


def commitment(data_key: bytes, subject: Subject) -> bytes:
    """Return what stands beside every wrap of a data key, and in every record as the key's name."""
    return hmac.digest(key_for(data_key, subject, "commit"), subject[1], "sha256")


def open_record(
    data_key: bytes, subject: Subject, kind: str, record: str, sequence: int, role: str, key_id: bytes, sealed: bytes
) -> bytes:
    """Open a record: version 1, algorithm 1, and then AES-GCM over the text and its padding."""
    bound = parts("hl1", b"\x01", kind, *subject, record, sequence.to_bytes(8, "big"), role, key_id)
    text, mark, zeros = aes(key_for(data_key, subject, kind), sealed[2:], bound).rpartition(b"\x80")
    if sealed[:2] != b"\x01\x01" or not mark or any(zeros) or len(text + mark + zeros) % 256:
        raise ValueError("not a record")
    return text


def open_daily(wrapping_key: bytes, subject: Subject, commitment: bytes, blob: bytes) -> bytes:
    """Open a wrap for daily work; give the data key."""
    return aes(wrapping_key, blob, b"|".join((b"hl1", b"op", subject[0].encode(), subject[1], commitment)))


def open_archive(secret: bytes, retention_key: bytes, place: list[Any], blob: bytes) -> bytes:
    """Open a wrap of the archive, which has two locks; `place` is site, subject, key, expiry day and commitment."""
    site, subject, key_id, expires, commitment = place
    info = parts("hl1", "arch", site, *subject, key_id, expires, commitment)
    return open_hpke(secret, info, aes(retention_key, blob, info))


def open_hpke(secret: bytes, info: bytes, blob: bytes) -> bytes:
    """Open HPKE in base mode (RFC 9180, 5.1): 1,088 bytes of ML-KEM, 32 of X25519, then AES-GCM."""
    curve, theirs = X25519PrivateKey.from_private_bytes(secret[64:]), blob[1088:1120]
    first = MLKEM768PrivateKey.from_seed_bytes(secret[:64]).decapsulate(blob[:1088])
    second = curve.exchange(X25519PublicKey.from_public_bytes(theirs))
    ours = curve.public_key().public_bytes_raw()
    shared = hashlib.sha3_256(first + second + theirs + ours + rb"\.//^" + b"\\").digest()
    no_psk, about = (_extract(b"", label, ikm) for label, ikm in ((b"psk_id_hash", b""), (b"info_hash", info)))
    start, context = _extract(shared, b"secret", b""), b"\x00" + no_psk + about
    key = expand(start, b"\x00\x20HPKE-v1" + SUITE + b"key" + context)
    nonce = expand(start, b"\x00\x0cHPKE-v1" + SUITE + b"base_nonce" + context)[:12]
    return AESGCM(key).decrypt(nonce, blob[1120:], None)


def _extract(salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + SUITE + label + ikm, "sha256")


def open_slot(kind: str, salt: bytes, cost: list[int], entered: str | bytes, owner: bytes, blob: bytes) -> bytes:
    """Open a slot with a phrase, a printed code or the PRF output of a passkey; `cost` is KiB, passes and lanes."""
    if isinstance(entered, bytes):
        bits = entered
    elif kind == "code":
        bits = base64.b32decode(entered.replace("-", ""))
    else:
        plain = (sign for sign in unicodedata.normalize("NFKD", entered.casefold()) if not unicodedata.combining(sign))
        memory, passes, lanes = cost
        argon = Argon2id(salt=salt, length=32, memory_cost=memory, iterations=passes, lanes=lanes)
        bits = argon.derive(" ".join("".join(plain).split()).encode())
    key = expand(hmac.digest(salt, bits, "sha256"), parts("hl1", "slot", kind))
    return aes(key, blob, parts("hl1", "slot", kind, owner))


def join_shares(one: str, two: str) -> bytes:
    """Give the secret of two printed shares: person, set (8 bytes), a half for each other person, check (8)."""
    texts = ["".join(text.split()) for text in (one, two)]
    raw = [base64.b32decode(text + "=" * (-len(text) % 8)) for text in texts]
    for share in raw:
        check = hashlib.sha256(b"hl1-share" + share[:-8]).digest()[:8]
        if check != share[-8:] or share[1:9] != raw[0][1:9] or raw.count(share) == 2:
            raise ValueError("not two shares of one set")
    size, (mine, other) = (len(raw[0]) - 17) // 2, (share[0] for share in raw)
    first = 9 + size * (other > 6 - mine - other)
    second = 9 + size * (mine > 6 - mine - other)
    return bytes(a ^ b for a, b in zip(raw[0][first : first + size], raw[1][second : second + size], strict=True))


def footer(records: list[tuple[int, bytes]]) -> bytes:
    """Give the footer of records, each with its number: how many, the last number, a digest over their tags."""
    tags = b"".join(number.to_bytes(8, "big") + sealed[-16:] for number, sealed in records)
    head = len(records).to_bytes(8, "big") + records[-1][0].to_bytes(8, "big")
    return head + hashlib.sha256(b"hl1-footer" + tags).digest()


def audit_digest(previous: bytes, at: str, actor: str, action: str, subject: str, data: dict[str, str | int]) -> bytes:
    """Give the digest of an event of the audit trail; `at` is in UTC with microseconds."""
    event = json.dumps([at, actor, action, subject, data], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(b"havre-audit-1" + previous + event.encode()).digest()
