"""How long a pause lasts, and when there may be one: rules without a database."""

from datetime import UTC, datetime, timedelta

import pytest

from chat.core.conversation import State
from chat.core.errors import ErrorCode, Refused
from chat.core.pausing import check_may_pause, check_not_paused, is_paused, lengths_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def refused(state: State, level: int, until: datetime | None, *, supervisor: bool) -> ErrorCode | None:
    try:
        check_may_pause(state, level, until, NOON, supervisor=supervisor)
    except Refused as error:
        return error.code
    return None


def test_it_ends_by_the_time_alone() -> None:
    assert not is_paused(None, NOON)
    assert is_paused(NOON, NOON - MOMENT)
    assert not is_paused(NOON, NOON)
    check_not_paused(NOON, NOON)
    with pytest.raises(Refused) as caught:
        check_not_paused(NOON, NOON - MOMENT)
    assert caught.value.code is ErrorCode.PAUSED


def test_while_a_danger_is_open_only_a_supervisor_pauses() -> None:
    for level in range(5):
        assert refused(State.ACTIVE, level, None, supervisor=False) is (ErrorCode.DANGER_OPEN if level >= 2 else None)
        assert refused(State.ACTIVE, level, None, supervisor=True) is None


def test_what_is_over_or_paused_already_is_not_paused() -> None:
    for state in State:
        may = state in {State.WAITING, State.OFFERED, State.ACTIVE}
        assert refused(state, 0, None, supervisor=True) is (None if may else ErrorCode.WRONG_STATE)
    assert refused(State.ACTIVE, 0, NOON + MOMENT, supervisor=True) is ErrorCode.WRONG_STATE
    assert refused(State.ACTIVE, 0, NOON, supervisor=True) is None


def test_a_site_sets_a_few_lengths_of_a_day_at_most() -> None:
    assert lengths_of("15,60") == (15, 60)
    assert lengths_of("5,30,60,1440") == (5, 30, 60, 1440)
    for bad in ("", "4", "15,1441", "60,15", "15,15", "15;60", "15,,60", "-15", "1,2,3,4,5", "٣٠"):
        with pytest.raises(ValueError, match="minutes"):
            lengths_of(bad)
