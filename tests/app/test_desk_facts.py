"""What staff are told about the shift: who can still take somebody, and names that are told apart."""

from datetime import timedelta

from asgiref.sync import async_to_sync
from django.test import TestCase
from django.utils import timezone

from chat.models import Conversation
from chat.overview import shift
from chat.selectors import handles_in_use
from staff.models import User
from staff.services import set_availability
from tests.support.people import ben, cleo, conversation, dana, held_by, waiting


class FreeStories(TestCase):
    def test_who_is_full_is_ready_and_not_free(self) -> None:
        held_by(ben(), timezone.now())
        User.objects.filter(pk=ben().id).update(capacity=1)
        set_availability(user_id=cleo().id, state="ready", now=timezone.now())
        seen = async_to_sync(shift)().seen_by(dana())
        assert (seen.ready, seen.free) == (2, 1)

    def test_an_urgent_conversation_takes_every_place(self) -> None:
        pk, _ = held_by(ben(), timezone.now())
        assert async_to_sync(shift)().free == 1
        Conversation.objects.filter(pk=pk).update(level=3)
        assert async_to_sync(shift)().free == 0


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
