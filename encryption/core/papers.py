"""The files that go between the server and the offline machine, as JSON: nothing in them opens anything.

What the offline machine made for the server carries the root's signature over the whole file: a grant has none of its
own, and HPKE's base mode lets anybody seal one. A root file holds the root itself, locked by a phrase.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from encryption.core.archive import PUBLIC_BYTES, fingerprint
from encryption.core.envelope import fields
from encryption.core.slots import Cost, Slot

MOST_CHARACTERS = 16_000_000
MOST_MEMORY_KIB = 1_048_576
_SIGNATURE = 64
_ROOT_PUBLIC = 32


class BadPaper(ValueError):
    """Say in a plain sentence or two why something that was handed in is not accepted, and what comes next."""


class Kind(StrEnum):
    """What a file is."""

    ROOT = "havre-root"  # locked; never leaves the offline machine's stick
    READERS = "havre-readers"  # server to offline: whose keys are to be signed
    SIGNED = "havre-signed-readers"
    RECOVERY = "havre-recovery-key"
    MONTHS = "havre-archive-keys"
    DRILL = "havre-drill"  # server to offline: a challenge, and all recovery grants
    RECOVERED = "havre-recovered-grants"


FROM_OFFLINE = (Kind.SIGNED, Kind.RECOVERY, Kind.MONTHS, Kind.RECOVERED)
"""What the server takes in, in the order in which it does."""


@dataclass(frozen=True, slots=True)
class ReaderKey:
    """Be a reader's public key; the signature is empty until the root has signed it."""

    user_id: int
    name: str
    public: bytes
    signature: bytes = b""

    def fingerprint(self) -> str:
        """Return the sixteen signs that two people compare; computed here, never taken from a file."""
        return fingerprint(self.public)


@dataclass(frozen=True, slots=True)
class SignedKey:
    """Be a public archive or recovery key with the root's signature."""

    name: str
    public: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SealedGrant:
    """Be the secret of an archive key, sealed to a reader or a recovery key by its signed name."""

    archive: str
    to: str
    blob: bytes


@dataclass(frozen=True, slots=True)
class Paper:
    """Be the content of one file."""

    kind: Kind
    readers: tuple[ReaderKey, ...] = ()
    recovery: SignedKey | None = None
    keys: tuple[SignedKey, ...] = ()
    grants: tuple[SealedGrant, ...] = ()
    challenge: bytes = b""
    signature: bytes = b""

    def needed_recovery(self) -> SignedKey:
        """Return the recovery key; raises `BadPaper` for a file without one."""
        if self.recovery is None:
            raise BadPaper("This file names no recovery key.")
        return self.recovery


@dataclass(frozen=True, slots=True)
class RootFile:
    """Be the locked root; `slot` opens with its phrase."""

    public: bytes
    slot: Slot


def written(paper: Paper | RootFile) -> str:
    """Return the text of a file."""
    return json.dumps(_plain(paper), indent=1, ensure_ascii=False, default=_text_of) + "\n"


def read(text: str, *kinds: Kind) -> Paper:
    """Return what a file says; raises `BadPaper` for another kind of file or none."""
    part = _Part(_object(text))
    kind = _kind(part)
    if kind not in kinds:
        raise BadPaper(f"This is a file of the kind {kind}; needed is {' or '.join(kinds)}.")
    recovery = _signed(part.part("recovery")) if part.has("recovery") else None
    return Paper(
        kind=kind,
        readers=tuple(map(_reader, part.parts("readers"))),
        recovery=recovery,
        keys=tuple(map(_signed, part.parts("keys"))),
        grants=tuple(map(_grant, part.parts("grants"))),
        challenge=part.raw("challenge"),
        signature=part.raw("signature", 0, _SIGNATURE),
    )


def read_root(text: str) -> RootFile:
    """Return a locked root; raises `BadPaper` for any other file."""
    part = _Part(_object(text))
    if _kind(part) is not Kind.ROOT:
        raise BadPaper(f"This is a file of the kind {_kind(part)}; needed is the root file.")
    slot = part.part("slot")
    cost = slot.part("cost")
    paid = Cost(cost.number("memory_kib"), cost.number("passes"), cost.number("lanes"))
    if not 8 * paid.lanes <= paid.memory_kib <= MOST_MEMORY_KIB or not (0 < paid.lanes < 65 and 0 < paid.passes < 65):
        raise BadPaper("This root file is damaged: its numbers cannot be right. Take the other stick.")
    locked = Slot(slot.text("kind"), slot.raw("salt", 16), paid, slot.raw("blob"))
    return RootFile(part.raw("public", _ROOT_PUBLIC), locked)


def sign(paper: Paper, root: Ed25519PrivateKey) -> Paper:
    """Return the file with the root's signature over all of it."""
    return replace(paper, signature=root.sign(_whole(paper)))


def check(paper: Paper, root_public: bytes) -> None:
    """Raise `BadPaper` unless the root signed this file as it is."""
    try:
        Ed25519PublicKey.from_public_bytes(root_public).verify(paper.signature, _whole(paper))
    except (InvalidSignature, ValueError):
        raise BadPaper("This file is not what the site's root signed: it is another site's, or was changed.") from None


def _whole(paper: Paper) -> bytes:
    bare = _plain(replace(paper, signature=b""))
    text = json.dumps(bare, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_text_of)
    return fields(b"hl1", b"paper", text.encode())


def _plain(paper: Paper | RootFile) -> dict[str, Any]:
    if isinstance(paper, RootFile):
        return {"kind": Kind.ROOT} | asdict(paper)
    return {name: value for name, value in asdict(paper).items() if value}


def _text_of(value: object) -> str:
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return base64.b64encode(value).decode("ascii")


def _object(text: str) -> object:
    try:
        return json.loads(text) if len(text) <= MOST_CHARACTERS else None
    except (ValueError, RecursionError):
        raise BadPaper("This is not a file of Havre's ceremony, or it is damaged.") from None


def _kind(part: "_Part") -> Kind:
    try:
        return Kind(part.text("kind"))
    except ValueError:
        raise BadPaper("This is not a file of Havre's ceremony, or it is damaged.") from None


def _reader(part: "_Part") -> ReaderKey:
    signature = part.raw("signature", 0, _SIGNATURE)
    return ReaderKey(part.number("user_id"), part.text("name"), part.raw("public", PUBLIC_BYTES), signature)


def _signed(part: "_Part") -> SignedKey:
    return SignedKey(part.text("name"), part.raw("public", PUBLIC_BYTES), part.raw("signature", _SIGNATURE))


def _grant(part: "_Part") -> SealedGrant:
    return SealedGrant(part.text("archive"), part.text("to"), part.raw("blob"))


class _Part:
    """Read one JSON object without trusting it."""

    def __init__(self, raw: object) -> None:
        if not isinstance(raw, Mapping):
            raise BadPaper("This is not a file of Havre's ceremony, or it is damaged.")
        self._raw = raw

    def has(self, name: str) -> bool:
        return name in self._raw

    def text(self, name: str) -> str:
        value = self._raw.get(name)
        # what is not printable could move a terminal's cursor and show another fingerprint
        if not isinstance(value, str) or not value.isprintable() or not 0 < len(value) <= 80:
            raise BadPaper(f"This file is damaged: {name} is missing or no text.")
        return value

    def number(self, name: str) -> int:
        value = self._raw.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
            raise BadPaper(f"This file is damaged: {name} is missing or no number.")
        return value

    def raw(self, name: str, *sizes: int) -> bytes:
        try:
            value = base64.b64decode(self._raw.get(name, ""), validate=True)
        except (ValueError, TypeError):
            raise BadPaper(f"This file is damaged: {name} cannot be read.") from None
        if sizes and len(value) not in sizes:
            raise BadPaper(f"This file is damaged: {name} has the wrong length.")
        return value

    def part(self, name: str) -> "_Part":
        return _Part(self._raw.get(name))

    def parts(self, name: str) -> list["_Part"]:
        value = self._raw.get(name, [])
        if not isinstance(value, list):
            raise BadPaper(f"This file is damaged: {name} is no list.")
        return [_Part(one) for one in value]
