"""What a target is: servers that can be started, pairs of sockets at them, and rows that can be counted."""

from contextlib import AbstractContextManager
from pathlib import Path

from bench.load import Dialect, Json, Pair
from bench.wire import Socket
from tests.support.daemon import Daemon


class Running:
    """Be the servers of one target while they run."""

    dialect: Dialect = Json()

    def __init__(self, daemons: list[Daemon]) -> None:
        self.daemons = daemons

    @property
    def pids(self) -> list[int]:
        """Return the first process of each server; what they start lies below these."""
        return [daemon.pid for daemon in self.daemons]

    async def pairs(self, count: int) -> list[Pair]:
        """Open so many conversations, each followed by an advocate."""
        raise NotImplementedError

    async def arrive(self, kind: str, number: int) -> Socket:
        """Open one more idle socket, through everything that somebody new goes through."""
        raise NotImplementedError

    async def return_of(self, kind: str, number: int) -> Socket:
        """Open it again, as somebody known."""
        return await self.arrive(kind, number)

    def sign_of_life(self) -> bytes | None:
        """Return the frame that an idle page sends from time to time, None when there is none."""
        return None

    def park(self) -> None:
        """Put the conversations of idle sockets into the hands of people who are not part of the load."""

    async def stored(self) -> int:
        """Return how many messages the database holds."""
        return len(self.stored_ids())

    def stored_ids(self) -> list[str]:
        """Return the client ids that the database holds, also when no server of the target runs any more."""
        raise NotImplementedError

    def crash(self) -> None:
        """End every server as a power cut would, and bring up again what is needed to read the database."""
        for daemon in self.daemons:
            daemon.kill9()


class Target:
    """Know how to start one kind of server."""

    both_cores = False
    can_crash = True
    crowds: tuple[str, ...] = ("visitor",)
    """The kinds of socket that can be kept idle."""

    def __init__(self, name: str, reference: str) -> None:
        self.name = name
        self.reference = reference

    def missing(self) -> str:
        """Return why this machine cannot run it, or nothing."""
        return ""

    def running(self, folder: Path, conversations: int) -> AbstractContextManager[Running]:
        """Start it with its data in a folder, and end it."""
        raise NotImplementedError
