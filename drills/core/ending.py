"""How a drill ends, and how long things last. Pure."""

from datetime import timedelta
from enum import StrEnum

from chat.core.conversation import State


class Why(StrEnum):
    """Say why a drill is over."""

    FINISHED = "finished"  # the script has come to its end
    ENDED = "ended"  # the trainee ended the conversation
    STOPPED = "stopped"  # whoever started it, or a supervisor, ended it
    TIME = "time"  # its minutes were over
    NOBODY = "nobody"  # nobody took it
    LOST = "lost"  # its script or its key is there no more


class Flaw(StrEnum):
    """Say why a drill cannot be started."""

    SCRIPT = "script"
    PERSON = "person"  # not on shift, or nobody who holds conversations
    BUSY = "busy"  # is in a drill already
    RIGHT = "right"


class CannotStart(ValueError):
    """Report why a drill is not started."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw.value)
        self.flaw = flaw


def was_taken(state: State, measured: bool) -> bool:
    """Tell whether who practises has a drill or had it, by its conversation; one handed back later was measured."""
    return measured or state not in {State.WAITING, State.OFFERED, State.ABANDONED}


TAKEN_WITHIN = timedelta(minutes=15)
"""How long a drill waits for who practises."""
LEASE = timedelta(seconds=30)
"""After which another worker goes on with a visitor whose worker vanished."""
SIGN_EVERY = timedelta(seconds=15)
"""How often a scripted visitor's page gives a sign of life, as a real one does."""
KEPT = timedelta(days=90)
"""How long it can be looked up what came of a drill; the trail keeps for good that there was one."""
