"""Let a site serve steadily for long and see whether memory and file descriptors stay: `make soak MINUTES=30`."""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import own_kib
from tests.chaos.__main__ import stopped
from tests.chaos.count import Count, counted
from tests.chaos.faults import rss_kib
from tests.chaos.site import Site, running
from tests.chaos.table import ran_on, write_between
from tests.chaos.talk import seated, talk
from tests.support.crowd import Crowd, Pace, Visitor, until
from tests.support.daemon import Daemon

EVERY = 10.0
PER_SECOND = 20
PAIRS = 8
RECONNECT_EVERY = 3.0
NEWCOMER_EVERY = 10.0
WARM = 1 / 3
"""Share of the time that is left out: caches and pools fill."""
KIB_PER_MINUTE = 30.0
FILES_PER_MINUTE = 0.1
SHORTEST = 15.0
"""Minutes below which pools and caches still fill: the slope is shown and not judged."""


@dataclass
class Series:
    """Hold one figure of one process over time."""

    name: str
    at: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, seconds: float, value: float) -> None:
        """Keep one sample."""
        self.at.append(seconds)
        self.values.append(value)

    def slope(self, warm: float) -> tuple[float, float]:
        """Return by how much it grows in a minute after the warm-up, with the standard error."""
        kept = [(at / 60, value) for at, value in zip(self.at, self.values, strict=True) if at >= warm]
        return fitted(kept)


def fitted(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the slope of the line of least squares through some points, and its standard error."""
    count = len(points)
    if count < 3:
        return float("nan"), float("nan")
    middle_x, middle_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    slope = sum((x - middle_x) * (y - middle_y) for x, y in points) / spread
    rest = sum((y - middle_y - slope * (x - middle_x)) ** 2 for x, y in points)
    return slope, float((rest / (count - 2) / spread) ** 0.5)


def flat(slope: float, error: float, most: float) -> bool:
    """Tell whether growth is below a limit, or cannot be told from none."""
    return slope <= most or slope - 2 * error <= 0


async def soaked(site: Site, seconds: float) -> tuple[list[Series], Count]:
    """Let people talk, lose lines, come and go; sample all the while; count at the end."""
    series: list[Series] = []
    async with Crowd() as crowd:
        await seated(site, crowd, PAIRS, Pace())
        beside = [asyncio.create_task(one) for one in (_reconnecting(crowd), _coming(site, crowd))]
        beside.append(asyncio.create_task(_sampling(site, series)))
        began = time.monotonic()
        await talk(crowd, int(seconds * PER_SECOND), seconds)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        count = await counted(site, crowd)
        count.seconds = time.monotonic() - began
    return series, count


async def _reconnecting(crowd: Crowd) -> None:
    while True:
        await asyncio.sleep(RECONNECT_EVERY)
        random.choice([*crowd.visitors, *crowd.advocates]).lost(1006)


async def _coming(site: Site, crowd: Crowd) -> None:
    """Let newcomers come, write, and end their conversation."""
    while True:
        await asyncio.sleep(NEWCOMER_EVERY)
        visitor = Visitor(random.choice(site.ports), pace=Pace())
        visitor.connect()
        with suppress(AssertionError):
            await until(lambda visitor=visitor: visitor.welcomed, "a newcomer is welcomed", 15)  # type: ignore[misc]
            await visitor.say("hello, bonjour")
            await visitor.command(type="end")
        visitor.close()


async def _sampling(site: Site, series: list[Series]) -> None:
    began = time.monotonic()
    names = [f"web {number}" for number in range(len(site.webs))] + (["worker"] if site.worker else [])
    for name in names:
        series += [Series(f"{name}, memory"), Series(f"{name}, files")]
    while True:
        now = time.monotonic() - began
        for place, daemon in enumerate(site.daemons):
            series[2 * place].add(now, own_kib(daemon.pid) or rss_kib(daemon))
            if (files := _files(daemon)) is not None:
                series[2 * place + 1].add(now, files)
        await asyncio.sleep(EVERY)


def _files(daemon: Daemon) -> int | None:
    try:
        return len(os.listdir(f"/proc/{daemon.pid}/fd"))
    except OSError:
        # Havre closes its processes to others of its account; root may still count
        return None


def line(one: Series, warm: float) -> tuple[str, bool]:
    """Return one figure as a line of the table, and whether it is flat."""
    if not one.values:
        return f"| {one.name} | | | | | could not be read | |", True
    slope, error = one.slope(warm)
    memory = one.name.endswith("memory")
    level = next((value for at, value in zip(one.at, one.values, strict=True) if at >= warm), one.values[-1])
    holds = flat(slope, error, KIB_PER_MINUTE if memory else FILES_PER_MINUTE)
    figures = [
        f"{value / 1024:.1f} MiB" if memory else f"{value:.0f}"
        for value in (one.values[0], level, one.values[-1], max(one.values))
    ]
    words = f"{slope:+.2f}{' KiB' if memory else ''} a minute, standard error {error:.2f}"
    return f"| {one.name} | {' | '.join(figures)} | {words} | {'flat' if holds else '**GROWS**'} |", holds


def table(series: list[Series], count: Count, seconds: float, where: str) -> tuple[str, bool]:
    """Return the table and the verdict."""
    lines = [line(one, seconds * WARM) for one in series]
    head = ["| what | begin | after warm-up | end | most | slope after warm-up | verdict |", "|" + " --- |" * 7]
    said = (
        f"{seconds / 60:.0f} minutes on {where}: {PER_SECOND} texts a second over {PAIRS} conversations, "
        f"{count.reconnects} lines lost, a newcomer every {NEWCOMER_EVERY:.0f} s. Sent {count.sent:,} = acknowledged "
        f"{count.acknowledged:,} = stored {count.stored:,} = shown {count.shown_visitor:,} and {count.shown_staff:,}; "
        f"lost {count.lost}, doubled {count.doubled}{''.join('; **' + wrong + '**' for wrong in count.told())}."
    )
    text = "\n".join([ran_on(), "", said, "", *head, *(words for words, _ in lines)])
    return text, count.whole and all(holds for _, holds in lines)


def main(arguments: list[str]) -> int:
    """Soak, print, and write a whole soak of half an hour or more into the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--server", choices=["uvicorn", "daphne"], default="uvicorn")
    parser.add_argument("--nodes", action="store_true", help="two web processes, a worker, PostgreSQL and Redis")
    chosen = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, stopped)
    seconds = chosen.minutes * 60
    database, webs = ("postgres", 2) if chosen.nodes else ("sqlite", 1)
    where = f"{chosen.server}, {'PostgreSQL, Redis, 2 web processes' if chosen.nodes else 'SQLite'}"
    with (
        tempfile.TemporaryDirectory(prefix="havre-soak-") as folder,
        running(Path(folder), server=chosen.server, database=database, webs=webs) as site,
    ):
        series, count = asyncio.run(soaked(site, seconds))
    text, good = table(series, count, seconds, where)
    print(text)
    if chosen.minutes < SHORTEST:
        print(
            "soak: too short to judge a slope; the count " + ("holds" if count.whole else "does NOT hold"), flush=True
        )
        return 0 if count.whole else 1
    if chosen.minutes >= 30:
        write_between("soak", text)
    print(f"soak: {'flat' if good else 'NOT FLAT, or not whole'}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
