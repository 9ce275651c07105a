"""Tell how the clocks bring people together: offers that lapse, consoles that vanish, visitors who fade."""

from datetime import timedelta
from uuid import UUID

from django.test import TestCase

from chat import services
from chat.core.routing import FADES_AFTER, OFFER_LASTS, RESCUE_GRACE
from chat.models import Assignment, Conversation, Event
from staff.services import renew_lease, set_availability
from tests.support.people import NOON, ben, cleo, conversation, dana, held_by, waiting

MOMENT = timedelta(milliseconds=1)


def codes(pk: UUID) -> list[str]:
    return list(Event.objects.filter(conversation=pk).order_by("staff_seq").values_list("code", flat=True))


class OfferStories(TestCase):
    def setUp(self) -> None:
        self.ben = ben()
        set_availability(user_id=self.ben.id, state="ready", now=NOON)
        self.pk, _ = waiting()

    def test_a_ready_advocate_is_offered_who_waits_once(self) -> None:
        assert services.offer_waiting(now=NOON).result == 1
        assert services.offer_waiting(now=NOON).result == 0
        row = conversation(self.pk)
        assert (row.state, row.advocate_id, row.offer_until) == ("offered", self.ben.id, NOON + OFFER_LASTS)

    def test_an_offer_lapses_at_its_end_and_goes_to_somebody_else(self) -> None:
        services.offer_waiting(now=NOON)
        assert services.lapse_offers(now=NOON + OFFER_LASTS - MOMENT).result == 0
        assert services.lapse_offers(now=NOON + OFFER_LASTS).result == 1
        later = NOON + OFFER_LASTS
        renew_lease(user_id=self.ben.id, now=later)
        assert services.offer_waiting(now=later).result == 0, "not to the same person at once"
        set_availability(user_id=cleo().id, state="ready", now=later)
        assert services.offer_waiting(now=later).result == 1
        assert conversation(self.pk).advocate_id == cleo().id

    def test_declining_keeps_the_visitors_place(self) -> None:
        services.offer_waiting(now=NOON)
        services.decline(actor=self.ben, conversation_id=self.pk, now=NOON + timedelta(seconds=5))
        row = conversation(self.pk)
        assert (row.state, row.waiting_since) == ("waiting", NOON)

    def test_nobody_is_offered_more_than_their_capacity(self) -> None:
        for _ in range(3):
            waiting()
        services.offer_waiting(now=NOON)
        services.offer_waiting(now=NOON)
        held = Conversation.objects.filter(advocate_id=self.ben.id).count()
        assert held == 2

    def test_a_supervisor_and_a_silent_console_are_offered_nothing(self) -> None:
        set_availability(user_id=self.ben.id, state="away", now=NOON)
        set_availability(user_id=dana().id, state="ready", now=NOON)
        set_availability(user_id=cleo().id, state="ready", now=NOON - timedelta(seconds=61))
        assert services.offer_waiting(now=NOON).result == 0


class RescueStories(TestCase):
    def test_a_vanished_console_gives_its_conversations_back_at_the_head_of_the_queue(self) -> None:
        pk, _ = held_by(ben())
        assert services.rescue_stranded(now=NOON + RESCUE_GRACE - MOMENT).result == 0
        assert services.rescue_stranded(now=NOON + RESCUE_GRACE).result == 1
        row = conversation(pk)
        assert (row.state, row.advocate_id, row.waiting_since) == ("waiting", None, NOON)
        assert codes(pk)[-1] in {"rescued", "returned_to_queue"}
        assert not Assignment.objects.filter(conversation=pk, ended_at=None).exists()
        assert services.rescue_stranded(now=NOON + RESCUE_GRACE).result == 0

    def test_a_console_that_is_heard_keeps_them(self) -> None:
        pk, _ = held_by(ben())
        renew_lease(user_id=ben().id, now=NOON + timedelta(seconds=50))
        assert services.rescue_stranded(now=NOON + RESCUE_GRACE).result == 0
        assert conversation(pk).state == "active"

    def test_nobody_waits_longer_than_ninety_seconds_for_a_rescue(self) -> None:
        assert timedelta(seconds=89) >= RESCUE_GRACE


class FadeStories(TestCase):
    def test_a_visitor_who_was_not_seen_for_long_fades(self) -> None:
        pk, _ = waiting()
        assert services.fade_waiting(now=NOON + FADES_AFTER - MOMENT).result == 0
        assert services.fade_waiting(now=NOON + FADES_AFTER).result == 1
        assert (conversation(pk).state, conversation(pk).ended_by) == ("abandoned", "faded")

    def test_a_flagged_one_never_fades_by_a_clock(self) -> None:
        pk, _ = waiting()
        Conversation.objects.filter(pk=pk).update(level=2)
        assert services.fade_waiting(now=NOON + 10 * FADES_AFTER).result == 0
        assert conversation(pk).state == "waiting"
