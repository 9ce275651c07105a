"""Who is here and who has gone: written together, the last sign counts, and a row that is held holds nobody up."""

import asyncio
from datetime import timedelta
from unittest import mock

from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.test import TestCase
from django.utils import timezone

from chat import presence as room
from chat.presence import Presence
from chat.services import note_visitors
from staff.selectors import LEASE
from tests.support.people import NOON, conversation, waiting

LATER = NOON + timedelta(seconds=30)


class NoteStories(TestCase):
    def setUp(self) -> None:
        self.one, self.two, self.three = (waiting(NOON)[0] for _ in range(3))

    def test_who_is_here_and_who_has_gone_are_noted_at_once(self) -> None:
        with self.assertNumQueries(5):
            note_visitors(here={self.one: LATER, self.two: LATER}, gone={self.three: NOON})
        assert [conversation(pk).visitor_seen_at for pk in (self.one, self.two)] == [LATER, LATER]
        assert conversation(self.three).visitor_seen_at <= NOON - LEASE

    def test_a_line_that_closed_hides_nobody_who_was_heard_after_it(self) -> None:
        note_visitors(here={self.one: LATER}, gone={})
        note_visitors(here={}, gone={self.one: LATER - timedelta(seconds=1)})
        assert conversation(self.one).visitor_seen_at == LATER

    def test_of_signs_that_lie_close_together_the_earliest_is_written(self) -> None:
        note_visitors(here={self.one: LATER, self.two: LATER + timedelta(milliseconds=40)}, gone={})
        assert conversation(self.two).visitor_seen_at == LATER
        note_visitors(here={}, gone={self.two: LATER + timedelta(milliseconds=40)})
        assert conversation(self.two).visitor_seen_at < LATER, "else a line that closed at once would be overlooked"

    def test_a_sign_by_a_clock_that_was_set_back_is_the_one_that_counts(self) -> None:
        note_visitors(here={self.one: NOON - timedelta(hours=1)}, gone={})
        assert conversation(self.one).visitor_seen_at == NOON - timedelta(hours=1)


class PresenceStories(TestCase):
    def setUp(self) -> None:
        self.pk = waiting(NOON)[0]

    async def seen(self) -> object:
        return (await sync_to_async(conversation)(self.pk)).visitor_seen_at

    async def test_many_signs_of_a_moment_are_one_write(self) -> None:
        presence = Presence()
        with mock.patch.object(room, "note_visitors", wraps=note_visitors) as wrote:
            for second in range(5):
                presence.here(self.pk, NOON + timedelta(seconds=second))
            await presence.written()
        assert wrote.call_count == 1
        assert await self.seen() == NOON + timedelta(seconds=4)

    async def test_the_last_sign_counts(self) -> None:
        presence = Presence()
        presence.here(self.pk, LATER)
        presence.gone(self.pk, LATER)
        await presence.written()
        assert await self.seen() < NOON  # type: ignore[operator]
        presence.gone(self.pk, LATER)
        presence.here(self.pk, LATER)
        await presence.written()
        assert await self.seen() == LATER

    async def test_more_than_fit_are_written_one_part_after_the_other(self) -> None:
        pks = [self.pk, *(await sync_to_async(lambda: [waiting(NOON)[0] for _ in range(4)])())]
        presence = Presence()
        with (
            mock.patch.object(room, "MOST_AT_ONCE", 2),
            mock.patch.object(room, "GATHER", 0),
            mock.patch.object(room, "note_visitors", wraps=note_visitors) as wrote,
        ):
            for pk in pks:
                presence.here(pk, LATER)
            await presence.written()
        assert [len(call.kwargs["here"]) for call in wrote.call_args_list] == [2, 2, 1]
        assert await self.seen() == LATER

    async def test_an_outage_is_over_with_the_next_sign(self) -> None:
        presence = Presence()
        with (
            mock.patch.object(room, "note_visitors", side_effect=OperationalError),
            self.assertLogs("chat.presence", "ERROR"),
        ):
            presence.here(self.pk, LATER)
            await presence.written()
        presence.here(self.pk, LATER)
        await presence.written()
        assert await self.seen() == LATER

    async def test_lists_hear_of_who_comes_and_goes_and_not_of_every_ping(self) -> None:
        presence, now = Presence(), timezone.now()
        with mock.patch("chat.broadcast.publish_overview") as told:
            presence.here(self.pk, now)
            await presence.written()
            assert told.call_count == 0
            presence.here(self.pk, now, arrived=True)
            await presence.written()
            assert told.call_count == 1
            presence.gone(self.pk, now)
            await presence.written()
            assert told.call_count == 2

    async def test_signs_wait_for_others_and_news_take_them_along_at_once(self) -> None:
        other, presence = (await sync_to_async(waiting)(NOON))[0], Presence()
        with (
            mock.patch.object(room, "GATHER_SIGNS", 60.0),
            mock.patch.object(room, "note_visitors", wraps=note_visitors) as wrote,
        ):
            presence.here(self.pk, LATER)
            await asyncio.sleep(3 * room.GATHER)
            assert wrote.call_count == 0
            presence.here(other, LATER, arrived=True)
            async with asyncio.timeout(15):
                while not wrote.called or presence._task is None or not presence._task.done():
                    await asyncio.sleep(0.01)
        assert [set(call.kwargs["here"]) for call in wrote.call_args_list] == [{self.pk, other}]
        assert await self.seen() == LATER
