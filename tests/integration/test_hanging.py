"""A Redis that hangs and a row that somebody holds stop nobody who does not need them."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
import pytest
import redis

from tests.support.needs import need_postgres, need_redis
from tests.support.proxy import HangingProxy
from tests.support.servers import HavreServer, HavreWorker, fresh_database, havre_environment, manage, migrate_and_seed
from tests.support.wire import Line, cookie_of, dial, greet_visitor

pytestmark = pytest.mark.servers
SOON = 15
"""Seconds in which a worker that looks each second has looked, whatever else runs beside it; no promise."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    data = tmp_path_factory.mktemp("hanging")
    address = urlsplit(need_redis())
    with ExitStack() as stack:
        database = stack.enter_context(fresh_database(need_postgres()))
        proxy = stack.enter_context(HangingProxy(address.port or 6379))
        behind = urlunsplit(address._replace(netloc=f"127.0.0.1:{proxy.port}"))
        migrate_and_seed(havre_environment(data, database_url=database, redis_url=behind))
        near = HavreServer(data, server="uvicorn", database_url=database, redis_url=behind)
        far = HavreServer(data, server="uvicorn", database_url=database, redis_url=behind)
        worker = HavreWorker(data, database_url=database, redis_url=behind)
        for process in (near, far, worker):
            stack.enter_context(process)
        cookies = {name: cookie_of(near, data, name) for name in ("ben", "cleo")}
        yield {
            "data": data,
            "near": near,
            "far": far,
            "proxy": proxy,
            "database": database,
            "cookies": cookies,
            "redis": address,
        }


@pytest.fixture(autouse=True)
def _afresh(site: dict[str, Any]) -> Iterator[None]:
    yield
    site["proxy"].flow()
    with psycopg.connect(site["database"], autocommit=True) as database:
        database.execute("UPDATE chat_conversation SET state = 'abandoned', advocate_id = NULL")
        database.execute("UPDATE staff_availability SET state = 'away'")


async def visitor(stack: Any, server: HavreServer) -> Line:
    line = Line(await stack.enter_async_context(dial(server, "/ws/v")))
    await greet_visitor(line, secrets.token_urlsafe(32))
    return line


async def advocate(stack: Any, server: HavreServer, cookie: str, *, ready: bool = True) -> Line:
    line = Line(await stack.enter_async_context(dial(server, "/ws/s", cookie=cookie)))
    await line.send(type="hello", version=1, follow={})
    await line.until(type="overview")
    if ready:
        ref = await line.send(type="availability", state="ready")
        await line.until(ref=ref)
    return line


async def answered(line: Line, text: str) -> float:
    """Return how many seconds a message waited for its acknowledgement."""
    began = time.monotonic()
    assert (await line.say(text))["type"] == "ok"
    return time.monotonic() - began


def states(site: dict[str, Any]) -> list[str]:
    with psycopg.connect(site["database"], autocommit=True) as database:
        return [state for (state,) in database.execute("SELECT state FROM chat_conversation ORDER BY opened_at")]


async def soon(condition: Any, seconds: float) -> bool:
    """Wait until something is so."""
    ends = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        if time.monotonic() > ends:
            return False
        await asyncio.sleep(0.1)
    return True


@pytest.mark.asyncio
async def test_a_redis_that_hangs_delays_nobody_and_heals(site: dict[str, Any]) -> None:
    async with AsyncExitStack() as stack:
        there = [await visitor(stack, site["near"]) for _ in range(4)]
        site["proxy"].hang()
        waits = await asyncio.gather(*(answered(line, f"{n}") for line in there for n in range(1)))
        for line in there:
            waits += [await answered(line, "more"), await answered(line, "and more")]
        assert max(waits) < 1.0, waits
        began = time.monotonic()
        newcomer = await visitor(stack, site["near"])
        assert time.monotonic() - began < 3.0
        assert await answered(newcomer, "hello") < 1.0
        began = time.monotonic()
        async with httpx.AsyncClient(base_url=site["near"].base_url, timeout=10) as client:
            answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["layer"]) == (503, False)
        assert time.monotonic() - began < 5.0
        # the worker goes on, and so does who joins another process meanwhile
        staff = await advocate(stack, site["far"], site["cookies"]["ben"])
        assert await soon(lambda: states(site).count("offered") == 2, SOON)
        pk = await first_offer(site)
        ref = await staff.send(type="take", conversation=pk)
        assert (await staff.until(ref=ref))["type"] == "ok"
        ref = await staff.send(type="follow", conversation=pk, after=0)
        await staff.until(type="followed")
        site["proxy"].flow()
        # joined within a second or two, although nobody asked again
        await asyncio.sleep(3)
        for server in (site["near"], site["far"]):
            assert await soon(lambda server=server: server.get_status("/readyz") == 200, SOON)
        assert await answered(there[0], "after all that") < 1.0
        await staff.until(type="message", body="after all that")


async def first_offer(site: dict[str, Any]) -> str:
    query = "SELECT id FROM chat_conversation WHERE state = 'offered' ORDER BY opened_at LIMIT 1"
    async with await psycopg.AsyncConnection.connect(site["database"]) as database:
        row = await (await database.execute(query)).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.asyncio
async def test_asking_whether_it_is_ready_leaves_nothing_on_redis(site: dict[str, Any]) -> None:
    address = site["redis"]
    watch = redis.Redis(host=address.hostname, port=address.port or 6379, password=address.password)
    seen: list[int] = []

    def settled() -> bool:
        """Return whether every process has joined: they do so each in its own time after the start."""
        seen.append(len(watch.pubsub_channels()))
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    async with httpx.AsyncClient(base_url=site["near"].base_url, timeout=10) as client:
        assert await soon(settled, 30), seen
        before = seen[-1]
        for _ in range(30):
            assert (await client.get("/readyz")).status_code == 200
    # a process may move to another channel just now; what is left behind for good would stay
    assert await soon(lambda: len(watch.pubsub_channels()) <= before, SOON)
    watch.close()


@pytest.mark.asyncio
async def test_a_held_trail_stops_staff_for_three_seconds_and_no_visitor(site: dict[str, Any]) -> None:
    async with AsyncExitStack() as stack:
        writer = await visitor(stack, site["near"])
        tabs = [await advocate(stack, site["near"], site["cookies"]["ben"], ready=False) for _ in range(12)]
        with psycopg.connect(site["database"]) as holder:
            holder.execute("SELECT * FROM audit_audithead FOR UPDATE")
            refs = [await tab.send(type="availability", state="ready") for tab in tabs]
            await asyncio.sleep(0.3)
            waits = [await answered(writer, f"{number}") for number in range(3)]
            assert max(waits) < 1.0, waits
            began = time.monotonic()
            answer = await tabs[0].until(ref=refs[0])
            assert (answer["type"], answer["code"]) == ("error", "ours")
            assert time.monotonic() - began < 8.0, "two rounds of eight threads"
        for tab, ref in zip(tabs[1:], refs[1:], strict=True):
            # or one of them would make ben ready in the middle of the next story
            await tab.until(ref=ref)


@pytest.mark.asyncio
async def test_a_held_conversation_holds_no_other_one_up(site: dict[str, Any]) -> None:
    async with AsyncExitStack() as stack:
        first, second = await visitor(stack, site["near"]), await visitor(stack, site["near"])
        with psycopg.connect(site["database"]) as holder:
            # in two steps: with an OFFSET the row that is passed over would be locked too
            (held,) = holder.execute("SELECT id FROM chat_conversation ORDER BY opened_at DESC OFFSET 1 LIMIT 1")
            holder.execute("SELECT id FROM chat_conversation WHERE id = %s FOR UPDATE", held)
            await advocate(stack, site["near"], site["cookies"]["cleo"])
            assert await soon(lambda: states(site)[-2:] == ["waiting", "offered"], SOON)
            held_up = asyncio.create_task(first.say("I am held up"))
            await asyncio.sleep(0.2)
            assert await answered(second, "I am not") < 1.0
            refused = await held_up
            assert (refused["type"], refused["code"]) == ("error", "ours")
        assert await soon(lambda: states(site)[-2:] == ["offered", "offered"], SOON)
        assert await answered(first, "not any more") < 1.0


@pytest.mark.asyncio
async def test_a_database_that_drops_its_connections_closes_no_page(site: dict[str, Any]) -> None:
    async with AsyncExitStack() as stack:
        pages = [await visitor(stack, site["near"]) for _ in range(24)]
        # each of the threads for visitors has a connection of its own
        await asyncio.gather(*(page.say("hello") for page in pages))
        with psycopg.connect(site["database"], autocommit=True) as database:
            database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        for page in pages:
            await page.send(type="ping")
        assert [(await page.until(type="pong"))["type"] for page in pages] == ["pong"] * len(pages)
        # and since somebody has found it out, the writer knows it too
        assert (await pages[0].say("still here"))["type"] == "ok"


def test_the_trail_is_checked_while_somebody_writes_it(site: dict[str, Any]) -> None:
    environ = havre_environment(site["data"], database_url=site["database"])
    with psycopg.connect(site["database"]) as holder:
        holder.execute("SELECT * FROM audit_audithead FOR UPDATE")
        assert "all fit" in manage(environ, "verify_audit")


def test_what_the_address_asks_of_the_database_still_counts(site: dict[str, Any], tmp_path: Any) -> None:
    wanted = f"{site['database']}?options=-c%20lock_timeout%3D7s%20-c%20statement_timeout%3D9s"
    code = (
        "from django.db import connection as c\n"
        "with c.cursor() as k:\n"
        " for name in ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout'):\n"
        "  k.execute(f'SHOW {name}'); print(k.fetchone()[0])\n"
        "given = c.connection.info.get_parameters()\n"
        "print(*(given.get(name) for name in ('tcp_user_timeout', 'keepalives_idle')))\n"
    )
    for address, expected in ((site["database"], ["3s", "0", "30s"]), (wanted, ["7s", "9s", "30s"])):
        printed = manage(havre_environment(tmp_path, database_url=address), "shell", "-v", "0", "-c", code)
        assert printed.split() == [*expected, "10000", "10"]
