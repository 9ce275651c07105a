"""A browser that goes in the middle of its request: what was committed is told all the same."""

import asyncio
import json
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from chat import returns, services
from chat.core.errors import ErrorCode, Refused
from chat.frames import Rendered
from chat.hub import hub
from chat.models import Event
from chat.services.base import Done
from chat.under_way import UnderWay, under_way
from chat.writer import Writer
from frontend.views import api, bye, plain, returning
from ops import drain
from staff.models import User
from tests.app.test_visitor_socket import tell
from tests.support.people import ben
from tests.support.plain import SOON, Browser, Plain, conversation_now
from tests.support.words import quick_words


class Advocate:
    """Hear what is told of a conversation."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_event(self, rendered: Rendered) -> None:
        self.heard.append(rendered.event.code or rendered.event.kind)

    def on_typing(self, conversation: UUID) -> None:
        pass

    def on_reached(self, conversation: UUID) -> None:
        pass

    def on_gap(self) -> None:
        pass


class Moment:
    """Be the moment between a commit and the word of it."""

    def __init__(self) -> None:
        self.committed, self.over = asyncio.Event(), asyncio.Event()

    def of(self, real: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Return what does the same and stops in this moment."""

        async def held(*args: Any, **given: Any) -> Any:
            done = await real(*args, **given)
            if isinstance(done, Done) and done.events:
                self.committed.set()
                await self.over.wait()
            return done

        return held


class GoingStories(Plain):
    async def talk(self) -> tuple[Browser, Advocate]:
        ada, advocate = await self.begun(), Advocate()
        await self.taken()
        await ada.say("hello")
        await hub().follow(self.pk, advocate)
        return ada, advocate

    async def breaks(self, request: Coroutine[Any, Any, Any], *places: Any) -> None:
        """Let a request's line break in the moment after its commit; then let what is left take place."""
        moment = Moment()
        patches = [mock.patch.object(where, name, moment.of(getattr(where, name))) for where, name in places]
        for patch in patches:
            patch.start()
        try:
            task = asyncio.create_task(request)
            async with asyncio.timeout(SOON):
                await moment.committed.wait()
                # as Django does once the browser has gone
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                moment.over.set()
                await under_way().empty()
        finally:
            for patch in patches:
                patch.stop()

    def asks(self, path: str, **body: Any) -> Coroutine[Any, Any, Any]:
        return AsyncClient().post(path, json.dumps(body), content_type="application/json")

    async def test_a_message_that_was_sent_is_heard(self) -> None:
        ada, advocate = await self.talk()
        frame = {"type": "post", "ref": 1, "client_id": "c" * 32, "body": "he is at the door"}
        await self.breaks(self.asks("/send", token=ada.token, frame=frame), (Writer, "post"))
        assert await Event.objects.filter(client_id="c" * 32).acount() == 1
        assert advocate.heard == ["message"]

    async def test_so_is_one_that_was_sent_without_script(self) -> None:
        ada, advocate = await self.talk()
        await self.breaks(ada.say("he is at the door"), (Writer, "post"))
        assert advocate.heard == ["message"]

    async def test_a_quick_exit_is_noticed(self) -> None:
        ada, advocate = await self.talk()
        await self.breaks(self.asks("/bye", token=ada.token), (bye, "in_visitor_db"))
        assert advocate.heard == ["left_quickly"]

    async def test_so_is_a_wish_to_have_it_erased(self) -> None:
        ada, advocate = await self.talk()
        await self.breaks(self.asks("/erase", token=ada.token), (bye, "in_visitor_db"))
        assert advocate.heard == ["ended_by_visitor", "erase_asked"]

    async def test_and_one_without_script(self) -> None:
        ada, advocate = await self.talk()
        await ada.get("/plain/end?l=en")
        request = ada.post("/plain/end", ada.form("/plain/end") | {"what": "erase"})
        await self.breaks(request, (plain, "in_visitor_db"))
        assert advocate.heard == ["ended_by_visitor", "erase_asked"]

    async def test_a_code_word_is_there_for_the_advocate(self) -> None:
        ada, advocate = await self.talk()
        await self.breaks(self.asks("/code-word", token=ada.token, text="teal"), (returning, "in_visitor_db"))
        assert advocate.heard == ["code_word_agreed"]

    async def test_who_comes_back_by_words_is_seen(self) -> None:
        ada, advocate = await self.talk()
        with quick_words():
            words: list[str] = []
            await tell(lambda: self.given(ada.token, words))
            request = self.asks("/return", words=" ".join(words), token="n" * 43)
            await self.breaks(request, (returns, "in_slow_db"))
        assert advocate.heard[-1] == "came_back"

    def given(self, token: str, words: list[str]) -> Any:
        done = services.give_words(token=token, now=timezone.now())
        words += done.result
        return done

    async def test_what_staff_did_is_told_too(self) -> None:
        _, advocate = await self.talk()
        client = AsyncClient()
        await client.aforce_login(await User.objects.aget(pk=(await sync_to_async(ben)()).id))
        request = client.post(f"/staff/api/conversations/{self.pk}/end", "{}", content_type="application/json")
        await self.breaks(request, (api, "in_db"))
        assert (await conversation_now(self.pk)).ended_by == "advocate"
        assert advocate.heard == ["ended_by_advocate"]


async def test_a_process_that_ends_finishes_what_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "SPREAD", 0.01)
    finished: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.1)
        finished.append("told")

    asking = asyncio.create_task(under_way().finish(work()))
    await asyncio.sleep(0)
    asking.cancel()
    await drain.drain()
    assert finished == ["told"]


@pytest.mark.parametrize(("error", "logged"), [(OSError("secret"), True), (Refused(ErrorCode.GONE), False)])
async def test_what_fails_is_raised_to_who_asked_and_logged_once_they_have_gone(
    error: Exception, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def fails() -> None:
        await asyncio.sleep(0.01)
        raise error

    caplog.set_level(logging.ERROR, "chat.under_way")
    here = UnderWay()
    with pytest.raises(type(error)):
        await here.finish(fails())
    assert caplog.records == []
    asking = asyncio.create_task(here.finish(fails()))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await here.empty()
    assert [record.message for record in caplog.records] == ["failed after who asked had gone"] * logged
