"""Measure durable messages beside references: `python -m bench`. Loopback only, bounded, ends by itself."""

import argparse
import gc
import json
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from bench import report
from bench.havre import Havre
from bench.machine import ALLOWED, allow_files, cores, on_cores
from bench.peers import Ejabberd, Prosody, XmppServer, install
from bench.references import Bare, Tutorial
from bench.report import Row, Run
from bench.targets import Target
from bench.wire import Broken
from bench.workloads import Mismatch, Workload
from tests.support.daemon import ServerFailed

OUT = Path(__file__).resolve().parent / "out/latest.json"
REFERENCES = ("bare-sqlite", "bare-postgres")
TARGETS: tuple[Target, ...] = (
    Havre("havre-sqlite", "bare-sqlite"),
    Havre("havre-sqlite-daphne", "bare-sqlite", server="daphne"),
    Havre("havre-postgres", "bare-postgres", postgres=True),
    Havre("havre-sqlite-unscreened", "bare-sqlite", screening=False),
    Havre("havre-postgres-unscreened", "bare-postgres", postgres=True, screening=False),
    Havre("havre-two-nodes", "bare-postgres", postgres=True, nodes=2),
    Bare("bare-sqlite", postgres=False),
    Bare("bare-postgres", postgres=True),
    Tutorial("tutorial-daphne", "bare-sqlite"),
    XmppServer("prosody", Prosody, "prosody"),
    XmppServer("ejabberd", Ejabberd, "ejabberdctl"),
)


def main() -> None:
    """Run the rounds, print the table and write `bench/out/latest.json`."""
    options = arguments()
    if options.install:
        install()
    workloads = asked_for(options)
    targets = [target for name in options.targets for target in TARGETS if target.name == name and there(target)]
    allow_files(max(one.sockets + 2 * one.conversations for one in workloads))
    runs: dict[str, list[Run]] = {target.name: [] for target in targets}
    rounds = options.rounds or (1 if workloads[0].sockets else 3)
    for number in range(rounds):
        for target in targets:
            for workload in workloads:
                if workload.fits(target):
                    say(f"round {number + 1} of {rounds}: {target.name}, {workload.name} {workload.kind}".rstrip())
                    runs[target.name].append(measured(target, workload))
    rows = rows_of(targets, workloads, runs)
    OUT.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    print(shown(rows, targets))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description="Measure delivery on this machine.")
    names = [target.name for target in TARGETS]
    parser.add_argument("--targets", nargs="+", choices=names, metavar="NAME", default=names, help=", ".join(names))
    parser.add_argument("--rounds", type=int, help="3; 1 with --sockets and --idle")
    parser.add_argument("--seconds", type=float, default=5, help="how long messages are sent (5)")
    parser.add_argument("--conversations", type=int, help="50; 200 with --open")
    parser.add_argument("--install", action="store_true", help="install Prosody and ejabberd by apt-get first")
    kinds = parser.add_mutually_exclusive_group()
    kinds.add_argument(
        "--open", type=float, metavar="RATE", help="messages a second at a fixed rate, not in closed loop"
    )
    kinds.add_argument("--sockets", type=int, nargs="?", const=2_000, metavar="N", help="memory of and connects of N")
    kinds.add_argument("--idle", type=int, metavar="N", help="N idle visitors, while others talk")
    kinds.add_argument("--kill", action="store_true", help="kill -9 in mid-load, then look for what was acknowledged")
    return parser.parse_args()


def asked_for(options: argparse.Namespace) -> list[Workload]:
    """Return what the command line asks for; a crowd of each kind has servers of its own."""
    n, seconds = options.conversations or (200 if options.open else 50), options.seconds
    if options.sockets:
        return [Workload("sockets", 0, 0, sockets=options.sockets, kind=kind) for kind in ("visitor", "staff")]
    if options.idle:
        return [Workload("idle", n, seconds, sockets=options.idle, kind="visitor")]
    if options.kill:
        return [Workload("kill", n, seconds)]
    return [Workload("open" if options.open else "closed", n, seconds, rate=options.open or 0.0)]


def there(target: Target) -> bool:
    """Tell whether a target can run here, and say why not."""
    reason = target.missing()
    if reason:
        say(f"{target.name} is skipped: {reason}")
    return not reason


def measured(target: Target, workload: Workload) -> Run:
    """Start one target, put it through a workload and end it."""
    servers, generator = cores()
    people = workload.sockets if workload.kind == "staff" else 0
    with tempfile.TemporaryDirectory(prefix="havre-bench-") as folder, ExitStack() as stack:
        # what is started meanwhile inherits the cores, and so does what it starts itself
        with on_cores(ALLOWED if target.both_cores else servers):
            running = stack.enter_context(target.running(Path(folder), max(people, workload.conversations)))
        gc.collect()
        try:
            with on_cores(generator):
                return workload.run(running)
        except (Mismatch, Broken, TimeoutError) as error:
            raise SystemExit(f"{target.name}: {type(error).__name__}: {error}") from None


def rows_of(targets: list[Target], workloads: list[Workload], runs: dict[str, list[Run]]) -> list[Row]:
    """Return a row for each target that ran, with its ratios to the references of the same rounds."""
    references = {name: runs[name] for name in REFERENCES if runs.get(name)}
    first = workloads[0]
    rows = []
    for target in targets:
        if mine := runs[target.name]:
            row = report.row_of(target.name, first.conversations or first.sockets, first.name, mine)
            rows.append(row | report.ratios(mine, references) | {"load_average": round(os.getloadavg()[1], 1)})
    return rows


def shown(rows: list[Row], targets: list[Target]) -> str:
    """Return what a person reads in the end."""
    parts = []
    if any(row["acked_per_s"] is not None for row in rows):
        parts.append(report.table(rows, {target.name: target.reference for target in targets}))
    if any(row.get("sockets") or row.get("staff_sockets") for row in rows):
        parts.append(report.crowd_table(rows))
    for row in rows:
        if row["workload"] == "kill":
            figures = f"{row['acknowledged_before_kill']:.0f} acknowledged, {row['rows_after_kill']:.0f} rows"
            parts.append(f"{row['target']}: killed in mid-load {row['rounds']} times, medians {figures}, none lost")
    parts.extend(report.warnings(rows))
    parts.append(f"load of the machine over five minutes: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores")
    return "\n".join(parts)


def say(what: str) -> None:
    """Tell a waiting person where it is."""
    print(what, file=sys.stderr, flush=True)


def stop(*_: object) -> NoReturn:
    """End as an error does, so that every server is ended and its data deleted."""
    raise SystemExit(128 + signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stop)
    try:
        main()
    except ServerFailed as failed:
        raise SystemExit(str(failed)) from None
