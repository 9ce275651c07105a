"""The fault runs, each a function of its size: start a site, let people talk, make the fault, count."""

import asyncio
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from bench.machine import allow_files
from tests.chaos import faults
from tests.chaos.clock import Clock
from tests.chaos.count import Count
from tests.chaos.disk import SmallDisk
from tests.chaos.site import Site, running
from tests.chaos.stranded import nobody_is_stranded, somebody_new_is_served
from tests.chaos.talk import Fault, during, when
from tests.support.crowd import Crowd, Pace, Visitor, until

SWIFT = Pace().faster(8)
GROWTH_MIB = 20.0
LONG_TEXT = "\U0001f642" * 3_950
"""Nearly the longest text allowed, in the widest signs: some 16 KB."""


@dataclass(frozen=True)
class Size:
    """Say how much is done, and on what."""

    messages: int
    pairs: int = 8
    seconds: float = 3.0
    server: str = "uvicorn"
    database: str = "sqlite"
    webs: int = 1
    times: int = 1
    crowd: int = 150
    pace: Pace = SWIFT
    thorough: bool = False


def web_killed(size: Size, site: Site | None = None) -> Count:
    """Kill -9 web processes."""
    return _run(size, faults.web_killed(size.messages, size.times), site)


def web_stopped(size: Size, site: Site | None = None) -> Count:
    """End web processes under load."""
    return _run(size, faults.web_stopped(size.messages, size.times), site)


def redis_restarted(size: Size, site: Site | None = None) -> Count:
    """Kill connections of Redis and restart it."""
    return _run(size, faults.redis_restarted(size.messages, size.times), site)


def postgres_restarted(size: Size, site: Site | None = None) -> Count:
    """Restart and kill PostgreSQL."""
    return _run(size, faults.postgres_restarted(size.messages, size.times), site)


def page_lines_bad(size: Size, site: Site | None = None) -> Count:
    """Spoil the lines of pages."""
    return _run(size, faults.page_lines_bad(size.messages), site, before=("web",))


def server_lines_bad(size: Size, site: Site | None = None) -> Count:
    """Spoil the lines to Redis and PostgreSQL."""
    return _run(size, faults.server_lines_bad(size.messages), site, before=("redis", "postgres"))


def nudges_meddled(size: Size, site: Site | None = None) -> Count:
    """Drop, double and swap nudges."""
    return _run(size, faults.nudges_meddled(size.messages), site, before=("redis",))


def storm(size: Size, site: Site | None = None) -> Count:
    """Let a crowd lose its lines at once, then let the process die under it."""
    allow_files(size.crowd * 2 + 1_000)
    within = 60.0 if size.thorough else 20.0
    count = _run(size, faults.storm(size.messages, size.crowd, kill=False, pace=Pace(), within=within), site)
    if size.thorough:
        second = _run(size, faults.storm(size.messages, size.crowd, kill=True, pace=Pace(), within=within), site)
        count = added(count, second)
    return count


def disk_full(size: Size) -> Count:
    """Fill the disk under SQLite, and free it."""
    with SmallDisk() as disk, tempfile.TemporaryDirectory(prefix="havre-chaos-") as logs:
        data = disk.folder / "data"
        data.mkdir(mode=0o700)

        async def fault(site: Site, crowd: Crowd) -> list[str]:
            await when(crowd, size.messages // 3)
            web = site.webs[0]
            pid = web.pid
            await asyncio.to_thread(disk.fill, web)
            refused = [visitor.ledger.refused for visitor, _, _ in crowd.seats]
            await until(lambda: sum(map(len, refused)) >= min(3, len(refused)), "senders are told `ours`", 30)
            before = crowd.acknowledged
            await asyncio.sleep(size.pace.try_again_after)
            held, said = crowd.acknowledged - before, await asyncio.to_thread(disk.says)
            await asyncio.to_thread(disk.free, web)
            await when(crowd, before + size.messages // 6)
            assert web.alive, "the server ended"
            assert web.pid == pid, "the server was started again"
            return [disk.how, said, f"{held} acknowledged while full"]

        with running(data, server=size.server, logs=Path(logs)) as site:
            return asyncio.run(_talked(site, size, fault))


def clock_back(size: Size) -> Count:
    """Set the clock back an hour in the middle."""
    with tempfile.TemporaryDirectory(prefix="havre-chaos-") as folder:
        clock = Clock(Path(folder) / "clock", library=size.thorough)
        Path(folder, "data").mkdir(mode=0o700)

        async def fault(site: Site, crowd: Crowd) -> list[str]:
            await when(crowd, size.messages // 2)
            if size.thorough:
                return [clock.how, *await nobody_is_stranded(site, crowd, clock)]
            clock.set(-3_600)
            await asyncio.sleep(1.5)
            return [clock.how, *await somebody_new_is_served(site, crowd)]

        with running(Path(folder) / "data", server=size.server, environ=clock.environ) as site:
            count = asyncio.run(_talked(site, size, fault))
            times = [str(at) for (at,) in site.query("SELECT at FROM chat_event ORDER BY id")]
            if max(times) == times[-1]:
                count.wrong.append("the clock was not set back")
            count.wrong += [remark for remark in count.remarks if remark.startswith("STRANDED")]
            count.remarks = [remark for remark in count.remarks if not remark.startswith("STRANDED")]
    return count


def never_reads(size: Size) -> Count:
    """Let pages of one conversation stop reading while long texts flow through it."""
    with (
        tempfile.TemporaryDirectory(prefix="havre-chaos-") as folder,
        running(Path(folder), server=size.server) as site,
    ):
        return asyncio.run(_never_reads(site, size))


async def _never_reads(site: Site, size: Size) -> Count:
    warm = size.messages // 4
    web = site.webs[0]

    async def fault(_: Site, crowd: Crowd) -> list[str]:
        visitor = crowd.seats[0][0]
        await when(crowd, warm)
        base = faults.rss_kib(web)
        asleep = [
            Visitor(site.ports[0], pace=replace(Pace(), dead_after=1e6), token=visitor.token) for _ in range(size.times)
        ]
        for page in asleep:
            page.ledger.last = visitor.ledger.last
            page.connect()
        await until(lambda: all(page.welcomed for page in asleep), "they are welcomed")
        for page in asleep:
            assert page.wire is not None and page.wire.transport is not None  # noqa: PT018
            page.wire.transport.pause_reading()
        peak = base
        while crowd.acknowledged < size.messages:
            await asyncio.sleep(0.1)
            peak = max(peak, faults.rss_kib(web))
        closed = sum(page.wire is None or page.wire.transport is None for page in asleep)
        for page in asleep:
            page.close()
        return [
            f"server grew by {(peak - base) / 1024:.1f} MiB over {size.times} x {size.messages - warm} unread texts",
            f"{closed} closed",
        ]

    async with Crowd() as crowd:
        count = await during(
            site, crowd, fault, messages=size.messages, pairs=1, seconds=0.1, pace=Pace(), text=long_text
        )
    growth = float(count.remarks[0].split(" by ")[1].split(" ")[0])
    if growth >= GROWTH_MIB:
        count.wrong.append(f"memory is not bounded: {growth:.0f} MiB for a socket that is not read")
    return count


def long_text(number: int, turn: int) -> str:
    """Return a text of some 16 KB."""
    return f"{turn} de {number}: {LONG_TEXT}"


def _run(
    size: Size,
    fault: Fault,
    site: Site | None,
    *,
    before: Collection[str] = (),
) -> Count:
    """Make one run, on a site that is there or on one of its own."""
    if site is not None:
        return asyncio.run(_talked(site, size, fault))
    with tempfile.TemporaryDirectory(prefix="havre-chaos-") as folder:
        kind = {"server": size.server, "database": size.database, "webs": size.webs}
        with running(Path(folder), **kind, before=before) as site:  # type: ignore[arg-type]
            return asyncio.run(_talked(site, size, fault))


async def _talked(site: Site, size: Size, fault: Fault) -> Count:
    async with Crowd() as crowd:
        return await during(
            site, crowd, fault, messages=size.messages, pairs=size.pairs, seconds=size.seconds, pace=size.pace
        )


def added(one: Count, other: Count) -> Count:
    """Return two counts as one."""
    for name in (
        "sent",
        "acknowledged",
        "stored",
        "shown_visitor",
        "shown_staff",
        "lost",
        "doubled",
        "ours",
        "reconnects",
    ):
        setattr(one, name, getattr(one, name) + getattr(other, name))
    one.slowest, one.seconds = max(one.slowest, other.slowest), one.seconds + other.seconds
    one.wrong += other.wrong
    one.remarks += other.remarks
    return one
