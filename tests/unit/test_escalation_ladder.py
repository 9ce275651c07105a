"""The ladder: who may do what next, and what a clock does when nobody comes."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.errors import ErrorCode, Refused
from crisis.core.ladder import (
    HIGHEST,
    LEVELS,
    LONGEST,
    SETTLED,
    STEPS,
    Rung,
    State,
    Step,
    climb,
    first_due,
    level_after,
    next_state,
)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def refusal(state: State, step: Step) -> ErrorCode:
    with pytest.raises(Refused) as refused:
        next_state(state, step)
    return refused.value.code


def test_the_ordinary_way() -> None:
    state = State.RAISED
    for step in (Step.ACKNOWLEDGE, Step.START, Step.RESOLVE):
        state = next_state(state, step)
    assert state is State.RESOLVED


def test_every_pair_is_a_move_or_a_refusal_with_a_code() -> None:
    for state, step in product(State, Step):
        if (step, state) in STEPS:
            assert next_state(state, step) is STEPS[step, state]
        else:
            assert refusal(state, step) in {ErrorCode.ALREADY_SETTLED, ErrorCode.ALREADY_TAKEN, ErrorCode.WRONG_STATE}


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("state", sorted(SETTLED))
def test_what_is_settled_stays_settled(state: State, step: Step) -> None:
    assert refusal(state, step) is ErrorCode.ALREADY_SETTLED


def test_a_colleague_who_was_quicker_is_named_as_the_reason() -> None:
    assert refusal(State.ACKNOWLEDGED, Step.ACKNOWLEDGE) is ErrorCode.ALREADY_TAKEN
    assert refusal(State.IN_PROGRESS, Step.START) is ErrorCode.ALREADY_TAKEN


def test_nobody_starts_before_it_is_acknowledged() -> None:
    assert refusal(State.RAISED, Step.START) is ErrorCode.WRONG_STATE


@pytest.mark.parametrize(("level", "clock"), [(1, 300), (2, 120), (3, 60)])
def test_the_clocks_are_those_of_the_table(level: int, clock: int) -> None:
    assert first_due(level, NOON) == NOON + seconds(clock)


@pytest.mark.parametrize("level", [-1, 0, 4, 5])
def test_other_levels_cannot_be_raised(level: int) -> None:
    with pytest.raises(Refused) as refused:
        first_due(level, NOON)
    assert refused.value.code is ErrorCode.LEVEL_UNKNOWN


def test_a_clock_acts_at_its_time_and_not_before() -> None:
    assert climb(1, State.RAISED, NOON, NOON - seconds(0.001)) is None
    step = climb(1, State.RAISED, NOON, NOON)
    assert step is not None
    assert (step.level, step.due_at, step.repeated) == (2, NOON + seconds(120), False)


def test_at_the_top_it_repeats_every_minute() -> None:
    step = climb(HIGHEST, State.RAISED, NOON, NOON)
    assert step is not None
    assert (step.level, step.due_at, step.repeated) == (HIGHEST, NOON + seconds(60), True)


def test_after_an_outage_the_new_level_gets_its_whole_time() -> None:
    step = climb(1, State.RAISED, NOON, NOON + timedelta(hours=3))
    assert step is not None
    assert step.level == 2
    assert step.due_at == NOON + timedelta(hours=3) + seconds(120)


@pytest.mark.parametrize("state", [state for state in State if state is not State.RAISED])
def test_a_clock_does_nothing_once_a_person_has_come(state: State) -> None:
    assert climb(1, state, NOON, NOON + timedelta(days=1)) is None


def test_a_conversation_falls_to_the_highest_that_is_still_open() -> None:
    assert level_after([1, 3, 2]) == 3
    assert level_after([]) == 0


RUNGS = st.builds(Rung, st.integers(15, 1800).map(seconds), climbs=st.booleans())


@given(
    ladder=st.fixed_dictionaries(dict.fromkeys(LEVELS, RUNGS)),
    level=st.sampled_from(LEVELS),
    pauses=st.lists(st.integers(0, 10_000), max_size=30),
)
def test_left_alone_it_is_never_silent_lower_or_settled(ladder: dict[int, Rung], level: int, pauses: list[int]) -> None:
    """Whatever a site set, and whenever a worker looks, the clock is running or has just acted."""
    now, due = NOON, first_due(level, NOON, ladder)
    for pause in pauses:
        now += seconds(pause)
        step = climb(level, State.RAISED, due, now, ladder)
        assert (step is None) == (now < due)
        if step is not None:
            assert step.level == min(level + ladder[level].climbs, HIGHEST)
            assert step.repeated == (step.level == level)
            level, due = step.level, step.due_at
        assert now < due <= now + LONGEST
