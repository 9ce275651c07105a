"""Tell what a visitor's socket says when, and that nothing of staff shows in it, also not by when it speaks."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from uuid import UUID

import msgspec
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from cases.services import record_contact
from chat import broadcast, services
from chat.consumers import base, cursor
from chat.consumers.visitor import VisitorSocket
from chat.hub import Hub, hub
from chat.models import Conversation, Event
from chat.presence import presence
from chat.selectors import events_after
from crisis.services import raise_escalation
from encryption.providers import ProviderDown
from staff.models import User
from tests.app.test_staff_socket import Tab, say
from tests.support.people import ben, conversation, dana, held_by, waiting

HEADERS = [(b"origin", b"http://testserver"), (b"host", b"testserver")]


class Page:
    """Be a visitor's page on a socket without a network."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.wire = WebsocketCommunicator(VisitorSocket.as_asgi(), "/ws/v", headers=HEADERS)

    async def hello(self, after: int = 0) -> list[dict[str, Any]]:
        """Connect, say hello, and return what came with the welcome."""
        await self.wire.connect()
        hello = {"type": "hello", "version": 1, "token": self.token, "after": after, "start": False, "language": "en"}
        await self.wire.send_json_to(hello)
        frames = await self.settled()
        # what it lacks is read in a turn of its own, which a busy machine takes after the pings were answered
        for _ in range(20):
            if not _lacks(frames):
                break
            await asyncio.sleep(0.05)
            while not self.wire.output_queue.empty():
                frames.append(await self.wire.receive_json_from())
        return frames

    async def settled(self) -> list[dict[str, Any]]:
        """Return everything that comes before the answer to a ping and before the one to a second."""
        frames: list[dict[str, Any]] = []
        for _ in range(2):
            # the first answer may overtake what waits in the queue, the second comes after it
            await self.wire.send_json_to({"type": "ping"})
            while (frame := await self.wire.receive_json_from(timeout=15))["type"] != "pong":
                frames.append(frame)
            await asyncio.sleep(0.05)
        return frames


def _lacks(frames: list[dict[str, Any]]) -> bool:
    """Tell whether a page that was welcomed does not hold all that there was then."""
    welcome = next((frame for frame in frames if frame["type"] == "welcome"), None)
    if welcome is None:
        return False
    newest = max((frame["seq"] for frame in frames if frame.get("seq")), default=welcome["after"])
    return bool(newest < welcome["head"])


async def last_seen(pk: UUID) -> datetime:
    """Return when a visitor was last heard, once that is written."""
    await presence().written()
    return (await sync_to_async(conversation)(pk)).visitor_seen_at


def begun() -> tuple[UUID, str]:
    return held_by(ben(), timezone.now())


def read_by_ben(pk: UUID, number: int) -> None:
    services.mark_read(actor=ben(), conversation_id=pk, up_to=number, delivered=0, now=timezone.now())


async def tell(work: Any) -> None:
    """Do something and hand its events out."""
    done = await sync_to_async(work)()
    await broadcast.publish(done.events)


def types(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


class QuietStories(TestCase):
    async def begin(self) -> None:
        self.pk, self.token = await sync_to_async(begun)()
        self.page = Page(self.token)

    async def test_what_only_staff_see_sends_nothing(self) -> None:
        await self.begin()
        await self.page.hello()
        with mock.patch("chat.consumers.looks.glances") as asked:
            await tell(
                lambda: raise_escalation(
                    actor=dana(),
                    conversation_id=self.pk,
                    level=2,
                    reason="a reason",
                    client_id="a" * 32,
                    now=timezone.now(),
                )
            )
            await asyncio.sleep(0.05)
        asked.assert_not_called()
        assert self.page.wire.output_queue.empty()
        assert await self.page.settled() == []

    async def test_the_welcome_is_not_said_twice(self) -> None:
        await self.begin()
        assert types(await self.page.hello()) == ["welcome", "fact"]

    async def test_what_is_written_as_the_page_comes_back_reaches_it_without_another_word(self) -> None:
        await self.begin()
        follow = Hub.follow

        async def written_before(hub_: Hub, pk: UUID, follower: Any) -> None:
            # after its log was looked at, before anybody tells this page of anything
            await sync_to_async(say)(pk, 1)
            await sync_to_async(read_by_ben)(pk, 3)
            await follow(hub_, pk, follower)

        with mock.patch.object(Hub, "follow", written_before):
            await self.page.wire.connect()
            hello = {"type": "hello", "version": 1, "token": self.token, "after": 1, "start": False, "language": "en"}
            await self.page.wire.send_json_to(hello)
            frames = [await self.page.wire.receive_json_from(timeout=15) for _ in range(3)]
        assert types(frames) == ["welcome", "message", "reached"]
        assert (frames[0]["head"], frames[1]["seq"], frames[2]["read"]) == (1, 2, 2)

    async def test_what_the_page_lacks_is_sent_also_where_nobody_can_tell_how_far_staff_have_got(self) -> None:
        await self.begin()
        await sync_to_async(say)(self.pk, 1)
        with (
            mock.patch("chat.selectors.glance.reached_in", side_effect=[{self.pk: (0, 0)}, ValueError]),
            self.assertLogs("chat.consumers.base", "ERROR"),
        ):
            await self.page.wire.connect()
            hello = {"type": "hello", "version": 1, "token": self.token, "after": 0, "start": False, "language": "en"}
            await self.page.wire.send_json_to(hello)
            frames = [await self.page.wire.receive_json_from(timeout=15) for _ in range(3)]
            await asyncio.sleep(0.05)
        assert types(frames) == ["welcome", "fact", "message"]

    async def test_a_recorded_contact_changes_nothing_that_is_shown(self) -> None:
        await self.begin()
        await self.page.hello()
        now = timezone.now()
        await tell(lambda: services.end_conversation(actor=ben(), conversation_id=self.pk, now=now))
        await self.page.settled()
        outcome = {"contact_type": "unknown", "disposition": "abusive", "case_identified": False, "summary": ""}
        await tell(lambda: record_contact(actor=ben(), conversation_id=self.pk, now=now, **outcome))  # type: ignore[arg-type]
        assert (await sync_to_async(conversation)(self.pk)).state == "closed"
        assert await self.page.settled() == []
        again = Page(self.token)
        welcome = (await again.hello())[0]
        assert (welcome["state"], welcome["advocate"]) == ("wrap_up", "Ben")


class BadLineStories(TestCase):
    """A line that is gone or cannot be opened keeps no later one from anybody, and no socket busy."""

    def broken(self, change: Any) -> tuple[UUID, str]:
        cursor._told.clear()
        pk, token = begun()
        for number in range(1, 5):
            say(pk, number)
        change(Event.objects.filter(conversation=pk))
        return pk, token

    def spoil(self, rows: Any) -> None:
        event = rows.get(visitor_seq=3)
        spoilt = bytearray(event.sealed_body)
        spoilt[-1] ^= 1
        rows.filter(pk=event.pk).update(sealed_body=bytes(spoilt))

    async def test_a_hole_is_stepped_over_with_a_placeholder(self) -> None:
        pk, token = await sync_to_async(self.broken)(lambda rows: rows.filter(visitor_seq=3).delete())
        with (
            mock.patch("chat.consumers.cursor.events_after", wraps=events_after) as asked,
            self.assertLogs("chat.consumers.cursor", "ERROR") as logs,
        ):
            frames = await Page(token).hello()
        assert [frame["seq"] for frame in frames if "seq" in frame] == [1, 2, 3, 4, 5]
        lines = [frame.get("code", "message") for frame in frames if "seq" in frame]
        assert lines == ["joined", "message", "unreadable", "message", "message"]
        assert asked.call_count <= 6
        assert len(logs.output) == 1
        assert str(pk) in logs.output[0]

    async def test_a_log_without_its_end_keeps_nobody_asking(self) -> None:
        _, token = await sync_to_async(self.broken)(lambda rows: rows.filter(visitor_seq=5).delete())
        with self.assertLogs("chat.consumers.cursor", "ERROR"):
            page = Page(token)
            frames = await page.hello()
        assert [frame["seq"] for frame in frames if "seq" in frame] == [1, 2, 3, 4, 5]
        assert await page.settled() == []

    async def test_more_is_missing_than_can_be_a_hole_and_the_loop_ends(self) -> None:
        far = cursor.MOST_ABSENT + 10
        _, token = await sync_to_async(self.broken)(lambda rows: rows.filter(visitor_seq=5).update(visitor_seq=far))
        with mock.patch("chat.consumers.cursor.events_after", wraps=events_after) as asked:
            frames = await Page(token).hello()
        assert [frame["seq"] for frame in frames if "seq" in frame] == [1, 2, 3, 4, 5]
        assert asked.call_count <= 12

    async def test_a_forged_record_is_a_placeholder_and_once_in_the_trail(self) -> None:
        pk, token = await sync_to_async(self.broken)(self.spoil)
        for page in (Page(token), Page(token)):
            frames = await page.hello()
            lines = [frame for frame in frames if "seq" in frame]
            assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5]
            assert (lines[2]["type"], lines[2]["code"]) == ("fact", "unreadable")
            assert (lines[3]["type"], lines[4]["type"]) == ("message", "message")
            cursor._told.clear()
        event = await AuditEvent.objects.aget(action="record.not_authentic")
        assert (event.subject, event.data["number"]) == (f"conversation:{pk}", 4)

    async def test_staff_read_on_behind_it_too(self) -> None:
        pk, _ = await sync_to_async(self.broken)(self.spoil)
        tab = await sync_to_async(lambda: Tab(ben()))()
        await tab.open()
        await tab.wire.send_json_to({"type": "follow", "ref": 1, "conversation": str(pk), "after": 0})
        seen = []
        while (frame := await tab.wire.receive_json_from(timeout=15))["type"] != "followed":
            seen.append((frame.get("seq"), frame.get("code")))
        assert [pair for pair in seen if pair[0]][2:] == [(3, None), (4, "unreadable"), (5, None), (6, None)]

    async def test_keys_that_are_down_for_now_make_nothing_unreadable(self) -> None:
        _, token = await sync_to_async(self.broken)(lambda rows: None)
        page = Page(token)
        with mock.patch("chat.log.sealer_for", side_effect=ProviderDown("op")):
            first = await page.hello()
        assert "unreadable" not in json.dumps(first)
        rest = await page.settled()
        lines = [frame for frame in [*first, *rest] if "seq" in frame]
        assert [line["type"] for line in lines] == ["fact", *["message"] * 4]

    async def test_what_was_spoilt_on_its_way_is_read_from_the_log(self) -> None:
        pk, token = await sync_to_async(begun)()
        page = Page(token)
        await page.hello()
        (event,) = await sync_to_async(say)(pk, 9)
        await hub().tell_event(msgspec.structs.replace(event, sealed_body=b"x" * 60))
        assert (await page.wire.receive_json_from(timeout=15))["type"] == "message"


class BrokenLineStories(TestCase):
    async def test_a_message_is_told_although_its_acknowledgement_cannot_be_sent(self) -> None:
        pk, token = await sync_to_async(begun)()
        follower = mock.Mock()
        await hub().follow(pk, follower)

        async def send(frame: dict[str, Any]) -> None:
            if '"ok"' in frame.get("text", ""):
                raise OSError("gone")

        inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        hello = {"type": "hello", "version": 1, "token": token, "after": 0, "start": False, "language": "en"}
        post = {"type": "post", "ref": 1, "client_id": "c" * 32, "body": "the last line"}
        await inbox.put({"type": "websocket.connect"})
        for frame in (hello, post):
            await inbox.put({"type": "websocket.receive", "text": json.dumps(frame)})
        await inbox.put({"type": "websocket.disconnect"})
        await VisitorSocket({"headers": HEADERS}, send).live(inbox.get)
        assert await Event.objects.filter(client_id="c" * 32).acount() == 1
        told = [call.args[0].event.client_id for call in follower.on_event.call_args_list]
        assert told == ["c" * 32]

    async def test_a_line_closed_by_leaving_is_a_quick_exit_and_one_that_breaks_is_none(self) -> None:
        for code, ended_by in ((1006, ""), (1000, ""), (4001, "left_quickly")):
            pk, token = await sync_to_async(waiting)(timezone.now())
            page = Page(token)
            await page.hello()
            await page.wire.disconnect(code)
            assert (await Conversation.objects.aget(pk=pk)).ended_by == ended_by, code

    async def test_the_end_of_an_old_line_does_not_hide_a_visitor_who_is_there(self) -> None:
        pk, token = await sync_to_async(waiting)(timezone.now())
        clock = Clock()
        with mock.patch.object(base, "now", clock):
            old, fresh = Page(token), Page(token)
            await old.hello()
            clock.forward(30)
            await fresh.hello()
            seen = await last_seen(pk)
            with mock.patch("chat.consumers.visitor.hub", other_process):
                await old.wire.disconnect()
            assert await last_seen(pk) == seen
            clock.forward(5)
            await fresh.wire.disconnect()
        assert await last_seen(pk) < seen

    async def test_nor_does_the_end_of_one_of_two_lines_of_this_process(self) -> None:
        pk, token = await sync_to_async(waiting)(timezone.now())
        one, other = Page(token), Page(token)
        await other.hello()
        await one.hello()
        seen = await last_seen(pk)
        await one.wire.disconnect()
        assert await last_seen(pk) == seen


class Clock:
    """Be a clock that a test moves."""

    def __init__(self) -> None:
        self.at = timezone.now()

    def __call__(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)


def other_process() -> Any:
    """Return a hub that knows of no other line, as that of another process would."""
    return mock.Mock(unfollow=hub().unfollow, followers=mock.Mock(return_value=()))


class SignOutStories(TestCase):
    async def test_the_visitor_is_told_the_truth_at_once_when_the_advocate_signs_out(self) -> None:
        pk, token = await sync_to_async(begun)()
        page = Page(token)
        await page.hello()
        await self.async_client.aforce_login(await User.objects.aget(username="ben"))
        answer = await self.async_client.post(reverse("sign_out"))
        assert answer.status_code == 302
        frames = await page.settled()
        assert [(frame["type"], frame.get("code") or frame.get("state")) for frame in frames] == [
            ("fact", "returned_to_queue"),
            ("standing", "waiting"),
        ]
        assert frames[1]["advocate"] is None
        row = await sync_to_async(conversation)(pk)
        assert (row.state, row.waiting_since) == ("waiting", row.opened_at)
        assert await AuditEvent.objects.filter(action="conversation.handed_back").acount() == 1

    def test_nothing_held_is_nothing_handed_back(self) -> None:
        client = Client()
        client.force_login(User.objects.get(pk=ben().id))
        assert client.post(reverse("sign_out")).status_code == 302
        assert not AuditEvent.objects.filter(action="conversation.handed_back").exists()
