"""Tell how a process ends: nobody is cut off in the middle of a command, and everybody is sent on."""

import asyncio
import json
import time
from functools import partial
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import sync_to_async
from django.test import TestCase

from chat.consumers.open import open_sockets
from chat.core.errors import Refused
from chat.models import Event
from chat.services.posting import Post
from chat.writer import Writer, writer
from ops import drain
from tests.app.test_visitor_socket import Page, begun


@pytest.fixture(autouse=True)
def _no_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "SPREAD", 0.01)


async def last_words(page: Page) -> tuple[list[dict[str, Any]], int]:
    """Return what a page still hears, and its close code."""
    frames: list[dict[str, Any]] = []
    for _ in range(100):
        event = await page.wire.receive_output(timeout=15)
        if event["type"] == "websocket.close":
            return frames, int(event["code"])
        frames.append(json.loads(event["text"]))
    raise AssertionError("it is never closed")


class LeavingStories(TestCase):
    async def page(self) -> Page:
        _, token = await sync_to_async(begun)()
        page = Page(token)
        await page.hello()
        return page

    async def test_who_is_idle_is_sent_on_at_once(self) -> None:
        pages = [await self.page() for _ in range(2)]
        async with asyncio.timeout(15):
            await drain.drain()
        for page in pages:
            assert (await last_words(page))[1] == 4503
        assert (len(open_sockets()), open_sockets().draining) == (0, True)

    async def test_a_command_under_way_is_answered_before(self) -> None:
        page = await self.page()
        go, begun_to_write = asyncio.Event(), asyncio.Event()
        real = writer().post

        async def slow(post: Post) -> Any:
            begun_to_write.set()
            await go.wait()
            return await real(post)

        with mock.patch.object(writer(), "post", slow):
            await page.wire.send_json_to({"type": "post", "ref": 7, "client_id": "c" * 32, "body": "a word"})
            await begun_to_write.wait()
            ending = asyncio.create_task(drain.drain())
            await asyncio.sleep(0.1)
            assert not ending.done()
            go.set()
            await ending
        frames, code = await last_words(page)
        assert ([frame["type"] for frame in frames if frame.get("ref") == 7], code) == (["ok"], 4503)
        assert await Event.objects.filter(client_id="c" * 32).acount() == 1

    async def test_who_comes_meanwhile_is_sent_on(self) -> None:
        open_sockets().draining = True
        _, token = await sync_to_async(begun)()
        late = Page(token)
        await late.wire.connect()
        assert (await last_words(late))[1] == 4503

    async def test_it_is_not_ready_from_then_on(self) -> None:
        assert (await self.async_client.get("/readyz")).json()["draining"] is False
        open_sockets().draining = True
        answer = await self.async_client.get("/readyz")
        assert (answer.status_code, answer.json()["draining"], answer.json()["ready"]) == (503, True, False)

    async def test_a_command_that_never_ends_does_not_keep_the_process(self) -> None:
        page = await self.page()

        async def never(post: Post) -> Any:
            await asyncio.Event().wait()

        with (
            mock.patch.object(writer(), "post", never),
            mock.patch.object(drain, "ANSWERED_WITHIN", 0.05),
            self.assertLogs("ops.drain", "WARNING"),
        ):
            await page.wire.send_json_to({"type": "post", "ref": 7, "client_id": "c" * 32, "body": "a word"})
            await asyncio.sleep(0.05)
            async with asyncio.timeout(15):
                await drain.drain()


async def test_they_are_sent_on_one_after_the_other_over_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def pause(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(drain, "SPREAD", 3.0)
    monkeypatch.setattr(drain, "pause", pause)
    gone: list[float] = []

    def goes(one: mock.Mock) -> None:
        gone.append(max(waits))
        open_sockets().discard(one)

    for _ in range(200):
        one = mock.Mock(side="visitor")
        one.go.side_effect = partial(goes, one)
        open_sockets().add(one)
    await drain.drain()
    assert len(gone) == 200
    assert gone == sorted(gone)
    assert 2.5 < max(waits) <= 3.0
    assert all(sum(second <= when < second + 1 for when in waits) > 30 for second in range(3))


async def test_what_the_writer_holds_is_written_before_the_end() -> None:
    done: list[int] = []

    def write(posts: list[Post]) -> list[Any]:
        time.sleep(0.1)
        done.append(len(posts))
        return [Refused for _ in posts]

    with mock.patch("django.conf.settings.DB_WORK_ON_MAIN_THREAD", False, create=True):
        busy = Writer(write)
        posts = [asyncio.create_task(busy.post(mock.Mock())) for _ in range(3)]
        await asyncio.sleep(0.01)
        with mock.patch.object(drain, "writer", return_value=busy):
            await drain.drain()
        assert sum(done) == 3
        await asyncio.gather(*posts)


async def test_one_that_cannot_be_sent_on_keeps_nobody_else_from_it_nor_the_writer_from_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gone: list[int] = []

    def goes(number: int, one: mock.Mock) -> None:
        open_sockets().discard(one)
        if number == 3:
            raise RuntimeError("a defect of this line")
        gone.append(number)

    for number in range(7):
        one = mock.Mock(side="visitor")
        one.go.side_effect = partial(goes, number, one)
        open_sockets().add(one)
    busy = mock.Mock(empty=mock.AsyncMock())
    with mock.patch.object(drain, "writer", return_value=busy):
        await drain.drain()
    assert sorted(gone) == [0, 1, 2, 4, 5, 6]
    busy.empty.assert_awaited_once()
    assert "a socket was not sent on" in caplog.text
