"""Six words: how many they can be, what is kept of them, and that nothing fits but they."""

import math
from unittest import mock

import pytest
from argon2.low_level import hash_secret_raw
from mnemonic import Mnemonic

from encryption.core import words
from encryption.core.slots import LISTS, Cost, plain_phrase

CHEAP = Cost(memory_kib=8, passes=1, lanes=1)
PEPPER, OTHER = b"p" * 32, b"q" * 32
ADAS = "apple river window candle morning bread"


@pytest.mark.parametrize("language", LISTS)
def test_six_words_are_sixty_bits_and_more(language: str) -> None:
    known = {plain_phrase(word) for word in Mnemonic(LISTS[language]).wordlist}
    assert words.LOOKUP_WORDS == 2
    assert 6 * math.log2(len({words.plain_words(word) for word in known})) >= 60
    drawn = words.new_words(language)
    assert len(drawn) == 6
    assert {plain_phrase(word) for word in drawn} <= known


def test_only_these_words_fit_and_only_under_this_secret() -> None:
    kept = words.keep(ADAS, PEPPER, CHEAP)
    assert words.fits(ADAS, kept, PEPPER, CHEAP)
    assert not words.fits(ADAS.replace("bread", "butter"), kept, PEPPER, CHEAP)
    assert not words.fits(" ".join(ADAS.split()[::-1]), kept, PEPPER, CHEAP)
    assert not words.fits(ADAS, kept, OTHER, CHEAP)
    assert not words.fits("", kept, PEPPER, CHEAP)
    assert not words.fits(ADAS, None, PEPPER, CHEAP)


@pytest.mark.parametrize(
    "typed",
    [
        "Apple River Window Candle Morning Bread",
        " apple, river; window\ncandle  morning bread. ",
        "1 apple 2 river 3 window 4 candle 5 morning 6 bread",
        "apple-river-window-candle-morning-bread",
        "apples rivers windos candel mornin bread",
    ],
)
def test_how_they_are_typed_does_not_matter(typed: str) -> None:
    assert words.fits(typed, words.keep(ADAS, PEPPER, CHEAP), PEPPER, CHEAP)


def test_accents_do_not_matter_in_french() -> None:
    kept = words.keep("déluge étoile néant abeille zèbre fêter", PEPPER, CHEAP)
    assert words.fits("deluge etoile neant abeille zebre feter", kept, PEPPER, CHEAP)


def test_the_lookup_is_of_the_first_two_words_and_keyed() -> None:
    lookup = words.lookup_of(ADAS, PEPPER)
    assert lookup == words.lookup_of("Apple, river other words that do not count", PEPPER)
    assert lookup != words.lookup_of("river apple window candle morning bread", PEPPER)
    assert lookup != words.lookup_of(ADAS, OTHER)


def test_the_same_words_are_kept_differently_each_time() -> None:
    first, second = words.keep(ADAS, PEPPER, CHEAP), words.keep(ADAS, PEPPER, CHEAP)
    assert first.lookup == second.lookup
    assert first.salt != second.salt
    assert first.digest != second.digest
    assert all(word.encode() not in first.lookup + first.salt + first.digest for word in ADAS.split())


def test_words_that_were_hashed_in_more_lanes_still_fit() -> None:
    before, now = (Cost(memory_kib=32, passes=1, lanes=lanes) for lanes in (4, 1))
    kept = words.keep(ADAS, PEPPER, before)
    assert kept.lanes == 4
    assert words.fits(ADAS, kept, PEPPER, now)
    assert not words.fits(ADAS.replace("bread", "butter"), kept, PEPPER, now)


def test_who_has_no_row_is_worked_on_as_long() -> None:
    with mock.patch("encryption.core.words.hash_secret_raw", wraps=hash_secret_raw) as hashed:
        words.fits(ADAS, None, PEPPER, CHEAP)
        words.fits(ADAS, words.Kept(b"", b"s" * 16, b"d" * 32, CHEAP.lanes), PEPPER, CHEAP)
    costs = [call.args[2:] for call in hashed.call_args_list]
    assert len(costs) == 2
    assert costs[0] == costs[1]


def test_a_very_long_text_is_not_hashed_at_length() -> None:
    with mock.patch("encryption.core.words.hash_secret_raw", wraps=hash_secret_raw) as hashed:
        assert not words.fits("word " * 100_000, None, PEPPER, CHEAP)
    assert len(hashed.call_args.args[0]) <= words.MOST_CHARACTERS


def test_the_cost_is_that_of_the_design_in_one_thread() -> None:
    assert Cost(memory_kib=65_536, passes=3, lanes=1) == words.COST
