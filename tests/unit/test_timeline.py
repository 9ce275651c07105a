"""A night in which nobody answered stays readable on a case's timeline, and loses nothing else."""

from datetime import UTC, datetime, timedelta

from cases.core.timeline import Code, Line, folded

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def line(minute: int, code: Code, level: int = 3) -> Line:
    return Line(at=NOON + timedelta(minutes=minute), code=code, level=level)


def test_calls_that_only_repeated_are_one_line_that_says_how_often() -> None:
    again = Code.ESCALATION_REPEATED
    night = [line(0, Code.ESCALATION_RAISED), *(line(minute, again) for minute in (1, 2, 3))]
    shown = folded([*night, line(4, Code.ESCALATION_PAGED), line(5, again), line(6, again, level=2)])
    assert [(one.code, one.times) for one in shown] == [
        (Code.ESCALATION_RAISED, 1),
        (again, 3),
        (Code.ESCALATION_PAGED, 1),
        (again, 1),
        (again, 1),
    ]
    assert shown[1].at == NOON + timedelta(minutes=1)


def test_what_happens_twice_otherwise_is_two_lines() -> None:
    assert len(folded([line(0, Code.CAME_BACK), line(1, Code.CAME_BACK)])) == 2
