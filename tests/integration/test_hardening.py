"""The memory of a real process stays where it is: no core dump, and closed to its neighbours."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.daemon import Daemon
from tests.support.needs import ROOT, need_postgres, need_redis
from tests.support.servers import HavreServer, HavreWorker, fresh_database, havre_environment, migrate_and_seed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

LAUNCH = """
import ctypes, os, resource, sys
# nobody's powers, as in production: root would be let through every door
for power in range(64):
    ctypes.CDLL(None).prctl(24, power, 0, 0, 0)
# and a shell that allows cores, as far as this machine lets it
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts a program as its distribution's defaults would at their worst."""

SLEEPER = "import time; print('here', flush=True); time.sleep(60)"


def launched(*command: str) -> list[str]:
    """Return the command line that starts a program without powers and with cores allowed."""
    return [sys.executable, "-c", LAUNCH, *command]


def core_limit(pid: int) -> list[str]:
    """Return soft and hard limit of the size of a core."""
    lines = Path(f"/proc/{pid}/limits").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith("Max core file size"))
    return line.split()[4:6]


def readable_by_neighbours(pid: int) -> bool:
    """Tell whether another process of the same account reads the environment and the memory map."""
    looks = f"open('/proc/{pid}/environ', 'rb').read(); open('/proc/{pid}/maps', 'rb').read()"
    done = subprocess.run(
        launched(sys.executable, "-c", looks), capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0 or "PermissionError" in done.stderr, done.stderr
    return done.returncode == 0


class LaunchedServer(HavreServer):
    """Serve Havre where nothing else protects it."""

    def command(self) -> list[str]:
        return launched(*super().command())


class LaunchedWorker(HavreWorker):
    """Run the worker where nothing else protects it."""

    def command(self) -> list[str]:
        return launched(*super().command())

    def answers(self) -> bool:
        return "The worker runs." in self.log_text()


def closed(process: Daemon) -> bool:
    """Tell whether a running process leaves no core and lets nobody read it."""
    return core_limit(process.pid) == ["0", "0"] and not readable_by_neighbours(process.pid)


def test_an_ordinary_process_is_open() -> None:
    """Without this one the tests below could be green for a reason of the machine's."""
    with subprocess.Popen(launched(sys.executable, "-c", SLEEPER), stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"here\n"
            assert readable_by_neighbours(process.pid)
        finally:
            process.kill()


@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_web_process_is_closed(tmp_path: Path, server: str) -> None:
    migrate_and_seed(havre_environment(tmp_path))
    with LaunchedServer(tmp_path, server=server) as running:
        assert closed(running)


@pytest.mark.servers
def test_a_worker_is_closed(tmp_path: Path) -> None:
    redis = need_redis()
    with fresh_database(need_postgres()) as database:
        migrate_and_seed(havre_environment(tmp_path, database_url=database, redis_url=redis))
        with LaunchedWorker(tmp_path, database_url=database, redis_url=redis) as running:
            assert closed(running)


def run(program: str, tmp_path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a short program of ours and return what it said."""
    return subprocess.run(
        launched(sys.executable, "-c", textwrap.dedent(program)),
        cwd=ROOT,
        env=havre_environment(tmp_path, **environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


TELL = """
import ctypes, resource
def tell():
    print(resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0))
"""
CLOSED = "(0, 0) 0\n"


def manage_command(command: str) -> str:
    """Return a program that runs one of our commands and then tells how closed the process is."""
    return (
        TELL + f"import sys, manage\nsys.argv = ['manage.py', '{command}', '--verbosity', '0']\nmanage.main()\ntell()"
    )


def asgi_server() -> str:
    """Return a program that loads the site as any other server would."""
    return TELL + "import config.asgi\ntell()"


@pytest.mark.parametrize("program", [lambda: manage_command("migrate"), asgi_server], ids=["command", "other server"])
def test_commands_and_other_servers_are_closed_too(program: Callable[[], str], tmp_path: Path) -> None:
    done = run(program(), tmp_path)
    assert done.stdout == CLOSED, done.stderr


def test_what_a_kernel_refuses_ends_the_start(tmp_path: Path) -> None:
    done = run(
        """
        from unittest import mock
        from config import process
        with mock.patch.object(process, "_PR_SET_DUMPABLE", -1):
            process.harden()
        """,
        tmp_path,
    )
    assert "this process could not be closed to others" in done.stderr


def test_no_process_starts_with_debug_pages(tmp_path: Path) -> None:
    (tmp_path / "loose.py").write_text("from config.settings import *\nDEBUG = True\n", encoding="ascii")
    for command in ("check", "migrate", "serve"):
        done = run(
            f"""
            import sys
            sys.path[:0] = [{str(ROOT)!r}, {str(tmp_path)!r}]
            import manage
            sys.argv = ["manage.py", {command!r}]
            manage.main()
            """,
            tmp_path,
            DJANGO_SETTINGS_MODULE="loose",
        )
        assert done.returncode == 1
        assert "DEBUG is on: its error pages show what people wrote" in done.stderr
