"""Run one process for tests: wait until it answers, stop it by its own process id, read its log.

Waiting is bounded, and ends early, with the end of the log, when the process dies. Nothing is looked up by
name.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
READY_SECONDS = 60.0
STOP_SECONDS = 30.0


class ServerFailed(RuntimeError):
    """Say that a server did not start, answer or stop; carries the end of its log."""


class Account(NamedTuple):
    """Name the system account that a process runs as."""

    uid: int
    gid: int


_kept: list[socket.socket] = []


def free_port() -> int:
    """Return a loopback port that the system gives to nobody else while this process lives.

    It stays bound here and is not listened on: so no other run beside this one comes by it, and who asks for it by its
    number may have it, as servers do that want to start again at once. A server needs seconds until it asks.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind((LOOPBACK, 0))
    _kept.append(held)
    return int(held.getsockname()[1])


def clean_environment(source: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without any setting of Havre, so that a developer's own never reaches a test.

    Bytecode may be written: without it, each of hundreds of processes would compile the whole program anew.
    """
    ours = ("HAVRE_", "DATABASE_URL", "REDIS_URL", "PYTHONDONTWRITEBYTECODE")
    environ = os.environ if source is None else source
    return {
        name: value for name, value in environ.items() if name.startswith("HAVRE_TEST_") or not name.startswith(ours)
    }


class Daemon:
    """Run one process that keeps on, with its output in a log file; start, stop and kill it by its id."""

    def __init__(self, name: str, log: Path, *, environ: Mapping[str, str], account: Account | None = None) -> None:
        self.name = name
        self.log = log
        self.environ = dict(environ)
        self.account = account
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """Return the command line."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Tell whether the process does its work."""
        raise NotImplementedError

    def start(self) -> Self:
        """Start the process and wait until it answers."""
        if self.alive:
            raise ServerFailed(f"{self.name} is running already")
        # A session of its own keeps the terminal's Ctrl-C from it: it must outlive the tests that use it, and
        # `kill9` can take its children along.
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.log.parent if self.account else ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.account and self.account.uid,
                group=self.account and self.account.gid,
                extra_groups=[] if self.account else None,
            )
        try:
            self.wait_until(self.answers, "answer")
        except BaseException:
            self.kill9()
            raise
        return self

    @property
    def alive(self) -> bool:
        """Tell whether the process is running."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Return the process id."""
        if self.process is None:
            raise ServerFailed(f"{self.name} was not started")
        return self.process.pid

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
        """Poll until `holds` is true; `ServerFailed` when the process ends or the time is up."""
        end = time.monotonic() + seconds
        while not holds():
            if not self.alive:
                raise ServerFailed(f"{self.name} ended before it could {what}\n{self.log_text()[-4000:]}")
            if time.monotonic() > end:
                raise ServerFailed(f"{self.name} did not {what} in {seconds:.0f} s\n{self.log_text()[-4000:]}")
            time.sleep(0.02)

    def terminate(self, number: signal.Signals = signal.SIGTERM, seconds: float = STOP_SECONDS) -> int:
        """Ask the process to end, wait for it and return its exit status; `ServerFailed` when it stays."""
        if self.process is None:
            return 0
        if self.alive:
            self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise ServerFailed(f"{self.name} did not end within {seconds:.0f} s of {number.name}") from None

    def kill9(self) -> None:
        """Kill the process and its children as a power cut would, and wait until they are gone."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self) -> Self:
        """Start the process again, ending it first when it still runs."""
        self.terminate()
        return self.start()

    def log_text(self) -> str:
        """Return all that the process has printed so far, over all of its starts."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill9()
