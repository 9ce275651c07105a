"""What every service returns."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from chat.core.actors import Actor, Staff, System, Visitor
from chat.core.conversation import Mover
from chat.log import StoredEvent

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """Carry what a command gave and the events that it committed."""

    result: Result
    events: tuple[StoredEvent, ...] = ()


def mover_of(actor: Actor) -> Mover:
    """Return in which capacity somebody moves a conversation; the doorway has checked that they may."""
    match actor:
        case Visitor():
            return Mover.VISITOR
        case System():
            return Mover.SYSTEM
        case Staff():
            return Mover.SUPERVISOR if actor.role == "supervisor" else Mover.ADVOCATE
