"""Tell how somebody who writes fast is slowed down: held back, then told when to come again, never cut off for it."""

import asyncio
import json
from typing import Any
from unittest import mock

from asgiref.sync import sync_to_async
from django.test import TestCase, override_settings

from chat import limits
from chat.consumers import base
from chat.core.pace import BURST, FRAME_BURST
from chat.hub import hub
from chat.models import Event
from chat.selectors import visitor_by_token
from tests.app.test_visitor_socket import Page, begun
from tests.support.layers import until


class Time:
    """Be a clock that only waiting moves; keeps how long was waited."""

    def __init__(self) -> None:
        self.at = 0.0
        self.waits: list[float] = []

    def steady(self) -> float:
        """Return what time it is."""
        return self.at

    async def pause(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self.waits.append(seconds)
        self.at += seconds
        await asyncio.sleep(0)


class Stuck(Time):
    """Be a clock that stands still: who waits for it waits until the test ends."""

    async def pause(self, seconds: float) -> None:
        """Wait for ever."""
        self.waits.append(seconds)
        await asyncio.Event().wait()


class PaceStories(TestCase):
    def with_time(self, time: Time) -> Time:
        for name in ("steady", "pause"):
            patch = mock.patch.object(limits, name, getattr(time, name))
            patch.start()
            self.addCleanup(patch.stop)
        return time

    async def page(self) -> Page:
        _, token = await sync_to_async(begun)()
        page = Page(token)
        await page.hello()
        return page

    async def post(self, page: Page, number: int) -> None:
        await page.wire.send_json_to({"type": "post", "ref": number, "client_id": f"{number:032x}", "body": "a word"})

    async def answer(self, page: Page, number: int) -> dict[str, Any]:
        while True:
            frame: dict[str, Any] = await page.wire.receive_json_from(timeout=15)
            if frame.get("ref") == number:
                return frame

    async def test_texts_beyond_the_burst_are_held_back_and_written(self) -> None:
        time = self.with_time(Time())
        page = await self.page()
        for number in range(1, int(BURST) + 4):
            await self.post(page, number)
            assert (await self.answer(page, number))["type"] == "ok"
        assert time.waits == [1.0, 1.0, 1.0]

    async def test_the_tabs_of_a_conversation_share_its_pace_and_others_do_not(self) -> None:
        time = self.with_time(Time())
        one, other = await self.page(), await self.page()
        again = Page(one.token)
        await again.hello()
        for number in range(1, int(BURST) + 1):
            await self.post(one, number)
            await self.answer(one, number)
        await self.post(other, 1)
        await self.answer(other, 1)
        assert time.waits == []
        await self.post(again, 99)
        await self.answer(again, 99)
        assert time.waits == [1.0]

    async def test_what_would_wait_too_long_is_told_when_to_come_again_and_nothing_is_stored(self) -> None:
        self.with_time(Time())
        page = await self.page()
        taken = limits.limits()._texts
        assert taken is not None
        sender = (await self.conversation(page), "visitor")
        for _ in range(int(BURST) + 10):
            taken.take(sender, 0.0)
        await self.post(page, 1)
        refused = await self.answer(page, 1)
        assert (refused["type"], refused["code"], refused["wait_ms"]) == ("error", "slow_down", 11_000)
        assert not await Event.objects.filter(kind="message").aexists()
        assert await page.settled() == []

    async def conversation(self, page: Page) -> Any:
        return (await sync_to_async(visitor_by_token)(page.token, base.now())).pk

    async def test_frames_beyond_the_burst_are_read_later_and_none_is_refused(self) -> None:
        time = self.with_time(Time())
        page = await self.page()
        before = len(time.waits)
        for _ in range(int(FRAME_BURST) + 20):
            await page.wire.send_json_to({"type": "ping"})
            assert (await page.wire.receive_json_from(timeout=15))["type"] == "pong"
        waits = time.waits[before:]
        assert 20 <= len(waits) <= 25
        assert all(0 < wait <= 0.11 for wait in waits)

    async def test_a_server_that_reads_without_end_is_not_made_to_keep_it_all(self) -> None:
        self.with_time(Time())
        page = await self.page()
        for _ in range(int(FRAME_BURST) + 200):
            await page.wire.send_json_to({"type": "ping"})
        frames: list[dict[str, Any]] = []
        while len(frames) < 2 * FRAME_BURST + 200:
            event = await page.wire.receive_output(timeout=15)
            if event["type"] != "websocket.send":
                break
            frames.append(json.loads(event["text"]))
        assert event["code"] == 4429
        assert (frames[-1]["type"], frames[-1]["code"], frames[-1]["ref"]) == ("error", "slow_down", None)
        assert frames[-1]["wait_ms"] > 10_000
        assert len(frames) >= FRAME_BURST - 10, "the burst is answered first, so that whoever comes back gets on"

    async def test_a_sender_who_is_held_back_still_hears(self) -> None:
        page = await self.page()
        time = self.with_time(Stuck())
        for _ in range(int(FRAME_BURST) + 5):
            await page.wire.send_json_to({"type": "ping"})
        await until(lambda: bool(time.waits), "it is held back")
        while not page.wire.output_queue.empty():
            await page.wire.receive_json_from()
        hub().tell_typing(await self.conversation(page))
        assert (await page.wire.receive_json_from(timeout=15))["type"] == "typing"

    @override_settings(WRITES_PER_SECOND=0)
    async def test_a_benchmark_sets_no_pace(self) -> None:
        time = self.with_time(Time())
        page = await self.page()
        for number in range(1, int(FRAME_BURST) + 30):
            await self.post(page, number)
            assert (await self.answer(page, number))["type"] == "ok"
        assert time.waits == []
