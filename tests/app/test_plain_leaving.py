"""Tell how a conversation without script ends, and that who lacks its cookie finds and does nothing."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from unittest import mock

from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, transaction
from django.test import AsyncClient, TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import services
from chat.consumers.stream import End, Stream
from chat.core.errors import ErrorCode, Refused
from chat.db import in_visitor_db
from chat.models import Conversation, Event, Site
from chat.selectors import keep_for
from frontend.views import leave
from tests.app.test_visitor_socket import begun, tell
from tests.support.people import ben, new_token, open_site
from tests.support.plain import COOKIE, SOON, Browser, Plain, conversation_now, never


class StrangerStories(Plain):
    """Eve has a browser, and not the cookie."""

    async def test_without_the_cookie_there_is_a_bland_page(self) -> None:
        await self.begun()
        eve = Browser()
        for path in ("/plain", "/plain/end", "/plain/log", "/plain/here", "/plain/write", "/plain?l=fr"):
            answer = await eve.get(path)
            assert answer.status_code == 404
            assert not re.search(r"havre|hotline|chat|advocate|traffick|discussion", eve.html, re.IGNORECASE), path
            assert not answer.cookies
        for path in ("/plain/send", "/plain/write", "/plain/end"):
            assert (await eve.post(path, {"text": "x"})).status_code == 404

    async def test_another_token_opens_nothing_and_is_taken_away(self) -> None:
        await self.begun()
        for value in (new_token(), "x", "' OR 1=1", "a" * 5_000):
            eve = Browser()
            eve.client.cookies[COOKIE] = value
            assert (await eve.get("/plain")).status_code == 404
            assert eve.token == ""
            eve.client.cookies[COOKIE] = value
            assert (await eve.get("/plain/log?m=ask")).status_code == 404
            assert "no longer" not in eve.html

    async def test_a_form_of_another_site_begins_nothing(self) -> None:
        await sync_to_async(open_site)()
        token = new_token()
        elsewhere: list[dict[str, str]] = [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Sec-Fetch-Site": "none", "Origin": "null"},
            {"Origin": "https://example.org"},
            {"Origin": "null"},
        ]
        for headers in elsewhere:
            eve = Browser()
            assert (await eve.post("/plain/begin", {"token": token}, **headers)).status_code == 404
            assert eve.token == ""
        form = "application/x-www-form-urlencoded"
        bare = await AsyncClient().post("/plain/begin", f"token={token}", content_type=form)
        assert bare.status_code == 404
        assert await Conversation.objects.acount() == 0

    async def test_a_form_without_the_secret_of_this_cookie_writes_and_ends_nothing(self) -> None:
        ada = await self.begun()
        other = Browser()
        await other.begin()
        await other.get("/plain?m=ask")
        theirs = other.form("/plain/send")["csrfmiddlewaretoken"]
        for path in ("/plain/send", "/plain/write", "/plain/end", "/plain/door"):
            for fields in ({"text": "x"}, {"text": "x", "csrfmiddlewaretoken": theirs}):
                assert (await ada.post(path, fields)).status_code == 403, path
        await ada.get("/plain?m=ask")
        form = ada.form("/plain/send") | {"text": "x"}
        # what browsers would send if our pages said `no-referrer`
        for origin in ("null", "https://example.org"):
            assert (await ada.post("/plain/send", form, Origin=origin)).status_code == 403
        assert await Event.objects.filter(kind="message").acount() == 0
        assert (await conversation_now(self.pk)).state == "waiting"
        assert (await ada.post("/plain/send", form)).status_code == 303

    async def test_the_frame_may_stand_in_our_page_only_and_the_page_in_none(self) -> None:
        ada = await self.begun()
        page, frame = await ada.get("/plain"), await ada.get("/plain/log?m=ask")
        eve = Browser()
        for path in ("/plain/log", "/plain/here", "/plain/write"):
            # without the cookie too: a frame that a browser refuses to show says nothing at all
            assert {(await one.get(f"{path}?m=ask"))["X-Frame-Options"] for one in (ada, eve)} == {"SAMEORIGIN"}
        assert (page["X-Frame-Options"], frame["X-Frame-Options"]) == ("DENY", "SAMEORIGIN")
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
        assert "frame-src 'self'" in page["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in frame["Content-Security-Policy"]
        for answer in (page, frame):
            assert answer["Referrer-Policy"] == "same-origin"
            assert answer["Cache-Control"] == "no-store"

    async def test_files_are_not_taken(self) -> None:
        ada = await self.begun()
        await ada.get("/plain?m=ask")
        answer = await ada.client.post(
            "/plain/send",
            ada.form("/plain/send") | {"text": "x"},
            headers={"Origin": "http://testserver"},
        )
        assert answer.status_code == 404


class LeavingStories(Plain):
    async def test_the_link_ends_it_takes_the_cookie_and_goes_on(self) -> None:
        ada = await self.begun()
        await self.taken()
        answer = await ada.get("/leave?l=fr")
        assert (answer.status_code, answer["Location"]) == (302, "https://example.org/fr")
        assert ada.token == ""
        row = await conversation_now(self.pk)
        assert (row.state, row.ended_by) == ("wrap_up", "left_quickly")
        assert await Event.objects.filter(code="left_quickly").acount() == 1
        assert (await ada.get("/plain")).status_code == 404

    async def test_a_link_on_another_site_ends_nothing(self) -> None:
        ada = await self.begun()
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Purpose": "prefetch"}):
            answer = await ada.get("/leave?l=en", **headers)
            assert answer["Location"] == "https://example.org/"
            assert ada.token != ""
        assert (await conversation_now(self.pk)).state == "waiting"

    async def test_a_strangers_guess_takes_no_writers_place(self) -> None:
        def guess() -> None:
            with CaptureQueriesContext(connection) as asked:
                assert services.leave_quickly(token=new_token(), now=timezone.now()).result is None
            assert [query["sql"].split()[0] for query in asked.captured_queries] == ["SELECT"]

        await self.begun()
        await sync_to_async(guess)()

    async def test_who_leaves_does_not_wait_for_us(self) -> None:
        ada = await self.begun()
        token = ada.token
        for work in (mock.AsyncMock(side_effect=OperationalError("down")), never):
            ada.client.cookies[COOKIE] = token
            with (
                mock.patch.object(leave, "in_visitor_db", work),
                mock.patch.object(leave, "MOST_SECONDS", 0.05),
            ):
                async with asyncio.timeout(SOON):
                    answer = await ada.get("/leave?l=en")
            assert answer["Location"] == leave.WHEN_NOTHING_ANSWERS["en"]
            assert ada.token == ""

    async def test_it_is_ended_after_a_question(self) -> None:
        ada = await self.begun()
        await ada.get("/plain/end?l=en")
        assert "End this chat?" in ada.html
        assert (await conversation_now(self.pk)).state == "waiting"
        answer = await ada.post("/plain/end", ada.form("/plain/end") | {"what": "end"})
        assert (answer.status_code, ada.token) == (200, "")
        assert "This chat is closed." in ada.html
        assert (await conversation_now(self.pk)).ended_by == "visitor"

    async def test_who_was_ended_may_start_again_at_once(self) -> None:
        ada = await self.begun()
        await self.taken()
        await ada.get("/plain?l=fr")
        assert 'value="again"' not in ada.html
        await sync_to_async(self.ended_by_ben)()
        await ada.get("/plain?l=fr")
        assert 'value="again"' in ada.html
        answer = await ada.post("/plain/end", ada.form("/plain/end") | {"what": "again"})
        assert (answer.status_code, answer["Location"], ada.token) == (303, "/?l=fr", "")
        assert (await conversation_now(self.pk)).ended_by == "advocate"

    async def test_a_second_press_is_harmless(self) -> None:
        ada = await self.begun()
        await ada.get("/plain/end?l=en")
        token, form = ada.token, ada.form("/plain/end") | {"what": "end"}
        await ada.post("/plain/end", form)
        ada.client.cookies[COOKIE] = token
        answer = await ada.post("/plain/end", form)
        assert (answer.status_code, ada.token) == (200, "")

    async def test_it_is_erased_where_the_site_allows_it(self) -> None:
        ada = await self.begun()
        await ada.say("hello")
        await ada.get("/plain/end?l=en")
        await ada.post("/plain/end", ada.form("/plain/end") | {"what": "erase"})
        assert "is erased within a few minutes" in ada.html
        assert (await conversation_now(self.pk)).erase_asked_at is not None
        await Site.objects.aupdate(visitor_may_erase=False)
        ada = await self.begun()
        await ada.get("/plain/end?l=en")
        assert 'value="erase"' not in ada.html
        await ada.post("/plain/end", ada.form("/plain/end") | {"what": "erase"})
        row = await conversation_now(self.pk)
        assert (row.erase_asked_at, row.ended_by) == (None, "visitor")
        assert "It was not erased." in ada.html

    async def test_erasing_in_the_moment_in_which_the_advocate_ends_it_is_erasing(self) -> None:
        ada = await self.begun()
        await self.taken()
        await ada.get("/plain/end?l=en")
        ends = [self.ended_by_ben]

        def atomic() -> Any:
            # whatever was read before this is old by now
            if ends:
                ends.pop()()
            return transaction.atomic()

        with mock.patch("chat.services.erasing.transaction", mock.Mock(atomic=atomic)):
            answer = await ada.post("/plain/end", ada.form("/plain/end") | {"what": "erase"})
        assert (answer.status_code, ada.token, ends) == (200, "", [])
        assert "is erased within a few minutes" in ada.html
        row = await conversation_now(self.pk)
        assert (row.ended_by, row.erase_asked_at is not None) == ("advocate", True)

    def ended_by_ben(self) -> None:
        services.end_conversation(actor=ben(), conversation_id=self.pk, now=timezone.now())

    async def test_what_could_not_be_erased_is_said_and_may_be_tried_again(self) -> None:
        for failing in (OperationalError("down"), Refused(ErrorCode.OURS)):
            ada = await self.begun()
            await ada.get("/plain/end?l=en")

            async def down(function: Any, *args: Any, failing: Exception = failing, **given: Any) -> Any:
                if function is services.ask_erasure_by_token:
                    raise failing
                if function is keep_for:
                    raise OperationalError("down")
                return await in_visitor_db(function, *args, **given)

            with mock.patch("frontend.views.plain.in_visitor_db", down):
                answer = await ada.post("/plain/end", ada.form("/plain/end") | {"what": "erase"})
            assert answer.status_code == 503
            assert "The problem is on our side." in ada.html
            assert "for 31 days at most" in ada.html
            assert ada.token != ""
            assert (await conversation_now(self.pk)).state == "waiting"
            await ada.post("/plain/end", ada.form("/plain/end") | {"what": "erase"})
            assert "is erased within a few minutes" in ada.html

    async def test_the_advocates_last_words_stay_for_a_while_and_then_nothing_is_here(self) -> None:
        ada = await self.begun()
        await self.taken()
        await self.answered("take care")
        await tell(lambda: services.end_conversation(actor=ben(), conversation_id=self.pk, now=timezone.now()))
        answer = await ada.get("/plain?l=en")
        assert answer.status_code == 200
        assert "<textarea" not in ada.html
        assert "ten more minutes" in ada.html
        answer = await ada.get("/plain/log?l=en")
        assert answer["Refresh"] == "60"
        assert "take care" in ada.html
        assert "Ben has ended this chat." in ada.html
        later = timezone.now() + timedelta(minutes=11)
        with mock.patch("django.utils.timezone.now", return_value=later):
            assert (await ada.get("/plain/log?l=en")).status_code == 404
        assert "take care" not in ada.html
        assert ada.token == ""


class OtherWindows(TestCase):
    async def test_a_quick_exit_ends_the_stream_of_another_window(self) -> None:
        _, token = await sync_to_async(begun)()
        other = Stream()

        async def read() -> None:
            async for _ in other.frames(token, 60):
                pass

        with mock.patch("chat.consumers.stream.BEAT", 0.05):
            reading = asyncio.create_task(read())
            await asyncio.sleep(0.1)
            await tell(lambda: services.leave_quickly(token=token, now=timezone.now()))
            async with asyncio.timeout(15):
                await reading
        assert other.end_of is End.SPENT
