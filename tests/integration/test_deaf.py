"""Redis drops its lines, is restarted, or a subscription dies without a word: every process hears again in 15 s."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any
from unittest import mock
from uuid import uuid4

import httpx
import pytest
import redis
from channels_redis.pubsub import RedisPubSubChannelLayer

from chat.hub import Hub
from tests.app.test_hub import fact
from tests.integration.test_hanging import advocate, first_offer, soon, states, visitor
from tests.support.layers import until
from tests.support.needs import need_postgres, need_redis
from tests.support.servers import (
    HavreServer,
    HavreWorker,
    Redis,
    fresh_database,
    havre_environment,
    migrate_and_seed,
)
from tests.support.wire import Line, cookie_of

pytestmark = pytest.mark.servers
HEARS_WITHIN = 15.0


@pytest.fixture(scope="module")
def private_redis() -> Iterator[Redis]:
    need_redis()
    with Redis() as one:
        yield one


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, private_redis: Redis) -> Iterator[dict[str, Any]]:
    data = tmp_path_factory.mktemp("deaf")
    with ExitStack() as stack:
        database = stack.enter_context(fresh_database(need_postgres()))
        url = private_redis.url
        migrate_and_seed(havre_environment(data, database_url=database, redis_url=url))
        near, far = (
            stack.enter_context(HavreServer(data, server="uvicorn", database_url=database, redis_url=url))
            for _ in range(2)
        )
        stack.enter_context(HavreWorker(data, database_url=database, redis_url=url))
        cookie = cookie_of(near, data, "ben")
        yield {"near": near, "far": far, "database": database, "cookie": cookie, "redis": private_redis}


@pytest.fixture
async def pair(site: dict[str, Any]) -> AsyncIterator[tuple[Line, Line]]:
    """A visitor on one process, and an advocate on the other who follows their conversation."""
    async with AsyncExitStack() as stack:
        writer = await visitor(stack, site["near"])
        staff = await advocate(stack, site["far"], site["cookie"])
        assert await soon(lambda: "offered" in states(site), 10)
        pk = await first_offer(site)
        ref = await staff.send(type="take", conversation=pk)
        assert (await staff.until(ref=ref))["type"] == "ok"
        ref = await staff.send(type="follow", conversation=pk, after=0)
        await staff.until(type="followed")
        yield writer, staff
        ref = await writer.send(type="end")
        await writer.until(ref=ref)


async def write_on(writer: Line, seconds: float) -> list[str]:
    """Write twice a second and return what was acknowledged."""
    said, ends = [], time.monotonic() + seconds
    while time.monotonic() < ends:
        said.append(secrets.token_hex(8))
        assert (await writer.say(said[-1]))["type"] == "ok"
        await asyncio.sleep(0.5)
    return said


async def all_shown(staff: Line, said: list[str]) -> float:
    """Return how many seconds it took until an advocate saw it all; the page asks for nothing meanwhile."""
    began, missing = time.monotonic(), set(said)
    async with asyncio.timeout(HEARS_WITHIN):
        while missing:
            missing.discard((await staff.until(HEARS_WITHIN, type="message"))["body"])
    return time.monotonic() - began


async def test_lines_that_redis_drops_are_made_again(site: dict[str, Any], pair: tuple[Line, Line]) -> None:
    writer, staff = pair
    killer = redis.Redis.from_url(site["redis"].url)
    writing = asyncio.create_task(write_on(writer, 4))
    for kind in ("pubsub", "normal", "pubsub"):
        await asyncio.sleep(0.7)
        killer.client_kill_filter(_type=kind, skipme=True)
    print(f"shown after {await all_shown(staff, await writing):.1f} s")
    killer.close()


async def test_a_redis_that_was_away_is_heard_again(site: dict[str, Any], pair: tuple[Line, Line]) -> None:
    writer, staff = pair
    private: Redis = site["redis"]
    private.kill9()
    said = await write_on(writer, 16)
    async with httpx.AsyncClient(base_url=site["far"].base_url, timeout=10) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["bus"], answer.json()["layer"]) == (503, False, False)
        await asyncio.to_thread(private.start)
        back = time.monotonic()
        said += await write_on(writer, 1)
        await all_shown(staff, said)
        print(f"shown {time.monotonic() - back:.1f} s after it was back")
        assert time.monotonic() - back < HEARS_WITHIN
        while (await client.get("/readyz")).status_code != 200:
            assert time.monotonic() - back < HEARS_WITHIN
            await asyncio.sleep(0.2)


async def test_a_subscription_that_died_without_a_word_is_made_anew(
    private_redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[RedisPubSubChannelLayer] = []

    def layer() -> RedisPubSubChannelLayer:
        # by themselves: what the site's own processes say to each other is sealed, and unreadable here
        made.append(RedisPubSubChannelLayer(hosts=[private_redis.url], prefix="two-hubs"))
        return made[-1]

    monkeypatch.setattr("chat.hub.get_channel_layer", layer)
    monkeypatch.setattr("chat.hub.fresh_layer", layer)
    for name, value in (("ECHO_EVERY", 0.2), ("ECHO_AGAIN", 0.1), ("ECHO_WITHIN", 0.3)):
        monkeypatch.setattr(f"chat.hub.{name}", value)
    near, far = Hub(), Hub()
    event, follower, conversation = fact(), mock.Mock(), uuid4()
    await far.follow(event.conversation, follower)
    await far.follow(conversation, follower)
    await until(lambda: far._echo_heard > 0, "it hears")
    # what channels_redis itself never starts again
    far._bus.layer._get_layer()._shards[0]._receive_task.cancel()  # type: ignore[attr-defined]
    await near.tell_event(event)
    await until(lambda: follower.on_gap.called, "it looks for what it did not hear")
    await until(lambda: not far.deaf, "it hears")
    await near.tell_event(event)
    await until(lambda: follower.on_event.called, "and hears the next one")
    near.close()
    far.close()
    for one in made:
        await one.flush()
