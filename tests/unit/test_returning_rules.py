"""Until when one may come back, and what may be done before it is known who it is: for every state and many times."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.core.conversation import OPEN, State
from chat.core.errors import ErrorCode, Refused
from chat.core.returning import (
    GRACE,
    MOST_TRIES,
    check_is_known,
    check_may_decide,
    state_after_return,
    words_end,
)

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ENDS = ["", "visitor", "advocate", "left_quickly", "faded"]


@given(
    st.sampled_from(State),
    st.sampled_from(ENDS),
    st.none() | st.integers(-1, 90).map(lambda minutes: NOON - timedelta(minutes=minutes)),
)
def test_back_to_what_runs_and_after_a_quick_exit_for_half_an_hour(
    state: State, ended_by: str, ended_at: datetime | None
) -> None:
    after = state_after_return(state, ended_by, ended_at, NOON)
    in_time = ended_at is None or (ended_by == "left_quickly" and NOON - ended_at < GRACE)
    assert (after is not None) == (in_time and state is not State.CLOSED)
    assert after is None or after in OPEN
    if state in OPEN and ended_at is None:
        assert after is state


def test_half_an_hour_and_not_a_moment_longer() -> None:
    ended = NOON - GRACE
    assert state_after_return(State.WRAP_UP, "left_quickly", ended + timedelta(seconds=1), NOON) is State.ACTIVE
    assert state_after_return(State.ABANDONED, "left_quickly", ended + timedelta(seconds=1), NOON) is State.WAITING
    assert state_after_return(State.WRAP_UP, "left_quickly", ended, NOON) is None


def test_the_fifth_wrong_try_ends_the_words() -> None:
    assert MOST_TRIES == 5
    assert [words_end(tries) for tries in range(1, 7)] == [False] * 4 + [True] * 2


def test_who_is_not_known_yet_is_refused() -> None:
    check_is_known(return_open=False)
    with pytest.raises(Refused) as caught:
        check_is_known(return_open=True)
    assert caught.value.code is ErrorCode.FORBIDDEN


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("return_open", [True, False])
def test_only_a_return_into_what_runs_is_decided_on(state: State, return_open: bool) -> None:
    if return_open and state is State.ACTIVE:
        check_may_decide(state, return_open=return_open)
        return
    with pytest.raises(Refused):
        check_may_decide(state, return_open=return_open)
