"""The table of moves, and the order of the queue."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chat.core.conversation import ENDED, MOVES, Move, Mover, State, next_state
from chat.core.errors import ErrorCode, Refused
from chat.core.routing import Ready, Waiting, free_seats, in_order, offers

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("move", list(Move))
@pytest.mark.parametrize("mover", list(Mover))
def test_what_is_not_in_the_table_is_refused_with_a_code(state: State, move: Move, mover: Mover) -> None:
    entry = MOVES.get((move, state))
    if entry is not None and mover in entry[1]:
        assert next_state(state, move, mover) is entry[0]
        return
    with pytest.raises(Refused) as caught:
        next_state(state, move, mover)
    assert isinstance(caught.value.code, ErrorCode)


def test_nothing_leaves_an_ended_state_and_every_other_state_leads_on() -> None:
    leaving = {state for _, state in MOVES}
    assert leaving == set(State) - ENDED


def waiting(number: int, minutes: int, level: int = 0, language: str = "en") -> Waiting:
    return Waiting(UUID(int=number), level, NOON - timedelta(minutes=minutes), language)


def test_danger_gets_a_head_start_and_nobody_starves() -> None:
    old, urgent, ancient = waiting(1, 10), waiting(2, 1, level=2), waiting(3, 90)
    assert [one.id.int for one in in_order([old, urgent, ancient])] == [3, 2, 1]


def test_an_urgent_conversation_lowers_capacity_to_one() -> None:
    assert free_seats(2, [0]) == 1
    assert free_seats(2, [2]) == 0
    assert free_seats(9, []) == 4


def test_offers_prefer_the_language_and_respect_a_refusal() -> None:
    ben, cleo = Ready(1, "en", 2, (), None), Ready(2, "fr", 2, (), None)
    assert offers([waiting(1, 5, language="fr")], [ben, cleo]) == [(UUID(int=1), 2)]
    declined = Waiting(UUID(int=1), 0, NOON, "fr", not_to=frozenset({1, 2}))
    assert offers([declined], [ben, cleo]) == []
