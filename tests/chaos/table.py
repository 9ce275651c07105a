"""Put the tables of the last runs into docs/reliability.md, between marks, with what they ran on."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.chaos.count import Count
from tests.support.daemon import ROOT
from tests.support.servers import ServerFailed, postgres_programs

PAGE = ROOT / "docs" / "reliability.md"
PACKAGES = ("django", "channels", "channels-redis", "uvicorn", "daphne", "psycopg", "redis")
TITLES = ("run", "on", "sent = acknowledged = stored = shown", "lost", "doubled", "`ours`", "came back", "longest wait")
HEAD = f"| {' | '.join((*TITLES, 's', 'result'))} |"


def row(name: str, where: str, count: Count) -> str:
    """Return one run as a line of the table."""
    counts = (count.sent, count.acknowledged, count.stored, count.shown_visitor, count.shown_staff)
    equal = f"{count.sent:,}" if len(set(counts)) == 1 else " / ".join(f"{one:,}" for one in counts)
    result = "; ".join([*("**" + wrong + "**" for wrong in sorted(count.told())), *count.remarks])
    verdict = "held" if count.whole else "FAILED"
    cells = (name, where, equal, count.lost, count.doubled, count.ours, count.reconnects)
    return f"| {' | '.join(map(str, cells))} | {count.slowest:.1f} s | {count.seconds:.0f} | {verdict}: {result} |"


def failed_row(name: str, where: str, error: BaseException) -> str:
    """Return a run that did not come to its count."""
    inner = error
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    said = (str(inner).splitlines() or [""])[0].replace("|", "/")[:200]
    return f"| {name} | {where} | | | | | | | | FAILED: **{type(inner).__name__}: {said}** |"


def chaos_table(rows: list[str]) -> str:
    """Return the table of fault runs."""
    return "\n".join([ran_on(), "", HEAD, "|" + " --- |" * 10, *rows])


def ran_on() -> str:
    """Say when, with what and on how large a machine; no name of a machine."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    versions += [said for program in ("redis-server", "postgres") if (said := _version(program))]
    return (
        f"Run on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit `{_commit()}`, {cores} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, {', '.join(versions)}."
    )


def write_between(mark: str, text: str) -> None:
    """Replace what stands between two marks of the page."""
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    if not rest or end not in rest:
        raise SystemExit(f"{PAGE} has no marks for {mark}")
    PAGE.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def _version(program: str) -> str:
    try:
        path = shutil.which(program) or (str(Path(postgres_programs()) / program) if program == "postgres" else "")
    except ServerFailed:
        path = ""
    if not path:
        return ""
    words = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout.split()
    number = next((word.removeprefix("v=") for word in words if word.removeprefix("v=")[:1].isdigit()), "")
    return f"{'PostgreSQL' if program == 'postgres' else 'Redis'} {number}"
