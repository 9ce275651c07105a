"""The story on PostgreSQL and Redis, visitor and advocate on different web processes, and a kill -9 in the middle."""

import asyncio
import json
import secrets
import time
from collections.abc import Iterator
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest
import websockets
from channels_redis.pubsub import RedisPubSubChannelLayer

from chat.bus import GROUP
from tests.support.needs import need_postgres, need_redis
from tests.support.servers import (
    HavreServer,
    HavreWorker,
    fresh_database,
    havre_environment,
    migrate_and_seed,
)
from tests.support.wire import Line, cookie_of, dial, greet_visitor, numbers_shown

pytestmark = pytest.mark.servers
CANARY = "the teal kettle sings at dusk"


@pytest.fixture(scope="module", params=["daphne", "uvicorn"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    data = tmp_path_factory.mktemp("two")
    redis = need_redis()
    with fresh_database(need_postgres()) as database:
        migrate_and_seed(havre_environment(data, database_url=database, redis_url=redis))
        near = HavreServer(data, server=request.param, database_url=database, redis_url=redis)
        far = HavreServer(data, server=request.param, database_url=database, redis_url=redis)
        with near, far, HavreWorker(data, database_url=database, redis_url=redis):
            yield {"near": near, "far": far, "data": data, "database": database}


async def take_waiting(line: Line) -> str:
    """Become ready and hold the one conversation that waits; return its id."""
    await line.send(type="hello", version=1, follow={})
    await line.until(type="welcome")
    await line.send(type="availability", state="ready")
    while True:
        overview = await line.until(type="overview")
        waiting = [one for one in overview["conversations"] if one["state"] in {"waiting", "offered"}]
        if waiting:
            break
    pk = str(waiting[0]["id"])
    ref = await line.send(type="take", conversation=pk)
    assert (await line.until(ref=ref))["type"] == "ok"
    ref = await line.send(type="follow", conversation=pk, after=0)
    await line.until(ref=ref)
    return pk


@pytest.mark.asyncio
async def test_visitor_and_advocate_on_different_processes(site: dict[str, Any]) -> None:
    near, far = site["near"], site["far"]
    token = secrets.token_urlsafe(32)
    cookie = cookie_of(far, site["data"], "ben")
    async with dial(near, "/ws/v") as one, dial(far, "/ws/s", cookie=cookie) as two:
        visitor, advocate = Line(one), Line(two)
        await greet_visitor(visitor, token)
        assert (await visitor.say(f"{CANARY} 0"))["type"] == "ok"
        pk = await take_waiting(advocate)
        await visitor.until(type="fact", code="joined")
        for number in range(1, 10):
            assert (await visitor.say(f"{CANARY} {number}"))["type"] == "ok"
            await advocate.until(type="message", body=f"{CANARY} {number}")
            await advocate.say(f"answer {number}", conversation=pk)
            await visitor.until(type="message", body=f"answer {number}")
        ref = await advocate.send(type="note", conversation=pk, client_id=secrets.token_hex(16), body="amber note")
        await advocate.until(ref=ref)
        near.kill9()
        ref = await advocate.send(type="post", conversation=pk, client_id=secrets.token_hex(16), body="while away")
        assert (await advocate.until(ref=ref))["type"] == "ok"
        near.restart()
        last = max(numbers_shown(visitor.seen))
        async with dial(near, "/ws/v") as again:
            back = Line(again)
            await greet_visitor(back, token, after=last)
            assert (await back.until(type="message"))["body"] == "while away"
            ref = await back.send(type="end")
            assert (await back.until(ref=ref))["type"] == "ok"
            await advocate.until(type="fact", code="ended_by_visitor")
    numbers = numbers_shown([*visitor.seen, *back.seen])
    assert numbers == list(range(1, len(numbers) + 1))
    assert "amber note" not in json.dumps(visitor.seen)
    for server in (near, far):
        assert CANARY not in server.log_text()
        assert token not in server.log_text()


@pytest.mark.asyncio
async def test_another_site_on_the_same_redis_keeps_nobody_waiting(site: dict[str, Any]) -> None:
    near, far = site["near"], site["far"]
    cookie = cookie_of(far, site["data"], "ben")
    stranger = RedisPubSubChannelLayer(hosts=[need_redis()], symmetric_encryption_keys=["of another site"])
    async with dial(near, "/ws/v") as one, dial(far, "/ws/s", cookie=cookie) as two:
        visitor, advocate = Line(one), Line(two)
        await greet_visitor(visitor, secrets.token_urlsafe(32))
        await visitor.say(CANARY)
        await take_waiting(advocate)
        for number in range(100):
            message = {"type": "nudges", "from": "stranger", "number": number, "nudges": [{"change": 1}]}
            await stranger.group_send(GROUP, message)
        assert (await visitor.say("after all that"))["type"] == "ok"
        # each of the hundred once cost every process half a second; the page hears nothing of its own for 20
        await advocate.until(type="message", body="after all that", within=10)
        ref = await visitor.send(type="end")
        assert (await visitor.until(ref=ref))["type"] == "ok"
    await stranger.flush()


@pytest.mark.asyncio
async def test_a_stranger_gets_nothing(site: dict[str, Any]) -> None:
    near = site["near"]
    async with dial(near, "/ws/s") as socket:
        stranger = Line(socket)
        assert (await stranger.until(type="error"))["code"] == "sign_in_again"
    async with dial(near, "/ws/v", origin="https://elsewhere.example") as socket:
        assert (await Line(socket).until(type="error"))["code"] == "origin_refused"
    async with dial(near, "/ws/v") as socket:
        line = Line(socket)
        await line.send(type="hello", version=1, token=secrets.token_urlsafe(32), after=0, start=False, language="en")
        assert (await line.until(type="error"))["code"] == "token_unknown"


@pytest.mark.asyncio
async def test_rights_end_within_two_seconds_although_nobody_says_so(site: dict[str, Any]) -> None:
    cookie = cookie_of(site["far"], site["data"], "cleo")
    async with dial(site["far"], "/ws/s", cookie=cookie) as socket:
        line = Line(socket)
        await line.send(type="hello", version=1, follow={})
        await line.until(type="overview")
        async with await psycopg.AsyncConnection.connect(site["database"], autocommit=True) as database:
            await database.execute("UPDATE staff_user SET is_active = false WHERE username = 'cleo'")
            try:
                began = time.monotonic()
                assert (await line.until(type="error"))["code"] == "sign_in_again"
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    await socket.recv()
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 4401
                assert time.monotonic() - began < 2.0
            finally:
                # she works in the other stories of this site
                await database.execute("UPDATE staff_user SET is_active = true WHERE username = 'cleo'")


OWN_RULE = """[[rule]]
id = "site.zorblax"
level = 2
category = "threat"
note = "The word that they use here."
patterns = "zorblax"
must_match = ["zorblax"]
"""


async def says_zorblax(server: HavreServer) -> None:
    """Come, say it and go: who would still wait is taken by the stories that share these servers."""
    async with dial(server, "/ws/v") as socket:
        visitor = Line(socket)
        await greet_visitor(visitor, secrets.token_urlsafe(32))
        assert (await visitor.say("zorblax"))["type"] == "ok"
        ref = await visitor.send(type="end")
        assert (await visitor.until(ref=ref))["type"] == "ok"


async def every_process_says(site: dict[str, Any], *lines: str) -> None:
    """Wait until both web processes have these numbers, some seconds at most."""
    ends = time.monotonic() + 15
    for server in (site["near"], site["far"]):
        while True:
            numbers = (await asyncio.to_thread(urlopen, f"{server.base_url}/metrics", timeout=5)).read().decode()
            if all(f"\n{line}\n" in numbers for line in lines):
                break
            assert time.monotonic() < ends, f"{lines} is not so"
            await asyncio.sleep(0.2)


@pytest.mark.asyncio
@pytest.mark.parametrize("site", ["uvicorn"], indirect=True)
async def test_a_version_of_the_rules_is_in_force_on_every_process_and_a_broken_one_stops_nobody(
    site: dict[str, Any],
) -> None:
    async with await psycopg.AsyncConnection.connect(site["database"], autocommit=True) as database:

        async def version(number: int, rules: str, *, screens: bool) -> None:
            await database.execute(
                "INSERT INTO crisis_ruleversion (number, rules, screens, why, made_by_id, made_at)"
                " SELECT %s, %s, %s, 'a test', id, now() FROM staff_user WHERE username = 'alix'",
                (number, rules, screens),
            )

        async def levels() -> list[int]:
            found = await (await database.execute("SELECT level FROM crisis_escalation ORDER BY raised_at")).fetchall()
            return [level for (level,) in found]

        before = await levels()
        await version(1, OWN_RULE, screens=True)
        await every_process_says(site, "havre_rules_version 1.0", "havre_rules_failed 0.0")
        for number, server in enumerate((site["near"], site["far"]), 1):
            await says_zorblax(server)
            assert await levels() == [*before, *[2] * number]
        await version(2, "no toml", screens=True)
        await every_process_says(site, "havre_rules_version 1.0", "havre_rules_failed 1.0")
        await says_zorblax(site["near"])
        assert await levels() == [*before, 2, 2, 2]
        assert await asyncio.to_thread(site["near"].get_status, "/readyz") == 200
        await version(3, "", screens=False)
