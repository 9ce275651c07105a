"""A sealed record opens only whole, in its own place and with its own key."""

from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import assume, given
from hypothesis import strategies as st

from encryption.core import envelope
from encryption.core.envelope import Binding, NotAuthentic
from encryption.core.subject import Subject

SUBJECT = Subject("conversation", UUID(int=7))
KEY = bytes(range(32))
KEY_ID = envelope.commitment(KEY, SUBJECT)
CIPHER = AESGCM(envelope.derive(KEY, SUBJECT, "message"))
HERE = Binding("message", "visitor/abc", 3, "visitor")
RECORD = envelope.seal(CIPHER, SUBJECT, KEY_ID, HERE, b"hello")


@given(st.binary(max_size=2_000))
def test_every_text_comes_back_and_its_length_is_hidden_in_steps(text: bytes) -> None:
    record = envelope.seal(CIPHER, SUBJECT, KEY_ID, HERE, text)
    assert envelope.unseal(CIPHER, SUBJECT, KEY_ID, HERE, record) == text
    assert (len(record) - 30) % envelope.STEP == 0


@given(st.integers(0, len(RECORD) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(place: int, flip: int) -> None:
    broken = bytearray(RECORD)
    broken[place] ^= flip
    with pytest.raises(NotAuthentic):
        envelope.unseal(CIPHER, SUBJECT, KEY_ID, HERE, bytes(broken))


@given(st.integers(0, len(RECORD) - 1))
def test_a_truncated_record_is_refused(length: int) -> None:
    with pytest.raises(NotAuthentic):
        envelope.unseal(CIPHER, SUBJECT, KEY_ID, HERE, RECORD[:length])


@pytest.mark.parametrize(
    "elsewhere",
    [
        HERE._replace(kind="note"),
        HERE._replace(record="visitor/abd"),
        HERE._replace(sequence=4),
        HERE._replace(author_role="staff"),
    ],
)
def test_a_moved_record_is_refused(elsewhere: Binding) -> None:
    with pytest.raises(NotAuthentic):
        envelope.unseal(CIPHER, SUBJECT, KEY_ID, elsewhere, RECORD)


@given(
    st.builds(Binding, st.text(), st.text(), st.integers(0, 2**63 - 1), st.text()),
    st.sampled_from(["kind", "record", "sequence", "author_role"]),
)
def test_any_other_value_in_any_one_field_is_refused(other: Binding, field: str) -> None:
    elsewhere = HERE._replace(**{field: getattr(other, field)})
    assume(elsewhere != HERE)
    with pytest.raises(NotAuthentic):
        envelope.unseal(CIPHER, SUBJECT, KEY_ID, elsewhere, RECORD)


def test_a_letter_moved_from_one_field_to_its_neighbour_is_refused() -> None:
    kind, neighbour = HERE.kind + SUBJECT.kind[0], Subject(SUBJECT.kind[1:], SUBJECT.id)
    with pytest.raises(NotAuthentic):
        envelope.unseal(CIPHER, neighbour, KEY_ID, HERE._replace(kind=kind), RECORD)


@given(st.binary(max_size=1_000))
def test_padding_comes_off_as_it_went_on(text: bytes) -> None:
    padded = envelope.pad(text)
    assert envelope.unpad(padded) == text
    assert len(padded) % envelope.STEP == 0
    assert 1 <= len(padded) - len(text) <= envelope.STEP


@pytest.mark.parametrize("padded", [bytes(256), b"a" * 256, b"a\x80", b""], ids=["zeros", "none", "short", "empty"])
def test_what_is_not_padded_is_refused(padded: bytes) -> None:
    with pytest.raises(ValueError, match="bad padding"):
        envelope.unpad(padded)


def test_a_record_of_another_conversation_or_key_is_refused() -> None:
    with pytest.raises(NotAuthentic):
        envelope.unseal(CIPHER, Subject("conversation", UUID(int=8)), KEY_ID, HERE, RECORD)
    with pytest.raises(NotAuthentic):
        envelope.unseal(CIPHER, SUBJECT, bytes(32), HERE, RECORD)
