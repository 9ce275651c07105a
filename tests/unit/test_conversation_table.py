"""The table of moves, and who may write when."""

import pytest

from chat.core.conversation import (
    ENDED,
    HELD,
    MOVES,
    OPEN,
    Move,
    Mover,
    State,
    check_may_note,
    check_may_write,
    next_state,
)
from chat.core.errors import ErrorCode, Refused


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
    if entry is not None:
        assert caught.value.code is ErrorCode.FORBIDDEN
    elif move is Move.TAKE and state in HELD:
        assert caught.value.code is ErrorCode.ALREADY_TAKEN
    else:
        assert caught.value.code is ErrorCode.WRONG_STATE


def test_nothing_leaves_an_ended_state_but_a_return_and_every_other_state_leads_on() -> None:
    leaving = {state for move, state in MOVES if move is not Move.RETURN}
    assert leaving == set(State) - ENDED


def test_a_return_leads_from_everything_but_the_record_to_where_one_can_write() -> None:
    returns = {state: entry for (move, state), entry in MOVES.items() if move is Move.RETURN}
    assert returns.keys() == set(State) - {State.CLOSED}
    assert {target for target, _ in returns.values()} == OPEN
    assert all(movers == {Mover.VISITOR} for _, movers in returns.values())


def test_every_state_can_be_reached_and_can_reach_an_end() -> None:
    onward = {state: {entry[0] for (_, source), entry in MOVES.items() if source is state} for state in State}

    def reach(start: State) -> set[State]:
        found, edge = {start}, [start]
        while edge:
            for target in onward[edge.pop()] - found:
                found.add(target)
                edge.append(target)
        return found

    assert reach(State.WAITING) == set(State)
    assert all(reach(state) & ENDED for state in State)


def test_a_visitor_can_always_leave_what_is_open_and_moves_nothing_else() -> None:
    moves = {key: movers for key, (_, movers) in MOVES.items() if key[0] is not Move.RETURN}
    theirs = {key for key, movers in moves.items() if Mover.VISITOR in movers}
    assert theirs == {(move, state) for move in (Move.END, Move.LEAVE) for state in OPEN}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("mover", list(Mover))
def test_visitors_write_while_it_is_open_and_staff_while_it_runs(state: State, mover: Mover) -> None:
    visitor = mover is Mover.VISITOR
    if state in (OPEN if visitor else {State.ACTIVE}):
        check_may_write(state, mover)
        return
    with pytest.raises(Refused) as caught:
        check_may_write(state, mover)
    assert caught.value.code is (ErrorCode.TOKEN_SPENT if visitor else ErrorCode.WRONG_STATE)


@pytest.mark.parametrize("state", list(State))
def test_notes_are_welcome_until_the_end(state: State) -> None:
    if state not in ENDED:
        check_may_note(state)
        return
    with pytest.raises(Refused):
        check_may_note(state)
