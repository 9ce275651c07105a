"""Tell how a visitor without script writes in the small frame: only it comes anew, and no text is lost in it."""

from unittest import mock

from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from chat import services
from chat.core.pace import TooFast
from chat.limits import Limits
from chat.models import Event
from tests.app.test_visitor_socket import tell
from tests.support.people import ben
from tests.support.plain import CANARY, Browser, Frame, Plain

SENT = "/plain/write?l=en&m=live&s=1#text"
BOX = '<textarea id="text"'


class FrameToWriteStories(Plain):
    async def test_only_the_frame_comes_anew_and_the_other_one_shows_the_text_at_once(self) -> None:
        ada = await self.begun()
        messages = Frame(await ada.get("/plain/log?l=en&m=live"))
        await messages.until("You can already write.")
        answer = await ada.say("hello")
        assert (answer.status_code, answer["Location"]) == (303, SENT)
        await messages.until('<p class="words" dir="auto">hello</p>')
        await messages.close()
        await ada.get(SENT)
        assert "Sent. If you do not see it above" in ada.html
        assert "hello" not in ada.html
        # and from there the next one
        form = ada.form("/plain/write") | {"text": "again"}
        assert (await ada.post("/plain/write", form))["Location"] == SENT
        assert await Event.objects.filter(kind="message").acount() == 2

    async def test_it_comes_with_the_page_and_by_itself_where_a_browser_does_not_know_that(self) -> None:
        ada = await self.begun()
        await ada.get("/plain?l=fr")
        assert 'title="Votre message" srcdoc="' in ada.html
        page = ada.form("/plain/write")
        await ada.get("/plain/write?l=fr&m=live")
        assert ada.form("/plain/write").keys() == page.keys()
        assert "Envoyé" not in ada.html

    async def test_what_is_refused_stays_in_the_frame(self) -> None:
        ada = await self.begun()
        answer = await ada.say("a" * 4_001)
        assert answer.status_code == 422
        assert "This message is too long." in ada.html
        assert "autofocus" in ada.html
        assert "<iframe" not in ada.html
        with mock.patch.object(Limits, "hold_back", side_effect=TooFast(11.0)):
            assert (await ada.say(CANARY)).status_code == 429
        assert "Please wait a few seconds" in ada.html
        assert CANARY in ada.html

    async def test_without_a_database_the_text_comes_back_into_the_frame(self) -> None:
        ada = await self.begun()
        await ada.get("/plain?l=en")
        form = ada.form("/plain/write") | {"text": CANARY}
        down = mock.AsyncMock(side_effect=OperationalError(CANARY))
        with (
            mock.patch("chat.consumers.poll.in_visitor_db", down),
            mock.patch("frontend.views.plain_write.in_visitor_db", down),
        ):
            assert (await ada.post("/plain/write", form)).status_code == 503
            assert "The problem is on our side." in ada.html
            assert CANARY in ada.html
            assert (await ada.get(SENT)).status_code == 200
            assert BOX in ada.html
        assert (await ada.post("/plain/write", ada.form("/plain/write") | {"text": CANARY})).status_code == 303

    async def test_a_text_that_was_stored_before_its_answer_was_lost_is_not_written_twice(self) -> None:
        ada = await self.begun()
        for where, m in (("/plain/write", "live"), ("/plain/send", "ask")):
            await ada.get(f"/plain?l=en&m={m}")
            form = ada.form(where) | {"text": f"{CANARY} {m}"}
            assert (await ada.post(where, form)).status_code == 303
            # the commit went through, and the browser is told of a fault of ours: it gets the same form back
            lost = mock.patch("frontend.views.plain_write._posted", mock.AsyncMock(return_value="ours"))
            with lost:
                assert (await ada.post(where, form)).status_code == 503
            assert (await ada.post(where, ada.form(where) | {"text": form["text"]})).status_code == 303
        assert await Event.objects.filter(kind="message").acount() == 2

    async def test_the_advocate_ended_it_while_somebody_wrote(self) -> None:
        ada = await self.begun()
        await self.taken()
        await ada.get("/plain?l=en")
        form = ada.form("/plain/write") | {"text": CANARY}
        await tell(lambda: services.end_conversation(actor=ben(), conversation_id=self.pk, now=timezone.now()))
        answer = await ada.post("/plain/write", form)
        assert answer.status_code == 410
        assert "This chat is closed. The message was not sent." in ada.html
        assert CANARY in ada.html
        assert 'href="/plain?l=en&amp;m=live" target="_top"' in ada.html
        # what was said before can still be read
        assert ada.token != ""
        assert (await ada.get("/plain?l=en")).status_code == 200
        await ada.get("/plain/write?l=en")
        assert BOX not in ada.html

    async def test_somebody_left_in_another_window(self) -> None:
        ada = await self.begun()
        await ada.get("/plain?l=en")
        form, token = ada.form("/plain/write") | {"text": CANARY}, ada.token
        now = timezone.now()
        await sync_to_async(lambda: services.leave_quickly(token=token, now=now))()
        answer = await ada.post("/plain/write", form)
        assert (answer.status_code, ada.token) == (410, "")
        assert CANARY in ada.html
        # now without the cookie: the text was ours to lose
        for path in ("/plain/write", "/plain/send"):
            answer = await ada.post(path, form)
            assert answer.status_code == 404
            assert "You had not sent this:" in ada.html
            assert CANARY in ada.html
            # a strange page makes ours say nothing
            eve = Browser()
            await eve.post(path, form, **{"Sec-Fetch-Site": "cross-site", "Origin": "https://example.org"})
            assert CANARY not in eve.html
