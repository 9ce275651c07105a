"""Make the faults: each is begun at some point of a talk, ends by itself, and returns what is worth saying of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import redis

from tests.chaos.site import Site, restart
from tests.chaos.talk import Fault, arrived, when
from tests.support.crowd import Crowd, Pace, until
from tests.support.daemon import Daemon
from tests.support.proxy import NudgeProxy, Proxy

MEDDLING = {"drop": 0.1, "double": 0.2, "swap": 0.2}


def shares(messages: int, parts: int) -> list[int]:
    """Return at how many acknowledged texts each of some faults begins, evenly over the talk."""
    return [messages * (part + 1) // (parts + 1) for part in range(parts)]


def web_killed(messages: int, times: int) -> Fault:
    """Kill -9 a web process and start it again, the first, then the next."""

    async def fault(site: Site, crowd: Crowd) -> list[str]:
        for number, share in enumerate(shares(messages, times)):
            await when(crowd, share)
            await restart(site.webs[number % len(site.webs)], kill=True)
        return [f"{times} x kill -9"]

    return fault


def web_stopped(messages: int, times: int) -> Fault:
    """Ask a web process to end, under load, and start it again."""

    async def fault(site: Site, crowd: Crowd) -> list[str]:
        slowest, statuses = 0.0, set[int]()
        for number, share in enumerate(shares(messages, times)):
            await when(crowd, share)
            web = site.webs[number % len(site.webs)]
            began = time.monotonic()
            statuses.add(await asyncio.to_thread(web.terminate))
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.to_thread(web.start)
        return [f"{times} x SIGTERM, gone after at most {slowest:.1f} s with status {sorted(statuses)}"]

    return fault


def redis_restarted(messages: int, times: int) -> Fault:
    """Kill the connections of Redis, again and again, then restart it."""

    async def fault(site: Site, crowd: Crowd) -> list[str]:
        assert site.redis is not None
        *kills, last = shares(messages, times + 1)
        killed = 0
        for share in kills:
            await when(crowd, share)
            killed += await asyncio.to_thread(_kill_clients, site.redis.url)
        await when(crowd, last)
        await restart(site.redis, away=1.0)
        return [f"{killed} connections killed, one restart"]

    return fault


def _kill_clients(url: str) -> int:
    client = redis.Redis.from_url(url)
    try:
        killed = 0
        for kind in ("normal", "pubsub"):
            killed += client.execute_command("CLIENT", "KILL", "TYPE", kind)  # type: ignore[no-untyped-call]
        return killed
    finally:
        client.close()


def postgres_restarted(messages: int, times: int) -> Fault:
    """Restart PostgreSQL, then kill it, so that it recovers from its log."""

    async def fault(site: Site, crowd: Crowd) -> list[str]:
        assert site.postgres is not None
        for number, share in enumerate(shares(messages, times)):
            await when(crowd, share)
            await restart(site.postgres, kill=number % 2 == 1, away=0.3)
        return [f"{times} restarts, every second one by kill -9"]

    return fault


def page_lines_bad(messages: int) -> Fault:
    """Let the lines between pages and servers be slow, cut, half open, and refused."""

    async def fault(site: Site, crowd: Crowd) -> list[str]:
        proxies = [proxy for name, proxy in site.proxies.items() if name.startswith("web")]
        steps: list[Callable[[Proxy], Awaitable[None]]] = [_slow, _reset, _half_up, _half_down, _gone]
        for share, step in zip(shares(messages, len(steps)), steps, strict=True):
            await when(crowd, share)
            await asyncio.gather(*(step(proxy) for proxy in proxies))
        return ["jitter, RST, half open up, half open down, FIN and refused"]

    return fault


async def _slow(proxy: Proxy) -> None:
    proxy.delay(0.0, 0.05)
    await asyncio.sleep(1.5)
    proxy.delay()


async def _reset(proxy: Proxy) -> None:
    await asyncio.to_thread(proxy.cut, reset=True)


async def _half_up(proxy: Proxy) -> None:
    await _half_open(proxy, up=True)


async def _half_down(proxy: Proxy) -> None:
    await _half_open(proxy, up=False)


async def _half_open(proxy: Proxy, *, up: bool) -> None:
    proxy.hold(up=up, down=not up)
    await asyncio.sleep(2.5)
    # what was held is lost with its lines, as when a network changes
    await asyncio.to_thread(proxy.cut, reset=True)
    proxy.flow()


async def _gone(proxy: Proxy) -> None:
    await asyncio.to_thread(proxy.refuse)
    await asyncio.to_thread(proxy.cut)
    await asyncio.sleep(1.0)
    await asyncio.to_thread(proxy.accept)


def server_lines_bad(messages: int) -> Fault:
    """Let the lines to Redis and PostgreSQL hang and be cut."""

    async def fault(site: Site, crowd: Crowd) -> list[str]:
        places = [(name, reset) for name in ("redis", "postgres") for reset in (False, True)]
        for share, (name, reset) in zip(shares(messages, len(places)), places, strict=True):
            await when(crowd, share)
            proxy = site.proxies[name]
            proxy.hold()
            await asyncio.sleep(2.5)
            await asyncio.to_thread(proxy.cut, reset=reset)
            proxy.flow()
        return ["Redis and PostgreSQL: half open for 2.5 s, then FIN, then RST"]

    return fault


def nudges_meddled(messages: int) -> Fault:
    """Let nudges be dropped, doubled and swapped the whole time; nothing else happens."""

    async def fault(site: Site, crowd: Crowd) -> list[str]:
        proxy = site.proxies["redis"]
        assert isinstance(proxy, NudgeProxy)
        proxy.meddle(**MEDDLING)
        await when(crowd, messages)
        proxy.meddle()
        assert min(proxy.dropped, proxy.doubled, proxy.swapped) > 0, "nothing was meddled with"
        return [f"{proxy.dropped} nudges dropped, {proxy.doubled} doubled, {proxy.swapped} swapped"]

    return fault


def storm(messages: int, idle: int, *, kill: bool, pace: Pace, within: float) -> Fault:
    """Let an idle crowd lose its lines in the same moment and come back."""

    async def fault(site: Site, crowd: Crowd) -> list[str]:
        tokens = await asyncio.to_thread(site.begun, idle)
        await arrived(site, crowd, tokens, pace)
        await when(crowd, messages // 4)
        began = asyncio.get_running_loop().time()
        if kill:
            await restart(site.webs[0], kill=True)
        else:
            for page in (*crowd.visitors, *crowd.advocates):
                page.lost(1006)
        await until(lambda: all(one.welcomed for one in crowd.visitors), f"{idle} come back", within)
        waits = sorted(one.welcomed_at - began for one in crowd.visitors)
        half, last = waits[len(waits) // 2], waits[-1]
        how = "kill -9" if kill else "all lines lost"
        return [f"{how}: of {len(waits)} half were back after {half:.1f} s, the last after {last:.1f} s"]

    return fault


def rss_kib(daemon: Daemon) -> int:
    """Return the resident memory of one process."""
    with open(f"/proc/{daemon.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4
