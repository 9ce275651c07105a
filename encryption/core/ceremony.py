"""What is done at the offline machine, and the half of it that the server checks: values in, values out.

The recovery secret grows from a seed of 32 bytes by SHAKE-256, as X-Wing's does (draft-connolly-cfrg-xwing-kem,
"expandDecapsulationKey"), so that three people write down 130 signs each instead of 335. On paper each line of a share
ends in two signs of its own: a mistake is found in its line. Design: `docs/encryption.md`; steps:
`docs/key-ceremony.md`.
"""

import base64
import hashlib
import os
import re
from collections.abc import Iterable, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from encryption.core import archive, papers, shares, slots
from encryption.core.archive import NotOurs, Pair
from encryption.core.envelope import NotAuthentic, fields
from encryption.core.papers import BadPaper, Kind, Paper, ReaderKey, RootFile, SealedGrant, SignedKey
from encryption.core.shares import Share
from encryption.core.slots import Cost

FEWEST_READERS = 2
SEED_BYTES = 32
LINES = 6
"""On so many lines a share of a seed is written down."""
MOST_MONTHS = 36
_GROUPS, _GROUP = 5, 5
_ANSWER_BYTES = 10
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])(\.[2-9])?", re.ASCII)
_ANSWER = re.compile(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}")
_LABEL = b"hl1"


def archive_key_id(name: str) -> str:
    """Return under which name the root signs an archive key."""
    return f"archive:{name}"


def reader_key_id(user_id: int) -> str:
    """Return under which name the root signs a reader's key."""
    return f"reader:{user_id}"


def recovery_key_id(name: str) -> str:
    """Return under which name the root signs a recovery key."""
    return f"recovery:{name}"


def grant_info(archive_name: str, to: str, public: bytes) -> bytes:
    """Return what a grant is bound to: the archive key, and the name and key of who gets it."""
    return fields(_LABEL, b"grant", archive_name.encode(), to.encode(), public)


def lock_root(root: Ed25519PrivateKey, phrase: str, cost: Cost) -> RootFile:
    """Return the root locked by a phrase."""
    public = root_public(root)
    return RootFile(public, slots.lock_with_phrase(root.private_bytes_raw(), phrase, public, cost))


def open_root(locked: RootFile, phrase: str) -> Ed25519PrivateKey:
    """Return the root; raises `BadPaper` for a wrong phrase."""
    try:
        return Ed25519PrivateKey.from_private_bytes(slots.unlock(locked.slot, phrase, locked.public))
    except (NotAuthentic, ValueError):
        raise BadPaper("This phrase does not open this root file. Look at the words and the file's stick.") from None


def root_public(root: Ed25519PrivateKey) -> bytes:
    """Return the public half of the root."""
    return root.public_key().public_bytes_raw()


def new_seed() -> bytes:
    """Return what a new recovery key grows from."""
    return os.urandom(SEED_BYTES)


def recovery_pair(seed: bytes) -> Pair:
    """Return the recovery key that grows from a seed."""
    secret = hashlib.shake_256(seed).digest(archive.SECRET_BYTES)
    return Pair(secret, archive.public_of(secret))


def recovery_paper(root: Ed25519PrivateKey, public: bytes) -> Paper:
    """Return the signed public recovery key; its name is half of its fingerprint, so no two share one."""
    name = archive.fingerprint(public)[:9]
    signature = archive.sign_public(root, recovery_key_id(name), public)
    return papers.sign(Paper(Kind.RECOVERY, recovery=SignedKey(name, public, signature)), root)


def sign_readers(root: Ed25519PrivateKey, readers: Iterable[ReaderKey]) -> Paper:
    """Return the keys of readers with the root's signature; whoever calls has compared fingerprints with each."""
    signed = [
        ReaderKey(one.user_id, one.name, one.public, archive.sign_public(root, reader_key_id(one.user_id), one.public))
        for one in readers
    ]
    if not signed:
        raise BadPaper("Nobody was confirmed, so there is nothing to sign.")
    return papers.sign(Paper(Kind.SIGNED, readers=tuple(signed)), root)


def month_names(first: str, count: int) -> tuple[str, ...]:
    """Return the names of months in a row; `2026-12.2` begins a row of second keys. Raises `BadPaper`."""
    if not _MONTH.fullmatch(first) or not 1 <= count <= MOST_MONTHS:
        raise BadPaper(f"A month is written like 2026-12 or 2026-12.2, and at most {MOST_MONTHS} are made at a time.")
    year, month, again = int(first[:4]), int(first[5:7]) - 1, first[7:]
    return tuple(f"{year + (month + step) // 12}-{(month + step) % 12 + 1:02}{again}" for step in range(count))


def checked_readers(root_key: bytes, paper: Paper, fewest: int = FEWEST_READERS) -> tuple[ReaderKey, ...]:
    """Return the readers of a signed file. Raises `BadPaper` for a swapped key, and when they are too few."""
    papers.check(paper, root_key)
    for one in paper.readers:
        _check(root_key, reader_key_id(one.user_id), one.public, one.signature)
    if len({one.user_id for one in paper.readers}) != len(paper.readers):
        raise BadPaper("This file names somebody twice.")
    if len(paper.readers) < fewest:
        raise BadPaper(
            f"{fewest} readers are needed; this file has {len(paper.readers)}. Next: sign the keys of more readers."
        )
    return paper.readers


def checked_recovery(root_key: bytes, paper: Paper) -> SignedKey:
    """Return the recovery key of a file, or raise `BadPaper` for a swapped one."""
    if paper.kind is Kind.RECOVERY:
        papers.check(paper, root_key)
    key = paper.needed_recovery()
    _check(root_key, recovery_key_id(key.name), key.public, key.signature)
    return key


def make_months(root: Ed25519PrivateKey, names: Sequence[str], signed: Paper, recovery: Paper) -> Paper:
    """Return a signed archive key a name, its secret sealed to each reader and to the recovery key and kept nowhere.

    Raises `BadPaper` for too few readers, or a key that the root did not sign.
    """
    readers = checked_readers(root_public(root), signed)
    organisation = checked_recovery(root_public(root), recovery)
    recipients = [(reader_key_id(one.user_id), one.public) for one in readers]
    recipients.append((recovery_key_id(organisation.name), organisation.public))
    keys, grants = [], []
    for name in names:
        pair = archive.new_pair()
        keys.append(SignedKey(name, pair.public, archive.sign_public(root, archive_key_id(name), pair.public)))
        grants += [_grant(name, pair.secret, to, public) for to, public in recipients]
    made = Paper(Kind.MONTHS, readers=readers, recovery=organisation, keys=tuple(keys), grants=tuple(grants))
    return papers.sign(made, root)


def challenge_for(key: SignedKey) -> tuple[bytes, bytes]:
    """Return a challenge that only the recovery secret opens, and the digest of its answer."""
    code = _grouped(os.urandom(_ANSWER_BYTES))
    return archive.seal_to(key.public, code.encode(), _drill_info(key)), answer_digest(key.name, code)


def answer_digest(name: str, code: str) -> bytes:
    """Return what is kept of a drill's answer, however the code was typed."""
    return hashlib.sha256(fields(_LABEL, b"drill-answer", name.encode(), _bare(code).encode())).digest()


def secret_from(two: Sequence[Share], key: SignedKey) -> bytes:
    """Return the recovery secret from two shares; raises `BadPaper` when they are not of this key."""
    try:
        pair = recovery_pair(shares.join(two[0], two[1]))
    except shares.BadShare:
        raise BadPaper("These two shares do not belong together, or are the same one.") from None
    if pair.public != key.public:
        raise BadPaper(f"These shares are not of the recovery key {key.name}. Look at the name on the envelopes.")
    return pair.secret


def opened_grants(drill: Paper, secret: bytes) -> dict[str, bytes]:
    """Return the secret of every archive key in the file, each checked against its public key.

    Raises `BadPaper` for the first that does not open or is not the one it should be.
    """
    key, opened = drill.needed_recovery(), {}
    to, publics = recovery_key_id(key.name), {one.name: one.public for one in drill.keys}
    for grant in drill.grants:
        try:
            found = archive.open_with(secret, grant.blob, grant_info(grant.archive, to, key.public))
            right = archive.public_of(found) == publics.get(grant.archive)
        except (NotAuthentic, ValueError):
            right = False
        if grant.to != to or not right:
            raise BadPaper(
                f"The recovery grant of {grant.archive} does not open its archive key. Make that month anew."
            )
        opened[grant.archive] = found
    missing = sorted(publics.keys() - opened.keys())
    if missing:
        raise BadPaper(f"This file has no recovery grant of {', '.join(missing)}.")
    return opened


def answer(drill: Paper, secret: bytes) -> str:
    """Return the answer of a drill, once every recovery grant was opened; raises `BadPaper`."""
    opened_grants(drill, secret)
    try:
        code = archive.open_with(secret, drill.challenge, _drill_info(drill.needed_recovery())).decode("ascii")
    except (NotAuthentic, ValueError):
        code = ""
    # anybody can seal a challenge, so what comes out is not shown unless it looks like an answer
    if not _ANSWER.fullmatch(code):
        raise BadPaper("The challenge in this file does not open. Export the drill again.")
    return code


def recover(root: Ed25519PrivateKey, signed: Paper, drill: Paper, secret: bytes) -> Paper:
    """Return the secrets of all archive keys in the file, sealed to new readers.

    Raises `BadPaper` for an archive key or a reader that the root did not sign, and what `opened_grants` does.
    """
    readers = checked_readers(root_public(root), signed, fewest=1)
    checked_recovery(root_public(root), drill)
    for key in drill.keys:
        _check(root_public(root), archive_key_id(key.name), key.public, key.signature)
    grants = [
        _grant(name, found, reader_key_id(one.user_id), one.public)
        for name, found in opened_grants(drill, secret).items()
        for one in readers
    ]
    return papers.sign(Paper(Kind.RECOVERED, readers=readers, keys=drill.keys, grants=tuple(grants)), root)


def on_paper(share: Share) -> tuple[str, ...]:
    """Return a share as lines to be written down, each with two signs at its end that prove it."""
    groups = shares.printed(share).split()
    lines = [groups[at : at + _GROUPS] for at in range(0, len(groups), _GROUPS)]
    return tuple(" ".join([*line, _proof(at, "".join(line))]) for at, line in enumerate(lines))


def line_fits(at: int, typed: str) -> bool:
    """Tell whether the line at a place of a share was typed without a mistake."""
    bare = _bare(typed)
    return len(bare) > _GROUP and _proof(at, bare[:-2]) == bare[-2:]


def from_paper(lines: Sequence[str]) -> Share:
    """Return a share from its lines, or raise `BadPaper`."""
    try:
        return shares.read("".join(_bare(line)[:-2] for line in lines))
    except shares.BadShare:
        raise BadPaper("This share is not complete, or its lines are not of one share.") from None


def _grant(name: str, secret: bytes, to: str, public: bytes) -> SealedGrant:
    return SealedGrant(name, to, archive.seal_to(public, secret, grant_info(name, to, public)))


def _check(root_key: bytes, key_id: str, public: bytes, signature: bytes) -> None:
    try:
        archive.check_public(root_key, key_id, public, signature)
    except NotOurs:
        raise BadPaper(f"The key {key_id} is not signed by this root. Do not go on: ask who changed it.") from None


def _drill_info(key: SignedKey) -> bytes:
    return fields(_LABEL, b"drill", key.name.encode(), key.public)


def _grouped(raw: bytes) -> str:
    text = base64.b32encode(raw).decode("ascii")
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _proof(at: int, bare: str) -> str:
    digest = hashlib.sha256(fields(_LABEL, b"line", bytes((at,)), bare.encode())).digest()
    return base64.b32encode(digest).decode("ascii")[:2]


def _bare(typed: str) -> str:
    """Return signs as they are counted: base 32 has no 0, 1 and 8, so those stand for what they look like."""
    plain = typed.upper().replace("0", "O").replace("1", "I").replace("8", "B")
    return "".join(sign for sign in plain if sign.isalnum())
