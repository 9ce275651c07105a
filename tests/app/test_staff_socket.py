"""Tell what a staff socket does when rights end under it, and how often a list is told of a change."""

from typing import Any
from unittest import mock
from uuid import UUID

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client, TestCase
from django.utils import timezone

from chat import broadcast, services
from chat.consumers.rights import LOOK_EVERY, rights
from chat.consumers.staff import StaffSocket
from chat.core.actors import Staff, Visitor
from chat.hub import hub
from chat.log import StoredEvent
from staff.models import User
from staff.selectors import signed_in_users
from tests.support.people import NOON, ben, cleo, dana, held_by

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

    async def open(self, follow: UUID | None = None) -> None:
        """Connect and wait for the first overview."""
        await self.wire.connect()
        held = {str(follow): 0} if follow else {}
        await self.wire.send_json_to({"type": "hello", "version": 1, "follow": held})
        await self.until("overview")

    async def until(self, kind: str) -> dict[str, Any]:
        """Return the next frame of a kind."""
        while True:
            frame: dict[str, Any] = await self.wire.receive_json_from(timeout=3)
            if frame["type"] == kind:
                return frame

    async def ending(self) -> tuple[list[dict[str, Any]], int]:
        """Return the frames up to the close, and its code."""
        frames: list[dict[str, Any]] = []
        while True:
            event = await self.wire.receive_output(timeout=3)
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
        await broadcast.publish(await sync_to_async(say)(pk, 1))
        watcher.on_change.assert_called_once_with(soon=False)
        watcher.reset_mock()
        done = await sync_to_async(services.end_conversation)(
            actor=await sync_to_async(ben)(), conversation_id=pk, now=NOON
        )
        await broadcast.publish(done.events)
        watcher.on_change.assert_called_once_with(soon=True)

    async def test_other_processes_hear_of_many_texts_once(self) -> None:
        pk, _ = await sync_to_async(held_by)(await sync_to_async(ben)())
        with mock.patch("chat.hub.COUNTS_EVERY", 0), mock.patch.object(hub()._layer, "group_send") as sent:
            for number in range(5):
                await broadcast.publish(await sync_to_async(say)(pk, number))
            counting = hub()._counting
            if counting is not None:
                await counting
        changes = [call.args[1] for call in sent.await_args_list if "change" in call.args[1]]
        assert 1 <= len(changes) <= 5
        assert all(change["change"] == 0 for change in changes)
