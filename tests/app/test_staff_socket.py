"""Tell what a staff socket does when rights end under it, and how often a list is told of a change."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import OperationalError
from django.test import Client, TestCase
from django.utils import timezone

from chat import broadcast, services
from chat.consumers.rights import LOOK_EVERY, rights
from chat.consumers.staff import StaffSocket
from chat.core.actors import Staff, Visitor
from chat.core.routing import RESCUE_GRACE
from chat.hub import hub
from chat.log import StoredEvent
from chat.models import Conversation, Watch
from chat.overview import Shift, shift
from staff.models import Availability, User
from staff.selectors import signed_in_users
from staff.services import set_availability
from tests.support.people import NOON, ben, cleo, dana, held_by, waiting

CANARY = "the teal kettle sings at dusk"


class Tab:
    """Be one signed-in tab on a socket without a network."""

    def __init__(self, person: Staff) -> None:
        client = Client()
        client.force_login(User.objects.get(pk=person.id))
        self.session_key = client.cookies[settings.SESSION_COOKIE_NAME].value
        cookie = f"{settings.SESSION_COOKIE_NAME}={self.session_key}"
        headers = [(b"origin", b"http://testserver"), (b"host", b"testserver"), (b"cookie", cookie.encode())]
        self.wire = WebsocketCommunicator(StaffSocket.as_asgi(), "/ws/s", headers=headers)

    async def open(self, follow: UUID | None = None, **about: str) -> dict[str, Any]:
        """Connect, wait for the first overview, and return the welcome; without a page it is an older console."""
        await self.wire.connect()
        held = {str(follow): 0} if follow else {}
        await self.wire.send_json_to({"type": "hello", "version": 1, "follow": held, **about})
        welcome = await self.until("welcome")
        await self.until("overview")
        return welcome

    async def take(self, pk: UUID) -> dict[str, Any]:
        """Take a conversation and return the answer."""
        await self.wire.send_json_to({"type": "take", "ref": 1, "conversation": str(pk)})
        while True:
            frame: dict[str, Any] = await self.wire.receive_json_from(timeout=15)
            if frame.get("ref") == 1:
                return frame

    async def until(self, kind: str) -> dict[str, Any]:
        """Return the next frame of a kind."""
        while True:
            frame: dict[str, Any] = await self.wire.receive_json_from(timeout=15)
            if frame["type"] == kind:
                return frame

    async def ending(self) -> tuple[list[dict[str, Any]], int]:
        """Return the frames up to the close, and its code."""
        frames: list[dict[str, Any]] = []
        while True:
            event = await self.wire.receive_output(timeout=15)
            if event["type"] == "websocket.close":
                return frames, event["code"]
            frames.append(event)


def say(pk: UUID, number: int) -> list[StoredEvent]:
    done = services.post_message(
        actor=Visitor(pk), conversation_id=pk, client_id=f"{number:032x}", body=CANARY, now=NOON
    )
    return list(done.events)


class RightsEndStories(TestCase):
    def setUp(self) -> None:
        self.pk, _ = held_by(ben())
        self.tab = Tab(ben())

    async def shut_by(self, change: Any) -> int:
        """Make a change with a message on its way; return the close code and see that nothing more was told."""
        await self.tab.open(self.pk)
        await change()
        await rights().look()
        events = await sync_to_async(say)(self.pk, 1)
        await broadcast.publish(events)
        frames, code = await self.tab.ending()
        assert CANARY not in str(frames)
        return code

    async def test_a_disabled_account_is_shut_out(self) -> None:
        code = await self.shut_by(lambda: User.objects.filter(username="ben").aupdate(is_active=False))
        assert code == 4401

    async def test_a_deleted_session_is_shut_out(self) -> None:
        assert await self.shut_by(Session.objects.all().adelete) == 4401

    async def test_a_changed_password_shuts_older_sessions_out(self) -> None:
        assert await self.shut_by(lambda: User.objects.filter(username="ben").aupdate(password="!new")) == 4401

    async def test_a_role_without_a_console_is_shut_out(self) -> None:
        assert await self.shut_by(lambda: User.objects.filter(username="ben").aupdate(role="analyst")) == 4403

    async def test_a_command_after_the_end_of_rights_changes_nothing(self) -> None:
        await self.tab.open(self.pk)
        await Session.objects.all().adelete()
        await rights().look()
        command = {"type": "post", "ref": 1, "conversation": str(self.pk), "client_id": "d" * 32, "body": CANARY}
        await self.tab.wire.send_json_to(command)
        frames, code = await self.tab.ending()
        assert code == 4401
        assert '"ok"' not in str(frames)

    async def test_a_supervisor_made_advocate_stops_reading_others_conversations(self) -> None:
        tab = await sync_to_async(lambda: Tab(dana()))()
        await tab.open(self.pk)
        await User.objects.filter(username="dana").aupdate(role="advocate")
        await rights().look()
        assert (await tab.until("unfollowed"))["conversation"] == str(self.pk)

    async def test_others_stay(self) -> None:
        other = await sync_to_async(lambda: Tab(cleo()))()
        await other.open()
        await User.objects.filter(username="ben").aupdate(is_active=False)
        await rights().look()
        await other.wire.send_json_to({"type": "ping"})
        await other.until("pong")

    def test_one_look_costs_two_queries_for_any_number_of_tabs(self) -> None:
        tabs = [self.tab, Tab(cleo()), Tab(dana())]
        with self.assertNumQueries(2):
            found = signed_in_users([tab.session_key for tab in tabs], timezone.now())
        assert [found[tab.session_key].username for tab in tabs] == ["ben", "cleo", "dana"]

    def test_a_look_is_due_often_enough_for_two_seconds(self) -> None:
        assert LOOK_EVERY <= 1.0


class ChangeStories(TestCase):
    async def test_a_text_may_gather_and_a_fact_may_not(self) -> None:
        pk, _ = await sync_to_async(held_by)(await sync_to_async(ben)())
        watcher = mock.Mock()
        await hub().watch(watcher)
        with mock.patch("chat.hub.COUNTS_EVERY", 0):
            for number in (1, 2):
                await broadcast.publish(await sync_to_async(say)(pk, number))
            counting = hub()._counting
            assert counting is not None
            await counting
        watcher.on_counts.assert_called_with(frozenset({pk}))
        watcher.on_change.assert_not_called()
        watcher.reset_mock()
        done = await sync_to_async(services.end_conversation)(
            actor=await sync_to_async(ben)(), conversation_id=pk, now=NOON
        )
        await broadcast.publish(done.events)
        watcher.on_change.assert_called_once_with()

    async def test_other_processes_hear_of_many_texts_once(self) -> None:
        pk, _ = await sync_to_async(held_by)(await sync_to_async(ben)())
        with mock.patch("chat.hub.COUNTS_EVERY", 0), mock.patch.object(hub()._bus, "send") as sent:
            for number in range(5):
                await broadcast.publish(await sync_to_async(say)(pk, number))
            counting = hub()._counting
            if counting is not None:
                await counting
        told = [call.args[1]["counts"] for call in sent.call_args_list if "counts" in call.args[1]]
        assert 1 <= len(told) <= 5
        assert {one for counts in told for one in counts} == {pk.hex}


class FollowStories(TestCase):
    async def test_a_follow_that_fails_leaves_nothing_behind(self) -> None:
        pk, _ = await sync_to_async(held_by)(await sync_to_async(ben)())
        tab = await sync_to_async(lambda: Tab(ben()))()
        await tab.open()
        with mock.patch.object(services, "read_conversation", side_effect=OperationalError("down")):
            await tab.wire.send_json_to({"type": "follow", "ref": 1, "conversation": str(pk), "after": 0})
            assert (await tab.until("error"))["code"] == "ours"
        assert hub().followers(pk) == ()
        await tab.wire.disconnect()

    async def test_a_follow_that_fails_keeps_what_was_followed_before(self) -> None:
        pk, _ = await sync_to_async(held_by)(await sync_to_async(ben)())
        tab = await sync_to_async(lambda: Tab(ben()))()
        await tab.open(pk)
        with mock.patch.object(services, "read_conversation", side_effect=OperationalError("down")):
            await tab.wire.send_json_to({"type": "follow", "ref": 1, "conversation": str(pk), "after": 0})
            await tab.until("error")
        await broadcast.publish(await sync_to_async(say)(pk, 1))
        assert (await tab.until("message"))["body"] == CANARY


class BoardStories(TestCase):
    """Dana declared "busy" an hour ago. Her console is closed since, and her board is open."""

    def setUp(self) -> None:
        self.now = timezone.now()
        self.pk, _ = waiting(self.now)
        Conversation.objects.filter(pk=self.pk).update(level=3)
        self.heard = self.now - timedelta(hours=1)
        set_availability(user_id=dana().id, state="busy", now=self.heard)
        self.board, self.console = Tab(dana()), Tab(dana())

    async def last_heard(self) -> datetime:
        return (await Availability.objects.aget(user__username="dana")).seen_at  # type: ignore[return-value]

    async def beat(self, tab: Tab) -> None:
        await tab.wire.send_json_to({"type": "ping"})
        await tab.until("pong")

    async def test_a_board_is_no_sign_of_life_and_takes_nobody_alone(self) -> None:
        welcome = await self.board.open(page="board")
        assert welcome["you"]["availability"] == "busy"
        await self.beat(self.board)
        assert await self.last_heard() == self.heard
        assert (await self.board.take(self.pk))["code"] == "not_available"
        await self.board.wire.disconnect()

    async def test_beside_a_console_it_takes_and_whom_it_took_goes_back_once_the_console_is_gone(self) -> None:
        await self.console.open(page="console")
        await self.board.open(page="board")
        assert (await self.board.take(self.pk))["type"] == "ok"
        await self.console.wire.disconnect()
        await Availability.objects.aupdate(seen_at=self.now - RESCUE_GRACE)
        await self.beat(self.board)
        await Watch.objects.acreate(pk=1, since=self.heard, last=self.now)
        await sync_to_async(services.rescue_stranded)(now=self.now)
        assert (await Conversation.objects.aget(pk=self.pk)).state == "waiting"
        await self.board.wire.disconnect()

    async def test_hello_beat_and_take_of_a_console_are_signs_of_life_also_of_an_older_one(self) -> None:
        await self.console.open()
        assert await self.last_heard() >= self.now
        await Availability.objects.aupdate(seen_at=self.heard)
        await self.beat(self.console)
        assert await self.last_heard() >= self.now
        await Availability.objects.aupdate(seen_at=self.heard)
        assert (await self.console.take(self.pk))["type"] == "ok", "who presses there is there"
        await self.console.wire.disconnect()


class StaleListStories(TestCase):
    async def test_a_list_read_before_a_take_takes_nothing_from_who_took(self) -> None:
        """A list is read, ben takes and follows, and only then is it that list's turn to be sent."""
        pk, _ = await sync_to_async(waiting)()
        await sync_to_async(lambda: set_availability(user_id=ben().id, state="ready", now=timezone.now()))()
        tab = await sync_to_async(lambda: Tab(ben()))()
        await tab.open()
        earlier, lists = await shift(await sync_to_async(ben)()), list[str]()

        async def read(who: Staff | None) -> Shift:
            lists.append("earlier" if not lists else "now")
            return earlier if lists == ["earlier"] else await shift(who)

        with (
            mock.patch("chat.consumers.listing.shift", read),
            mock.patch("chat.consumers.listing.random.random", return_value=1.0),
            mock.patch("chat.consumers.listing.SPREAD", 10.0),
            mock.patch("chat.consumers.listing.GATHER", 0.05),
        ):
            hub().tell_change()
            async with asyncio.timeout(15):
                while not lists:
                    await asyncio.sleep(0.001)
            await tab.wire.send_json_to({"type": "take", "ref": 1, "conversation": str(pk)})
            await tab.wire.send_json_to({"type": "follow", "ref": 2, "conversation": str(pk), "after": 0})
            frames = [await tab.wire.receive_json_from(timeout=15)]
            while frames[-1]["type"] != "overview":
                frames.append(await tab.wire.receive_json_from(timeout=15))
        assert [frame["type"] for frame in frames][:2] == ["ok", "ok"]
        assert "unfollowed" not in [frame["type"] for frame in frames]
        assert [one["state"] for one in frames[-1]["conversations"]] == ["active"]
        await tab.wire.disconnect()


class OverflowStories(TestCase):
    async def test_a_log_whose_first_page_was_dropped_is_followed_all_the_same(self) -> None:
        """Too much waited for the page: what a tab waits for to follow is read again and sent."""
        pk, _ = await sync_to_async(lambda: held_by(ben()))()
        for number in range(1, 4):
            await sync_to_async(say)(pk, number)
        tab = await sync_to_async(lambda: Tab(ben()))()
        await tab.open()
        with mock.patch("chat.consumers.base.MOST_PENDING_BYTES", 100):
            await tab.wire.send_json_to({"type": "follow", "ref": 7, "conversation": str(pk), "after": 0})
            kinds: list[str] = []
            while not kinds or kinds[-1] != "followed":
                kinds.append((await tab.wire.receive_json_from(timeout=15))["type"])
        assert kinds.count("message") == 3
        await tab.wire.disconnect()


async def test_a_list_that_was_read_earlier_takes_back_nothing_of_a_later_one() -> None:
    """Somebody writes, and a flag is raised while that list waits for its turn: the flag stays on the board."""
    socket = StaffSocket({"headers": []}, mock.AsyncMock())
    socket._actor = Staff(1, "supervisor", "Dana", "en")
    views = [
        mock.Mock(**{"seen_by.return_value": name, "visible_to.return_value": []}) for name in ("old", "flag", "next")
    ]
    sent: list[str] = []

    async def send_text(text: str) -> None:
        sent.append(text)

    with (
        mock.patch("chat.consumers.listing.shift", mock.AsyncMock(side_effect=views)),
        mock.patch("chat.consumers.staff.codec.encode", str),
        mock.patch("chat.consumers.listing.random.random", side_effect=[1.0, 0.0, 0.0]),
        mock.patch.object(socket, "send_text", send_text),
    ):
        slow = asyncio.create_task(socket._tell_overview(0, 0.2))
        await asyncio.sleep(0.01)
        await socket._tell_overview(0, 0.2)
        await slow
        await socket._tell_overview(0, 0.2)
    assert sent == ["flag", "next"]
