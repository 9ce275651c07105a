"""What a visitor who waits is told, who is let in, and how a door or a language changes on the way."""

from datetime import datetime, timedelta
from unittest import mock

import pytest
from asgiref.sync import sync_to_async
from django.test import TestCase
from django.utils import timezone

from chat import services
from chat.core.actors import Visitor
from chat.core.errors import ErrorCode, Refused
from chat.core.expectation import Expectation
from chat.models import Event, Site
from chat.selectors import outlook as queue
from chat.selectors.glance import Glance, glances
from staff.models import User
from staff.services import BadAccount, set_availability, set_spoken
from tests.app.test_visitor_socket import Page
from tests.support.people import NOON, ben, cleo, conversation, held_by, new_token, open_site, waiting


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def glance_of(token: str, now: datetime) -> Glance:
    found = glances([token], now)[token]
    assert isinstance(found, Glance)
    return found


def a_busy_half_hour(until: datetime = NOON) -> None:
    """Let three visitors wait ten minutes each, one after the other, until Ben takes them."""
    User.objects.filter(pk=ben().id).update(capacity=4)
    for ago in (30, 20, 10):
        pk, _ = waiting(until - minutes(ago))
        set_availability(user_id=ben().id, state="ready", now=until - minutes(ago - 10))
        services.take(actor=ben(), conversation_id=pk, now=until - minutes(ago - 10))


class Expecting(TestCase):
    def test_who_waits_is_told_by_how_many_wait_before_them_and_how_fast_it_went(self) -> None:
        a_busy_half_hour()
        tokens = [waiting(NOON)[1] for _ in range(3)]
        told = [glance_of(token, NOON).expects for token in tokens]
        by_place = sorted((one for one in told if one), key=lambda one: one.at_least)
        assert by_place == [Expectation(5, 15), Expectation(15, 30), Expectation(20, 45)]

    def test_with_nobody_on_shift_or_nothing_measured_we_cannot_say(self) -> None:
        _, token = waiting(NOON)
        set_availability(user_id=ben().id, state="ready", now=NOON)
        assert glance_of(token, NOON).expects is None
        a_busy_half_hour()
        queue.forget()
        assert glance_of(token, NOON).expects is not None
        set_availability(user_id=ben().id, state="away", now=NOON)
        queue.forget()
        assert glance_of(token, NOON).expects is None

    def test_the_second_wait_after_an_advocate_who_had_to_go_is_not_measured_as_one_long_one(self) -> None:
        a_busy_half_hour()
        services.hand_back_all(user_id=ben().id, now=NOON)
        set_availability(user_id=ben().id, state="ready", now=NOON)
        assert queue.outlook(NOON).minutes_each is None

    def test_a_hundred_who_ask_cost_what_one_does(self) -> None:
        a_busy_half_hour()
        rows = [conversation(waiting(NOON)[0]) for _ in range(5)]
        with self.assertNumQueries(3):
            for second in range(100):
                for row in rows:
                    queue.outlook(NOON + timedelta(seconds=second % 5)).expects(row)

    def test_who_is_with_somebody_expects_nothing(self) -> None:
        _, token = held_by(ben(), NOON)
        with self.assertNumQueries(3):  # the conversation, how far staff got, who is on shift
            seen = glance_of(token, NOON)
        assert seen.expects is None
        assert seen.language_read


class Languages(TestCase):
    def test_the_page_is_told_when_nobody_on_shift_reads_its_language(self) -> None:
        set_availability(user_id=ben().id, state="ready", now=NOON)
        _, french = waiting(NOON, language="fr")
        assert not glance_of(french, NOON).language_read
        assert glance_of(waiting(NOON)[1], NOON).language_read
        set_spoken(username="ben", languages=["fr", "en"], now=NOON)
        queue.forget()
        assert glance_of(french, NOON).language_read
        assert ben().language == "en"

    def test_while_nobody_is_there_that_is_what_is_said(self) -> None:
        assert glance_of(waiting(NOON, language="fr")[1], NOON).language_read

    def test_who_reads_the_language_is_offered_it_first(self) -> None:
        for one in (ben(), cleo()):
            set_availability(user_id=one.id, state="ready", now=NOON)
        set_spoken(username="cleo", languages=["fr"], now=NOON)
        pk, _ = waiting(NOON, language="fr")
        services.offer_waiting(now=NOON)
        assert conversation(pk).advocate_id == cleo().id

    def test_a_language_that_havre_does_not_have_is_refused(self) -> None:
        ben()
        with pytest.raises(BadAccount):
            set_spoken(username="ben", languages=["xx"], now=NOON)


class Full(TestCase):
    def setUp(self) -> None:
        open_site()
        Site.objects.update(most_waiting=2)

    def test_who_comes_while_too_many_wait_is_refused_and_who_waits_stays(self) -> None:
        tokens = [waiting(NOON)[1] for _ in range(2)]
        with pytest.raises(Refused) as refused:
            services.open_conversation(token=new_token(), language="en", door="help", now=NOON)
        assert refused.value.code is ErrorCode.FULL
        again = services.open_conversation(token=tokens[0], language="en", door="help", now=NOON)
        assert again.events == ()

    def test_there_is_room_again_once_somebody_is_taken(self) -> None:
        waiting(NOON)
        held_by(ben(), NOON)
        services.open_conversation(token=new_token(), language="en", door="help", now=NOON)

    async def test_the_socket_says_so_and_closes(self) -> None:
        for _ in range(2):
            await sync_to_async(waiting)(NOON)
        page = Page(new_token())
        await page.wire.connect()
        hello = {"type": "hello", "version": 1, "token": page.token, "after": 0, "start": True, "language": "en"}
        await page.wire.send_json_to(hello)
        assert (await page.wire.receive_json_from())["code"] == "full"
        assert (await page.wire.receive_output())["code"] == 4403


class Turning(TestCase):
    def test_another_door_is_a_fact_for_staff_only_and_a_repeat_is_none(self) -> None:
        pk, _ = held_by(ben(), NOON)
        before = conversation(pk).visitor_head
        for _ in range(2):
            services.change_door(actor=Visitor(pk), door="worried", now=NOON)
        facts = Event.objects.filter(conversation_id=pk, code__startswith="door_").values_list("code", "visitor_seq")
        assert list(facts) == [("door_worried", None)]
        row = conversation(pk)
        assert (row.door, row.visitor_head) == ("worried", before)

    def test_what_is_over_changes_no_more(self) -> None:
        pk, _ = held_by(ben(), NOON)
        services.end_conversation(actor=Visitor(pk), conversation_id=pk, now=NOON)
        with pytest.raises(Refused) as refused:
            services.change_language(actor=Visitor(pk), language="fr", now=NOON)
        assert refused.value.code is ErrorCode.TOKEN_SPENT
        assert conversation(pk).language == "en"

    async def test_the_page_changes_both_on_its_line_and_hears_nothing_but_the_answer(self) -> None:
        pk, token = await sync_to_async(waiting)(timezone.now())
        page = Page(token)
        await page.hello()
        for ref, change in enumerate(({"type": "door", "door": "report"}, {"type": "language", "language": "fr"}), 1):
            await page.wire.send_json_to({**change, "ref": ref})
            assert await page.wire.receive_json_from() == {"type": "ok", "ref": ref, "seq": None}
        assert await page.settled() == []
        row = await sync_to_async(conversation)(pk)
        assert (row.door, row.language) == ("report", "fr")
        codes = await sync_to_async(
            lambda: list(Event.objects.filter(conversation=row).values_list("code", flat=True))
        )()
        assert codes == ["opened", "door_report", "language_fr"]

    async def test_not_said_is_no_door_to_go_through(self) -> None:
        _, token = await sync_to_async(waiting)(timezone.now())
        page = Page(token)
        await page.hello()
        await page.wire.send_json_to({"type": "door", "ref": 1, "door": "not_said"})
        assert (await page.wire.receive_json_from())["code"] == "bad_frame"

    async def test_a_wait_that_changes_is_told_by_the_next_sign_of_life(self) -> None:
        now = timezone.now()
        await sync_to_async(a_busy_half_hour)(now)
        _, token = await sync_to_async(waiting)(now)
        page = Page(token)
        welcome = (await page.hello())[0]
        assert welcome["wait"] == {"at_least": 5, "at_most": 15}
        longer = mock.patch.object(queue.Outlook, "expects", return_value=Expectation(60, None))
        with longer:
            (standing,) = await page.settled()
        assert standing["wait"] == {"at_least": 60, "at_most": None}
