"""Make every fault, long: `make chaos` (10 to 15 minutes), or `make chaos ARGS='--only redis clock'`."""

import argparse
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from types import FrameType
from typing import NoReturn

from tests.chaos import runs
from tests.chaos.count import Count
from tests.chaos.runs import Size
from tests.chaos.table import HEAD, chaos_table, failed_row, row, write_between
from tests.support.crowd import Pace

SOLO = Size(messages=4_000, pairs=16, seconds=20.0, times=3, crowd=2_000, pace=Pace().faster(2), thorough=True)
DAPHNE = replace(SOLO, server="daphne")
TWO = replace(SOLO, database="postgres", webs=2, messages=3_000, times=4)
LONE = replace(SOLO, messages=5_000, pairs=1, times=1)

Run = tuple[str, Callable[[Size], Count], Size]
RUNS: list[Run] = [
    ("kill -9 of the web process", runs.web_killed, SOLO),
    ("kill -9 of the web process", runs.web_killed, DAPHNE),
    ("kill -9 of web processes in turn", runs.web_killed, TWO),
    ("SIGTERM under load", runs.web_stopped, SOLO),
    ("SIGTERM under load", runs.web_stopped, DAPHNE),
    ("SIGTERM of web processes in turn", runs.web_stopped, TWO),
    ("redis: connections killed, restarted", runs.redis_restarted, TWO),
    ("nudges dropped, doubled, swapped", runs.nudges_meddled, TWO),
    ("postgres restarted and killed", runs.postgres_restarted, TWO),
    ("server lines half open and cut", runs.server_lines_bad, TWO),
    ("page lines slow, half open, cut, refused", runs.page_lines_bad, SOLO),
    ("page lines slow, half open, cut, refused", runs.page_lines_bad, DAPHNE),
    ("disk full", runs.disk_full, SOLO),
    ("clock back an hour", runs.clock_back, SOLO),
    ("storm of 2,000", runs.storm, SOLO),
    ("storm of 2,000", runs.storm, DAPHNE),
    ("never reads", runs.never_reads, LONE),
    ("never reads", runs.never_reads, replace(LONE, server="daphne")),
]


def main(arguments: list[str]) -> int:
    """Make the runs, print the table, and write it into the page when every run was made."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--only", nargs="+", default=[], help="runs whose name holds one of these words")
    parser.add_argument("--messages", type=int, help="how many in each run")
    parser.add_argument("--crowd", type=int, help="how many come back at once in the storm")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, stopped)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 20_000)), hard))
    rows, failed = [], 0
    for name, make, size in RUNS:
        if chosen.only and not any(word in name for word in chosen.only):
            continue
        size = replace(size, messages=chosen.messages or size.messages, crowd=chosen.crowd or size.crowd)
        line, good = one(name, make, size)
        print(line, flush=True)
        rows.append(line)
        failed += not good
    print(f"\n{HEAD}", *rows, sep="\n")
    if not (chosen.only or chosen.messages or chosen.crowd):
        write_between("chaos", chaos_table(rows))
    print(f"chaos: {len(rows) - failed} held, {failed} failed", flush=True)
    return 1 if failed else 0


def stopped(number: int, frame: FrameType | None) -> NoReturn:
    """End as an exception, so that the servers started here are stopped on the way out."""
    raise SystemExit(128 + number)


def one(name: str, make: Callable[[Size], Count], size: Size) -> tuple[str, bool]:
    """Make one run; return its line, and whether all held."""
    data = "PostgreSQL, Redis, 2 web" if size.webs > 1 else "SQLite"
    where = f"{size.server}, {data}"
    try:
        count = make(size)
    except Exception as error:
        traceback.print_exception(error, limit=-6)
        return failed_row(name, where, error), False
    return row(name, where, count), count.whole


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
