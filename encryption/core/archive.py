"""Seal to a public key, so that the server which writes an archive cannot read it.

HPKE (RFC 9180) in base mode with the hybrid of ML-KEM-768 and X25519, HKDF-SHA256 and AES-256-GCM, as `cryptography`
implements it. A secret is 96 bytes: the 64-byte seed of ML-KEM (FIPS 203) and the 32-byte X25519 key (RFC 7748). Base
mode lets anybody make a wrap, so everything that places one stands in `info`, and public keys carry the signature of an
offline Ed25519 root (RFC 8032). Design: `docs/encryption.md`.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import date

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from encryption.core.envelope import NotAuthentic, fields
from encryption.core.subject import Subject

SECRET_BYTES = 96
PUBLIC_BYTES = 1184 + 32
_SEED = 64
_KEM_PUBLIC = 1184
_LABEL = b"hl1"
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class NotOurs(Exception):
    """Report a public key that the site's root has not signed; names the key."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Hold a hybrid key pair as bytes; its secret never shows."""

    secret: bytes
    public: bytes

    def __repr__(self) -> str:
        return "<key pair>"


@dataclass(frozen=True, slots=True)
class Placing:
    """Place an archive wrap: which site, which conversation, to which key, until which day, of which data key."""

    site: str
    subject: Subject
    key_id: str
    expires: date
    commitment: bytes

    def info(self) -> bytes:
        """Return what the wrap is bound to."""
        return fields(
            _LABEL,
            b"arch",
            self.site.encode(),
            self.subject.kind.encode(),
            self.subject.id.bytes,
            self.key_id.encode(),
            self.expires.isoformat().encode(),
            self.commitment,
        )


def new_pair() -> Pair:
    """Return a fresh pair."""
    kem, curve = MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()
    return Pair(kem.private_bytes_raw() + curve.private_bytes_raw(), _public_of(kem, curve))


def public_of(secret: bytes) -> bytes:
    """Return the public half of a secret; raises `ValueError` for anything but 96 bytes."""
    return _public_of(*_halves(secret))


def seal_to(public: bytes, plain: bytes, info: bytes) -> bytes:
    """Return `plain` sealed to a public key and bound to `info`; 1,136 bytes longer. `ValueError` for no such key."""
    if len(public) != PUBLIC_BYTES:
        raise ValueError("a public key has 1,216 bytes")
    kem = MLKEM768PublicKey.from_public_bytes(public[:_KEM_PUBLIC])
    curve = X25519PublicKey.from_public_bytes(public[_KEM_PUBLIC:])
    return _SUITE.encrypt(plain, MLKEM768X25519PublicKey(kem, curve), info)


def open_with(secret: bytes, blob: bytes, info: bytes) -> bytes:
    """Return what was sealed, or raise `NotAuthentic`."""
    try:
        kem, curve = _halves(secret)
        return _SUITE.decrypt(blob, MLKEM768X25519PrivateKey(kem, curve), info)
    except (InvalidTag, ValueError):
        raise NotAuthentic("archive wrap") from None


def sign_public(root: Ed25519PrivateKey, key_id: str, public: bytes) -> bytes:
    """Return the root's signature over a public key and its name; done offline."""
    return root.sign(_signed(key_id, public))


def check_public(root_public: bytes, key_id: str, public: bytes, signature: bytes) -> None:
    """Raise `NotOurs` unless the root signed this key under this name."""
    try:
        Ed25519PublicKey.from_public_bytes(root_public).verify(signature, _signed(key_id, public))
    except (InvalidSignature, ValueError):
        raise NotOurs(key_id) from None


def fingerprint(public: bytes) -> str:
    """Return 80 bits of a public key's digest for people to compare: four groups of four signs."""
    text = base64.b32encode(hashlib.sha256(b"hl1-fingerprint" + public).digest()[:10]).decode("ascii")
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _signed(key_id: str, public: bytes) -> bytes:
    return fields(_LABEL, b"public-key", key_id.encode(), public)


def _halves(secret: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    if len(secret) != SECRET_BYTES:
        raise ValueError("a secret key has 96 bytes")
    return MLKEM768PrivateKey.from_seed_bytes(secret[:_SEED]), X25519PrivateKey.from_private_bytes(secret[_SEED:])


def _public_of(kem: MLKEM768PrivateKey, curve: X25519PrivateKey) -> bytes:
    return kem.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
