"""The references: what the same machine does without Havre, bare or as a tutorial would."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import LiteralString

from bench.databases import Database, PostgresServer, SqliteFile, postgres_missing
from bench.load import Pair
from bench.targets import Running, Target
from bench.wire import LOOPBACK, Socket, connect
from chat.protocol import MOST_FRAME_BYTES
from tests.support.daemon import ROOT, Daemon
from tests.support.servers import Postgres, clean_environment, free_port


class Reference(Daemon):
    """Serve one of our small applications."""

    def __init__(self, server: str, application: str, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self._server, self._application = server, application
        super().__init__(application, folder / "log", environ=clean_environment(os.environ) | settings)

    def command(self) -> list[str]:
        """Return the command line; uvicorn has the settings that Havre gives it."""
        if self._server == "daphne":
            words = ["daphne", "--bind", LOOPBACK, "--port", str(self.port), "--verbosity", "0", "--no-server-name"]
            return [sys.executable, "-m", *words, self._application]
        words = ["uvicorn", "--host", LOOPBACK, "--port", str(self.port), "--log-level", "warning"]
        sockets = ["--ws-per-message-deflate", "false", "--ws-max-size", str(MOST_FRAME_BYTES + 1024)]
        return [sys.executable, "-m", *words, *sockets, "--no-access-log", self._application]

    def answers(self) -> bool:
        """Tell whether it listens."""
        return listening(self.port)


def listening(port: int) -> bool:
    """Tell whether something of ours listens at a port."""
    here = f"{int.from_bytes(bytes(map(int, LOOPBACK.split('.'))), 'little'):08X}:{port:04X}"
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return any(line.split()[1] == here and line.split()[3] == "0A" for line in lines)


class RunningReference(Running):
    """Be a reference while it runs."""

    def __init__(self, reference: Reference, database: Database, query: LiteralString, *others: Daemon) -> None:
        super().__init__([reference, *others])
        self._port, self._database, self._query = reference.port, database, query

    async def pairs(self, count: int) -> list[Pair]:
        """Open two sockets for each."""
        return [
            Pair(advocate=await connect(self._port, f"/s/{number}"), visitor=await connect(self._port, f"/v/{number}"))
            for number in range(count)
        ]

    async def arrive(self, kind: str, number: int) -> Socket:
        """Open a socket: there is nobody to authenticate and nothing to show."""
        return await connect(self._port, f"/v/idle{number}")

    def stored_ids(self) -> list[str]:
        """Return the client ids that the database holds."""
        return self._database.column(self._query)


class Bare(Target):
    """Seal and store in batches, and nothing else."""

    def __init__(self, name: str, *, postgres: bool) -> None:
        super().__init__(name, name)
        self._postgres = postgres

    def missing(self) -> str:
        """Return why this machine cannot run it, or nothing."""
        return postgres_missing() if self._postgres else ""

    @contextmanager
    def running(self, folder: Path, conversations: int) -> Iterator[Running]:
        """Start it."""
        query: LiteralString = "SELECT client FROM row"
        with ExitStack() as stack:
            if self._postgres:
                server = stack.enter_context(Postgres())
                reference = Reference("uvicorn", "bench.bare:application", folder, BENCH_DATABASE_URL=server.url)
                stack.enter_context(reference)
                yield RunningReference(reference, PostgresServer(server), query, server)
            else:
                path = folder / "bare.sqlite3"
                reference = Reference("uvicorn", "bench.bare:application", folder, BENCH_DATABASE=str(path))
                stack.enter_context(reference)
                yield RunningReference(reference, SqliteFile(path), query)


class Tutorial(Target):
    """Insert for each message on one thread, and send to a group."""

    @contextmanager
    def running(self, folder: Path, conversations: int) -> Iterator[Running]:
        """Make the table and start it."""
        path = folder / "tutorial.sqlite3"
        reference = Reference("daphne", "bench.tutorial:application", folder, BENCH_DATABASE=str(path))
        subprocess.run([sys.executable, "-m", "bench.tutorial"], cwd=ROOT, env=reference.environ, check=True)
        with reference:
            yield RunningReference(reference, SqliteFile(path), "SELECT client FROM tutorial_message")
