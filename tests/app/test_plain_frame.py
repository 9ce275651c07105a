"""Tell what the frame of a page without script shows, when it ends, and what it costs."""

import asyncio
import re
from datetime import timedelta
from unittest import mock

from asgiref.sync import sync_to_async
from django.utils import timezone

from chat import services
from chat.consumers import stream
from chat.consumers.open import open_sockets
from chat.core.expectation import Expectation
from chat.hub import hub
from chat.models import Conversation
from chat.selectors import outlook
from frontend.views import plain_log
from staff.services import set_availability
from tests.app.test_visitor_socket import last_seen, tell
from tests.support.people import ben
from tests.support.plain import Browser, Frame, Plain


class FrameStories(Plain):
    async def opened(self, ada: Browser, query: str = "?l=en&m=live") -> "Frame":
        answer = await ada.get(f"/plain/log{query}")
        assert answer.status_code == 200
        return Frame(answer)

    async def test_the_stream_shows_what_is_there_and_what_comes(self) -> None:
        ada = await self.begun()
        await ada.say("hello <b>you</b>")
        frame = await self.opened(ada)
        await frame.until("hello &lt;b&gt;you&lt;/b&gt;")
        await frame.until("You can already write.")
        await self.taken()
        await frame.until("Ben is here.")
        await frame.until("Ben is with you.")
        await self.answered("an answer & more")
        await frame.until('<p class="who">Ben</p><p class="words" dir="auto">an answer &amp; more</p>')
        await tell(lambda: services.end_conversation(actor=ben(), conversation_id=self.pk, now=timezone.now()))
        await frame.until("Ben has ended this chat.")
        await frame.ended()
        assert 'http-equiv="refresh" content="60"' in frame.text
        assert frame.text.count("hello &lt;b&gt;you&lt;/b&gt;") == 1

    async def test_it_ends_in_order_after_some_minutes_and_is_asked_for_again(self) -> None:
        ada = await self.begun()
        await ada.say("hello")
        with mock.patch.object(plain_log, "lasts", return_value=60.0), mock.patch.object(stream, "BEAT", 0.02):
            frame = await self.opened(ada)
            await frame.until("hello")
            (one,) = open_sockets()
            assert isinstance(one, stream.Stream)
            assert 0 < one._left() <= 60
            one._ends -= 60
            await frame.ended()
        assert 'http-equiv="refresh" content="1"' in frame.text
        assert frame.text.rstrip().endswith("</html>")
        assert hub().followers(self.pk) == ()

    async def test_a_process_that_ends_lets_it_end_in_order(self) -> None:
        ada = await self.begun()
        frame = await self.opened(ada)
        await frame.until("You can already write.")
        for socket in open_sockets():
            socket.go()
        await frame.ended()
        assert 'http-equiv="refresh" content="10"' in frame.text
        assert list(open_sockets()) == []

    async def test_a_silent_stream_says_something_and_looks_at_the_log(self) -> None:
        ada = await self.begun()
        with mock.patch.object(stream, "BEAT", 0.02):
            frame = await self.opened(ada)
            await frame.until("<!-- -->")
            # written where no hub of this process hears of it
            await sync_to_async(self.take)()
            await frame.until("Ben is here.")
            await frame.close()

    async def test_a_silent_stream_is_no_sign_of_life(self) -> None:
        ada = await self.begun()
        with mock.patch.object(stream, "BEAT", 0.01):
            frame = await self.opened(ada)
            await frame.until("You can already write.")
            long_ago = timezone.now() - timedelta(minutes=5)
            await last_seen(self.pk)
            await Conversation.objects.aupdate(visitor_seen_at=long_ago)
            for _ in range(5):
                await frame.more()
            assert await last_seen(self.pk) == long_ago
            await frame.close()

    async def test_a_line_that_breaks_leaves_nothing_and_calls_nobody_gone(self) -> None:
        ada = await self.begun()
        frame = await self.opened(ada)
        await frame.until("You can already write.")
        seen = await last_seen(self.pk)
        await frame.close()
        assert (hub().followers(self.pk), list(open_sockets()), len(stream._streams())) == ((), [], 0)
        assert await last_seen(self.pk) == seen

    async def test_of_many_windows_the_newest_go_on(self) -> None:
        ada = await self.begun()
        frames = [await self.opened(ada) for _ in range(stream.MOST_EACH + 1)]
        for frame in frames:
            await frame.until("<ol")
            await frame.more()
        await frames[0].ended()
        assert "open in another window" in frames[0].text
        assert "http-equiv" not in frames[0].text
        assert len(stream._streams()) == stream.MOST_EACH
        for frame in frames[1:]:
            await frame.close()

    async def test_a_full_process_asks_the_browser_to_come_again(self) -> None:
        ada = await self.begun()
        with mock.patch.object(stream, "MOST_STREAMS", 0):
            frame = await self.opened(ada)
            await frame.ended()
        assert 'http-equiv="refresh" content="10"' in frame.text

    async def test_a_browser_that_does_not_read_keeps_little_in_memory(self) -> None:
        ada = await self.begun()
        await self.taken()
        with mock.patch("chat.consumers.base.MOST_PENDING", 4):
            frame = await self.opened(ada)
            await frame.until("Ben is with you.")
            (socket,) = open_sockets()
            for number in range(40):
                await self.answered(f"text {number:02}.", f"{number:032x}")
                await asyncio.sleep(0)
            assert isinstance(socket, stream.Stream)
            assert len(socket._pending) <= 4
            assert len(socket._ready) <= 8
            await frame.until("text 39.")
        assert [int(number) for number in re.findall(r"text (\d\d)\.", frame.text)] == list(range(40))
        await frame.close()

    async def test_much_in_one_stream_ends_it_to_be_asked_for_again(self) -> None:
        ada = await self.begun()
        await ada.say("a" * 500)
        with mock.patch.object(stream, "MOST_BYTES", 100):
            frame = await self.opened(ada)
            await frame.ended()
        assert 'content="1"' in frame.text

    async def test_the_two_other_ways(self) -> None:
        ada = await self.begun()
        await ada.say("hello")
        answer = await ada.get("/plain/log?l=en&m=often")
        assert answer["Refresh"] == "15"
        assert "hello" in ada.html
        answer = await ada.get("/plain/log?l=fr&m=ask")
        assert "Refresh" not in answer
        assert "http-equiv" not in ada.html
        assert "hello" in ada.html
        assert "Vous pouvez déjà écrire." in ada.html
        await ada.get("/plain?l=fr&m=ask")
        assert 'src="/plain/log?l=fr&amp;m=ask"' in ada.html
        assert 'href="/plain?l=en&amp;m=ask"' in ada.html

    async def test_a_long_wait_is_said_and_who_is_on_shift_too(self) -> None:
        ada = await self.begun()
        await ada.get("/plain/log?l=en&m=ask")
        assert "Nobody is on shift right now. We do not know how long it takes." in ada.html
        for minutes, said in ((6, "Five minutes is a long wait."), (12, "You have waited ten minutes.")):
            await Conversation.objects.aupdate(waiting_since=timezone.now() - timedelta(minutes=minutes))
            await ada.get("/plain/log?l=en&m=ask")
            assert said in ada.html

    async def test_how_long_it_may_take_is_said_without_a_promise_and_who_reads_the_language(self) -> None:
        ada = await self.begun()
        await sync_to_async(lambda: set_availability(user_id=ben().id, state="ready", now=timezone.now()))()
        outlook.forget()
        await ada.get("/plain/log?l=en&m=ask")
        also = "You can already write. You can also get six words to come back with."
        assert f"We are getting someone for you. {also} We cannot say how long it takes." in ada.html
        for wait, said in (
            (Expectation(0, 5), "less than 5 minutes. We cannot promise it."),
            (Expectation(5, 10), "5 to 10 minutes. We cannot promise it."),
            (Expectation(60, None), "more than 60 minutes. We cannot promise it."),
        ):
            with mock.patch.object(outlook.Outlook, "expects", return_value=wait):
                await ada.get("/plain/log?l=en&m=ask")
            assert said in ada.html
        await ada.get("/plain?l=en")
        assert "Breathe with these words" in ada.html
        assert "Nobody here reads English right now." not in ada.html
        with mock.patch.object(outlook.Outlook, "is_read", return_value=False):
            await ada.get("/plain?l=en")
        assert "Nobody here reads English right now." in ada.html

    async def test_only_the_sign_of_life_of_an_open_chat_asks_to_be_repeated(self) -> None:
        ada = await self.begun()
        assert (await ada.get("/plain/here"))["Refresh"] == "30"
        now = timezone.now()
        await sync_to_async(lambda: services.leave_quickly(token=ada.token, now=now))()
        assert "Refresh" not in await ada.get("/plain/here")
