"""Ben pauses ada's chat for a while: she reads, leaves, ends, and writes again when it is over; eve pauses nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.db import IntegrityError, transaction
from django.test import AsyncClient, TestCase
from django.utils import timezone

from audit.models import AuditEvent
from audit.services import find_breaks
from chat import services
from chat.core.actors import Staff
from chat.core.errors import ErrorCode, Refused
from chat.core.pausing import Why
from chat.frames import summary
from chat.models import Conversation, Event, Site
from chat.selectors import pause_lengths, visitor_by_token, visitor_of
from chat.selectors.listed import running
from chat.services.posting import Post, post_all
from crisis.services import raise_escalation
from staff.models import User
from tests.app.test_visitor_socket import Page, tell
from tests.support.people import NOON, ben, cleo, conversation, dana, eve, held_by, new_token, waiting
from tests.support.plain import CANARY, Frame, Plain
from tests.support.words import quick_words


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def refused(command: Callable[[], object]) -> ErrorCode:
    with pytest.raises(Refused) as caught:
        command()
    return caught.value.code


class Pauses(TestCase):
    def setUp(self) -> None:
        self.ben, self.dana = ben(), dana()
        self.pk, self.token = held_by(self.ben)

    def pause(self, minutes: int = 15, who: Staff | None = None, now: datetime = NOON, pk: UUID | None = None) -> Any:
        return services.pause(
            actor=who or self.ben, conversation_id=pk or self.pk, minutes=minutes, why=Why.ABUSE, now=now
        )

    def lift(self, who: Staff, now: datetime) -> Any:
        return services.lift_pause(actor=who, conversation_id=self.pk, now=now)

    def write(self, now: datetime, client_id: str = "") -> Any:
        return services.post_message(
            actor=visitor_of(conversation(self.pk)),
            conversation_id=self.pk,
            client_id=client_id or uuid4().hex,
            body="hello",
            now=now,
        )

    def codes(self) -> list[str]:
        rows = Event.objects.filter(conversation=self.pk, visitor_seq__isnull=False).order_by("visitor_seq")
        return list(rows.values_list("code", flat=True))


class Pausing(Pauses):
    def test_who_is_paused_writes_nothing_until_the_moment_it_ends(self) -> None:
        done = self.pause()
        assert [(one.code, one.visitor_seq) for one in done.events] == [("paused", 2)]
        assert refused(lambda: self.write(after(15) - timedelta(microseconds=1))) is ErrorCode.PAUSED
        # no worker has told anybody yet
        self.write(after(15))

    def test_the_same_text_sent_again_after_it_arrives_once(self) -> None:
        text = uuid4().hex
        self.pause()
        assert refused(lambda: self.write(after(1), text)) is ErrorCode.PAUSED
        self.write(after(15), text)
        self.write(after(15), text)
        assert Event.objects.filter(client_id=text).count() == 1

    def test_who_had_it_stored_before_gets_the_same_answer_again(self) -> None:
        text = uuid4().hex
        first = self.write(NOON, text)
        self.pause()
        assert self.write(after(1), text).result == first.result
        assert Event.objects.filter(client_id=text).count() == 1

    def test_staff_and_other_chats_of_the_same_moment_go_on_writing(self) -> None:
        other, _ = held_by(cleo())
        self.pause()
        posts = [
            Post(actor, pk, uuid4().hex, "hello", after(1))
            for actor, pk in (
                (visitor_of(conversation(self.pk)), self.pk),
                (self.ben, self.pk),
                (visitor_of(conversation(other)), other),
            )
        ]
        first, *rest = post_all(posts)
        assert isinstance(first, Refused)
        assert first.code is ErrorCode.PAUSED
        assert [one for one in rest if isinstance(one, Exception)] == []

    def test_a_paused_visitor_leaves_ends_and_keeps_no_code_word(self) -> None:
        self.pause()
        code = refused(lambda: services.agree_by_token(token=self.token, text="plum", now=after(1)))
        assert code is ErrorCode.PAUSED
        services.end_conversation(actor=visitor_of(conversation(self.pk)), conversation_id=self.pk, now=after(1))
        assert conversation(self.pk).state == "wrap_up"
        self.pk, self.token = held_by(cleo())
        self.pause(who=cleo())
        services.leave_quickly(token=self.token, now=after(1))
        assert conversation(self.pk).ended_by == "left_quickly"

    def test_six_words_are_no_way_around_it(self) -> None:
        with quick_words():
            words = " ".join(services.give_words(token=self.token, now=NOON).result)
            self.pause()
            services.leave_quickly(token=self.token, now=after(1))
            services.return_by_words(phrase=words, token=new_token(), now=after(2))
        assert refused(lambda: self.write(after(3))) is ErrorCode.PAUSED
        self.write(after(15))

    def test_it_is_on_the_trail_with_its_reason_and_stores_nothing_of_who_it_is_about(self) -> None:
        self.pause(60)
        told = AuditEvent.objects.get(action="conversation.paused")
        assert (told.actor, told.data) == (str(self.ben), {"minutes": 60, "why": "abuse"})
        assert find_breaks() == []
        row = conversation(self.pk)
        assert (row.paused_until, row.pause_minutes) == (after(60), 60)

    def test_lists_say_until_when_and_no_longer_than_that(self) -> None:
        self.pause()
        (row,) = running()
        assert summary(row, after(14)).paused_until == "2026-11-23T12:15:00.000Z"
        assert summary(row, after(15)).paused_until is None


class Ending(Pauses):
    def test_both_sides_are_told_once_when_it_is_over(self) -> None:
        self.pause()
        assert services.end_pauses(now=after(14)).events == ()
        done = services.end_pauses(now=after(15))
        assert [(one.code, one.author_role) for one in done.events] == [("pause_over", "system")]
        assert services.end_pauses(now=after(16)).events == ()
        assert self.codes() == ["joined", "paused", "pause_over"]

    def test_a_supervisor_lifts_it_and_so_does_who_holds_it(self) -> None:
        for who in (self.dana, self.ben):
            self.pause()
            assert self.lift(who, after(1)).events[0].author_id == who.id
            assert self.lift(who, after(1)).events == ()
            self.write(after(2))
        assert AuditEvent.objects.filter(action="conversation.pause_lifted").count() == 2
        assert self.codes().count("pause_over") == 2

    def test_it_is_not_made_longer_while_it_lasts(self) -> None:
        self.pause()
        assert refused(lambda: self.pause(60, now=after(1))) is ErrorCode.WRONG_STATE
        self.pause(60, now=after(15))
        assert conversation(self.pk).paused_until == after(75)

    def test_a_clock_that_is_set_back_makes_it_no_longer(self) -> None:
        self.pause()
        services.mend_set_back(now=after(-60))
        assert conversation(self.pk).paused_until == after(-45)
        services.mend_set_back(now=after(-60))
        assert conversation(self.pk).paused_until == after(-45)

    def test_what_ended_meanwhile_is_told_nothing(self) -> None:
        self.pause()
        services.end_conversation(actor=self.ben, conversation_id=self.pk, now=after(1))
        assert services.end_pauses(now=after(15)).events == ()
        assert self.lift(self.ben, after(2)).events == ()


class Limits(Pauses):
    def danger(self) -> UUID:
        done = raise_escalation(
            actor=self.ben, conversation_id=self.pk, level=2, reason="he is near", client_id=uuid4().hex, now=NOON
        )
        return done.result.id

    def test_while_a_danger_is_open_only_a_supervisor_pauses(self) -> None:
        self.danger()
        assert refused(self.pause) is ErrorCode.DANGER_OPEN
        assert self.codes() == ["joined"]
        self.pause(who=self.dana)
        assert refused(lambda: self.write(after(1))) is ErrorCode.PAUSED

    def test_only_for_as_long_as_the_site_offers_and_never_for_more_than_a_day(self) -> None:
        assert pause_lengths() == (15, 60)
        for minutes in (0, -15, 5, 14, 61, 1_440, 10**9):
            assert refused(partial(self.pause, minutes)) is ErrorCode.LENGTH_UNKNOWN
        Site.objects.update(pause_minutes="5,1440")
        self.pause(1_440)
        for minutes in (0, 1_441):
            with pytest.raises(IntegrityError), transaction.atomic():
                Conversation.objects.filter(pk=self.pk).update(pause_minutes=minutes)
        with pytest.raises(IntegrityError), transaction.atomic():
            Conversation.objects.filter(pk=self.pk).update(pause_minutes=None)

    def test_a_stranger_pauses_and_lifts_nothing(self) -> None:
        self.pause()
        before = Event.objects.count()
        for stranger in (cleo(), eve()):
            assert refused(partial(self.lift, stranger, after(1))) is ErrorCode.NOT_FOUND
            assert refused(partial(self.pause, who=stranger, now=after(20))) is ErrorCode.NOT_FOUND
        # nobody holds who waits: a supervisor may
        queued, _ = waiting()
        assert refused(lambda: self.pause(pk=queued)) is ErrorCode.FORBIDDEN
        assert Event.objects.count() == before + 1
        self.pause(who=self.dana, pk=queued)


class OnThePage(TestCase):
    """Look at it as a page with script does: the texts come when there is a pause, and nobody else learns of it."""

    async def asked(self, token: str, language: str = "en") -> Any:
        answer = await AsyncClient().post(f"/pause?l={language}", {"token": token}, content_type="application/json")
        assert (answer.status_code, answer["Cache-Control"], bool(answer.cookies)) == (200, "no-store", False)
        return answer.json()

    async def test_it_says_for_how_long_in_the_language_of_the_page(self) -> None:
        pk, token = await sync_to_async(lambda: held_by(ben(), timezone.now()))()
        assert (await self.asked(token))["left"] == 0
        await tell(
            lambda: services.pause(actor=ben(), conversation_id=pk, minutes=15, why=Why.SEXUAL, now=timezone.now())
        )
        answer = await self.asked(token, "fr")
        assert 890_000 < answer["left"] <= 900_000
        assert answer["words"]["title"] == "Cette discussion est en pause pour un moment."
        assert await self.asked(new_token()) == {"error": "token_unknown"}

    async def test_what_is_no_page_of_ours_gets_no_answer(self) -> None:
        client, body = AsyncClient(), {"token": new_token()}
        for status, more in (
            (403, {"headers": {"Sec-Fetch-Site": "cross-site"}}),
            (400, {"data": {"token": "short"}}),
            (413, {"data": {"token": "x" * 5_000}}),
        ):
            data = more.get("data", body)
            answer = await client.post("/pause", data, content_type="application/json", headers=more.get("headers"))
            assert answer.status_code == status

    async def test_the_line_tells_it_and_refuses_what_is_written_meanwhile(self) -> None:
        pk, token = await sync_to_async(lambda: held_by(ben(), timezone.now()))()
        page = Page(token)
        await page.hello()
        await tell(
            lambda: services.pause(actor=ben(), conversation_id=pk, minutes=15, why=Why.ABUSE, now=timezone.now())
        )
        frames = await page.settled()
        assert [frame["code"] for frame in frames if frame["type"] == "fact"] == ["paused"]
        assert "abuse" not in str(frames)
        await page.wire.send_json_to({"type": "post", "ref": 1, "client_id": "a" * 32, "body": "hello"})
        (error,) = await page.settled()
        assert (error["type"], error["code"]) == ("error", "paused")
        await tell(lambda: services.lift_pause(actor=dana(), conversation_id=pk, now=timezone.now()))
        assert [(frame["type"], frame.get("code")) for frame in await page.settled()] == [("fact", "pause_over")]
        await page.wire.send_json_to({"type": "post", "ref": 2, "client_id": "a" * 32, "body": "hello"})
        assert [frame["type"] for frame in await page.settled()] == ["ok"]
        await page.wire.disconnect()


class WithoutScript(Plain):
    async def paused(self) -> Any:
        ada = await self.begun()
        await self.taken()
        await tell(
            lambda: services.pause(actor=ben(), conversation_id=self.pk, minutes=15, why=Why.ABUSE, now=timezone.now())
        )
        return ada

    async def test_the_page_says_until_when_with_the_numbers_and_keeps_the_text(self) -> None:
        ada = await self.paused()
        for query in ("?l=en", "?l=en&m=ask"):
            answer = await ada.say(CANARY, query)
            assert answer.status_code == 409
            assert CANARY in ada.html
            assert "The text stays in the box until the pause is over. You can write again in 15 minutes." in ada.html
        await ada.get("/plain?l=en")
        assert "This chat is paused for a while." in ada.html
        assert "You can write again in 15 minutes." in ada.html
        assert "In danger right now? Call 911." in ada.html
        assert "1-833-555-0100" in ada.html
        assert "End this chat" in ada.html
        await ada.get("/plain?l=fr")
        assert "Vous pourrez écrire de nouveau dans 15 minutes." in ada.html

    async def test_it_can_be_written_when_it_is_over(self) -> None:
        ada = await self.paused()
        await Conversation.objects.aupdate(paused_until=timezone.now())
        assert (await ada.say("hello")).status_code == 303
        await ada.get("/plain?l=en")
        assert "paused" not in ada.html

    async def test_the_messages_tell_it_at_once_and_when_it_is_over(self) -> None:
        ada = await self.begun()
        await self.taken()
        frame = Frame(await ada.get("/plain/log?l=en&m=live"))
        await frame.until("Ben is with you.")
        await tell(
            lambda: services.pause(actor=ben(), conversation_id=self.pk, minutes=15, why=Why.ABUSE, now=timezone.now())
        )
        await frame.ended()
        assert "This chat is paused for a while." in frame.text
        assert 'http-equiv="refresh" content="1"' in frame.text
        frame = Frame(await ada.get("/plain/log?l=en&m=live"))
        await frame.until("You can write again in 15 minutes.")
        await tell(lambda: services.lift_pause(actor=ben(), conversation_id=self.pk, now=timezone.now()))
        await frame.ended()
        assert "The pause is over. You can write again." in frame.text


class Commands(TestCase):
    """Look at the addresses behind the buttons of console and board."""

    def test_who_may_do_what_and_what_is_refused(self) -> None:
        pk, _ = held_by(ben(), timezone.now())
        for who, path, body, status in (
            ("eve", "pause", {"minutes": 15, "why": "abuse"}, 403),
            ("cleo", "pause", {"minutes": 15, "why": "abuse"}, 404),
            ("ben", "pause", {"minutes": 15, "why": "because"}, 422),
            ("ben", "pause", {"minutes": 16, "why": "abuse"}, 422),
            ("ben", "pause", {"minutes": 15, "why": "abuse"}, 200),
            ("ben", "pause", {"minutes": 15, "why": "abuse"}, 409),
            ("cleo", "lift", {}, 404),
            ("dana", "lift", {}, 200),
            ("cleo", "voice", {}, 404),
            ("ben", "voice", {}, 200),
            ("eve", "voice", {}, 403),
        ):
            with self.subTest(who=who, path=path, body=body):
                assert self.post(who, pk, path, body) == status

    def post(self, who: str, pk: UUID, path: str, body: dict[str, object]) -> int:
        person = {"ben": ben, "cleo": cleo, "dana": dana, "eve": eve}[who]()
        self.client.force_login(User.objects.get(pk=person.id))
        address = f"/staff/api/conversations/{pk}/{path}"
        return self.client.post(address, body, content_type="application/json").status_code

    def test_nobody_signed_in_does_nothing(self) -> None:
        pk, token = held_by(ben(), timezone.now())
        for path in ("pause", "lift", "voice"):
            answer = self.client.post(f"/staff/api/conversations/{pk}/{path}", {}, content_type="application/json")
            assert answer.status_code == 401
        assert visitor_by_token(token, timezone.now()).paused_until is None
