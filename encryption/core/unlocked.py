"""A reader's secret between two requests: split between their browser's cookie and this server's memory.

The cookie holds 32 random bytes, the server the secret sealed under a key derived from them; neither half opens alone.
Who it is for, what their rights were and until when it lives is bound in. Design: `docs/encryption.md`.
"""

import hashlib
import os
import struct
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from encryption.core.envelope import NotAuthentic, fields

IDLE = timedelta(minutes=15)
ABSOLUTE = timedelta(hours=4)
STEP_UP = timedelta(minutes=5)
"""How long after a phrase, passkey or password was given a closed conversation may be opened."""
BACKWARDS = timedelta(seconds=5)
"""How far before the last use another may lie: two requests overtake each other, and two hosts' clocks differ."""
COOKIE_BYTES = 32
_TIMES = struct.Struct(">QQQ")
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Times:
    """Say when it was opened, last used, and when the person last proved who they are; whole seconds of UTC."""

    opened: int
    used: int
    proved: int

    @classmethod
    def beginning(cls, now: datetime) -> "Times":
        """Return the times of an unlock that happens now."""
        at = int(now.timestamp())
        return cls(at, at, at)

    def live(self, now: datetime) -> bool:
        """Tell whether neither the idle nor the absolute time has run out."""
        at = now.timestamp()
        idle = at - self.used
        return -BACKWARDS.total_seconds() <= idle < IDLE.total_seconds() and at - self.opened < ABSOLUTE.total_seconds()

    def fresh(self, now: datetime) -> bool:
        """Tell whether the person proved who they are a short time ago."""
        return now.timestamp() - self.proved < STEP_UP.total_seconds()

    def ends(self) -> datetime:
        """Return when it ends if it is not used again."""
        at = min(self.used + IDLE.total_seconds(), self.opened + ABSOLUTE.total_seconds())
        return datetime.fromtimestamp(at, UTC)

    def touched(self, now: datetime) -> "Times":
        """Return the times after a use; one that was overtaken moves nothing back."""
        return replace(self, used=max(self.used, int(now.timestamp())))

    def proven(self, now: datetime) -> "Times":
        """Return the times after a proof."""
        return replace(self.touched(now), proved=max(self.proved, int(now.timestamp())))


def new_cookie() -> str:
    """Return the browser's half."""
    return os.urandom(COOKIE_BYTES).hex()


def name_of(cookie: str) -> str:
    """Return under which name the server keeps its half; it says nothing of the cookie."""
    return hashlib.sha256(b"hl1-unlock" + cookie.encode()).hexdigest()


def shut(cookie: str, secret: bytes, rights: bytes, times: Times) -> bytes:
    """Return the server's half."""
    head, nonce = _TIMES.pack(times.opened, times.used, times.proved), os.urandom(_NONCE)
    return head + nonce + AESGCM(_key(cookie)).encrypt(nonce, secret, _binding(rights, head))


def opened(cookie: str, half: bytes, rights: bytes) -> tuple[bytes, Times]:
    """Return the secret and its times, or raise `NotAuthentic` for another cookie or other rights."""
    head, nonce, sealed = half[: _TIMES.size], half[_TIMES.size :][:_NONCE], half[_TIMES.size + _NONCE :]
    try:
        secret = AESGCM(_key(cookie)).decrypt(nonce, sealed, _binding(rights, head))
        return secret, Times(*_TIMES.unpack(head))
    except (InvalidTag, ValueError, struct.error):
        raise NotAuthentic("unlock") from None


def _key(cookie: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=fields(b"hl1", b"unlock")).derive(cookie.encode())


def _binding(rights: bytes, head: bytes) -> bytes:
    return fields(b"hl1", b"unlock", rights, head)
