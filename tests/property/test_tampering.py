"""Whatever is done to what was sealed, it opens whole and in its own place, or not at all."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from encryption.core import archive, envelope, slots
from encryption.core.archive import Placing
from encryption.core.envelope import STEP, Binding, NotAuthentic
from encryption.core.footer import footer_of, unpacked
from encryption.core.slots import Cost, Slot
from encryption.core.subject import Subject
from encryption.providers import MemoryProvider
from encryption.providers.base import unwrap_with, wrap_with
from encryption.services import sealing

MOST = 4_000
"""Characters in one message."""
CANARY = "the blue door behind the station"

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no failure."""

SIGNS = st.characters(exclude_categories=["Cs"])
NAMES = st.text(SIGNS, max_size=40)
KEYS = st.binary(min_size=32, max_size=32)
KINDS = st.sampled_from(["message", "note", "entry", "summary", "footer"]) | NAMES
SUBJECTS = st.builds(Subject, st.sampled_from(["conversation", "contact", "case"]) | NAMES, st.uuids())
BINDINGS = st.builds(Binding, KINDS, NAMES, st.integers(0, 2**64 - 1), st.sampled_from(["visitor", "staff"]) | NAMES)
TEXTS = st.text(SIGNS, max_size=300)


@dataclass(frozen=True)
class Sealed:
    """Hold a record with everything that opens it."""

    data_key: bytes
    subject: Subject
    key_id: bytes
    binding: Binding
    record: bytes

    def opened(self, kind: str | None = None) -> bytes:
        cipher = AESGCM(envelope.derive(self.data_key, self.subject, self.binding.kind if kind is None else kind))
        return envelope.unseal(cipher, self.subject, self.key_id, self.binding, self.record)


def sealed(data_key: bytes, subject: Subject, binding: Binding, text: str) -> Sealed:
    key_id = envelope.commitment(data_key, subject)
    cipher = AESGCM(envelope.derive(data_key, subject, binding.kind))
    return Sealed(data_key, subject, key_id, binding, envelope.seal(cipher, subject, key_id, binding, text.encode()))


RECORDS = st.builds(sealed, KEYS, SUBJECTS, BINDINGS, TEXTS)


def refused(broken: Sealed, kind: str | None = None) -> None:
    """Assert that it does not open, and that the refusal says where it was looked for and nothing else."""
    with pytest.raises(NotAuthentic) as caught:
        broken.opened(kind)
    assert caught.value.args == (f"{broken.subject} {broken.binding.kind} {broken.binding.sequence}",)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def flipped(raw: bytes, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def bit_of(data: st.DataObject, raw: bytes) -> bytes:
    return flipped(raw, data.draw(st.integers(0, len(raw) * 8 - 1), label="bit"))


@st.composite
def long_texts(draw: st.DrawFn) -> str:
    """Draw texts of any length up to the most, of any signs but control characters."""
    piece = draw(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60))
    length = draw(st.integers(0, MOST) | st.sampled_from([0, 1, STEP - 1, STEP, MOST - 1, MOST]))
    return (piece * (length // len(piece) + 1))[:length]


@CALM
@given(KEYS, SUBJECTS, BINDINGS, st.text(SIGNS, max_size=MOST) | long_texts())
def test_every_text_comes_back(data_key: bytes, subject: Subject, binding: Binding, text: str) -> None:
    assert sealed(data_key, subject, binding, text).opened().decode() == text


@CALM
@given(RECORDS, st.data())
def test_any_flipped_bit_is_refused(whole: Sealed, data: st.DataObject) -> None:
    refused(replace(whole, record=bit_of(data, whole.record)))


def test_each_single_bit_of_a_record_counts() -> None:
    whole = sealed(
        bytes(32), Subject("conversation", UUID(int=7)), Binding("message", "visitor/a", 1, "visitor"), CANARY
    )
    for bit in range(len(whole.record) * 8):
        refused(replace(whole, record=flipped(whole.record, bit)))


CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "kind": KINDS,
    "record": NAMES,
    "sequence": st.integers(0, 2**64 - 1),
    "author_role": NAMES,
    "subject.kind": NAMES,
    "subject.id": st.uuids(),
    "key_id": KEYS | st.binary(max_size=40),
}


@pytest.mark.parametrize("field", CHANGES)
@CALM
@given(RECORDS, st.data())
def test_any_other_value_in_one_field_is_refused(field: str, whole: Sealed, data: st.DataObject) -> None:
    other = data.draw(CHANGES[field])
    holder, _, name = field.rpartition(".")
    if field == "key_id":
        elsewhere = replace(whole, key_id=other)
    elif holder:
        elsewhere = replace(whole, subject=whole.subject._replace(**{name: other}))
    else:
        elsewhere = replace(whole, binding=whole.binding._replace(**{name: other}))
    assume(elsewhere != whole)
    refused(elsewhere)
    if field == "kind":
        # even with the key of the kind that it was sealed as
        refused(elsewhere, whole.binding.kind)


def test_every_field_of_the_binding_and_the_subject_is_changed_above() -> None:
    assert set(Binding._fields) <= CHANGES.keys()
    assert {f"subject.{name}" for name in Subject._fields} <= CHANGES.keys()


@CALM
@given(RECORDS, SUBJECTS)
def test_a_subject_with_the_same_key_is_still_another(whole: Sealed, foreign: Subject) -> None:
    cipher = AESGCM(envelope.derive(whole.data_key, whole.subject, whole.binding.kind))
    for other in (foreign, foreign._replace(id=whole.subject.id), foreign._replace(kind=whole.subject.kind)):
        assume(other != whole.subject)
        with pytest.raises(NotAuthentic):
            envelope.unseal(cipher, other, whole.key_id, whole.binding, whole.record)


@CALM
@given(RECORDS, st.data())
def test_a_record_cut_to_any_length_is_refused(whole: Sealed, data: st.DataObject) -> None:
    length = data.draw(st.integers(0, len(whole.record) - 1))
    refused(replace(whole, record=whole.record[:length]))
    refused(replace(whole, record=whole.record[len(whole.record) - length :]))


@CALM
@given(RECORDS, st.binary(min_size=1, max_size=64) | st.sampled_from([bytes(STEP), b"\x80" + bytes(STEP - 1)]))
def test_an_extended_record_is_refused(whole: Sealed, more: bytes) -> None:
    for record in (whole.record + more, more + whole.record, whole.record[:14] + more + whole.record[14:]):
        refused(replace(whole, record=record))


@CALM
@given(KEYS, SUBJECTS, BINDINGS, st.integers(0, 2**64 - 1), TEXTS, TEXTS)
def test_two_records_of_a_conversation_cannot_change_places(
    data_key: bytes, subject: Subject, binding: Binding, sequence: int, first: str, second: str
) -> None:
    assume(sequence != binding.sequence)
    one = sealed(data_key, subject, binding, first)
    two = sealed(data_key, subject, binding._replace(sequence=sequence), second)
    refused(replace(one, record=two.record))
    refused(replace(two, record=one.record))
    assert (one.opened().decode(), two.opened().decode()) == (first, second)


@CALM
@given(RECORDS, KEYS, SUBJECTS, TEXTS)
def test_two_conversations_cannot_exchange_a_record(whole: Sealed, key: bytes, subject: Subject, text: str) -> None:
    assume(subject != whole.subject)
    for data_key in (key, whole.data_key):
        other = sealed(data_key, subject, whole.binding, text)
        refused(replace(whole, record=other.record))
        refused(replace(other, record=whole.record))


@CALM
@given(RECORDS, st.integers(0, 2**64 - 1))
def test_a_record_is_not_replayed_under_another_number(whole: Sealed, sequence: int) -> None:
    assume(sequence != whole.binding.sequence)
    refused(replace(whole, binding=whole.binding._replace(sequence=sequence)))


@CALM
@given(RECORDS, st.binary(max_size=700) | st.binary(min_size=286, max_size=286).map(lambda raw: b"\x01\x01" + raw[2:]))
def test_bytes_that_nobody_sealed_give_nothing(whole: Sealed, invented: bytes) -> None:
    assume(invented != whole.record)
    refused(replace(whole, record=invented))


@CALM
@given(st.binary(max_size=600) | st.binary(min_size=STEP, max_size=STEP) | st.sampled_from([bytes(STEP), bytes(512)]))
def test_what_verifies_but_is_not_padded_as_a_record_gives_nothing(inside: bytes) -> None:
    """Only who has the key can make one; it is refused with the same words."""
    whole = sealed(bytes(32), Subject("case", UUID(int=1)), Binding("entry", "A2B3C4", 1, "staff"), CANARY)
    assume(len(inside) % STEP or not inside.rstrip(b"\x00").endswith(b"\x80"))
    cipher = AESGCM(envelope.derive(whole.data_key, whole.subject, "entry"))
    bound = envelope._associated(envelope.AES_256_GCM, whole.subject, whole.key_id, whole.binding)
    refused(replace(whole, record=whole.record[:14] + cipher.encrypt(whole.record[2:14], inside, bound)))


@pytest.mark.parametrize("cause", ["a bit flipped", "not padded"])
def test_a_refusal_printed_with_all_its_causes_shows_nothing_of_the_text(cause: str) -> None:
    whole = sealed(RETENTION, Subject("case", UUID(int=1)), Binding("entry", "A2B3C4", 1, "staff"), CANARY)
    cipher = AESGCM(envelope.derive(whole.data_key, whole.subject, "entry"))
    bound = envelope._associated(envelope.AES_256_GCM, whole.subject, whole.key_id, whole.binding)
    bare = whole.record[:14] + cipher.encrypt(whole.record[2:14], CANARY.encode() * 8, bound)
    with pytest.raises(NotAuthentic) as caught:
        replace(whole, record=bare if cause == "not padded" else flipped(whole.record, 400)).opened()
    printed = "".join(traceback.format_exception(caught.value))
    assert CANARY not in printed + repr(caught.value)
    assert whole.data_key.hex() not in printed


PAIR = archive.new_pair()
RETENTION = bytes(range(32))
PLACINGS = st.builds(Placing, NAMES, SUBJECTS, NAMES, st.dates(), KEYS)


def archived(placing: Placing, data_key: bytes) -> bytes:
    return wrap_with(RETENTION, archive.seal_to(PAIR.public, data_key, placing.info()), placing.info())


def both_locks(placing: Placing, blob: bytes) -> bytes:
    return archive.open_with(PAIR.secret, unwrap_with(RETENTION, blob, placing.info()), placing.info())


def inner_lock(placing: Placing, inner: bytes) -> bytes:
    return archive.open_with(PAIR.secret, inner, placing.info())


ELSEWHERE: dict[str, Callable[[Placing, st.DataObject], Placing]] = {
    "site": lambda here, data: replace(here, site=data.draw(NAMES)),
    "subject.kind": lambda here, data: replace(here, subject=Subject(data.draw(NAMES), here.subject.id)),
    "subject.id": lambda here, data: replace(here, subject=Subject(here.subject.kind, data.draw(st.uuids()))),
    "key_id": lambda here, data: replace(here, key_id=data.draw(NAMES)),
    "expires": lambda here, data: replace(here, expires=data.draw(st.dates())),
    "commitment": lambda here, data: replace(here, commitment=data.draw(KEYS | st.binary(max_size=40))),
}


@pytest.mark.parametrize("field", ELSEWHERE)
@CALM
@given(PLACINGS, KEYS, st.data())
def test_a_wrap_of_the_archive_opens_in_its_place_only(
    field: str, here: Placing, data_key: bytes, data: st.DataObject
) -> None:
    blob = archived(here, data_key)
    assert both_locks(here, blob) == data_key
    elsewhere = ELSEWHERE[field](here, data)
    assume(elsewhere != here)
    inner = unwrap_with(RETENTION, blob, here.info())
    for work, raw in ((both_locks, blob), (inner_lock, inner)):
        with pytest.raises(NotAuthentic) as caught:
            work(elsewhere, raw)
        assert caught.value.args[0] in {"archive wrap", "wrapped key"}


def test_every_field_of_a_placing_is_changed_above() -> None:
    assert {name.split(".")[0] for name in ELSEWHERE} == set(Placing.__dataclass_fields__)


@CALM
@given(PLACINGS, KEYS, st.binary(min_size=1, max_size=40), st.data())
def test_a_broken_wrap_of_the_archive_is_refused(
    here: Placing, data_key: bytes, more: bytes, data: st.DataObject
) -> None:
    blob = archived(here, data_key)
    inner = unwrap_with(RETENTION, blob, here.info())
    for whole, work in ((blob, both_locks), (inner, inner_lock)):
        cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
        for broken in (bit_of(data, whole), cut, whole + more, more + whole):
            with pytest.raises(NotAuthentic):
                work(here, broken)


CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PHRASE, CODE, PRF = "one two three four five six", slots.new_code(), bytes(range(32))
WAYS: list[tuple[str | bytes, Callable[[bytes, bytes], Slot]]] = [
    (PHRASE, lambda secret, owner: slots.lock_with_phrase(secret, PHRASE, owner, CHEAP)),
    (CODE, lambda secret, owner: slots.lock_with_code(secret, CODE, owner)),
    (PRF, lambda secret, owner: slots.lock_with_passkey(secret, PRF, owner)),
]


@pytest.mark.parametrize(("entered", "lock"), WAYS, ids=["phrase", "code", "passkey"])
@CALM
@given(st.binary(max_size=96), st.binary(max_size=80), st.binary(max_size=80), st.data())
def test_a_slot_opens_for_its_owner_and_whole_only(
    entered: str | bytes,
    lock: Callable[[bytes, bytes], Slot],
    secret: bytes,
    owner: bytes,
    other: bytes,
    data: st.DataObject,
) -> None:
    assume(owner != other)
    slot = lock(secret, owner)
    assert slots.unlock(slot, entered, owner) == secret
    kinds = [replace(slot, kind=kind) for kind in ("phrase", "code", "passkey", "") if kind != slot.kind]
    broken = [
        *kinds,
        replace(slot, blob=bit_of(data, slot.blob)),
        replace(slot, blob=slot.blob[: data.draw(st.integers(0, len(slot.blob) - 1))]),
        replace(slot, blob=slot.blob + b"\x00"),
        replace(slot, salt=bit_of(data, slot.salt)),
    ]
    broken += [replace(slot, cost=Cost(64, 2, 1)), replace(slot, cost=Cost(72, 1, 1))] if slot.cost else []
    for tried, whose in [(slot, other), *((each, owner) for each in broken)]:
        with pytest.raises(NotAuthentic) as caught:
            slots.unlock(tried, entered, whose)
        assert caught.value.args == ("slot",)


@CALM
@given(SUBJECTS, KEYS, SUBJECTS, KEYS)
def test_a_wrap_for_daily_work_opens_in_its_context_only(
    subject: Subject, commitment: bytes, other: Subject, foreign: bytes
) -> None:
    keys, here = MemoryProvider(), sealing.context(subject, commitment)
    blob = keys.wrap("op-2026-11-23", RETENTION, here)
    elsewhere = [(other, commitment), (subject, foreign), (subject._replace(kind=other.kind), commitment)]
    for there in (sealing.context(*place) for place in elsewhere if place != (subject, commitment)):
        with pytest.raises(NotAuthentic):
            keys.unwrap("op-2026-11-23", blob, there)
    assert keys.unwrap("op-2026-11-23", blob, here) == RETENTION


@CALM
@given(KEYS, st.binary(max_size=64), st.binary(max_size=64), st.data())
def test_a_wrapped_key_opens_whole_and_in_its_context_only(
    key: bytes, context: bytes, other: bytes, data: st.DataObject
) -> None:
    assume(context != other)
    blob = wrap_with(RETENTION, key, context)
    cut = blob[: data.draw(st.integers(0, len(blob) - 1))]
    for tried, place in ((blob, other), (bit_of(data, blob), context), (cut, context), (blob + b"\x00", context)):
        with pytest.raises(NotAuthentic) as caught:
            unwrap_with(RETENTION, tried, place)
        assert caught.value.args == ("wrapped key",)


ROWS = st.lists(st.binary(min_size=286, max_size=286), min_size=2, max_size=12, unique_by=lambda raw: raw[-16:]).map(
    lambda rows: list(enumerate(rows, start=1))
)


@CALM
@given(ROWS, st.binary(min_size=286, max_size=286), st.data())
def test_a_footer_finds_what_was_removed_added_moved_or_replaced(
    rows: list[tuple[int, bytes]], foreign: bytes, data: st.DataObject
) -> None:
    whole = footer_of(rows)
    assert unpacked(whole.packed()) == whole
    at, to = data.draw(st.permutations(range(len(rows))).map(lambda order: order[:2]))
    assume(all(foreign[-16:] != row[-16:] for _, row in rows))
    exchanged = dict(rows) | {rows[at][0]: rows[to][1], rows[to][0]: rows[at][1]}
    moved = list(rows)
    moved[at], moved[to] = moved[to], moved[at]
    tampered = {
        "removed": rows[:at] + rows[at + 1 :],
        "removed and counted anew": list(enumerate((row for _, row in rows[:at] + rows[at + 1 :]), start=1)),
        "added": [*rows, (len(rows) + 1, foreign)],
        "slipped in": [*rows[:at], (rows[at][0], foreign), *rows[at:]],
        "moved": moved,
        "renumbered": [(0, rows[0][1]), *rows[1:]],
        "exchanged": list(exchanged.items()),
        "replaced": [*rows[:at], (rows[at][0], foreign), *rows[at + 1 :]],
        "doubled": [*rows[: at + 1], *rows[at:]],
    }
    for what, others in tampered.items():
        assert footer_of(others) != whole, what


@CALM
@given(ROWS, RECORDS, st.data())
def test_a_footer_is_sealed_like_a_record(rows: list[tuple[int, bytes]], place: Sealed, data: st.DataObject) -> None:
    closing, packed = Binding("footer", "footer", 0, "system"), footer_of(rows).packed()
    cipher = AESGCM(envelope.derive(place.data_key, place.subject, "footer"))
    record = envelope.seal(cipher, place.subject, place.key_id, closing, packed)
    whole = replace(place, binding=closing, record=record)
    assert unpacked(whole.opened()) == footer_of(rows)
    refused(replace(whole, record=bit_of(data, record)))
    refused(replace(whole, record=place.record))
