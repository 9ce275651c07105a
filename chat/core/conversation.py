"""The life of a conversation as a table.

Two rules of this file: a move that is not in `MOVES` does not exist, and no other code decides a state. A visitor
moves only their own conversation and an advocate only the one they hold; that check is the doorway's
(`chat.selectors`), so `Mover` here says in which capacity somebody acts, not who they are.
"""

from enum import StrEnum

from chat.core.errors import ErrorCode, Refused


class State(StrEnum):
    """Where a conversation stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    ACTIVE = "active"
    WRAP_UP = "wrap_up"
    CLOSED = "closed"
    ABANDONED = "abandoned"


class Mover(StrEnum):
    """In which capacity somebody moves a conversation."""

    VISITOR = "visitor"
    ADVOCATE = "advocate"  # the one who holds it, was offered it, or takes it
    SUPERVISOR = "supervisor"
    SYSTEM = "system"  # a clock of the worker


class Move(StrEnum):
    """What can happen to a conversation."""

    OFFER = "offer"
    TAKE = "take"
    DECLINE = "decline"
    LAPSE = "lapse"  # an offer that nobody answered
    RESCUE = "rescue"  # its advocate vanished
    END = "end"
    LEAVE = "leave"  # quick exit
    FADE = "fade"  # a visitor who was not seen for long while waiting
    RECORD = "record"  # the contact is written down
    SHELVE = "shelve"  # a drill whose contact nobody wrote down
    RETURN = "return"  # a visitor who came back by words; until when is `chat.core.returning`'s


S, M, W = State, Move, Mover

MOVES: dict[tuple[Move, State], tuple[State, frozenset[Mover]]] = {
    (M.OFFER, S.WAITING): (S.OFFERED, frozenset({W.SYSTEM, W.SUPERVISOR})),
    (M.TAKE, S.WAITING): (S.ACTIVE, frozenset({W.ADVOCATE, W.SUPERVISOR})),
    (M.TAKE, S.OFFERED): (S.ACTIVE, frozenset({W.ADVOCATE, W.SUPERVISOR})),
    (M.DECLINE, S.OFFERED): (S.WAITING, frozenset({W.ADVOCATE})),
    (M.LAPSE, S.OFFERED): (S.WAITING, frozenset({W.SYSTEM})),
    (M.RESCUE, S.ACTIVE): (S.WAITING, frozenset({W.SYSTEM, W.SUPERVISOR})),
    (M.END, S.WAITING): (S.ABANDONED, frozenset({W.VISITOR})),
    (M.END, S.OFFERED): (S.ABANDONED, frozenset({W.VISITOR})),
    (M.END, S.ACTIVE): (S.WRAP_UP, frozenset({W.VISITOR, W.ADVOCATE, W.SUPERVISOR})),
    (M.LEAVE, S.WAITING): (S.ABANDONED, frozenset({W.VISITOR})),
    (M.LEAVE, S.OFFERED): (S.ABANDONED, frozenset({W.VISITOR})),
    (M.LEAVE, S.ACTIVE): (S.WRAP_UP, frozenset({W.VISITOR})),
    (M.FADE, S.WAITING): (S.ABANDONED, frozenset({W.SYSTEM})),
    (M.RECORD, S.WRAP_UP): (S.CLOSED, frozenset({W.ADVOCATE, W.SUPERVISOR})),
    (M.SHELVE, S.WRAP_UP): (S.CLOSED, frozenset({W.SYSTEM})),
    (M.RETURN, S.WAITING): (S.WAITING, frozenset({W.VISITOR})),
    (M.RETURN, S.OFFERED): (S.OFFERED, frozenset({W.VISITOR})),
    (M.RETURN, S.ACTIVE): (S.ACTIVE, frozenset({W.VISITOR})),
    (M.RETURN, S.WRAP_UP): (S.ACTIVE, frozenset({W.VISITOR})),
    (M.RETURN, S.ABANDONED): (S.WAITING, frozenset({W.VISITOR})),
}

OPEN = frozenset({S.WAITING, S.OFFERED, S.ACTIVE})
"""A visitor may write in these."""

HELD = frozenset({S.OFFERED, S.ACTIVE, S.WRAP_UP})
"""These count against the capacity of their advocate."""

ENDED = frozenset({S.CLOSED, S.ABANDONED})
"""Nothing moves any more, unless a visitor who left quickly comes back by words."""

MOST_HELD = 4
"""No advocate holds more than this many conversations, whatever their own capacity says."""


def next_state(state: State, move: Move, mover: Mover) -> State:
    """Return the state after `move`, or raise `Refused`.

    `ALREADY_TAKEN` when somebody else was quicker, `WRONG_STATE` when the table has no such move,
    `FORBIDDEN` when it exists but not for this mover.
    """
    entry = MOVES.get((move, state))
    if entry is None:
        raced = move is Move.TAKE and state in HELD
        raise Refused(ErrorCode.ALREADY_TAKEN if raced else ErrorCode.WRONG_STATE)
    target, movers = entry
    if mover not in movers:
        raise Refused(ErrorCode.FORBIDDEN)
    return target


def check_may_write(state: State, mover: Mover) -> None:
    """Raise `Refused` unless a message may be written now.

    Visitors write from the first moment; an advocate only while the conversation is theirs and running.
    """
    if mover is Mover.VISITOR and state in OPEN:
        return
    if mover is not Mover.VISITOR and state is State.ACTIVE:
        return
    raise Refused(ErrorCode.TOKEN_SPENT if mover is Mover.VISITOR else ErrorCode.WRONG_STATE)


def check_may_note(state: State) -> None:
    """Raise `Refused` once the record is closed; notes are welcome at any time before."""
    if state in ENDED:
        raise Refused(ErrorCode.WRONG_STATE)
