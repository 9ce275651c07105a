"""Coming back by six words: until when, how often one may be wrong, and what who came back may do.

Whoever has the words gets a line to the advocate and nothing else. What was written before stays hidden until the
advocate says that it is the same person.
"""

from datetime import datetime, timedelta

from chat.core.conversation import Move, Mover, State, next_state
from chat.core.errors import ErrorCode, Refused

MOST_TRIES = 5
"""So many wrong tries end the words, whoever makes them."""
GRACE = timedelta(minutes=30)
"""How long somebody who left quickly may come back; the words end with it."""
MOST_CODE_WORD = 80
"""Characters of the code word, or of a question and its answer."""


def state_after_return(state: State, ended_by: str, ended_at: datetime | None, now: datetime) -> State | None:
    """Return the state in which a conversation goes on, None when it cannot: it ended otherwise, or long ago."""
    if ended_at is not None and (ended_by != "left_quickly" or now - ended_at >= GRACE):
        return None
    try:
        return next_state(state, Move.RETURN, Mover.VISITOR)
    except Refused:
        return None


def words_end(tries: int) -> bool:
    """Tell whether so many wrong tries end the words."""
    return tries >= MOST_TRIES


def check_is_known(*, return_open: bool) -> None:
    """Raise `Refused(FORBIDDEN)` while nobody has said that who came back is the same person.

    For what an impostor must not do: get new words, set the code word, see older lines, have everything erased.
    """
    if return_open:
        raise Refused(ErrorCode.FORBIDDEN)


def check_is_newest(returned: int, newest: int) -> None:
    """Raise `Refused(WRONG_STATE)` for a decision on a return that is not the newest: it is about somebody else.

    Both are visitor's numbers of a return. Who has the words may come in while an advocate still looks at who came
    before; what was decided about the one must not let in the other.
    """
    if returned != newest:
        raise Refused(ErrorCode.WRONG_STATE)


def check_may_decide(state: State, *, return_open: bool) -> None:
    """Raise `Refused(WRONG_STATE)` unless there is a return to decide on in a conversation that runs."""
    if not return_open or state is not State.ACTIVE:
        raise Refused(ErrorCode.WRONG_STATE)
