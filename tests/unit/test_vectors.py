"""The published vectors open with our code and with the independent decryptor, and with one bit changed in neither."""

import ast
import json
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from audit.core import digest_of
from encryption.core import archive, envelope, shares, slots
from encryption.core.archive import Placing
from encryption.core.envelope import Binding, NotAuthentic
from encryption.core.footer import footer_of, unpacked
from encryption.core.shares import BadShare
from encryption.core.slots import Cost, Slot
from encryption.core.subject import Subject
from encryption.providers.base import unwrap_with, wrap_with
from encryption.services import sealing
from tests.support import independent

FOLDER = Path(__file__).resolve().parents[1] / "vectors"
Given = dict[str, Any]


def placed(subject: list[Any]) -> Subject:
    return Subject(subject[0], UUID(bytes=subject[1]))


def open_record(given: Given) -> bytes:
    subject = placed(given["subject"])
    cipher = AESGCM(envelope.derive(given["data_key"], subject, given["kind"]))
    binding = Binding(given["kind"], given["record"], given["sequence"], given["role"])
    return envelope.unseal(cipher, subject, given["key_id"], binding, given["sealed"])


def open_daily(given: Given) -> bytes:
    context = sealing.context(placed(given["subject"]), given["commitment"])
    return unwrap_with(given["wrapping_key"], given["blob"], context)


def open_archive(given: Given) -> bytes:
    site, subject, key_id, expires, commitment = given["place"]
    info = Placing(site, placed(subject), key_id, date.fromisoformat(expires), commitment).info()
    return archive.open_with(given["secret"], unwrap_with(given["retention_key"], given["blob"], info), info)


def open_slot(given: Given) -> bytes:
    cost = Cost(*given["cost"]) if given["cost"] else None
    return slots.unlock(Slot(given["kind"], given["salt"], cost, given["blob"]), given["entered"], given["owner"])


def audit_digest(given: Given) -> bytes:
    return digest_of(**given | {"at": datetime.fromisoformat(given["at"])})


OURS: dict[str, Callable[[Given], bytes]] = {
    "records": open_record,
    "commitments": lambda given: envelope.commitment(given["data_key"], placed(given["subject"])),
    "daily": open_daily,
    "hpke": lambda given: archive.open_with(given["secret"], given["blob"], given["info"]),
    "archives": open_archive,
    "slots": open_slot,
    "shares": lambda given: shares.join(shares.read(given["one"]), shares.read(given["two"])),
    "footers": lambda given: footer_of(given["records"]).packed(),
    "audit": audit_digest,
}
THEIRS: dict[str, Callable[..., bytes]] = {
    "records": independent.open_record,
    "commitments": independent.commitment,
    "daily": independent.open_daily,
    "hpke": independent.open_hpke,
    "archives": independent.open_archive,
    "slots": independent.open_slot,
    "shares": independent.join_shares,
    "footers": independent.footer,
    "audit": independent.audit_digest,
}
DIGESTS = {"commitments", "footers", "audit"}
"""These are not opened: with a changed bit they give something else."""

PLACES: dict[str, tuple[int, ...]] = {
    # version, algorithm, nonce, text, tag
    "sealed": (0, 1, 2, 14, -17, -1),
    # ML-KEM uses the second half of its seed only to refuse, and X25519 leaves out some bits at either end of its key
    "secret": (0, 31, 70, 90),
    # the last sign of a share holds bits that are in no byte
    "one": (0, 160, -2),
    "two": (0, 160, -2),
    # a footer digests the tags alone: the text of a record answers for itself
    "records": (-16, -1),
}
"""Where a bit is changed in a field; at the beginning, in the middle and at the end of all others."""


def decoded(value: Any) -> Any:
    match value:
        case str() if value.startswith("0x"):
            return bytes.fromhex(value[2:])
        case list():
            return [decoded(each) for each in value]
        case dict():
            return {name: decoded(each) for name, each in value.items()}
    return value


def load() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.json")):
        for vector in json.loads(path.read_text(encoding="utf-8")):
            yield pytest.param(path.stem, decoded(vector), id=f"{path.stem}: {vector['name']}")


VECTORS = list(load())


def changes(value: Any, places: tuple[int, ...] | None) -> Iterator[Any]:
    """Yield the value with one bit of it changed, at each place of each part."""
    match value:
        case int():
            yield value ^ 1
        case bytes():
            for at in places or ((0, len(value) // 2, -1) if value else ()):
                changed = bytearray(value)
                changed[at] ^= 1
                yield bytes(changed)
        case str():
            # of a phrase's letters and a code's strokes, case, accents and spaces say nothing
            signs = [at for at, sign in enumerate(value) if sign.isascii() and sign.isalnum()]
            for sign in places or (0, len(signs) // 2, -1):
                at = signs[sign]
                yield value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
        case list():
            for at, each in enumerate(value):
                yield from ([*value[:at], changed, *value[at + 1 :]] for changed in changes(each, places))
        case dict():
            for name, each in value.items():
                yield from (value | {name: changed} for changed in changes(each, places))


def each_change(given: Given) -> Iterator[tuple[str, Given]]:
    for name, value in given.items():
        for changed in changes(value, PLACES.get(name)):
            yield name, given | {name: changed}


def ours(file: str, given: Given) -> bytes | None:
    """Return what our code makes of a vector, None when it refuses."""
    try:
        return OURS[file](given)
    except (NotAuthentic, BadShare):
        return None


def theirs(file: str, given: Given) -> bytes | None:
    """Return what the independent decryptor makes of a vector, None when it refuses."""
    try:
        return THEIRS[file](**given)
    except (InvalidTag, ValueError):
        return None


@pytest.mark.parametrize(("file", "vector"), VECTORS)
def test_a_vector_gives_what_was_published(file: str, vector: dict[str, Any]) -> None:
    assert ours(file, vector["given"]) == vector["gives"]
    assert theirs(file, vector["given"]) == vector["gives"]


@pytest.mark.parametrize(("file", "vector"), VECTORS)
def test_a_vector_with_one_bit_changed_anywhere_gives_nothing(file: str, vector: dict[str, Any]) -> None:
    tried = set()
    for name, given in each_change(vector["given"]):
        if given.get("cost", [0])[:1] > [1_000] and name in tried:
            continue  # a third of a second each: one change to a field is enough
        tried.add(name)
        for made in (ours(file, given), theirs(file, given)):
            assert made != vector["gives"] if file in DIGESTS else made is None, name
    assert tried == {name for name, value in vector["given"].items() if value not in ([], {}, b"")}


def test_the_vectors_hold_what_the_format_is_made_of() -> None:
    files: dict[str, list[Any]] = {}
    for name, vector in (each.values for each in VECTORS):
        files.setdefault(name, []).append(vector)
    assert files.keys() == OURS.keys() == THEIRS.keys()
    records = [vector["given"] for vector in files["records"]]
    assert {(given["kind"], given["role"]) for given in records} >= {("message", "visitor"), ("note", "staff")}
    assert {len(vector["gives"]) for vector in files["records"]} >= {0, 255, 256, 4_000}
    assert [len(given["sealed"]) - 30 for given in records[:4]] == [256, 256, 512, 4_096]
    costs = [vector["given"]["cost"] for vector in files["slots"]]
    assert [slots.COST.memory_kib, slots.COST.passes, slots.COST.lanes] in costs
    footer = unpacked(files["records"][-1]["gives"])
    assert (footer.count, footer.last) == (3, 3)


@pytest.mark.parametrize("vector", [each.values[1] for each in VECTORS if each.values[0] == "records"])
def test_what_is_sealed_today_looks_as_it_was_published(vector: Any) -> None:
    given, text = vector["given"], vector["gives"]
    subject = placed(given["subject"])
    cipher = AESGCM(envelope.derive(given["data_key"], subject, given["kind"]))
    binding = Binding(given["kind"], given["record"], given["sequence"], given["role"])
    sealed = envelope.seal(cipher, subject, given["key_id"], binding, text)
    assert independent.open_record(**given | {"sealed": sealed}) == text
    assert (len(sealed), sealed[:2]) == (len(given["sealed"]), given["sealed"][:2])
    assert sealed != given["sealed"]


@pytest.mark.parametrize("vector", [each.values[1] for each in VECTORS if each.values[0] == "archives"])
def test_what_is_archived_today_opens_with_the_independent_decryptor(vector: Any) -> None:
    given, data_key = vector["given"], vector["gives"]
    site, subject, key_id, expires, commitment = given["place"]
    info = Placing(site, placed(subject), key_id, date.fromisoformat(expires), commitment).info()
    inner = archive.seal_to(archive.public_of(given["secret"]), data_key, info)
    assert independent.open_archive(**given | {"blob": wrap_with(given["retention_key"], inner, info)}) == data_key


def test_the_commitment_in_a_record_is_the_one_of_its_key() -> None:
    for file, vector in (each.values for each in VECTORS):
        if file == "records":
            given = vector["given"]
            assert independent.commitment(given["data_key"], given["subject"]) == given["key_id"]


def imported(source: str) -> set[str]:
    """Return the packages that a module imports anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name.split(".")[0] for alias in aliases}
            case ast.ImportFrom(module=module, level=level):
                names.add("." * level if level else str(module).split(".")[0])
            case ast.Name(id="__import__" | "eval" | "exec"):
                names.add("hidden")
    return names


def test_the_independent_decryptor_is_independent_and_short() -> None:
    source = Path(independent.__file__).read_text(encoding="utf-8")
    assert imported(source) - sys.stdlib_module_names == {"cryptography"}
    assert not imported(source) & {"importlib", "runpy", "subprocess"}
    assert "hpke" not in {alias.name for node in ast.walk(ast.parse(source)) for alias in getattr(node, "names", ())}
    assert lines_of_code(source) <= 70


def test_the_reader_of_imports_sees_them_all() -> None:
    source = (
        "import encryption.core\ndef f():\n    from encryption import x\n    from . import y\n    __import__('z')\n"
    )
    assert imported(source) == {"encryption", ".", "hidden"}


def lines_of_code(source: str) -> int:
    """Count the lines that are neither empty nor a text nor an import."""
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant()):
                left_out |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return sum(bool(line.strip()) and at not in left_out for at, line in enumerate(source.splitlines(), start=1))
