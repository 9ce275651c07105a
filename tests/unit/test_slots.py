"""Each slot opens a reader's secret alone; nothing else does, and memory stays bounded."""

import threading
import unicodedata
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encryption.core import shares, slots
from encryption.core.envelope import NotAuthentic
from encryption.core.shares import BadShare
from encryption.core.slots import Cost

SECRET = bytes(range(96))
OWNER = b"reader 3|public key"
CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
"""For tests of everything but the cost itself."""


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_phrase_has_six_words_and_opens_however_it_is_typed(language: str) -> None:
    phrase = slots.new_phrase(language)
    assert len(phrase.split()) == slots.WORDS
    slot = slots.lock_with_phrase(SECRET, phrase, OWNER, CHEAP)
    decomposed = unicodedata.normalize("NFD", phrase)
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    for typed in (phrase, phrase.upper(), f"  {phrase.replace(' ', '   ')} ", decomposed, bare):
        assert slots.unlock(slot, typed, OWNER) == SECRET


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_two_words_of_a_list_become_one_without_accents(language: str) -> None:
    words = slots._words(language)
    assert len({slots.plain_phrase(word) for word in words}) == len(words) == 2_048


def test_a_wrong_phrase_owner_or_kind_opens_nothing() -> None:
    slot = slots.lock_with_phrase(SECRET, "one two three four five six", OWNER, CHEAP)
    for entered, owner in (("one two three four five seven", OWNER), ("one two three four five six", b"reader 4")):
        with pytest.raises(NotAuthentic):
            slots.unlock(slot, entered, owner)
    with pytest.raises(NotAuthentic):
        slots.unlock(slot, b"\x00" * 32, OWNER)


def test_a_printed_code_opens_with_or_without_its_strokes() -> None:
    code = slots.new_code()
    slot = slots.lock_with_code(SECRET, code, OWNER)
    for typed in (code, code.lower(), code.replace("-", " "), code.replace("O", "0")):
        assert slots.unlock(slot, typed, OWNER) == SECRET
    for wrong in ("", "no code", code[:-1], code[:-1] + ("A" if code[-1] != "A" else "B")):
        with pytest.raises(NotAuthentic):
            slots.unlock(slot, wrong, OWNER)


def test_a_passkey_opens_by_its_prf_output_only() -> None:
    slot = slots.lock_with_passkey(SECRET, b"p" * 32, OWNER)
    assert slots.unlock(slot, b"p" * 32, OWNER) == SECRET
    with pytest.raises(NotAuthentic):
        slots.unlock(slot, b"q" * 32, OWNER)


def test_phrases_cost_what_the_design_says() -> None:
    assert (slots.COST.memory_kib, slots.COST.passes, slots.COST.lanes) == (131_072, 3, 4)
    slot = slots.lock_with_phrase(SECRET, "a b c d e f", OWNER)
    assert slot.cost == slots.COST
    assert slots.unlock(slot, "a b c d e f", OWNER) == SECRET


def test_a_burst_of_sign_ins_works_on_two_phrases_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, gate = 0, 0, threading.Lock()
    done = threading.Event()

    def counting(*_: object) -> bytes:
        nonlocal running, most
        with gate:
            running += 1
            most = max(most, running)
            full = running == 2
        if full:
            done.set()
        done.wait(5)
        with gate:
            running -= 1
        return b"k" * 32

    monkeypatch.setattr(slots, "hash_secret_raw", counting)
    burst = [threading.Thread(target=slots.lock_with_phrase, args=(SECRET, "a b", OWNER, CHEAP)) for _ in range(50)]
    for thread in burst:
        thread.start()
    for thread in burst:
        thread.join(10)
    assert most == 2


@given(st.binary(min_size=1, max_size=200))
def test_any_two_of_three_shares_give_the_secret_back_from_paper(secret: bytes) -> None:
    three = [shares.read(shares.printed(share)) for share in shares.split(secret)]
    for one, two in combinations(three, 2):
        assert shares.join(one, two) == secret
        assert shares.join(two, one) == secret


def test_one_share_holds_nothing_of_the_secret() -> None:
    secret = b"\x00" * 96
    for share in shares.split(secret):
        assert all(half.count(0) < 10 for half in share.halves.values())
        assert repr(share) == f"<share {share.person} of 3>"


def test_shares_that_do_not_belong_together_are_refused() -> None:
    one, two, _ = shares.split(SECRET)
    other, *_ = shares.split(SECRET)
    for left, right in ((one, one), (other, two)):
        with pytest.raises(BadShare):
            shares.join(left, right)


def test_a_mistyped_share_is_refused() -> None:
    text = shares.printed(shares.split(SECRET)[0])
    for wrong in (
        "",
        "hello",
        text[:-1],
        text[:-7],
        ("B" if text[9] != "B" else "C").join((text[:9], text[10:])),
        "1" * 40,
    ):
        with pytest.raises(BadShare):
            shares.read(wrong)
    assert shares.read(text.lower().replace(" ", "\n")).person == 1


def test_real_phrases_at_once_come_to_their_end() -> None:
    cost, opened = Cost(memory_kib=8_192, passes=3, lanes=4), []
    slot = slots.lock_with_phrase(SECRET, "a b", OWNER, cost)
    work = threading.Thread
    burst = [work(target=lambda: opened.append(slots.unlock(slot, "a b", OWNER)), daemon=True) for _ in range(20)]
    for thread in burst:
        thread.start()
    for thread in burst:
        thread.join(20)
    assert opened == [SECRET] * 20


@pytest.mark.parametrize(
    "cost", [Cost(2**31, 1, 1), Cost(64, 0, 1), Cost(64, 1, 0), Cost(64, 10**6, 1), Cost(8, 1, 4)], ids=repr
)
def test_a_cost_that_is_not_ours_opens_nothing_and_takes_nothing(cost: Cost) -> None:
    slot = slots.lock_with_phrase(SECRET, "a b", OWNER, CHEAP)
    with pytest.raises(NotAuthentic):
        slots.unlock(replace(slot, cost=cost), "a b", OWNER)
