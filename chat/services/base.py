"""What every service returns."""

from typing import Generic, TypeVar

import msgspec

from chat.core.actors import Actor, Staff, System, Visitor
from chat.core.conversation import Mover
from chat.log import StoredEvent
from encryption.text import Secret

Result = TypeVar("Result")


class Done(msgspec.Struct, Generic[Result], frozen=True):
    """Carry what a command gave and the events that it committed.

    `said` is the text of the only event, for this process: what was just sealed need not be opened again.
    """

    result: Result
    events: tuple[StoredEvent, ...] = ()
    said: Secret | None = None
    cues: tuple[StoredEvent, ...] = ()
    """What screening appended to the log because of it; for staff only."""


def mover_of(actor: Actor) -> Mover:
    """Return in which capacity somebody moves a conversation; the doorway has checked that they may."""
    match actor:
        case Visitor():
            return Mover.VISITOR
        case System():
            return Mover.SYSTEM
        case Staff():
            return Mover.SUPERVISOR if actor.role == "supervisor" else Mover.ADVOCATE
