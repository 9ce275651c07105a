"""Tell how a visitor without script comes back by six words: through forms, with everybody’s limits and answers."""

import re
from typing import Any
from unittest import mock

from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.utils import timezone

from chat import services
from chat.core.pace import TooFast
from chat.limits import Limits
from chat.models import CodeWord, Event, ReturnWords
from tests.app.test_visitor_socket import tell
from tests.support.people import ben, conversation
from tests.support.plain import CANARY, Browser, Frame, Plain, conversation_now

NOT_FOUND = "We could not find that chat. You can start a new one."
HIDDEN = "Earlier messages stay hidden until we know that it is you."


class WordsStories(Plain):
    def setUp(self) -> None:
        # the answers go out on whole seconds; tests/app/test_returning_line.py looks at that
        patched = mock.patch("chat.returns.pause", mock.AsyncMock())
        self.paused = patched.start()
        self.addCleanup(patched.stop)

    async def words_of(self, ada: Browser, query: str = "?l=en") -> list[str]:
        await ada.get(f"/plain{query}")
        assert (await ada.post("/plain/words", ada.form("/plain/words"))).status_code == 200
        return re.findall(r"<li>(\w+)</li>", ada.html)

    async def back(self, browser: Browser, words: str) -> Any:
        await browser.get("/plain/back?l=en")
        return await browser.post("/plain/return", browser.form("/plain/return") | {"words": words})

    async def test_six_words_lead_back_in_another_browser(self) -> None:
        ada = await self.begun()
        await ada.say(CANARY)
        await self.taken()
        words = await self.words_of(ada)
        assert len(words) == 6
        with mock.patch.object(Limits, "returns_often", return_value=False) as counted:
            await self.back(Browser(), "one two three four five six")
        assert counted.call_args.args[0] == "127.0.0.1", "tries without script are counted by where they come from too"
        assert not any(word in str(ada.client.cookies) for word in words)
        form = ada.form("/plain/code-word") | {"code": "plum jam"}
        await ada.post("/plain/code-word", form)
        assert "We keep it, locked." in ada.html
        assert "plum jam" not in ada.html
        assert await CodeWord.objects.acount() == 1
        old = ada.token
        await ada.get("/leave?l=en")

        again = Browser()
        await again.get("/?l=en")
        assert 'href="/plain/back?l=en"' in again.html
        answer = await self.back(again, " ".join(words).upper())
        assert (answer.status_code, answer["Location"]) == (303, "/plain?l=en&m=live")
        assert again.token not in {"", old}
        cookie = again.client.cookies
        assert len(cookie) == 1
        await again.get("/plain?l=en")
        assert HIDDEN in again.html
        await again.get("/plain/log?l=en&m=ask")
        assert CANARY not in again.html
        assert "Nothing is lost." not in again.html
        # not twice: the words of who is not known yet would be somebody's way in for good
        await again.get("/plain?l=en")
        assert 'action="/plain/words"' not in again.html

        frame = Frame(await again.get("/plain/log?l=en&m=live"))
        await frame.until("Ben is with you.")
        await tell(
            lambda: services.accept_return(
                actor=ben(),
                conversation_id=self.pk,
                returned=conversation(self.pk).return_seq,
                now=timezone.now(),
            )
        )
        await frame.ended()
        assert 'http-equiv="refresh" content="1"' in frame.text
        await again.get("/plain?l=en")
        assert HIDDEN not in again.html
        frame = Frame(await again.get("/plain/log?l=en&m=live"))
        await frame.until(CANARY)
        await frame.until("Ben is with you.")
        await frame.close()

    async def test_the_same_form_again_is_harmless(self) -> None:
        ada = await self.begun()
        words = " ".join(await self.words_of(ada))
        again, twice = Browser(), Browser()
        await again.get("/plain/back?l=en")
        form = again.form("/plain/return") | {"words": words}
        for browser in (again, twice):
            assert (await browser.post("/plain/return", form)).status_code == 303
        assert again.token == twice.token != ""
        assert await Event.objects.filter(code="came_back").acount() == 1
        # and who has a chat goes on with it
        assert (await self.back(again, "one two three four five six"))["Location"] == "/plain?l=en&m=live"
        assert await ReturnWords.objects.filter(tries=0).acount() == 1

    async def test_every_failure_looks_the_same_and_takes_as_long(self) -> None:
        ada = await self.begun()
        words = await self.words_of(ada)
        await ada.get("/plain/end?l=en")
        await ada.post("/plain/end", ada.form("/plain/end") | {"what": "end"})
        ada = await self.begun()
        others = await self.words_of(ada)
        answers = []
        for typed in (
            "",
            "a" * 5_000,
            "one two three four five six",
            " ".join(words),
            " ".join([*others[:5], "wrong"]),
        ):
            eve = Browser()
            before = self.paused.await_count
            answer = await self.back(eve, typed)
            assert self.paused.await_count == before + 1
            assert eve.token == ""
            answers.append((answer.status_code, answer["Location"], answer.content))
        assert set(answers) == {(303, "/plain/back?l=en&m=live&n=not_found", b"")}
        await eve.get(answers[0][1])
        assert NOT_FOUND in eve.html
        assert (await ReturnWords.objects.aget()).tries == 1
        for _ in range(4):
            await self.back(eve, " ".join([*others[:5], "wrong"]))
        assert (await self.back(eve, " ".join(others)))["Location"].endswith("n=not_found")
        assert await ReturnWords.objects.acount() == 0

    async def test_too_many_at_once_and_no_database_are_said(self) -> None:
        ada = await self.begun()
        for error, name, said in (
            (TooFast(3.0), "slow_down", "Too many at once."),
            (OperationalError(CANARY), "ours", "This did not work."),
        ):
            with mock.patch("chat.returns.in_slow_db", side_effect=error):
                answer = await self.back(Browser(), "one two three four five six")
                await self.words_of_refused(ada, said)
            assert answer["Location"] == f"/plain/back?l=en&m=live&n={name}"
            await ada.get(answer["Location"])
            assert said in ada.html
        with self.settings(WRITES_PER_SECOND=4):
            # earlier ones count, whatever came of them
            await self.words_of(ada)
            await self.words_of_refused(ada, "Too many at once.")

    async def words_of_refused(self, ada: Browser, said: str) -> None:
        await ada.get("/plain?l=en")
        answer = await ada.post("/plain/words", ada.form("/plain/words"))
        assert answer.status_code in {429, 503}
        assert said in ada.html

    async def test_a_strange_page_brings_nobody_back_and_gets_no_words(self) -> None:
        ada = await self.begun()
        words = " ".join(await self.words_of(ada))
        eve = Browser()
        await eve.get("/plain/back?l=en")
        form = eve.form("/plain/return") | {"words": words}
        answer = await eve.post(
            "/plain/return", form, **{"Sec-Fetch-Site": "cross-site", "Origin": "https://example.org"}
        )
        assert (answer.status_code, eve.token) == (404, "")
        for path in ("/plain/words", "/plain/code-word"):
            assert (await eve.post(path, form)).status_code == 404
            assert (await ada.post(path, {"code": "x"})).status_code == 403
        await ada.get("/plain/back?n=<script>")
        assert "<script>" not in ada.html
        assert 'id="problem"' not in ada.html
        assert (await conversation_now(self.pk)).state == "waiting"

    async def test_a_code_word_that_does_not_fit_can_be_written_anew(self) -> None:
        ada = await self.begun()
        await self.words_of(ada)
        await ada.post("/plain/code-word", ada.form("/plain/code-word") | {"code": "a" * 81})
        assert "This is too long." in ada.html
        await ada.post("/plain/code-word", ada.form("/plain/code-word") | {"code": "plum jam"})
        assert await sync_to_async(CodeWord.objects.count)() == 1
