"""Run every test, with what they need: `make test`.

Finds or installs browsers and Node.js, finds or starts PostgreSQL and Redis, runs the suite on SQLite and then
`tests/integration` on the two servers, and says in its last lines what was used, what was skipped and why.
"""

import os
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
from typing import NoReturn

from tests.support.daemon import ROOT, ServerFailed, clean_environment
from tests.support.machine import find_all, say
from tests.support.needs import PREFIX
from tests.support.servers import Postgres, PrivateServer, Redis
from tests.support.tally import Tally, read_tally

INTEGRATION = "tests/integration"
NOTHING_SELECTED = 5
DESCRIBED = {
    "CHROMIUM": "Chromium",
    "FIREFOX": "Firefox",
    "NODE": "Node.js",
    "AXE": "axe-core",
    "TSC": "TypeScript",
    "DATABASE_URL": "PostgreSQL",
    "REDIS_URL": "Redis",
}


def main(arguments: list[str]) -> int:
    """Run the suite twice and return the exit status."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, _stop)
    total = Tally()
    statuses: list[int] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="havre-tests-")))
        tools = find_all()
        servers, used = start_servers(stack)
        environ = clean_environment() | tools | servers
        environ |= {"HAVRE_DEVELOPMENT": "1", "HAVRE_DATA_DIR": str(folder / "data")}
        for name, selection, extra in plan(arguments, servers):
            say(f"running {name}")
            tally = folder / f"tally-{len(statuses)}.json"
            statuses.append(run_pytest(selection, environ | extra | {"HAVRE_TEST_TALLY": str(tally)}))
            if statuses[-1] == NOTHING_SELECTED and arguments:
                statuses[-1] = 0
            total.add(read_tally(tally))
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


def plan(arguments: list[str], servers: Mapping[str, str]) -> list[tuple[str, list[str], dict[str, str]]]:
    """Return the runs to make: a name, the arguments of pytest and the settings of Havre for each."""
    paths = [word for word in arguments if word.startswith("tests/") and (ROOT / word.split("::")[0]).exists()]
    others = [word for word in arguments if word not in paths]
    with_servers = [path for path in paths if path.startswith(INTEGRATION)]
    embedded = [path for path in paths if path not in with_servers]
    addresses = {name: _address(name, servers) for name in ("DATABASE_URL", "REDIS_URL")}
    runs: list[tuple[str, list[str], dict[str, str]]] = []
    if embedded or not paths:
        selection = [f"--ignore={INTEGRATION}", *others, *(embedded or ["tests"])]
        runs.append(("the tests on SQLite", selection, {}))
    if with_servers or not paths:
        selection = [*others, *(with_servers or [INTEGRATION])]
        runs.append(("the tests on PostgreSQL and Redis", selection, addresses))
    return runs


def run_pytest(selection: list[str], environ: Mapping[str, str]) -> int:
    """Run pytest in a process of its own and return its exit status."""
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.tally", *selection]
    process = subprocess.Popen(command, cwd=ROOT, env=dict(environ), stdin=subprocess.DEVNULL)
    try:
        return process.wait()
    except BaseException:
        # Ctrl-C reached pytest as well; SIGTERM reached only this process. Either way its fixtures end first.
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


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
