"""Measure durable messages beside a bare reference: `python -m bench`. Loopback only, bounded, ends by itself."""

import argparse
import asyncio
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.load import Counts, bare_pairs, closed_loop, havre_pairs
from tests.support.servers import free_port, havre_environment, manage, migrate_and_seed

ROOT = Path(__file__).resolve().parent.parent
TICKS: int = os.sysconf("SC_CLK_TCK")
TARGETS = ("havre-sqlite", "havre-sqlite-daphne", "bare-sqlite")

SESSIONS = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from staff.models import User
keys = []
for number in range({count}):
    user = User.objects.create(username=f"load{{number}}", work_name="Load", role="advocate", password="!", capacity=4)
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    keys.append(session.session_key)
print(json.dumps(keys))
"""


def main() -> None:
    """Run the rounds, print the table and write `bench/out/latest.json`."""
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--conversations", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    runs: dict[str, list[dict[str, Any]]] = {target: [] for target in TARGETS}
    for _ in range(options.rounds):
        for target in TARGETS:
            runs[target].append(measure(target, options.conversations, options.seconds))
    report = [summary(target, runs[target], options.conversations) for target in TARGETS]
    (ROOT / "bench/out/latest.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(table(report))


def measure(target: str, conversations: int, seconds: float) -> dict[str, Any]:
    """Start one server, load it, count its rows, end it."""
    with tempfile.TemporaryDirectory(prefix="havre-bench-") as folder:
        data, port = Path(folder), free_port()
        command, environ, sessions = prepare(target, data, port, conversations)
        log = (data / "log").open("wb")
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
        try:
            pin(process.pid)
            wait_for(port)
            counts, used = asyncio.run(load(target, port, sessions, conversations, seconds, process.pid))
            rows = stored(target, data)
        finally:
            process.kill()
            process.wait()
            log.close()
    if counts.refused:
        raise SystemExit(f"{target}: {counts.refused} posts were refused; the figures would not be of one workload")
    if not rows == counts.acknowledged == counts.delivered:
        raise SystemExit(f"{target}: {rows} rows, {counts.acknowledged} acknowledged, {counts.delivered} delivered")
    return {
        "acked_per_s": counts.acknowledged / counts.seconds,
        "cpu_s_per_1000": used * 1_000 / counts.acknowledged,
        "deliver_ms": counts.deliver_ms,
    }


def prepare(target: str, data: Path, port: int, conversations: int) -> tuple[list[str], dict[str, str], list[str]]:
    """Return command and environment of the server, and the sessions of its advocates."""
    if target == "bare-sqlite":
        environ = dict(os.environ) | {"BENCH_BARE_DATABASE": str(data / "bare.sqlite3")}
        uvicorn = [sys.executable, "-m", "uvicorn", "bench.bare:application", "--port", str(port)]
        return [*uvicorn, "--log-level", "warning", "--ws-per-message-deflate", "false"], environ, []
    environ = havre_environment(data)
    migrate_and_seed(environ)
    printed = manage(environ, "shell", "--no-imports", "-c", SESSIONS.format(count=conversations // 4 + 1))
    server = "daphne" if target.endswith("daphne") else "uvicorn"
    command = [sys.executable, "manage.py", "serve", "--port", str(port), "--server", server]
    return command, environ, json.loads(printed.strip().splitlines()[-1])


def pin(pid: int) -> None:
    """Put the server on one core and this generator on another, where there are two."""
    with suppress(OSError, AttributeError):
        if len(os.sched_getaffinity(0)) >= 1 and (os.cpu_count() or 1) >= 2:
            os.sched_setaffinity(pid, {0})
            os.sched_setaffinity(0, {1})


def wait_for(port: int) -> None:
    """Wait until something listens."""
    for _ in range(200):
        with suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).close()
            return
        time.sleep(0.1)
    raise SystemExit("the server did not start")


async def load(
    target: str, port: int, sessions: list[str], conversations: int, seconds: float, pid: int
) -> tuple[Counts, float]:
    """Open the pairs, run the loop; return the counts and the processor seconds of the server meanwhile."""
    base = f"http://127.0.0.1:{port}"
    bare = target == "bare-sqlite"
    pairs = await bare_pairs(base, conversations) if bare else await havre_pairs(base, sessions, conversations)
    before = processor_seconds(pid)
    counts = await closed_loop(pairs, seconds)
    return counts, processor_seconds(pid) - before


def processor_seconds(pid: int) -> float:
    """Return user and system time of a process."""
    fields: list[str] = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return float(int(fields[11]) + int(fields[12])) / float(TICKS)


def stored(target: str, data: Path) -> int:
    """Return how many messages the database holds."""
    bare = target == "bare-sqlite"
    name, query = ("bare.sqlite3", "row") if bare else ("havre.sqlite3", "chat_event WHERE kind = 'message'")
    connection = sqlite3.connect(data / name)
    try:
        return int(connection.execute(f"SELECT count(*) FROM {query}").fetchone()[0])
    finally:
        connection.close()


def summary(target: str, runs: list[dict[str, Any]], conversations: int) -> dict[str, Any]:
    """Return the medians of the rounds."""
    times = sorted(value for run in runs for value in run["deliver_ms"])

    def at(share: float) -> float:
        return round(float(times[min(len(times) - 1, int(len(times) * share))]), 2)

    return {
        "target": target,
        "n": conversations,
        "acked_per_s": round(statistics.median(run["acked_per_s"] for run in runs), 1),
        "deliver_ms": {"p50": at(0.5), "p95": at(0.95), "p99": at(0.99)},
        "cpu_s_per_1000": round(statistics.median(run["cpu_s_per_1000"] for run in runs), 4),
    }


def table(report: list[dict[str, Any]]) -> str:
    """Return the figures for people; the ratio is to the reference of the same run."""
    reference = next(row["acked_per_s"] for row in report if row["target"] == "bare-sqlite")
    lines = [f"{'target':<22}{'CPU s/1000':>11}{'x bare':>8}{'acked/s':>9}{'p50 ms':>8}{'p99 ms':>8}"]
    for row in report:
        times = row["deliver_ms"]
        lines.append(
            f"{row['target']:<22}{row['cpu_s_per_1000']:>11.3f}{row['acked_per_s'] / reference:>8.2f}"
            f"{row['acked_per_s']:>9.0f}{times['p50']:>8.1f}{times['p99']:>8.1f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
