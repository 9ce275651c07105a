"""What a waiting visitor is told is coarse, never a promise, and nothing where nothing is known."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chat.core.expectation import (
    EDGES,
    FEWEST_ENDS,
    LOOKED_BACK,
    Expectation,
    Wait,
    expectation,
    minutes_between_ends,
)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SINCE = NOON - LOOKED_BACK


def wait(began: float, ended: float | None) -> Wait:
    """Return a wait by how many minutes before noon it began and ended."""
    return Wait(NOON - timedelta(minutes=began), None if ended is None else NOON - timedelta(minutes=ended))


waits = st.lists(
    st.tuples(st.floats(0, 200), st.floats(0, 1), st.booleans()).map(
        lambda one: wait(one[0], one[0] * one[1] if one[2] else None)
    ),
    max_size=12,
)
each = st.none() | st.floats(0, 1_000)


def test_a_quiet_hour_with_short_waits_is_no_long_queue() -> None:
    short = [wait(51, 50), wait(31, 30), wait(11, 10)]
    assert minutes_between_ends(short, SINCE, NOON) == 1
    assert expectation(ahead=0, ready=1, minutes_each=1) == Expectation(0, 2)


def test_a_busy_hour_counts_how_often_somebody_was_taken() -> None:
    busy = [wait(70, 50), wait(65, 40), wait(60, 30), wait(45, 20), wait(40, 10)]
    assert minutes_between_ends(busy, SINCE, NOON) == 10
    assert expectation(ahead=2, ready=2, minutes_each=10) == Expectation(20, 45)


def test_a_queue_that_stands_still_takes_longer_the_longer_it_stands() -> None:
    taken = [wait(40, 39), wait(39, 38), wait(38, 37)]
    assert minutes_between_ends([*taken, wait(30, None)], SINCE, NOON) == 11
    assert minutes_between_ends(taken, SINCE, NOON) == 1


def test_beyond_the_last_edge_there_is_no_end() -> None:
    assert expectation(ahead=30, ready=1, minutes_each=10) == Expectation(60, None)


def test_without_people_or_without_enough_waits_we_cannot_say() -> None:
    assert expectation(ahead=0, ready=0, minutes_each=1) is None
    few = [wait(5, 4)] * (FEWEST_ENDS - 1) + [wait(80, 61), wait(9, None)]
    assert minutes_between_ends(few, SINCE, NOON) is None
    assert expectation(ahead=0, ready=3, minutes_each=None) is None


@given(waits, st.integers(0, 200), st.integers(0, 20))
def test_an_expectation_is_never_negative_and_never_narrower_than_the_edges(
    seen: list[Wait], ahead: int, ready: int
) -> None:
    found = expectation(ahead=ahead, ready=ready, minutes_each=minutes_between_ends(seen, SINCE, NOON))
    if found is not None:
        assert found.at_least in EDGES
        assert found.at_most is None or (found.at_most in EDGES and 0 <= found.at_least < found.at_most)


@given(each, st.integers(0, 200), st.integers(0, 200))
def test_more_people_ahead_never_shorten_it(minutes: float | None, some: int, more: int) -> None:
    fewer = expectation(ahead=some, ready=1, minutes_each=minutes)
    longer = expectation(ahead=some + more, ready=1, minutes_each=minutes)
    assert (fewer is None) == (longer is None)
    if fewer is not None and longer is not None:
        assert fewer.at_least <= longer.at_least
        assert (fewer.at_most or 10_000) <= (longer.at_most or 10_000)


@given(waits)
def test_people_who_still_wait_never_shorten_it(seen: list[Wait]) -> None:
    before = minutes_between_ends(seen, SINCE, NOON)
    with_one_more = minutes_between_ends([*seen, wait(20, None)], SINCE, NOON)
    assert before is None or (with_one_more is not None and with_one_more >= before)
