"""Slow down who writes fast, and nobody else; tell a flood from a busy evening without knowing who comes."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chat.core.pace import BURST, LONGEST_WAIT, PER_SECOND, Bucket, Buckets, Openings, network_of


def bucket(now: float = 0.0) -> Bucket:
    return Bucket.full(BURST, PER_SECOND, now)


def test_a_burst_waits_for_nothing_and_what_follows_waits_its_turn() -> None:
    one = bucket()
    assert [one.take(0.0) for _ in range(10)] == [0.0] * 10
    assert [one.take(0.0) for _ in range(3)] == [1.0, 2.0, 3.0]
    assert one.take(60.0) == 0.0


def test_what_would_wait_too_long_takes_nothing() -> None:
    one = bucket()
    waits = [one.take(0.0) for _ in range(40)]
    assert max(waits[:20]) == LONGEST_WAIT
    assert set(waits[20:]) == {LONGEST_WAIT + 1}, "however often somebody comes, the wait does not grow"
    assert one.take(1.0) == LONGEST_WAIT


def test_a_clock_set_back_neither_fills_nor_empties() -> None:
    one = bucket(1_000.0)
    for _ in range(10):
        one.take(1_000.0)
    assert one.take(0.0) == 1.0
    assert one.take(1_001.0) == 1.0


@given(st.lists(st.floats(min_value=0, max_value=5), max_size=60))
def test_over_any_time_no_more_passes_than_burst_and_rate_allow(pauses: list[float]) -> None:
    one, now, passed = bucket(), 0.0, []
    for pause in pauses:
        now += pause
        wait = one.take(now)
        if wait <= LONGEST_WAIT:
            passed.append(now + wait)
    for number, when in enumerate(sorted(passed), start=1):
        assert number <= BURST + PER_SECOND * when + 1e-6


def test_takers_are_apart_and_their_number_is_bounded() -> None:
    many = Buckets(1, 1, most=100)
    assert many.take("ada", 0.0) == 0.0
    assert many.take("ada", 0.0) == 1.0
    assert many.take("eve", 0.0) == 0.0
    for number in range(1_000):
        many.take(number, 0.0)
    assert len(many) == 100


def openings() -> Openings:
    return Openings(secret=os.urandom(32), day=1, now=0.0)


def test_a_shelter_behind_one_address_is_no_flood_and_a_script_is() -> None:
    door = openings()
    assert not any(door.is_flood("203.0.114.9", now=float(minute * 60)) for minute in range(20))
    assert any(door.is_flood("203.0.114.9", now=1_300.0) for _ in range(30))
    assert not door.is_flood("198.51.101.7", now=1_400.0), "others begin as before"


def test_a_shift_signs_in_from_one_address_and_so_does_the_next_one() -> None:
    door = openings()
    for shift in range(3):
        for person in range(20):
            # each mistypes twice
            for _ in range(3):
                assert not door.signs_in_often("8.8.8.8", f"person{person}", now=shift * 28_800.0)


def test_who_guesses_at_one_account_is_seen_and_their_colleagues_are_not() -> None:
    door = openings()
    guesses = [door.signs_in_often("8.8.8.8", name, now=0.0) for name in ("ben", "BEN", "Ben") * 5]
    assert guesses == [False] * 10 + [True] * 5
    assert not door.signs_in_often("8.8.8.8", "cleo", now=0.0)
    assert not door.signs_in_often("9.9.9.9", "ben", now=0.0), "ben signs in from elsewhere"
    hour = [door.signs_in_often("8.8.8.8", "ben", now=float(second)) for second in range(0, 3_600)]
    assert hour.count(False) <= 60
    assert not door.signs_in_often("8.8.8.8", "ben", now=8_000.0), "it is forgotten by itself"


def test_who_tries_many_accounts_is_seen_and_invents_no_room_for_guesses_at_one() -> None:
    door = openings()
    for _ in range(10):
        door.signs_in_often("8.8.8.8", "ben", now=0.0)
    tries = [door.signs_in_often("8.8.8.8", f"nobody{number}", now=0.0) for number in range(30_000)]
    assert tries.index(True) == 190
    assert all(tries[190:])
    assert len(door.accounts) < 300
    assert not door.signs_in_often("9.9.9.9", "nobody1", now=0.0)


def test_a_flood_from_everywhere_is_seen_by_its_pace() -> None:
    door = openings()
    verdicts = [door.is_flood(f"8.8.{number // 250}.{number % 250}", now=number / 100) for number in range(200)]
    assert not any(verdicts[:60])
    assert all(verdicts[-50:])
    assert not door.is_flood("9.9.9.9", now=1_000.0), "it ends by itself"


def test_one_address_that_never_stops_asks_nobody_else_for_work() -> None:
    door = openings()
    others = []
    for second in range(3_600):
        door.is_flood("8.8.8.8", now=float(second))
        if second % 60 == 30:
            others.append(door.is_flood(f"9.9.{second // 250}.{second % 250}", now=float(second)))
    assert others == [False] * 60
    assert door.is_flood("8.8.8.8", now=3_600.0)


def test_where_nobody_is_named_the_pace_of_the_whole_site_still_counts() -> None:
    door = openings()
    verdicts = [door.is_flood("10.0.0.1", now=0.0) for _ in range(61)]
    assert verdicts == [False] * 60 + [True]
    assert door.is_flood("9.9.9.9", now=0.0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 80), st.floats(min_value=0, max_value=90)), max_size=20))
def test_whatever_one_network_does_the_first_from_another_is_no_flood(bursts: list[tuple[int, float]]) -> None:
    door, now = openings(), 0.0
    for number, (times, pause) in enumerate(bursts):
        now += pause
        for _ in range(times):
            door.is_flood("8.8.8.8", now)
        assert not door.is_flood(f"9.9.9.{number}", now)


@pytest.mark.parametrize("address", ["", "127.0.0.1", "10.1.2.3", "::1", "fe80::1", "not an address", "192.168.1.4"])
def test_what_names_nobody_is_not_counted(address: str) -> None:
    assert network_of(address) is None


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("8.8.8.8", "8.8.8.9", False),
        ("2001:4860:4860:0::1", "2001:4860:4860:ff::2", True),
        ("2001:4860:4860:0::1", "2001:4860:4860:100::2", False),
        ("::ffff:8.8.8.8", "8.8.8.8", True),
    ],
)
def test_a_network_is_a_household_or_an_address(one: str, two: str, same: bool) -> None:
    assert (network_of(one) == network_of(two)) is same


def test_nothing_of_an_address_is_kept_and_another_key_keeps_something_else() -> None:
    kept = []
    for _ in range(2):
        door = openings()
        door.is_flood("8.8.8.8", 0.0)
        door.returns_often("8.8.4.4", 0.0)
        door.signs_in_often("8.8.4.4", "ben", 0.0)
        kept += [*door.networks._held, *door.returns._held, *door.accounts._held]
    assert len(set(kept)) == 6
    assert all(isinstance(one, bytes) and len(one) == 8 for one in kept)
