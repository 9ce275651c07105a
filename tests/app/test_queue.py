"""Tell how the clocks bring people together: offers that lapse, consoles that vanish, visitors who fade."""

from datetime import datetime, timedelta
from unittest import mock
from uuid import UUID

import pytest
from django.db import OperationalError
from django.test import TestCase

from audit.models import AuditEvent
from chat import services
from chat.core.errors import Refused
from chat.core.routing import (
    FADES_AFTER,
    LONGEST_BREAK,
    NOT_AGAIN_WITHIN,
    OFFER_LASTS,
    RESCUE_GRACE,
    URGENT_AGAIN_AFTER,
)
from chat.models import Assignment, Conversation, Event, Watch
from chat.selectors import conversation_for
from staff.selectors import LEASE
from staff.services import renew_lease, set_availability, sign_off
from tests.support.people import NOON, ben, cleo, conversation, dana, held_by, waiting

MOMENT = timedelta(milliseconds=1)
LATER = NOON + timedelta(minutes=5)


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

    def test_a_visitor_in_danger_is_offered_again_soon_and_nothing_calm_before(self) -> None:
        Conversation.objects.filter(pk=self.pk).update(level=3)
        services.offer_waiting(now=NOON)
        calm, _ = waiting()
        lapsed = NOON + OFFER_LASTS
        renew_lease(user_id=self.ben.id, now=lapsed)
        services.lapse_offers(now=lapsed)
        assert services.offer_waiting(now=lapsed).result == 0
        assert services.offer_waiting(now=lapsed + URGENT_AGAIN_AFTER).result == 1
        assert [conversation(pk).state for pk in (self.pk, calm)] == ["offered", "waiting"]

    def test_a_record_that_is_still_to_be_written_keeps_nobody_in_danger_waiting(self) -> None:
        ended = [held_by(self.ben)[0] for _ in range(2)]
        Conversation.objects.filter(pk__in=ended).update(state="wrap_up", ended_by="visitor", ended_at=NOON)
        assert services.offer_waiting(now=NOON).result == 0
        with pytest.raises(Refused):
            services.take(actor=self.ben, conversation_id=self.pk, now=NOON)
        Conversation.objects.filter(pk=self.pk).update(level=2)
        assert services.offer_waiting(now=NOON).result == 1
        services.take(actor=self.ben, conversation_id=self.pk, now=NOON)
        assert conversation(self.pk).state == "active"

    def test_a_supervisor_and_a_silent_console_are_offered_nothing(self) -> None:
        set_availability(user_id=self.ben.id, state="away", now=NOON)
        set_availability(user_id=dana().id, state="ready", now=NOON)
        set_availability(user_id=cleo().id, state="ready", now=NOON - timedelta(seconds=61))
        assert services.offer_waiting(now=NOON).result == 0


def watched(until: datetime, since: datetime = NOON - timedelta(hours=1)) -> None:
    """Let the worker have looked without a break, its last round a second ago."""
    Watch.objects.update_or_create(pk=1, defaults={"since": since, "last": until - timedelta(seconds=1)})


class RescueStories(TestCase):
    def setUp(self) -> None:
        watched(NOON + RESCUE_GRACE)

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

    def test_nobody_is_given_back_because_the_system_was_away(self) -> None:
        pks = [held_by(person)[0] for person in (ben(), cleo())]
        back = NOON + timedelta(seconds=90)
        watched(NOON)
        assert services.rescue_stranded(now=back).result == 0
        renew_lease(user_id=ben().id, now=back + timedelta(seconds=20))
        for second in range(5, 80, 5):
            assert services.rescue_stranded(now=back + timedelta(seconds=second)).result == 0
        assert services.rescue_stranded(now=back + RESCUE_GRACE).result == 1, "who does not come back is gone"
        assert [conversation(pk).state for pk in pks] == ["active", "waiting"]

    def test_a_short_pause_of_the_worker_changes_nothing(self) -> None:
        pk, _ = held_by(ben())
        watched(NOON + RESCUE_GRACE - LONGEST_BREAK + timedelta(seconds=1))
        assert services.rescue_stranded(now=NOON + RESCUE_GRACE).result == 1
        assert conversation(pk).state == "waiting"

    def test_who_took_it_meanwhile_keeps_it(self) -> None:
        pk, _ = held_by(ben())
        later = NOON + RESCUE_GRACE

        def taken(*args: object, **kwargs: object) -> Conversation:
            # another worker was quicker, and cleo took it before this one had the row
            Conversation.objects.filter(pk=pk).update(advocate_id=cleo().id)
            return conversation_for(*args, **kwargs)  # type: ignore[arg-type]

        set_availability(user_id=cleo().id, state="ready", now=later)
        with mock.patch("chat.services.queue.conversation_for", taken):
            assert services.rescue_stranded(now=later).result == 0
        assert (conversation(pk).state, conversation(pk).advocate_id) == ("active", cleo().id)

    def test_one_that_fails_holds_no_other_up(self) -> None:
        broken, sound = [held_by(person)[0] for person in (ben(), cleo())]

        def failing(actor: object, pk: UUID, *args: object, **kwargs: object) -> Conversation:
            if pk == broken:
                raise OperationalError("canceling statement due to lock timeout")
            return conversation_for(actor, pk, *args, **kwargs)  # type: ignore[arg-type]

        with mock.patch("chat.services.queue.conversation_for", failing), self.assertLogs("chat.services.queue"):
            assert services.rescue_stranded(now=NOON + RESCUE_GRACE).result == 1
        assert (conversation(broken).state, conversation(sound).state) == ("active", "waiting")

    def test_nobody_waits_longer_than_ninety_seconds_for_a_rescue(self) -> None:
        assert timedelta(seconds=89) >= RESCUE_GRACE


BACK = NOON - timedelta(hours=1)


class SetBackStories(TestCase):
    """The clock is set back an hour, and nobody waits for the hour to pass."""

    def setUp(self) -> None:
        watched(NOON)

    def test_an_open_offer_lapses_and_is_made_again(self) -> None:
        set_availability(user_id=ben().id, state="ready", now=NOON)
        pk, _ = waiting()
        services.offer_waiting(now=NOON)
        assert services.mend_set_back(now=BACK).result == 1
        assert services.lapse_offers(now=BACK + OFFER_LASTS - MOMENT).result == 0
        assert services.lapse_offers(now=BACK + OFFER_LASTS).result == 1
        later = BACK + OFFER_LASTS + NOT_AGAIN_WITHIN
        renew_lease(user_id=ben().id, now=later)
        assert services.offer_waiting(now=later).result == 1, "also to who let it lapse"
        assert conversation(pk).state == "offered"

    def test_who_declined_before_is_asked_again(self) -> None:
        set_availability(user_id=ben().id, state="ready", now=NOON)
        pk, _ = waiting()
        services.offer_waiting(now=NOON)
        services.decline(actor=ben(), conversation_id=pk, now=NOON)
        services.mend_set_back(now=BACK)
        later = BACK + NOT_AGAIN_WITHIN
        renew_lease(user_id=ben().id, now=later)
        assert services.offer_waiting(now=later).result == 1

    def test_who_vanished_is_missed_in_time_and_who_is_there_keeps_theirs(self) -> None:
        pks = [held_by(person)[0] for person in (ben(), cleo())]
        services.mend_set_back(now=BACK)
        renew_lease(user_id=ben().id, now=BACK + timedelta(seconds=25))
        for second in range(0, 80, 5):
            assert services.rescue_stranded(now=BACK + timedelta(seconds=second)).result == 0
        assert services.rescue_stranded(now=BACK + RESCUE_GRACE).result == 1
        assert [conversation(pk).state for pk in pks] == ["active", "waiting"]

    def test_a_visitor_who_left_is_not_here_for_the_hour(self) -> None:
        pk, _ = waiting()
        services.mend_set_back(now=BACK)
        services.note_visitors(here={}, gone={pk: BACK})
        assert conversation(pk).visitor_seen_at <= BACK - LEASE

    def test_a_machine_whose_clock_is_fast_loses_nothing(self) -> None:
        """Heard by a clock that is ahead of the worker's; nobody set one back."""
        pk, _ = held_by(ben())
        for second in range(0, 200, 5):
            now = NOON + timedelta(seconds=second)
            renew_lease(user_id=ben().id, now=now + timedelta(seconds=40))
            assert services.rescue_stranded(now=now).result == 0
        assert conversation(pk).state == "active"


class SignOutStories(TestCase):
    def setUp(self) -> None:
        self.ben = ben()
        self.running, self.token = held_by(self.ben)
        self.offered, _ = waiting()
        services.offer_waiting(now=NOON)
        assert conversation(self.offered).state == "offered"

    def test_everything_goes_back_at_once_and_is_in_the_trail(self) -> None:
        sign_off(user_id=self.ben.id, now=LATER)
        done = services.hand_back_all(user_id=self.ben.id, now=LATER)
        assert done.result == 2
        for pk in (self.running, self.offered):
            row = conversation(pk)
            assert (row.state, row.advocate_id, row.waiting_since, row.offer_until) == ("waiting", None, NOON, None)
            trail = AuditEvent.objects.get(action="conversation.handed_back", subject=f"conversation:{pk}")
            assert trail.actor == f"staff:{self.ben.id}"
        assert not Assignment.objects.filter(ended_at=None).exists()
        assert [event.visitor_seq is not None for event in done.events] == [
            event.conversation == self.running for event in done.events
        ], "an offer was never said to a visitor, so neither is its end"

    def test_what_waits_for_its_record_stays(self) -> None:
        services.end_conversation(actor=self.ben, conversation_id=self.running, now=NOON)
        services.hand_back_all(user_id=self.ben.id, now=LATER)
        assert (conversation(self.running).state, conversation(self.running).advocate_id) == ("wrap_up", self.ben.id)


class FadeStories(TestCase):
    def test_a_visitor_who_was_not_seen_for_long_fades(self) -> None:
        pk, _ = waiting()
        assert services.fade_waiting(now=NOON + FADES_AFTER - MOMENT).result == 0
        assert services.fade_waiting(now=NOON + FADES_AFTER).result == 1
        assert (conversation(pk).state, conversation(pk).ended_by) == ("abandoned", "faded")

    def test_one_that_is_flagged_at_the_last_moment_does_not_fade(self) -> None:
        pk, _ = waiting()

        def flagged(*args: object, **kwargs: object) -> Conversation:
            Conversation.objects.filter(pk=pk).update(level=2)
            return conversation_for(*args, **kwargs)  # type: ignore[arg-type]

        with mock.patch("chat.services.queue.conversation_for", flagged):
            assert services.fade_waiting(now=NOON + FADES_AFTER).result == 0
        assert conversation(pk).state == "waiting"

    def test_a_flagged_one_never_fades_by_a_clock(self) -> None:
        pk, _ = waiting()
        Conversation.objects.filter(pk=pk).update(level=2)
        assert services.fade_waiting(now=NOON + 10 * FADES_AFTER).result == 0
        assert conversation(pk).state == "waiting"
