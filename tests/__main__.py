"""Run the tests, with what they need: `make test`; what `LATER` names has `make stories`.

Finds or installs browsers and Node.js, finds or starts PostgreSQL and Redis, runs the suite on SQLite, at the same time
`tests/browser` and `tests/integration` on the two servers, and says in its last lines what was used, what was skipped
and why.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn, Self

from tests.support.daemon import ROOT, ServerFailed, clean_environment
from tests.support.machine import find_all, say
from tests.support.needs import PREFIX
from tests.support.servers import Postgres, PrivateServer, Redis
from tests.support.tally import Tally, read_tally

BROWSER = "tests/browser"
INTEGRATION = "tests/integration"
TIMED = "tests/browser/test_weight.py"
"""Keeps a clock on a slowed browser: it has the machine to itself, after all others."""
LATER = ("tests/browser/test_levels.py", "tests/integration/test_calls.py")
"""Stories of minutes that `make stories` tells: with them `make test` takes more than ten on a slow machine."""
LONG = {
    **{"exit/test_leaving.py": 140, "exit/test_plain_traces.py": 50, "exit/test_traces.py": 45, "test_states.py": 185},
    **{"test_archive_pages.py": 185, "test_board.py": 45, "test_desk.py": 45, "test_desk_moments.py": 45},
    **{"test_no_socket.py": 45, "test_pages.py": 115, "test_plain.py": 190, "test_returning.py": 70},
    **{"test_story.py": 155, "test_talking.py": 45, "test_waiting.py": 40, "test_embedding.py": 35},
}
"""How many seconds the longest files take, others being `SHORT`. Only the balance between two runs hangs on it."""
SHORT = 20
PATIENT = "?options=-c%20lock_timeout%3D60s"
"""Asks the database of the tests themselves for more patience than Havre has; that of its processes stays as it is."""
NOTHING_SELECTED = 5
LOOK_SECONDS = 0.2
DESCRIBED = {
    "CHROMIUM": "Chromium",
    "HEADLESS": "Chromium without windows",
    "FIREFOX": "Firefox",
    "NODE": "Node.js",
    "AXE": "axe-core",
    "TSC": "TypeScript",
    "DATABASE_URL": "PostgreSQL",
    "REDIS_URL": "Redis",
}


def main(arguments: list[str]) -> int:
    """Run the parts of the suite and return the exit status."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, _stop)
    # a shell's background job ignores Ctrl-C, and so would every run that is to be ended by it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    total = Tally()
    statuses: list[int] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="havre-tests-")))
        tools = find_all()
        servers, used = start_servers(stack)
        environ = clean_environment() | tools | servers
        environ["HAVRE_DEVELOPMENT"] = "1"
        environ["HAVRE_TEST_PREPARED"] = str(folder / "prepared")
        # side by side: each waits more than it computes, and one after the other they take longer than anybody waits
        together, alone = plan(arguments, servers)
        runs = [stack.enter_context(Run(folder, environ, *planned)) for planned in together]
        for run in runs:
            statuses.append(_ended(run, total, arguments))
        for planned in alone:
            statuses.append(_ended(stack.enter_context(Run(folder, environ, *planned)), total, arguments))
    report(environ, used, total, time.monotonic() - began)
    return closing(total, statuses, strict=os.environ.get("CI") == "true")


def start_servers(stack: ExitStack) -> tuple[dict[str, str], dict[str, str]]:
    """Find or start PostgreSQL and Redis; return the variables for the tests, and how each was come by."""
    variables: dict[str, str] = {}
    used: dict[str, str] = {}
    kinds: dict[str, Callable[[], PrivateServer]] = {"DATABASE_URL": Postgres, "REDIS_URL": Redis}
    for name, kind in kinds.items():
        variable = f"HAVRE_TEST_{name}"
        if os.environ.get(variable):
            used[name] = f"found ({variable})"
            continue
        try:
            server = stack.enter_context(kind())
        except ServerFailed as error:
            variables[f"HAVRE_TEST_WHY_NOT_{name}"] = str(error).splitlines()[0]
        else:
            variables[variable] = server.url
            used[name] = f"started (process {server.pid}, port {server.port})"
    return variables, used


Planned = tuple[str, list[str], dict[str, str]]
"""A run's name, the arguments of pytest, and the settings of Havre."""


def plan(arguments: list[str], servers: Mapping[str, str]) -> tuple[list[Planned], list[Planned]]:
    """Return the runs to make side by side, and those to make after them, each alone."""
    paths = [word for word in arguments if word.startswith("tests/") and (ROOT / word.split("::")[0]).exists()]
    others = [word for word in arguments if word not in paths]
    addresses = {name: _address(name, servers) for name in ("DATABASE_URL", "REDIS_URL")}
    # of several hands at one row here, some wait while the machine stands still: that is not told as in use
    if addresses["DATABASE_URL"] and "?" not in addresses["DATABASE_URL"]:
        addresses["DATABASE_URL"] += PATIENT
    runs: list[Planned] = []
    rest = [path for path in paths if not path.startswith((BROWSER, INTEGRATION))]
    if rest or not paths:
        left_out = [f"--ignore={BROWSER}", f"--ignore={INTEGRATION}"]
        runs.append(("the tests on SQLite", [*left_out, *others, *(rest or ["tests"])], {}))
    for where, folder, settings in (("in browsers", BROWSER, {}), ("on PostgreSQL and Redis", INTEGRATION, addresses)):
        chosen = [path for path in paths if path.startswith(folder) and not path.startswith(TIMED)]
        for share in [chosen] if paths else shares(folder):
            if share:
                runs.append((f"the tests {where}", [*others, *share], settings))
    timed = [path for path in paths if path.startswith(TIMED)] if paths else [TIMED]
    return runs, [("the tests that keep a clock", [*others, *timed], {})] if timed else []


def shares(folder: str) -> list[list[str]]:
    """Return the files of the browser tests in two shares of about the same length, and other folders as they are."""
    later = [f"--ignore={name}" for name in LATER if name.startswith(folder)]
    if folder != BROWSER:
        return [[folder, *later]]
    files = [str(file.relative_to(ROOT)) for file in (ROOT / BROWSER).rglob("test_*.py")]
    kept = [name for name in files if name != TIMED and name not in LATER]
    seconds = {name: LONG.get(name.removeprefix(f"{BROWSER}/"), SHORT) for name in kept}
    halves: tuple[list[str], list[str]] = ([], [])
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        min(halves, key=lambda half: sum(seconds[one] for one in half)).append(name)
    # by what each leaves out: a file that is named is collected also where its folder says that it is not
    return [
        [BROWSER, f"--ignore={TIMED}", *later, *(f"--ignore={name}" for name in sorted(others))]
        for others in reversed(halves)
    ]


def _ended(run: "Run", total: Tally, arguments: list[str]) -> int:
    status = run.wait()
    total.add(read_tally(run.tally))
    return 0 if status == NOTHING_SELECTED and arguments else status


class Run:
    """Run pytest in a process of its own, with a data folder of its own; what it prints is shown as a whole."""

    def __init__(
        self, folder: Path, environ: Mapping[str, str], name: str, selection: list[str], extra: Mapping[str, str]
    ) -> None:
        self.name = name
        own = Path(tempfile.mkdtemp(prefix="run-", dir=folder))
        self.tally = own / "tally.json"
        self._printed = own / "printed"
        self._command = [sys.executable, "-m", "pytest", "-p", "tests.support.tally", *selection]
        self._environ = {**environ, **extra, "HAVRE_DATA_DIR": str(own / "data"), "HAVRE_TEST_TALLY": str(self.tally)}

    def __enter__(self) -> Self:
        say(f"running {self.name}")
        with self._printed.open("wb") as printed:
            self.process = subprocess.Popen(
                self._command, cwd=ROOT, env=self._environ, stdin=subprocess.DEVNULL, stdout=printed, stderr=printed
            )
        return self

    def wait(self) -> int:
        """Show what it prints, from its beginning to its end, and return its exit status."""
        say(f"what {self.name} said")
        with self._printed.open("rb") as printed:
            while True:
                ended = self.process.poll() is not None
                shutil.copyfileobj(printed, sys.stdout.buffer)
                sys.stdout.buffer.flush()
                if ended:
                    return self.process.returncode
                time.sleep(LOOK_SECONDS)

    def __exit__(self, *error: object) -> None:
        # Ctrl-C reached pytest as well; SIGTERM reached only this process. Either way its fixtures end first.
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def report(environ: Mapping[str, str], used: Mapping[str, str], total: Tally, seconds: float) -> None:
    """Say what was used, what was skipped and why, and how long it took."""
    for name, title in DESCRIBED.items():
        value = used.get(name) or environ.get(f"HAVRE_TEST_{name}")
        missing = environ.get(f"HAVRE_TEST_WHY_NOT_{name}", "not found")
        say(f"{title}: {value}" if value else f"{title}: MISSING, {missing}")
    for reason, count in sorted(Counter(total.reasons).items()):
        say(f"skipped {count}: {reason}")
    say(f"took {seconds:.0f} s")


def closing(total: Tally, statuses: list[int], *, strict: bool) -> int:
    """Print the last line and return the exit status of the whole."""
    lacking = [reason for reason in total.reasons if reason.startswith(PREFIX)]
    failed = any(statuses) or total.failed > 0
    if strict and lacking:
        say(f"failed: in CI nothing may be skipped for want of something, and {len(lacking)} tests were")
        failed = True
    if not (total.passed or total.failed or total.skipped):
        say("failed: no test ran")
        failed = True
    print(f"havre: {total.passed} passed, {total.failed} failed, {total.skipped} skipped", flush=True)
    return 1 if failed else 0


def _address(name: str, servers: Mapping[str, str]) -> str:
    variable = f"HAVRE_TEST_{name}"
    return servers.get(variable) or os.environ.get(variable, "")


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    # As an exception, so that the servers started here are stopped on the way out.
    raise SystemExit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        say("stopped")
        sys.exit(130)
