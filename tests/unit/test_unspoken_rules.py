"""When an exit, a silence or a return calls for help: rules without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crisis.core.unspoken import (
    SILENT_AFTER,
    Cue,
    Source,
    Standing,
    asked_too_lately,
    cues,
    silence_for,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONG = NOON + SILENT_AFTER


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


URGENT = Standing(
    state="active",
    level=2,
    opened_at=NOON - minutes(10),
    ended_at=None,
    ended_by="",
    lost_since=NOON + minutes(600),
    last_visitor_at=NOON,
    last_staff_at=NOON + minutes(1),
    paused_until=None,
    return_seq=0,
    return_open=False,
    return_times=0,
)
LEFT = replace(URGENT, state="wrap_up", ended_by="left_quickly", ended_at=NOON)
RETURNED = replace(URGENT, level=0, return_seq=4, return_open=True, return_times=1)


def calls(one: Standing, now: datetime = LONG) -> list[tuple[Source, int]]:
    return [(cue.source, cue.level) for cue in cues(one, now, SILENT_AFTER)]


def test_who_leaves_quickly_in_danger_calls_one_level_above_it_and_never_above_the_top() -> None:
    for level, called in ((0, []), (1, []), (2, [(Source.LEFT, 3)]), (3, [(Source.LEFT, 3)])):
        assert calls(replace(LEFT, level=level), NOON) == called
    assert calls(replace(LEFT, state="abandoned"), NOON) == [(Source.LEFT, 3)], "who waited too"
    for otherwise in ("visitor", "advocate", "faded"):
        assert calls(replace(LEFT, ended_by=otherwise)) == []


def test_silence_counts_where_an_answer_was_asked_for() -> None:
    assert calls(URGENT, LONG - timedelta(seconds=1)) == []
    assert calls(URGENT) == [(Source.SILENCE, 3)]
    assert calls(replace(URGENT, level=1)) == []
    # nobody has answered them yet, so they have nothing to answer
    assert calls(replace(URGENT, last_staff_at=None)) == []
    assert calls(replace(URGENT, last_staff_at=NOON - minutes(1))) == []
    assert calls(replace(URGENT, state="waiting")) == []
    assert calls(replace(URGENT, state="wrap_up", ended_by="visitor")) == []
    # who never wrote is silent since they came
    assert calls(replace(URGENT, last_visitor_at=None), NOON) == [(Source.SILENCE, 3)]


def test_a_line_that_is_lost_counts_from_its_loss_also_for_who_waits() -> None:
    for state in ("waiting", "offered", "active"):
        lost = replace(URGENT, state=state, last_staff_at=None, lost_since=NOON + minutes(2))
        assert calls(lost, LONG) == []
        assert calls(lost, LONG + minutes(2)) == [(Source.SILENCE, 3)]


def test_who_is_paused_is_not_silent() -> None:
    paused = replace(URGENT, paused_until=NOON + minutes(15))
    assert calls(paused, NOON + minutes(15)) == []
    assert calls(paused, NOON + minutes(15) + SILENT_AFTER) == [(Source.SILENCE, 3)]


def test_who_was_asked_a_moment_ago_may_still_answer_and_further_questions_start_no_clock_anew() -> None:
    (silence,) = cues(URGENT, LONG, SILENT_AFTER)
    assert asked_too_lately(silence, NOON + minutes(4), LONG, SILENT_AFTER)
    assert not asked_too_lately(silence, NOON, LONG, SILENT_AFTER)


def test_a_return_consults_and_a_second_one_is_urgent() -> None:
    assert calls(RETURNED, NOON) == [(Source.RETURNED, 1)]
    assert calls(replace(RETURNED, return_times=2), NOON) == [(Source.RETURNED, 2)]
    assert calls(replace(RETURNED, return_open=False), NOON) == []
    assert calls(replace(RETURNED, state="wrap_up"), NOON) == []


def test_each_exit_silence_and_return_has_its_own_name() -> None:
    def name(one: Standing, now: datetime = LONG) -> str:
        cue: Cue = cues(one, now, SILENT_AFTER)[0]
        return cue.episode

    assert name(URGENT) == name(replace(URGENT, level=3, lost_since=NOON), LONG + minutes(1)), "the same silence"
    assert len({name(URGENT), name(replace(URGENT, last_visitor_at=NOON - minutes(1))), name(LEFT)}) == 3
    assert name(LEFT) != name(replace(LEFT, ended_at=NOON + minutes(1)))
    assert name(RETURNED) != name(replace(RETURNED, return_seq=9))
    assert len(name(LEFT)) == 32


def test_a_site_sets_a_silence_within_bounds() -> None:
    assert silence_for(60) == minutes(1)
    for seconds in (0, 59, 1801):
        with pytest.raises(ValueError, match=r"\.$"):
            silence_for(seconds)
