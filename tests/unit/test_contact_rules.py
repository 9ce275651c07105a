"""Vocabularies of a contact, order of a timeline, patience of the delivery."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from cases.core.contact import CONTACT_TYPES, DISPOSITIONS, CaseStatus, check_outcome
from cases.core.delivery import MOST_ATTEMPTS, back_off
from cases.core.timeline import KINDS, RANK, Code, Line, merged
from chat.core.errors import ErrorCode, Refused
from directory.core.visibility import SEES, Visibility, folded, matches

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_every_known_outcome_is_taken() -> None:
    for kind in CONTACT_TYPES:
        for outcome in DISPOSITIONS:
            check_outcome(kind, outcome)


@pytest.mark.parametrize(("kind", "outcome"), [("", "test"), ("unknown", ""), ("unknown", "Test"), ("test", "test")])
def test_an_unknown_outcome_is_refused(kind: str, outcome: str) -> None:
    with pytest.raises(Refused) as refused:
        check_outcome(kind, outcome)
    assert refused.value.code is ErrorCode.BAD_FRAME


def test_a_case_has_the_states_of_htcds() -> None:
    assert [status.value for status in CaseStatus] == ["Active", "FollowUp", "Closed", "ClosedReferred"]


def test_a_timeline_does_not_depend_on_the_order_of_delivery() -> None:
    lines = [
        Line(at=NOON, code=Code.CONTACT_BEGAN),
        Line(at=NOON + timedelta(seconds=5), code=Code.ESCALATION_RAISED, level=2),
        Line(at=NOON + timedelta(seconds=5), code=Code.OPENED),
        Line(at=NOON + timedelta(seconds=9), code=Code.LEFT_QUICKLY),
    ]
    orders = {tuple(line.code for line in merged(order)) for order in permutations(lines)}
    assert orders == {(Code.CONTACT_BEGAN, Code.OPENED, Code.ESCALATION_RAISED, Code.LEFT_QUICKLY)}


def test_every_code_has_a_place_and_a_kind() -> None:
    assert set(RANK) == set(Code)
    assert {Line(at=NOON, code=code).kind for code in Code} == set(KINDS.values())
    assert Line(at=NOON, code=Code.LEFT_QUICKLY).kind == "exit"


def test_a_line_keeps_its_text_out_of_tracebacks() -> None:
    assert "teal kettle" not in repr(Line(at=NOON, code=Code.ESCALATION_RAISED, text="teal kettle"))


def test_patience_doubles_from_a_second_to_five_minutes_and_ends() -> None:
    pauses = [back_off(attempts) for attempts in range(1, MOST_ATTEMPTS)]
    assert pauses[:4] == [timedelta(seconds=seconds) for seconds in (1, 2, 4, 8)]
    assert pauses[-1] == timedelta(minutes=5)
    assert None not in pauses
    assert back_off(MOST_ATTEMPTS) is None


def test_a_search_forgives_case_and_accents() -> None:
    assert folded("Québec") == "quebec"
    assert matches("refuge QUEBEC", ["Refuge exemple", "Québec"])
    assert not matches("refuge ontario", ["Refuge exemple", "Québec"])
    assert matches("", ["anything"])


def test_no_role_sees_what_is_never_shown() -> None:
    assert all(Visibility.NEVER not in seen for seen in SEES.values())
    assert SEES["advocate"] < SEES["supervisor"]
