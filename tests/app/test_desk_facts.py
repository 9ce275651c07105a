"""What staff are told about the shift: who can still take somebody, and names that are told apart."""

import asyncio
from datetime import timedelta
from unittest import mock
from uuid import UUID

from asgiref.sync import async_to_sync, sync_to_async
from django.test import TestCase
from django.utils import timezone

from chat import overview
from chat.core.actors import Staff
from chat.frames import moment
from chat.models import Conversation, ReadMark
from chat.overview import Asked, Shift, read, shift
from chat.selectors import handles_in_use
from chat.selectors.listed import Listed
from staff.models import User
from staff.services import set_availability
from tests.support.people import ben, cleo, conversation, dana, eve, held_by, waiting


class FreeStories(TestCase):
    def test_who_is_full_is_ready_and_not_free(self) -> None:
        held_by(ben(), timezone.now())
        User.objects.filter(pk=ben().id).update(capacity=1)
        set_availability(user_id=cleo().id, state="ready", now=timezone.now())
        seen = async_to_sync(shift)(dana()).seen_by(dana())
        assert (seen.ready, seen.free) == (2, 1)

    def test_an_urgent_conversation_takes_every_place(self) -> None:
        pk, _ = held_by(ben(), timezone.now())
        assert async_to_sync(shift)(None).free == 1
        Conversation.objects.filter(pk=pk).update(level=3)
        assert async_to_sync(shift)(None).free == 0


class ReadingStories(TestCase):
    """One reading serves whoever asks at the same time, and holds no row that none of them may see."""

    def setUp(self) -> None:
        self.now = timezone.now()
        self.waits, _ = waiting(self.now)
        self.bens, _ = held_by(ben(), self.now)
        self.cleos, _ = held_by(cleo(), self.now)
        self.asked, _ = waiting(self.now)
        self.pressing, _ = waiting(self.now)
        later = self.now + timedelta(seconds=45)
        for pk, level in ((self.asked, 0), (self.pressing, 3)):
            Conversation.objects.filter(pk=pk).update(
                state="offered", advocate=cleo().id, offer_until=later, level=level, waiting_since=None
            )
        for number, pk in enumerate((self.bens, self.cleos, self.waits)):
            ReadMark.objects.create(conversation_id=pk, user_id=ben().id, up_to=number + 1)

    def read(self, *people: Staff, on_wall: bool = False) -> Shift:
        return read(Asked(frozenset(people), on_wall=on_wall), self.now)

    def test_what_somebody_sees_is_the_same_whoever_else_asks(self) -> None:
        everybody = self.read(ben(), cleo(), dana(), eve(), on_wall=True)
        for person in (ben(), cleo(), dana(), eve()):
            with self.subTest(who=person.name):
                assert self.read(person).seen_by(person) == everybody.seen_by(person)
        shown = {one.id: one.read for one in self.read(ben()).seen_by(ben()).conversations}
        assert shown == {str(self.waits): 3, str(self.bens): 1, str(self.pressing): 0}

    def test_nothing_is_read_that_no_asker_may_see(self) -> None:
        assert self.cleos not in self.read(ben()).rows
        assert self.bens not in self.read(cleo()).rows
        assert {self.bens, self.cleos} <= set(self.read(ben(), cleo()).rows)
        assert {self.bens, self.cleos} <= set(self.read(dana()).rows), "a supervisor sees every one"
        assert self.read(eve()).visible_to(eve()) == [], "who is neither sees none, also of what waits"
        shared = self.read(ben(), cleo(), dana())
        assert self.cleos not in {row.pk for row in shared.visible_to(ben())}
        assert not shared.readable_by(ben(), self.cleos)
        assert not self.read(ben()).readable_by(ben(), self.cleos)
        assert self.read(ben()).readable_by(ben(), self.bens)

    def test_a_wall_gets_counts_and_reads_nobody_s_rows(self) -> None:
        wall = self.read(on_wall=True)
        assert {self.bens, self.cleos}.isdisjoint(wall.rows)
        shown = wall.on_wall("en")
        assert (shown.waiting, shown.running, shown.drills) == (3, 2, 0)
        assert shown.waiting_since == moment(conversation(self.waits).waiting_since or self.now)
        # of what two people hold, with what is offered to one of them
        assert (shown.ready, shown.free) == (2, 1)

    async def test_who_asks_during_a_reading_shares_the_next_with_all_others(self) -> None:
        seen: list[Asked] = []

        def noted(asked: Asked) -> dict[UUID, Listed]:
            seen.append(asked)
            return rows(asked)

        rows = overview._rows
        ben_, cleo_, dana_ = await sync_to_async(lambda: (ben(), cleo(), dana()))()
        with mock.patch.object(overview, "_rows", noted):
            first = asyncio.create_task(shift(ben_))
            while not seen:
                await asyncio.sleep(0.001)
            views = await asyncio.gather(shift(cleo_), shift(dana_), shift(None), first)
        assert seen == [Asked(frozenset({ben_})), Asked(frozenset({cleo_, dana_}), on_wall=True)]
        assert views[0] is views[1] is views[2] is not views[3]


class HandleStories(TestCase):
    def test_conversations_that_go_on_have_different_birds(self) -> None:
        birds = {conversation(waiting()[0]).handle.partition("-")[0] for _ in range(12)}
        assert len(birds) == 12

    def test_the_bird_of_one_that_is_over_is_free_again(self) -> None:
        first, _ = waiting()
        held = conversation(first).handle
        assert handles_in_use() == [held]
        Conversation.objects.filter(pk=first).update(state="abandoned", ended_at=timezone.now() - timedelta(days=1))
        with self.assertNumQueries(1):
            assert handles_in_use() == []
