"""Calls for help, long: `make calls` (some 6 minutes); writes its table into docs/reliability.md."""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.chaos.__main__ import stopped
from tests.chaos.calls import SOON, Shift, heard, p99, shift, told
from tests.chaos.clocks import ROUND, Round, carried, judged, killed, wait_until, watched
from tests.chaos.table import ran_on, write_between
from tests.support.servers import Postgres, Redis

HEARD, EVERY = 500, 0.2
DEATHS, FEW = 10, 5
REPEATS = 10
MANY = 1_000
HEAD = "| run | result |\n| --- | --- |"

Line = tuple[str, bool]


def main(arguments: list[str]) -> int:
    """Make the runs and write the table when every one was made; 1 when one of them did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.long_calls", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], help="runs whose name holds one of these words")
    only = parser.parse_args(arguments).only
    signal.signal(signal.SIGTERM, stopped)
    runs: list[tuple[str, Callable[[], Line]]] = [
        (f"{HEARD} calls raised on one process, on the board of the other", board),
        (f"worker killed (-9) {DEATHS} times while {FEW} clocks ran", deaths),
        (f"two workers, {REPEATS} times {FEW} clocks", double),
        (f"{MANY:,} clocks at once, one worker", many),
        (f"{MANY:,} clocks at once, the worker killed among them, then two", many_killed),
    ]
    rows, failed = [], 0
    for name, make in runs:
        if only and not any(word in name for word in only):
            continue
        try:
            result, held = make()
        except Exception as error:
            traceback.print_exception(error, limit=-6)
            result, held = f"**{type(error).__name__}: {str(error)[:200]}**", False
        failed += not held
        rows.append(f"| {name} | {'held' if held else 'FAILED'}: {result} |")
        print(rows[-1], flush=True)
    if not only:
        write_between("calls", "\n".join([ran_on(), "", HEAD, *rows]))
    return 1 if failed else 0


@contextmanager
def running(clocks: dict[int, int], webs: int = 0) -> Iterator[Shift]:
    """Start a shift on servers of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="havre-calls-") as folder,
        Postgres() as postgres,
        Redis() as redis,
        shift(Path(folder), postgres.url, redis.url, clocks=clocks, webs=webs) as one,
    ):
        yield one


def board() -> Line:
    """Raise on one process, hear on the other, while visitors write and a worker runs."""
    with running({}, webs=2) as one:
        one.worker().start()
        seconds = asyncio.run(heard(one, HEARD, EVERY))
    return f"heard after {told(seconds)}", p99(seconds) < SOON


def deaths() -> Line:
    """Kill the worker again and again while clocks run; each time they act once, as soon as another one runs."""
    with running({2: FEW}) as one:
        worker = one.worker().start()
        fates = [killed(one, worker, 2, FEW, times=number) for number in range(1, DEATHS + 1)]
        # the climb to level 3 pages at once, and the repeats find that paging under way
        wait_until(lambda: one.pager.calls == FEW, "each is paged for")
        wrong = _wrong(one, FEW * DEATHS) + ([f"paged for {one.pager.calls} calls"] if one.pager.calls != FEW else [])
    behind = max(fate.acted - fate.started for fate in fates)
    began = max(fate.started for fate in fates)
    if behind > ROUND:
        wrong.append(f"acted {behind:.1f} s after a worker ran")
    said = f"{FEW * DEATHS} acts, each once, at most {behind:.1f} s after a start of at most {began:.1f} s"
    return f"{said}{_and(wrong)}", not wrong


def double() -> Line:
    """Let two workers see each clock run out at the same moment."""
    with running({3: FEW}) as one:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda worker: worker.start(), [one.worker(), one.worker()]))
        slowest = 0.0
        for number in range(1, REPEATS + 1):
            since = one.run_out(3, left=1.0)
            wait_until(lambda number=number: one.acted(3, times=number) == FEW, "each calls again")  # type: ignore[misc]
            slowest = max(slowest, time.monotonic() - since)
        wait_until(lambda: one.pager.calls == FEW, "each is paged for")
        wrong = _wrong(one, FEW * REPEATS) + ([f"paged for {one.pager.calls} calls"] if one.pager.calls != FEW else [])
    return (
        f"{FEW * REPEATS} acts and {FEW} calls paged, each once, at most {slowest:.1f} s late{_and(wrong)}",
        not wrong,
    )


def many() -> Line:
    """Let all clocks run out at once under one worker."""
    with running({1: MANY}) as one:
        one.worker().start()
        time.sleep(3)
        one.run_out(1)
        seen = watched(one, 1, MANY, time.monotonic(), within=120)
        wrong = _wrong(one, MANY)
    return f"{_late(seen)}{_and(wrong)}", not wrong


def many_killed() -> Line:
    """Kill the worker among many clocks, which climb to level 3 and page; two others go on."""
    with running({2: MANY}) as one:
        worker = one.worker().start()
        time.sleep(3)
        one.run_out(2)
        since = time.monotonic()
        wait_until(lambda: one.acted(2) > MANY // 10, "some act")
        worker.kill9()
        for other in (one.worker(), one.worker()):
            other.start()
        seen = watched(one, 2, MANY, since, within=120)
        wrong = _wrong(one, MANY)
        paged = wait_until(lambda: one.pager.calls == MANY, "each is paged for", within=300)
    return f"{_late(seen)}; all pages carried {paged:.0f} s later{_and(wrong)}", not wrong


def _late(seen: Round) -> str:
    half, most, last = (f"{seen.after(part):.1f} s" for part in (0.5, 0.99, 1))
    return (
        f"half had acted after {half}, 99 % after {most}, the last after {last}; a look took "
        f"{seen.after(1) - seen.first:.1f} s; at most {seen.connections} connections, {seen.waiting} waited for a "
        f"lock, {1_000 * seen.longest_wait:.0f} ms at most"
    )


def _wrong(one: Shift, acts: int) -> list[str]:
    """Return what is wrong once all is in the cases, each remark once."""
    wait_until(lambda: carried(one), "all is in its case", within=120)
    found = judged(one)
    wrong = list(dict.fromkeys(found.wrong))
    if found.acts != acts:
        wrong.append(f"{found.acts} acts where {acts} were due")
    return wrong + [line for line in one.logs().splitlines() if "failed" in line or "could not" in line][:3]


def _and(wrong: list[str]) -> str:
    return "".join(f"; **{one}**" for one in wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
