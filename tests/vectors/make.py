"""Make the published test vectors: `python -m tests.vectors.make`. Writes only the files that are not there.

A vector is `name`, `given` and `gives`; bytes are hexadecimal behind `0x`. Keys come from fixed labels; nonces and
salts are random, and recorded once inside of what was sealed. A published vector is never made again: when it no longer
opens, the format has changed, and that needs a new version beside the old one.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.core import GENESIS, digest_of
from encryption.core import archive, envelope, shares, slots
from encryption.core.archive import Placing
from encryption.core.envelope import Binding
from encryption.core.footer import footer_of
from encryption.core.slots import COST, Cost, Slot
from encryption.core.subject import Subject
from encryption.providers.base import wrap_with

HERE = Path(__file__).parent
Vectors = Iterator[dict[str, Any]]

SUBJECTS = [Subject(kind, UUID(int=number)) for number, kind in enumerate(("conversation", "contact", "case"), 0x51A7)]
CLIENT = "0123456789abcdef0123456789abcdef"
RECORDS = (
    ("nothing", Binding("message", f"visitor/{CLIENT}", 1, "visitor"), ""),
    ("255 characters, the most of one step", Binding("message", f"visitor/{CLIENT}", 2, "visitor"), "a" * 255),
    ("256 characters, the least of two steps", Binding("message", f"staff:7/{CLIENT}", 3, "staff"), "b" * 256),
    ("4000 characters", Binding("message", f"staff:7/{CLIENT}", 4, "staff"), "c" * 4_000),
    ("4000 characters of two bytes", Binding("message", f"visitor/{CLIENT}", 5, "visitor"), "é" * 4_000),
    ("a text that ends like padding", Binding("message", f"visitor/{CLIENT}", 6, "visitor"), "\x80\x00\x00"),
    ("a note", Binding("note", f"staff:7/{CLIENT}", 7, "staff"), "Appelle d'une gare 🚉"),
    ("a high number", Binding("message", f"system/{CLIENT}", 2**63 - 1, "system"), "later"),
    ("an entry of a case", Binding("entry", "A2B3C4", 12, "staff"), "A room was found."),
    ("a summary of a contact", Binding("summary", str(UUID(int=9)), 0, "staff"), "Référée à l'équipe de nuit"),
)


def seed(label: str, size: int = 32) -> bytes:
    """Return the bytes that a label stands for: never a key of a real site."""
    return hashlib.shake_256(b"havre test vector: " + label.encode()).digest(size)


def records() -> Vectors:
    """Seal texts of each length that matters, of several kinds, roles and subjects."""
    for number, (name, binding, text) in enumerate(RECORDS):
        subject = SUBJECTS[number % 3]
        yield vector(name, sealed(f"record {number}", subject, binding, text.encode()), text.encode())
    rows = [(number, seed(f"tag {number}", 286)) for number in (1, 2, 3)]
    closing = Binding("footer", "footer", 0, "system")
    packed = footer_of(rows).packed()
    yield vector("a footer", sealed("record footer", SUBJECTS[0], closing, packed), packed)


def sealed(label: str, subject: Subject, binding: Binding, text: bytes) -> dict[str, Any]:
    """Return a record with all that is needed to open it."""
    data_key = seed(label)
    key_id = envelope.commitment(data_key, subject)
    cipher = AESGCM(envelope.derive(data_key, subject, binding.kind))
    return {
        "data_key": data_key,
        "subject": placed(subject),
        "kind": binding.kind,
        "record": binding.record,
        "sequence": binding.sequence,
        "role": binding.author_role,
        "key_id": key_id,
        "sealed": envelope.seal(cipher, subject, key_id, binding, text),
    }


def commitments() -> Vectors:
    """Commit to a data key."""
    for subject in SUBJECTS:
        data_key = seed("commitment")
        given = {"data_key": data_key, "subject": placed(subject)}
        yield vector(f"of a {subject.kind}", given, envelope.commitment(data_key, subject))


def daily() -> Vectors:
    """Wrap a data key for daily work, as the providers that hold raw keys do."""
    for subject in SUBJECTS:
        data_key, wrapping = seed(f"daily {subject.kind}"), seed("operational key")
        commitment = envelope.commitment(data_key, subject)
        # written out here, since `encryption.services` needs Django; the test opens it with the context made there
        context = b"|".join((b"hl1", b"op", subject.kind.encode(), subject.id.bytes, commitment))
        blob = wrap_with(wrapping, data_key, context)
        given = {"wrapping_key": wrapping, "subject": placed(subject), "commitment": commitment, "blob": blob}
        yield vector(f"of a {subject.kind}", given, data_key)


def hpke() -> Vectors:
    """Seal to a hybrid public key: the inner lock of the archive."""
    secret = seed("archive secret", archive.SECRET_BYTES)
    for name, info in (("bound to nothing", b""), ("bound to something", seed("info", 90))):
        blob = archive.seal_to(archive.public_of(secret), seed("hpke"), info)
        yield vector(name, {"secret": secret, "info": info, "blob": blob}, seed("hpke"))


def archives() -> Vectors:
    """Wrap a data key for the archive: HPKE to the month's key, and the day's retention key around it."""
    secret, retention = seed("archive secret", archive.SECRET_BYTES), seed("retention key")
    for subject in SUBJECTS:
        data_key, site = seed(f"archived {subject.kind}"), seed("root").hex()
        commitment = envelope.commitment(data_key, subject)
        info = Placing(site, subject, "2026-11", date(2026, 11, 27), commitment).info()
        blob = wrap_with(retention, archive.seal_to(archive.public_of(secret), data_key, info), info)
        place = [site, placed(subject), "2026-11", "2026-11-27", commitment]
        given = {"secret": secret, "retention_key": retention, "place": place, "blob": blob}
        yield vector(f"of a {subject.kind}", given, data_key)


def ways_in() -> Vectors:
    """Lock a reader's secret in slots."""
    secret, owner = seed("reader", archive.SECRET_BYTES), b"reader 3|" + seed("reader's public key")
    english, french = "abandon ability able about above absent", "abaisser abandon abdiquer abeille abolir éther"
    cheap = Cost(memory_kib=64, passes=2, lanes=2)
    code, prf = "MFRG-GZDF-MZTW-Q2LK-NNWG-23TP-OBYX-E43U", seed("prf output")
    for name, slot, entered in (
        ("an English phrase", slots.lock_with_phrase(secret, english, owner, cheap), english),
        ("a French phrase", slots.lock_with_phrase(secret, french, owner, cheap), french),
        ("a phrase at its full cost", slots.lock_with_phrase(secret, french, owner, COST), french),
        ("a printed code", slots.lock_with_code(secret, code, owner), code),
        ("a passkey", slots.lock_with_passkey(secret, prf, owner), prf),
    ):
        yield vector(name, slot_given(slot, entered, owner), secret)


def slot_given(slot: Slot, entered: str | bytes, owner: bytes) -> dict[str, Any]:
    """Return a slot with the way into it."""
    cost = [slot.cost.memory_kib, slot.cost.passes, slot.cost.lanes] if slot.cost else []
    given = {"kind": slot.kind, "salt": slot.salt, "cost": cost}
    return given | {"entered": entered, "owner": owner, "blob": slot.blob}


def pairs_of_shares() -> Vectors:
    """Split a secret among three and take each two of them."""
    secret = seed("reader", archive.SECRET_BYTES)
    one, two, three = (shares.printed(share) for share in shares.split(secret))
    for name, left, right in (("1 and 2", one, two), ("1 and 3", one, three), ("3 and 2", three, two)):
        yield vector(name, {"one": left, "two": right}, secret)


def footers() -> Vectors:
    """Close conversations of one and of five records, one number of which was skipped."""
    for name, numbers in (("one record", (1,)), ("five records", (1, 2, 3, 5, 6))):
        rows = [(number, seed(f"sealed {number}", 286)) for number in numbers]
        yield vector(name, {"records": rows}, footer_of(rows).packed())


def audits() -> Vectors:
    """Chain three events of the audit trail."""
    previous, at = GENESIS, datetime(2026, 11, 23, 21, 4, 5, 123, UTC)
    for action, data in (("epoch.ending", {"wraps": 3}), ("epoch.destroyed", {}), ("role", {"to": "équipe", "by": 7})):
        event: dict[str, Any] = {"actor": "system", "action": action, "subject": "epoch:op-2026-11-21", "data": data}
        digest = digest_of(previous, at=at, **event)
        yield vector(action, {"previous": previous, "at": at.isoformat(timespec="microseconds")} | event, digest)
        previous = digest


def placed(subject: Subject) -> list[str | bytes]:
    """Return a subject as vectors hold it."""
    return [subject.kind, subject.id.bytes]


def vector(name: str, given: dict[str, Any], gives: bytes) -> dict[str, Any]:
    """Return one vector."""
    return {"name": name, "given": given, "gives": gives}


def write(name: str, vectors: Iterable[dict[str, Any]]) -> None:
    """Write a file of vectors; `FileExistsError` when it is there."""
    with (HERE / f"{name}.json").open("x", encoding="utf-8") as file:
        json.dump(list(vectors), file, indent=1, ensure_ascii=False, default=lambda raw: "0x" + raw.hex())
        file.write("\n")


MAKERS: dict[str, Callable[[], Vectors]] = {
    "records": records,
    "commitments": commitments,
    "daily": daily,
    "hpke": hpke,
    "archives": archives,
    "slots": ways_in,
    "shares": pairs_of_shares,
    "footers": footers,
    "audit": audits,
}


def main() -> None:
    """Write what is missing and say so."""
    for name, maker in MAKERS.items():
        try:
            write(name, maker())
        except FileExistsError:
            print(f"{name}.json is published and stays as it is")
        else:
            print(f"{name}.json was made")


if __name__ == "__main__":
    main()
