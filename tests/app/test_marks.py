"""Tell how far each side has got: cumulative, never back, never a number that shows a note, never a line twice."""

import asyncio
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.test import TestCase
from django.utils import timezone

from chat import services
from chat.consumers import marks
from chat.consumers.marks import Marks
from chat.core.actors import Visitor
from chat.core.errors import Refused, Unseen
from chat.models import ReadMark
from chat.selectors.glance import Progress, progress
from chat.selectors.marks import Reached, reached_by_visitor
from tests.app.test_staff_socket import Tab, say
from tests.app.test_visitor_socket import Page, begun, tell, types
from tests.support.people import NOON, ben, cleo, conversation, dana, held_by


def note(pk: UUID, number: int) -> None:
    services.write_note(actor=ben(), conversation_id=pk, client_id=f"{number:032x}", body="a note", now=NOON)


def reached_by_staff(pk: UUID) -> Reached:
    found = progress([pk])[pk]
    assert isinstance(found, Progress)
    return found.reached


class PointerStories(TestCase):
    def setUp(self) -> None:
        # staff: opened, joined, text, note, note, text; the visitor: joined, text, text
        self.pk, _ = held_by(ben())
        say(self.pk, 1)
        note(self.pk, 2)
        note(self.pk, 3)
        say(self.pk, 4)

    def read(self, up_to: int, delivered: int = 0, by: Any = ben) -> bool:
        return services.mark_read(actor=by(), conversation_id=self.pk, up_to=up_to, delivered=delivered, now=NOON)

    def seen(self, delivered: int, read: int) -> bool:
        return services.mark_seen(actor=Visitor(self.pk), delivered=delivered, read=read)

    def test_marks_move_forward_only_and_not_beyond_the_log(self) -> None:
        assert self.read(3, delivered=5)
        assert not self.read(2, delivered=4)
        assert self.read(4, delivered=4)
        assert ReadMark.objects.get().delivered == 5, "one moves while the other stays"
        assert self.read(99, delivered=99)
        mark = ReadMark.objects.get()
        assert (mark.up_to, mark.delivered) == (6, 6)
        assert self.seen(2, 1)
        assert not self.seen(1, 0)
        assert self.seen(3, 0)
        assert conversation(self.pk).visitor_read == 1
        assert self.seen(0, 99)
        row = conversation(self.pk)
        assert (row.visitor_delivered, row.visitor_read) == (3, 3)
        assert not self.seen(99, 99)

    def test_what_was_read_was_delivered(self) -> None:
        self.read(4)
        self.seen(0, 2)
        assert ReadMark.objects.get().delivered == 4
        assert conversation(self.pk).visitor_delivered == 2

    def test_the_visitor_is_told_in_their_own_numbers_and_a_read_note_moves_nothing(self) -> None:
        seen = []
        for staff_seq in range(1, 7):
            self.read(staff_seq)
            seen.append(reached_by_staff(self.pk))
        assert seen == [(0, 0), (1, 1), (2, 2), (2, 2), (2, 2), (3, 3)]

    def test_staff_are_told_in_theirs(self) -> None:
        assert reached_by_visitor(self.pk) == (0, 0)
        self.seen(3, 2)
        assert reached_by_visitor(self.pk) == (6, 3)

    def test_the_pair_is_of_whoever_got_furthest(self) -> None:
        self.read(3, by=ben)
        self.read(0, delivered=6, by=dana)
        assert reached_by_staff(self.pk) == (3, 2)

    def test_many_logs_are_read_at_once_and_each_has_its_own(self) -> None:
        self.read(4)
        other, _ = held_by(ben())
        say(other, 1)
        services.mark_read(actor=ben(), conversation_id=other, up_to=3, delivered=0, now=NOON)
        unread, _ = held_by(cleo())
        gone = uuid4()
        with self.assertNumQueries(3):
            found = progress([self.pk, other, unread, gone])
        assert found[self.pk] == Progress(3, (2, 2))
        assert found[other] == Progress(2, (2, 2))
        assert found[unread] == Progress(1, (0, 0))
        assert isinstance(found[gone], Unseen)

    def test_who_may_not_read_moves_nothing(self) -> None:
        with pytest.raises(Refused):
            self.read(3, by=cleo)
        assert not ReadMark.objects.exists()

    def test_a_message_moves_no_mark(self) -> None:
        self.seen(1, 1)
        say(self.pk, 5)
        row = conversation(self.pk)
        assert (row.visitor_delivered, row.visitor_read) == (1, 1)
        assert not ReadMark.objects.exists()


class LiveStories(TestCase):
    async def begin(self) -> None:
        self.pk, self.token = await sync_to_async(begun)()
        self.page = Page(self.token)
        await self.page.hello()
        self.tab = await sync_to_async(lambda: Tab(ben()))()
        await self.tab.open(self.pk)

    async def test_staff_are_told_how_far_the_visitor_has_got(self) -> None:
        await self.begin()
        await self.page.wire.send_json_to({"type": "seen", "delivered": 1, "read": 0})
        frame = await self.tab.until("reached")
        assert frame == {"type": "reached", "conversation": str(self.pk), "delivered": 2, "read": 0}

    async def test_a_ping_carries_the_same(self) -> None:
        await self.begin()
        await self.page.wire.send_json_to({"type": "ping", "delivered": 1, "read": 1})
        assert (await self.tab.until("reached"))["read"] == 2

    async def test_the_visitor_is_told_how_far_staff_have_got_and_nothing_of_notes(self) -> None:
        await self.begin()
        await self.tab.wire.send_json_to({"type": "read", "conversation": str(self.pk), "up_to": 2, "delivered": 2})
        assert await self.page.wire.receive_json_from(timeout=15) == {"type": "reached", "delivered": 1, "read": 1}
        with mock.patch.object(marks, "MARK_EVERY", 0):
            await tell(lambda: self.noted())
            await self.tab.wire.send_json_to({"type": "read", "conversation": str(self.pk), "up_to": 3, "delivered": 3})
            assert await self.page.settled() == []

    def noted(self) -> Any:
        return services.write_note(
            actor=ben(), conversation_id=self.pk, client_id="c" * 32, body="a note", now=timezone.now()
        )

    async def test_a_pair_that_was_not_heard_of_is_told_at_the_next_heartbeat(self) -> None:
        await self.begin()
        with mock.patch("chat.hub.Hub.tell_reached"):
            await self.tab.wire.send_json_to({"type": "read", "conversation": str(self.pk), "up_to": 2, "delivered": 2})
            await self.page.wire.send_json_to({"type": "seen", "delivered": 1, "read": 1})
            await self.tab.wire.send_json_to({"type": "ping"})
            await self.tab.until("pong")
        assert "reached" in types(await self.page.settled())
        await self.tab.wire.send_json_to({"type": "ping"})
        assert (await self.tab.until("reached"))["read"] == 2

    async def test_a_new_line_is_told_the_pair_and_sent_no_text_again(self) -> None:
        await self.begin()
        await sync_to_async(lambda: services.mark_read(actor=ben(), conversation_id=self.pk, up_to=2, now=NOON))()
        again = Page(self.token)
        assert types(await again.hello(after=1)) == ["welcome", "reached"]


class PaceStories(TestCase):
    async def test_a_page_that_says_much_is_written_once_a_second_and_the_newest_is(self) -> None:
        written: list[tuple[int, int]] = []

        async def write(_: UUID, delivered: int, read: int) -> None:
            written.append((delivered, read))

        pk, held = UUID(int=1), Marks(write)
        rested = asyncio.Event()

        async def sleep(_: float) -> None:
            await rested.wait()
            rested.clear()

        with mock.patch("chat.consumers.marks.asyncio.sleep", sleep):
            for number in range(1, 50):
                await held.move(pk, number, number - 1)
            assert written == [(1, 0)]
            rested.set()
            await until(lambda: len(written) == 2)
            assert written[-1] == (49, 48)
            rested.set()
            await until(lambda: held._resting is None)
            await held.move(pk, 3, 3)
            assert len(written) == 2

    async def test_a_page_that_holds_nothing_yet_writes_nothing(self) -> None:
        write = mock.AsyncMock()
        held = Marks(write)
        for _ in range(3):
            await held.move(UUID(int=1), 0, 0)
        assert (write.call_count, held._resting) == (0, None)

    async def test_a_failed_writing_is_tried_at_the_next_word(self) -> None:
        write = mock.AsyncMock(side_effect=[RuntimeError, None])
        held = Marks(write)
        with self.assertLogs("chat.consumers.marks", "ERROR"):
            await held.move(UUID(int=1), 1, 1)
        held.stop()
        held._resting = None
        await held.move(UUID(int=1), 1, 1)
        assert write.await_count == 2
        held.stop()


async def until(condition: Any) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.wait({asyncio.create_task(turn())})


async def turn() -> None:
    """Let the loop go round once, whatever stands for sleeping."""


class SnapshotStories(TestCase):
    """Who missed much gets the newest lines and asks for older ones, a page at a time."""

    def setUp(self) -> None:
        self.pk, self.token = begun()
        for number in range(1, 12):
            say(self.pk, number)
        self.few = mock.patch("chat.protocol.MOST_MISSED", 5)
        self.here = (
            mock.patch("chat.consumers.cursor.MOST_MISSED", 5),
            mock.patch("chat.services.reading.MOST_MISSED", 5),
        )
        for one in (self.few, *self.here):
            one.start()
            self.addCleanup(one.stop)

    async def test_the_visitor_gets_the_newest_and_pages_of_older_ones_down_to_the_first(self) -> None:
        page = Page(self.token)
        welcome, *lines = await page.hello()
        assert (welcome["after"], welcome["older"]) == (7, True)
        assert [line["seq"] for line in lines] == [8, 9, 10, 11, 12]
        seen = []
        for before in (8, 3):
            await page.wire.send_json_to({"type": "older", "ref": 1, "before": before})
            while (frame := await page.wire.receive_json_from(timeout=15))["type"] != "ok":
                seen.append(frame["seq"])
        assert seen == [7, 6, 5, 4, 3, 2, 1]
        await page.wire.send_json_to({"type": "older", "ref": 2, "before": 99})
        assert (await page.wire.receive_json_from(timeout=15))["code"] == "ahead_of_log"

    async def test_who_missed_a_little_gets_all_of_it(self) -> None:
        welcome, *lines = await Page(self.token).hello(after=7)
        assert (welcome["after"], welcome["older"]) == (7, False)
        assert [line["seq"] for line in lines] == [8, 9, 10, 11, 12]

    async def test_staff_get_a_snapshot_and_pages_and_the_trail_knows_of_each(self) -> None:
        from audit.models import AuditEvent

        tab = await sync_to_async(lambda: Tab(ben()))()
        await tab.open()
        await tab.wire.send_json_to({"type": "follow", "ref": 1, "conversation": str(self.pk), "after": 0})
        assert (await tab.until("snapshot"))["after"] == 8
        seen = []
        while (frame := await tab.wire.receive_json_from(timeout=15))["type"] != "followed":
            seen += [frame["seq"]] if frame["type"] == "message" else []
        assert (seen, frame["older"]) == ([9, 10, 11, 12, 13], True)
        await tab.wire.send_json_to({"type": "older", "ref": 2, "conversation": str(self.pk), "before": 9})
        older = []
        while (frame := await tab.wire.receive_json_from(timeout=15))["type"] != "ok":
            older += [frame["seq"]] if "seq" in frame else []
        assert older == [8, 7, 6, 5, 4]
        read = [event.data async for event in AuditEvent.objects.filter(action="conversation.read").order_by("pk")]
        assert read == [{"after": 0}, {"before": 9}]

    async def test_a_stranger_gets_no_older_line(self) -> None:
        tab = await sync_to_async(lambda: Tab(cleo()))()
        await tab.open()
        await tab.wire.send_json_to({"type": "older", "ref": 2, "conversation": str(self.pk), "before": 9})
        frames = await tab.until("error")
        assert frames["code"] == "not_found"

    async def test_a_hole_in_an_older_page_is_a_placeholder(self) -> None:
        from chat.models import Event

        await Event.objects.filter(conversation=self.pk, visitor_seq=5).adelete()
        page = Page(self.token)
        await page.hello()
        await page.wire.send_json_to({"type": "older", "ref": 1, "before": 8})
        frames = [await page.wire.receive_json_from(timeout=15) for _ in range(5)]
        assert [frame["seq"] for frame in frames] == [7, 6, 5, 4, 3]
        assert [frame.get("code") for frame in frames] == [None, None, "unreadable", None, None]
