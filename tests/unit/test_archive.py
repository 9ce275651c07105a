"""A wrap to the archive opens only with the reader's secret, in its own place."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from encryption.core import archive
from encryption.core.archive import NotOurs, Pair, Placing
from encryption.core.envelope import NotAuthentic
from encryption.core.footer import footer_of, unpacked
from encryption.core.subject import Subject

PAIR = archive.new_pair()
DATA_KEY = bytes(range(32))
HERE = Placing("site", Subject("conversation", UUID(int=7)), "2026-11", date(2026, 11, 27), b"c" * 32)
BLOB = archive.seal_to(PAIR.public, DATA_KEY, HERE.info())
ROOT = Ed25519PrivateKey.generate()


def test_it_opens_with_the_secret_and_in_its_place() -> None:
    assert archive.open_with(PAIR.secret, BLOB, HERE.info()) == DATA_KEY
    assert archive.public_of(PAIR.secret) == PAIR.public
    assert (len(PAIR.secret), len(PAIR.public)) == (archive.SECRET_BYTES, archive.PUBLIC_BYTES)


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(HERE, site="other"),
        replace(HERE, subject=Subject("conversation", UUID(int=8))),
        replace(HERE, subject=Subject("case", UUID(int=7))),
        replace(HERE, key_id="2026-12"),
        replace(HERE, expires=date(2036, 11, 27)),
        replace(HERE, commitment=b"d" * 32),
    ],
    ids=["site", "conversation", "kind", "key", "expiry", "data key"],
)
def test_a_swapped_wrap_is_refused(elsewhere: Placing) -> None:
    with pytest.raises(NotAuthentic):
        archive.open_with(PAIR.secret, BLOB, elsewhere.info())


def test_another_readers_secret_is_refused() -> None:
    with pytest.raises(NotAuthentic):
        archive.open_with(archive.new_pair().secret, BLOB, HERE.info())


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(BLOB) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(place: int, flip: int) -> None:
    broken = bytearray(BLOB)
    broken[place] ^= flip
    with pytest.raises(NotAuthentic):
        archive.open_with(PAIR.secret, bytes(broken), HERE.info())


@pytest.mark.parametrize("length", [0, 1, 1_000, len(BLOB) - 1])
def test_a_truncated_wrap_is_refused(length: int) -> None:
    with pytest.raises(NotAuthentic):
        archive.open_with(PAIR.secret, BLOB[:length], HERE.info())


def test_a_public_key_counts_only_with_the_roots_signature() -> None:
    root = ROOT.public_key().public_bytes_raw()
    signature = archive.sign_public(ROOT, "2026-11", PAIR.public)
    archive.check_public(root, "2026-11", PAIR.public, signature)
    mallory = archive.new_pair().public
    forged = archive.sign_public(Ed25519PrivateKey.generate(), "2026-11", mallory)
    for key_id, public, proof in (
        ("2026-11", mallory, signature),
        ("2026-12", PAIR.public, signature),
        ("2026-11", mallory, forged),
        ("2026-11", PAIR.public, b""),
    ):
        with pytest.raises(NotOurs):
            archive.check_public(root, key_id, public, proof)


@pytest.mark.parametrize("work", [lambda: archive.seal_to(b"x", b"y", b""), lambda: archive.public_of(b"x")])
def test_keys_of_another_length_are_refused(work: object) -> None:
    with pytest.raises(ValueError, match="bytes"):
        work()  # type: ignore[operator]


def test_a_pair_does_not_show_its_secret() -> None:
    assert repr(Pair(b"secret", b"public")) == "<key pair>"


RECORDS = [(number, bytes([number]) * 40) for number in range(1, 9)]


def test_a_footer_finds_what_is_missing_swapped_or_changed() -> None:
    whole = footer_of(RECORDS)
    assert (whole.count, whole.last) == (8, 8)
    assert unpacked(whole.packed()) == whole
    cut, doubled = RECORDS[:-1], [*RECORDS, (9, RECORDS[-1][1])]
    swapped = [(1, RECORDS[1][1]), (2, RECORDS[0][1]), *RECORDS[2:]]
    changed = [*RECORDS[:-1], (8, b"\xff" * 40)]
    for other in (cut, RECORDS[1:], doubled, swapped, changed, []):
        assert footer_of(other) != whole
    with pytest.raises(NotAuthentic):
        unpacked(whole.packed()[:-1])
