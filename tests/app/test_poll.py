"""Tell what a visitor's page gets over plain requests: the frames of its socket, at once or as soon as they come."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.test import TestCase, override_settings
from django.utils import timezone

from chat import services
from chat.consumers import base
from chat.consumers import poll as line
from chat.consumers.open import open_sockets
from chat.hub import hub
from chat.models import Conversation, Event
from tests.app.test_visitor_socket import begun, last_seen, tell, types
from tests.support.people import ben, conversation, new_token, open_site

SOON = 15.0


# the file server is a middleware without async: a server gives each request a thread for it, where the test client has
# one for all, in which nothing else would go on while a poll waits
@override_settings(MIDDLEWARE=[one for one in settings.MIDDLEWARE if "StaticFiles" not in one])
class Polling(TestCase):
    """Be a page that polls."""

    async def asked(self, path: str, body: Any, **headers: str) -> Any:
        return await self.async_client.post(
            path, body if isinstance(body, str) else json.dumps(body), content_type="application/json", headers=headers
        )

    async def poll(self, token: str, after: int = 0, mark: str = "", **hello: Any) -> dict[str, Any]:
        first = {"type": "hello", "version": 1, "token": token, "after": after, "start": False, "language": "en"}
        answer = await self.asked("/poll", {"hello": first | hello, "mark": mark})
        assert answer.status_code == 200
        return dict(json.loads(answer.content))

    async def send(self, token: str, **frame: Any) -> dict[str, Any]:
        answer = await self.asked("/send", {"token": token, "frame": frame})
        assert answer.status_code == 200
        return dict(json.loads(answer.content))

    async def post(self, token: str, number: int = 1) -> dict[str, Any]:
        return await self.send(token, type="post", ref=number, client_id=f"{number:032x}", body=f"text {number}")

    async def waiting(self, token: str, after: int, mark: str) -> "asyncio.Task[dict[str, Any]]":
        """Return a poll that waits."""
        task = asyncio.create_task(self.poll(token, after, mark))
        async with asyncio.timeout(SOON):
            while not hub().followers(self.pk) and not task.done():
                await asyncio.sleep(0)
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert not task.done()
        return task

    async def greeted(self) -> tuple[str, str]:
        """Begin, and return the token and the mark of a page that was told everything up to number 1."""
        self.pk, token = await sync_to_async(begun)()
        answer = await self.poll(token)
        assert types(answer["frames"]) == ["welcome", "fact"]
        return token, answer["mark"]

    async def ended(self, task: "asyncio.Task[dict[str, Any]]") -> dict[str, Any]:
        async with asyncio.timeout(SOON):
            return await task


class PollStories(Polling):
    async def test_a_page_begins_waits_and_talks_over_requests_alone(self) -> None:
        await sync_to_async(open_site)()
        token = new_token()
        first = await self.poll(token, start=True, door="help")
        assert [first["frames"][0][key] for key in ("type", "state", "after", "older")] == [
            "welcome",
            "waiting",
            0,
            False,
        ]
        sent = await self.post(token)
        assert sent["frames"] == [{"type": "ok", "ref": 1, "seq": 1}]
        then = await self.poll(token, 0, first["mark"])
        (message,) = (frame for frame in then["frames"] if frame["type"] == "message")
        assert (message["seq"], message["body"], message["author"]) == (1, "text 1", "you")

    async def test_an_event_ends_a_waiting_poll_at_once(self) -> None:
        token, mark = await self.greeted()
        task = await self.waiting(token, 1, mark)
        await tell(
            lambda: services.post_message(
                actor=ben(), conversation_id=self.pk, client_id="a" * 32, body="hello", now=timezone.now()
            )
        )
        answer = await self.ended(task)
        assert [frame["seq"] for frame in answer["frames"]] == [2]
        assert answer["mark"] == mark

    async def test_typing_and_a_new_standing_end_it_too(self) -> None:
        token, mark = await self.greeted()
        task = await self.waiting(token, 1, mark)
        hub().tell_typing(self.pk)
        assert types((await self.ended(task))["frames"]) == ["typing"]
        task = await self.waiting(token, 1, mark)
        await tell(lambda: services.end_conversation(actor=ben(), conversation_id=self.pk, now=timezone.now()))
        answer = await self.ended(task)
        assert answer["frames"][0]["code"] == "ended_by_advocate"

    async def test_what_changed_between_two_polls_is_told_at_the_next_one(self) -> None:
        token, mark = await self.greeted()
        await sync_to_async(
            lambda: services.mark_read(actor=ben(), conversation_id=self.pk, up_to=2, now=timezone.now())
        )()
        answer = await self.poll(token, 1, mark)
        assert {"type": "reached", "delivered": 1, "read": 1} in answer["frames"]
        assert answer["mark"] != mark
        await self.waiting(token, 1, answer["mark"])

    async def test_a_quiet_poll_ends_with_a_pong_and_shows_that_the_visitor_is_there(self) -> None:
        token, mark = await self.greeted()
        later = timezone.now() + timedelta(seconds=40)
        with (
            mock.patch.object(base, "now", return_value=later),
            mock.patch.object(line.poll, "__kwdefaults__", {"within": 0.01}),
        ):
            answer = await self.poll(token, 1, mark)
        assert answer["frames"] == [{"type": "pong", "head": 1}]
        assert await last_seen(self.pk) == later

    async def test_between_two_polls_nobody_is_called_gone(self) -> None:
        await self.greeted()
        row = await sync_to_async(conversation)(self.pk)
        assert timezone.now() - row.visitor_seen_at < timedelta(seconds=30)

    async def test_a_repeated_send_is_harmless(self) -> None:
        token, _ = await self.greeted()
        assert await self.post(token) == await self.post(token)
        assert await Event.objects.filter(kind="message").acount() == 1

    async def test_a_process_that_is_killed_between_two_polls_loses_nothing(self) -> None:
        """A new process knows nothing of the page: only its cursor and the log are left."""
        token, mark = await self.greeted()
        task = await self.waiting(token, 1, mark)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await self.post(token, 7)
        from chat import hub as hubs

        hubs.hub.forget()
        line._waiting.forget()
        answer = await self.poll(token, 1, mark)
        assert [frame["seq"] for frame in answer["frames"] if "seq" in frame] == [2]

    async def test_who_missed_much_gets_the_newest_lines_and_asks_for_the_rest(self) -> None:
        self.pk, token = await sync_to_async(begun)()
        with mock.patch("chat.protocol.MOST_MISSED", 3):
            for number in range(1, 7):
                await self.post(token, number)
            answer = await self.poll(token)
            welcome, *lines = (frame for frame in answer["frames"] if frame["type"] != "reached")
            assert (welcome["after"], welcome["older"], welcome["head"]) == (4, True, 7)
            assert [frame["seq"] for frame in lines] == [5, 6, 7]
            older = (await self.send(token, type="older", ref=9, before=5))["frames"]
        assert [frame.get("seq") for frame in older if frame["type"] != "ok"][:3] == [4, 3, 2]
        assert older[-1] == {"type": "ok", "ref": 9, "seq": None}


class EndStories(Polling):
    async def test_a_newer_poll_ends_the_older_one(self) -> None:
        token, mark = await self.greeted()
        older = await self.waiting(token, 1, mark)
        newer = asyncio.create_task(self.poll(token, 1, mark))
        assert (await self.ended(older))["frames"] == []
        assert not newer.done()
        assert len(line._waiting()) == 1
        newer.cancel()

    async def test_a_process_holds_so_many_polls_and_sends_others_on(self) -> None:
        token, mark = await self.greeted()
        with mock.patch.object(line, "MOST_POLLS", 0):
            assert (await self.poll(token, 1, mark))["close"] == 4503

    async def test_a_process_that_ends_sends_its_polls_on(self) -> None:
        token, mark = await self.greeted()
        task = await self.waiting(token, 1, mark)
        for socket in open_sockets():
            socket.go()
        assert (await self.ended(task))["close"] == 4503

    async def test_a_page_that_asks_without_end_is_sent_off(self) -> None:
        token, _ = await self.greeted()
        with (
            mock.patch.object(line, "steady", return_value=0.0),
            mock.patch.object(line, "pause", mock.AsyncMock()) as held,
            mock.patch.object(line, "FRAME_BURST", 2.0),
            mock.patch.object(line, "FRAMES_PER_SECOND", 1.0),
            self.settings(WRITES_PER_SECOND=1.0),
        ):
            line._waiting.forget()
            closes = [(await self.send(token, type="ping"))["close"] for _ in range(16)]
        assert closes[0] is None
        assert closes[-1] == 4429
        assert held.await_count > 0

    async def test_a_token_that_is_unknown_or_spent_ends_the_line(self) -> None:
        for answer in (await self.poll(new_token()), await self.post(new_token())):
            assert (answer["frames"][0]["code"], answer["close"]) == ("token_unknown", 4401)
        token, mark = await self.greeted()
        task = await self.waiting(token, 1, mark)
        await self.send(token, type="end", ref=1)
        assert (await self.ended(task))["frames"][0]["code"] == "ended_by_visitor"
        assert (await self.poll(token, 2, mark))["close"] == 4410

    async def test_a_cursor_beyond_the_log_is_refused(self) -> None:
        token, _ = await self.greeted()
        answer = await self.poll(token, 5)
        assert answer["frames"] == [{"type": "error", "ref": None, "code": "ahead_of_log", "wait_ms": None}]

    async def test_nothing_is_left_of_a_poll_that_ended(self) -> None:
        await self.greeted()
        assert hub().followers(self.pk) == ()
        assert len(line._waiting()) == 0
        assert list(open_sockets()) == []


class DoorStories(Polling):
    """What is asked of `bye` is asked of these two as well."""

    async def test_a_page_of_another_site_is_refused(self) -> None:
        token, mark = await self.greeted()
        hello = {"type": "hello", "version": 1, "token": token, "after": 1, "start": False, "language": "en"}
        bodies = {"/poll": {"hello": hello, "mark": mark}, "/send": {"token": token, "frame": {"type": "ping"}}}
        for path, body in bodies.items():
            for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://example.org"}):
                assert (await self.asked(path, body, **headers)).status_code == 403
            assert (await self.async_client.get(path)).status_code == 405

    async def test_what_is_too_large_or_broken_is_refused_without_its_words(self) -> None:
        await sync_to_async(open_site)()
        canary = "the teal kettle sings at dusk"
        for path in ("/poll", "/send"):
            assert (await self.asked(path, "x" * 65_537)).status_code == 413
            for body in ("{", "[]", json.dumps({"token": canary}), json.dumps({"hello": canary, "mark": "m"})):
                answer = await self.asked(path, body)
                assert (answer.status_code, answer.content) == (400, b"")

    async def test_an_answer_sets_no_cookie_and_is_kept_by_no_cache(self) -> None:
        token, _ = await self.greeted()
        answer = await self.asked("/send", {"token": token, "frame": {"type": "ping"}})
        assert answer["Cache-Control"] == "no-store"
        assert not answer.cookies
        assert answer["Content-Type"] == "application/json"

    async def test_a_frame_of_staff_is_no_command(self) -> None:
        token, _ = await self.greeted()
        answer = await self.send(token, type="note", ref=1, conversation=str(self.pk), client_id="a" * 32, body="x")
        assert answer["frames"][0]["code"] == "unknown_type"
        assert await Event.objects.filter(kind="note").acount() == 0

    async def test_half_a_character_comes_back_as_on_a_socket_and_the_next_message_goes(self) -> None:
        token, _ = await self.greeted()
        answer = await self.send(token, type="post", ref=1, client_id="a" * 32, body="half \ud83d")
        assert answer["frames"] == [{"type": "error", "ref": 1, "code": "text_unpaired", "wait_ms": None}]
        assert answer["close"] is None
        assert (await self.post(token, 2))["frames"] == [{"type": "ok", "ref": 2, "seq": 2}]

    async def test_a_command_of_no_known_make_is_answered_and_one_without_number_ends_the_line(self) -> None:
        token, _ = await self.greeted()
        answer = await self.send(token, type="post", ref=1, client_id="a" * 32)
        assert (answer["frames"][0]["code"], answer["frames"][0]["ref"], answer["close"]) == ("bad_frame", 1, None)
        assert (await self.send(token, type="dance"))["close"] == 4400
        deep = '{"token": "' + token + '", "frame": {"a": ' + "[" * 20_000 + "]" * 20_000 + "}}"
        assert (await self.asked("/send", deep)).status_code == 400

    async def test_a_token_opens_its_own_conversation_only(self) -> None:
        token, _ = await self.greeted()
        other, _ = await sync_to_async(begun)()
        await self.post(token)
        assert await Event.objects.filter(conversation=other, kind="message").acount() == 0
        assert await Conversation.objects.acount() == 2
