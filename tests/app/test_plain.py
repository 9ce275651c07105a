"""Tell how a visitor without script begins and writes: by forms, with one cookie, under the rules of every page."""

import asyncio
import logging
import re
import subprocess
import sys
from datetime import timedelta
from html import unescape
from itertools import product
from unittest import mock

from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from chat import services
from chat.core.errors import ErrorCode, Refused
from chat.core.pace import TooFast
from chat.limits import Limits
from chat.models import Conversation, Event, Site
from frontend.plain_cookie import TOKEN
from tests.app.test_visitor_socket import last_seen
from tests.support.people import open_site
from tests.support.plain import CANARY, COOKIE, Browser, Plain


class BeginStories(Plain):
    async def test_a_form_begins_and_gives_the_one_cookie(self) -> None:
        ada = await self.begun()
        row = await Conversation.objects.aget()
        assert (row.state, row.language, row.door) == ("waiting", "en", "not_said")
        assert TOKEN.fullmatch(ada.token)
        cookie = ada.client.cookies[COOKIE]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
        assert (cookie["max-age"], cookie["expires"], cookie["domain"]) == ("", "", "")
        await ada.get("/plain?l=en")
        await ada.say("hello")
        assert list(ada.client.cookies) == [COOKIE]
        assert ada.token.encode() not in bytes(row.token_digest)

    async def test_over_https_the_cookie_is_bound_to_this_host(self) -> None:
        code = "from config import settings as s; print(s.VISITOR_COOKIE_NAME, s.SESSION_COOKIE_SECURE)"
        environ = {"HAVRE_SECRET_KEY": "x" * 60, "HAVRE_ALLOWED_HOSTS": "havre.example", "PATH": ""}
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["__Host-page", "True"]
        await sync_to_async(open_site)()
        with self.settings(SESSION_COOKIE_SECURE=True):
            ada = Browser()
            await ada.begin()
            assert ada.client.cookies[COOKIE]["secure"] is True

    async def test_the_first_page_sets_none_and_reads_none(self) -> None:
        await sync_to_async(open_site)()
        stranger = Browser()
        answer = await stranger.get("/")
        assert not answer.cookies
        ada = await self.begun()
        before = re.sub(r'value="[\w-]{43}"', "", stranger.html)
        await ada.get("/")
        assert re.sub(r'value="[\w-]{43}"', "", ada.html) == before

    async def test_the_same_form_again_goes_on_with_the_same_conversation(self) -> None:
        await sync_to_async(open_site)()
        ada, again = Browser(), Browser()
        await ada.get("/")
        form = ada.form("/plain/begin")
        # pressed twice before the first answer came
        for one in (ada, again):
            await one.post("/plain/begin", form)
        assert await Conversation.objects.acount() == 1
        assert ada.token == again.token
        await ada.begin()
        assert await Conversation.objects.acount() == 1

    async def test_the_form_of_a_chat_that_is_over_begins_a_new_one(self) -> None:
        ada = await self.begun()
        form = {"token": ada.token, "l": "en"}
        await ada.get("/leave?l=en")
        answer = await ada.post("/plain/begin", form)
        assert answer.status_code == 303
        assert ada.token not in {"", form["token"]}
        assert await Conversation.objects.acount() == 2

    async def test_the_door_and_the_language_are_kept(self) -> None:
        await sync_to_async(open_site)()
        ada = Browser()
        answer = await ada.begin("fr", door="worried")
        assert answer["Location"] == "/plain?l=fr&m=live"
        row = await Conversation.objects.aget()
        assert (row.door, row.language) == ("worried", "fr")
        await ada.get("/plain?l=en", **{"Sec-Fetch-Site": "cross-site"})
        assert (await Conversation.objects.aget()).language == "fr"
        await ada.get("/plain?l=en")
        assert '<html lang="en"' in ada.html
        again = await Conversation.objects.aget()
        assert (again.pk, again.language) == (row.pk, "en")
        form = ada.form("/plain/door")
        assert (await ada.post("/plain/door", form | {"door": "report"})).status_code == 303
        assert (await ada.post("/plain/door", form | {"door": "window"})).status_code == 303
        assert (await Conversation.objects.aget()).door == "report"

    async def test_a_closed_site_and_keys_that_are_away_are_said_with_the_phone_number(self) -> None:
        await sync_to_async(open_site)()
        ada = Browser()
        await ada.get("/")
        form = ada.form("/plain/begin")
        await Site.objects.aupdate(open=False)
        answer = await ada.post("/plain/begin", form)
        assert answer.status_code == 503
        assert "The chat is closed right now." in ada.html
        assert "1-833-555-0100" in ada.html
        assert ada.token == ""
        await Site.objects.aupdate(open=True)
        for code, said in (
            (ErrorCode.FULL, "Very many people are waiting."),
            (ErrorCode.OURS, "The problem is on our side."),
        ):
            with mock.patch.object(services, "open_conversation", side_effect=Refused(code)):
                answer = await ada.post("/plain/begin", form)
            assert answer.status_code == 503
            assert said in ada.html
            assert "1-833-555-0100" in ada.html
            assert ada.token == ""

    async def test_in_a_flood_it_is_said_calmly_with_the_phone_number(self) -> None:
        await sync_to_async(open_site)()
        ada = Browser()
        await ada.get("/")
        with mock.patch.object(Limits, "is_flood", return_value=True):
            answer = await ada.post("/plain/begin", ada.form("/plain/begin"))
            assert (answer.status_code, ada.token) == (503, "")
            assert "Very many people are coming at once." in ada.html
            assert "1-833-555-0100" in ada.html
            assert await Conversation.objects.acount() == 0
        answer = await ada.post("/plain/begin", ada.form("/plain/begin"))
        assert answer.status_code == 303

    async def test_beginnings_are_counted_by_network_as_everywhere(self) -> None:
        await sync_to_async(open_site)()
        with mock.patch.object(Limits, "is_flood", return_value=False) as counted:
            await Browser().begin()
        assert counted.call_args.args[0] == "127.0.0.1"


class WritingStories(Plain):
    async def test_a_text_is_written_and_the_browser_goes_back(self) -> None:
        ada = await self.begun()
        answer = await ada.say("hello", "?l=fr&m=ask")
        assert (answer.status_code, answer["Location"]) == (303, "/plain?l=fr&m=ask")
        await ada.get("/plain/log?l=fr&m=ask")
        assert '<li class="own"><p class="who">Vous</p><p class="words" dir="auto">hello</p></li>' in ada.html

    async def test_the_same_form_again_is_harmless_and_with_another_text_it_is_another(self) -> None:
        ada = await self.begun()
        for mode, action in (("ask", "/plain/send"), ("live", "/plain/write")):
            await ada.get(f"/plain?l=en&m={mode}")
            form = ada.form(action)
            before = await Event.objects.filter(kind="message").acount()
            for text in ("one", "one", "two", "two", "one"):
                assert (await ada.post(action, form | {"text": text})).status_code == 303
            assert await Event.objects.filter(kind="message").acount() == before + 2

    async def test_what_is_refused_stays_in_its_box(self) -> None:
        ada = await self.begun()
        too_long = "<b>" + "a" * 4_000
        refused = ((too_long, "too long"), ("  \n ", "nothing to send"), ("a\x00b", "Some signs"))
        for query, (text, said) in product(("?l=en", "?l=en&m=ask"), refused):
            answer = await ada.say(text, query)
            assert answer.status_code == 422
            assert said in ada.html
            box = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", ada.html, re.DOTALL)
            assert box == [text.replace("<", "&lt;").replace(">", "&gt;")]
        assert await Event.objects.filter(kind="message").acount() == 0

    async def test_who_writes_too_fast_is_told_to_wait_and_loses_nothing(self) -> None:
        ada = await self.begun()
        with mock.patch.object(Limits, "hold_back", side_effect=TooFast(11.0)):
            answer = await ada.say(CANARY)
        assert answer.status_code == 429
        assert "Please wait a few seconds" in ada.html
        assert CANARY in ada.html

    async def test_without_a_database_the_text_comes_back_too(self) -> None:
        ada = await self.begun()
        await ada.get("/plain?l=en&m=often")
        form = ada.form("/plain/send") | {"text": CANARY}
        down = mock.AsyncMock(side_effect=OperationalError(CANARY))
        with (
            mock.patch("chat.consumers.poll.in_visitor_db", down),
            mock.patch("frontend.views.plain.in_visitor_db", down),
        ):
            answer = await ada.post("/plain/send", form)
        assert answer.status_code == 503
        assert "The problem is on our side." in ada.html
        assert CANARY in ada.html
        # and the same form works once it is back
        assert (await ada.post("/plain/send", ada.form("/plain/send") | {"text": CANARY})).status_code == 303

    async def test_a_text_for_a_chat_that_is_over_is_given_back(self) -> None:
        ada = await self.begun()
        await ada.get("/plain?l=en&m=ask")
        form = ada.form("/plain/send")
        now = timezone.now()
        await sync_to_async(lambda: services.leave_quickly(token=ada.token, now=now))()
        answer = await ada.post("/plain/send", form | {"text": CANARY})
        assert answer.status_code == 410
        assert "You had not sent this:" in ada.html
        assert CANARY in ada.html
        assert ada.token == ""

    async def test_far_too_much_is_cut_and_its_beginning_stays(self) -> None:
        ada = await self.begun()
        for query in ("?l=en", "?l=en&m=ask"):
            for sign, least in (("a", 60_000), ("é", 10_000), ("\U0001f375", 5_000)):
                answer = await ada.say(CANARY + sign * 70_000, query)
                assert answer.status_code == 413
                assert "Only its beginning is still here." in ada.html
                (box,) = re.findall(r"<textarea[^>]*>\n(.*?)</textarea>", unescape(ada.html), re.DOTALL)
                assert re.fullmatch(f"{CANARY}{sign}{{{least},}}", box)
            # what Django alone would not refuse is kept whole
            assert (await ada.say("a" * 60_000, query)).status_code == 422
            assert "a" * 60_000 in ada.html
        assert await Event.objects.filter(kind="message").acount() == 0
        # and a strange page comes no further with a long form than with a short one
        assert (await ada.post("/plain/write", {"text": "a" * 70_000})).status_code == 403

    async def test_writing_and_asking_for_messages_count_as_being_there(self) -> None:
        ada = await self.begun()
        for path in ("/plain?l=en", "/plain/log?m=often", "/plain/here", "/plain/log?m=ask"):
            long_ago = timezone.now() - timedelta(minutes=5)
            await Conversation.objects.aupdate(visitor_seen_at=long_ago)
            answer = await ada.get(path)
            assert await last_seen(self.pk) > long_ago, path
        assert answer.status_code == 200

    async def test_nothing_of_it_is_in_a_log(self) -> None:
        records: list[str] = []

        class Keep(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                records.append(f"{record.getMessage()} {record.args} {record.__dict__}")

        handler = Keep(level=logging.DEBUG)
        logging.getLogger().addHandler(handler)
        try:
            ada = await self.begun()
            await ada.say(CANARY)
            await ada.say(CANARY + "a" * 4_000)
            down = mock.AsyncMock(side_effect=OperationalError("down"))
            with mock.patch("chat.consumers.poll.in_visitor_db", down):
                await ada.say(CANARY)
            token = ada.token
            await ada.get("/leave?l=en")
        finally:
            logging.getLogger().removeHandler(handler)
        assert records
        text = "\n".join(records).replace(repr(ada.client), "")
        assert CANARY not in text
        assert token not in text
        assert re.findall(r"\d+\.\d+\.\d+\.\d+", text) == []
