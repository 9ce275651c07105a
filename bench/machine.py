"""What Linux tells of processes that we started: cores, processor seconds, memory."""

import os
import resource
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

TICKS: int = os.sysconf("SC_CLK_TCK")
ALLOWED: frozenset[int] = frozenset(os.sched_getaffinity(0))
"""The cores that this process was started with."""
_SPARE_FILES = 500


def cores() -> tuple[frozenset[int], frozenset[int]]:
    """Return the core of the servers and the core of the generator; all for both where there is only one."""
    if len(ALLOWED) < 2:
        return ALLOWED, ALLOWED
    first, second, *_ = sorted(ALLOWED)
    return frozenset({first}), frozenset({second})


@contextmanager
def on_cores(chosen: Iterable[int]) -> Iterator[None]:
    """Run this thread, and whatever it starts meanwhile, on some cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_files(count: int) -> None:
    """Let this process, and whatever it starts from here on, open so many files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _SPARE_FILES
    if soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, OSError):
        raise SystemExit(f"{wanted} open files are needed and the limit is {hard}; raise it with ulimit -n") from None


def tree(roots: Iterable[int]) -> list[int]:
    """Return these processes and all below them."""
    children: dict[int, list[int]] = {}
    for pid, fields in _stats().items():
        children.setdefault(int(fields[1]), []).append(pid)
    found, waiting = [], list(roots)
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting.extend(children.get(pid, ()))
    return found


def processor_seconds(roots: Iterable[int]) -> float:
    """Return user and system time of these processes and all below them, those that ended and were waited for too."""
    stats = _stats()
    return sum(spent(stats[pid]) for pid in tree(roots) if pid in stats) / TICKS


def spent(fields: list[str]) -> int:
    """Return the ticks in what `/proc/PID/stat` says behind the name: own and of children that were waited for."""
    return sum(int(field) for field in fields[11:15])


def memory_kib(roots: Iterable[int]) -> int | None:
    """Return the proportional set size of these processes and all below them, None where it may not be read."""
    total = 0
    for pid in tree(roots):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        except ProcessLookupError:
            continue
        except OSError:
            # Havre closes its memory to other processes of its account; root may still count it
            return None
        total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total


def own_kib(pid: int) -> int | None:
    """Return the memory that one process shares with nobody, None where it may not be read.

    The proportional size moves when a neighbour that shares a library starts or ends.
    """
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return None
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Private_"))


def settle(roots: list[int], within: float = 15.0) -> None:
    """Wait until these processes have little to do; goes on after a while in any case."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        before = processor_seconds(roots)
        time.sleep(0.5)
        if processor_seconds(roots) - before < 0.05:
            return


def _stats() -> dict[int, list[str]]:
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with suppress(OSError):
                text = Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace")
                found[int(entry.name)] = text.rsplit(")", 1)[1].split()
    return found
