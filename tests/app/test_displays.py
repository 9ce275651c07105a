"""A screen on a wall: dana lets it in and ends it; eve, who finds its link or its secret, sees nothing."""

import json
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.test import AsyncClient, TestCase
from django.urls import reverse

from audit.models import AuditEvent
from chat.core.handles import spoken
from chat.models import Conversation
from crisis import services as crisis
from frontend.views.wall import COOKIE
from staff.models import Display, User
from staff.services import displays
from staff.services.displays import NoDisplay
from tests.support.people import NOON, ben, cleo, dana, eve, held_by, waiting

SAID = "he is on the stairs with the teal kettle"


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


class Screens(TestCase):
    def opened(self, hours: int = 4) -> str:
        secret = displays.make_display(actor=dana(), hours=hours, now=NOON)
        return displays.open_display(secret=secret, now=after(minutes=5))[0]

    def test_a_link_opens_one_screen_and_then_nothing(self) -> None:
        link = displays.make_display(actor=dana(), hours=4, now=NOON)
        own, view = displays.open_display(secret=link, now=after(minutes=14))
        assert displays.display_for(own, after(hours=3)).id == view.id
        with pytest.raises(NoDisplay):
            displays.open_display(secret=own, now=after(minutes=14))
        for spent in (link, "x" * 43, ""):
            with self.subTest(spent=spent[:3]), pytest.raises(NoDisplay):
                displays.open_display(secret=spent, now=after(minutes=14))
            with self.subTest(spent=spent[:3]), pytest.raises(NoDisplay):
                displays.display_for(spent, after(minutes=14))

    def test_a_link_shows_nothing_by_itself_and_does_not_wait_for_long(self) -> None:
        link = displays.make_display(actor=dana(), hours=4, now=NOON)
        with pytest.raises(NoDisplay):
            displays.display_for(link, after(minutes=1))
        with pytest.raises(NoDisplay):
            displays.open_display(secret=link, now=after(minutes=15))

    def test_neither_secret_is_kept(self) -> None:
        link = displays.make_display(actor=dana(), hours=4, now=NOON)
        own, _ = displays.open_display(secret=link, now=NOON)
        kept = f"{list(Display.objects.values())}{list(AuditEvent.objects.values())}"
        assert link not in kept
        assert own not in kept
        assert len(bytes(Display.objects.get().digest)) == 32

    def test_it_ends_by_itself(self) -> None:
        own = self.opened(hours=4)
        displays.display_for(own, after(hours=3.99))
        with pytest.raises(NoDisplay):
            displays.display_for(own, after(hours=4))

    def test_it_ends_when_a_supervisor_says_so(self) -> None:
        own = self.opened()
        assert displays.end_display(actor=dana(), display_id=Display.objects.get().pk, now=after(hours=1))
        with pytest.raises(NoDisplay):
            displays.display_for(own, after(hours=1))
        assert not displays.end_display(actor=dana(), display_id=Display.objects.get().pk, now=after(hours=2))
        assert displays.displays_for(dana(), after(hours=1)) == ()
        trail = list(AuditEvent.objects.filter(action__startswith="display").values_list("action", "actor"))
        assert trail == [
            ("display.made", str(dana())),
            ("display.opened", "display"),
            ("display.ended", str(dana())),
        ]

    def test_it_ends_with_its_makers_right(self) -> None:
        for change in ({"is_active": False}, {"role": "advocate"}):
            with self.subTest(change=list(change)):
                own = self.opened()
                User.objects.filter(pk=dana().id).update(**change)
                with pytest.raises(NoDisplay):
                    displays.display_for(own, after(minutes=6))
                User.objects.filter(pk=dana().id).update(is_active=True, role="supervisor")

    def test_strangers_make_see_and_end_none(self) -> None:
        self.opened()
        pk = Display.objects.get().pk
        for stranger in (ben(), cleo(), eve()):
            with self.subTest(stranger=stranger.name):
                with pytest.raises(PermissionDenied):
                    displays.make_display(actor=stranger, hours=1, now=NOON)
                with pytest.raises(PermissionDenied):
                    displays.displays_for(stranger, NOON)
                with pytest.raises(PermissionDenied):
                    displays.end_display(actor=stranger, display_id=pk, now=NOON)
        assert Display.objects.get().ended_at is None

    def test_only_some_times_can_be_chosen(self) -> None:
        with pytest.raises(ValueError, match="hours"):
            displays.make_display(actor=dana(), hours=100, now=NOON)

    def test_it_hangs_no_longer_for_a_clock_that_is_set_back(self) -> None:
        own = self.opened(hours=1)
        displays.display_for(own, after(minutes=50))
        link = displays.make_display(actor=dana(), hours=1, now=after(minutes=50))
        back = after(minutes=50, hours=-3)
        assert displays.mend_displays(now=back) == 2
        assert displays.mend_displays(now=back) == 0
        displays.display_for(own, back + timedelta(minutes=9))
        with pytest.raises(NoDisplay):
            displays.display_for(own, back + timedelta(minutes=10))
        with pytest.raises(NoDisplay):
            displays.open_display(secret=link, now=back + timedelta(minutes=15))
        displays.open_display(secret=link, now=back + timedelta(minutes=14))

    def test_one_whose_time_was_over_comes_not_back(self) -> None:
        own = self.opened(hours=1)
        assert displays.forget_displays(now=after(minutes=59)) == 0
        assert displays.forget_displays(now=after(minutes=60)) == 1
        with pytest.raises(NoDisplay):
            displays.display_for(own, after(minutes=10))

    def test_that_it_hangs_is_noted_once_a_minute(self) -> None:
        own = self.opened()
        for seconds, seen in ((330, 300), (360, 360), (419, 360)):
            displays.display_for(own, after(seconds=seconds))
            assert Display.objects.get().seen_at == after(seconds=seen)


class Addresses(TestCase):
    """Open a screen over HTTP as its browser does."""

    async def screen(self) -> AsyncClient:
        return AsyncClient(headers={"sec-fetch-site": "same-origin"})

    async def post(self, screen: AsyncClient, name: str, **body: object) -> Any:
        return await screen.post(reverse(name), json.dumps(body), content_type="application/json")

    async def link(self) -> str:
        supervisor = AsyncClient()
        await supervisor.aforce_login(await User.objects.aget(pk=(await sync_to_async(dana)()).id))
        page = (await supervisor.post(reverse("displays"), {"hours": "4"})).content.decode()
        address, _, secret = page.split('id="link">')[1].split("</code>")[0].partition("#")
        assert address == f"http://testserver{reverse('wall')}"
        return secret

    async def opened(self) -> AsyncClient:
        screen, secret = await self.screen(), await self.link()
        answer = await self.post(screen, "wall_open", secret=secret)
        assert answer.status_code == 204
        cookie = answer.cookies[COOKIE]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/wall")
        assert cookie.value != secret
        return screen

    async def test_a_screen_shows_counts_and_pseudonyms_and_nothing_else(self) -> None:
        pk, _ = await sync_to_async(held_by)(await sync_to_async(ben)())
        await sync_to_async(waiting)()
        await sync_to_async(crisis.raise_escalation)(
            actor=await sync_to_async(ben)(),
            conversation_id=pk,
            level=3,
            reason=SAID,
            client_id="a" * 32,
            now=NOON,
        )
        screen = await self.opened()
        answer = await self.post(screen, "wall_now")
        assert answer["Cache-Control"] == "no-store"
        shown = json.loads(answer.content)
        handle = spoken((await Conversation.objects.aget(pk=pk)).handle, "en")
        one = {"handle": handle, "level": 3, "state": "raised", "raised_at": "2026-11-23T12:00:00.000Z", "climbs": 0}
        assert shown["escalations"] == [one | {"aloud": True, "unreached": False, "drill": False, "ended_by": None}]
        assert (shown["waiting"], shown["running"]) == (1, 1)
        assert set(shown) == {"at", "waiting", "waiting_since", "running", "ready", "free", "escalations", "drills"}
        page = (await screen.get(reverse("wall"))).content.decode()
        for told in (answer.content.decode(), page):
            for secret in (SAID, "Ben", "Dana", str(pk)):
                assert secret not in told

    async def test_without_a_display_there_is_a_page_that_says_how_and_no_more(self) -> None:
        screen = await self.screen()
        assert (await self.post(screen, "wall_now")).status_code == 401
        page = (await screen.get(reverse("wall"))).content.decode()
        assert "opens with the link" in page
        assert "s’ouvre avec le lien" in page
        assert 'id="words"' not in page

    async def test_an_ended_and_an_expired_one_show_nothing_and_lose_their_cookie(self) -> None:
        for end in (
            {"ended_at": NOON, "ended_by": await User.objects.aget(pk=(await sync_to_async(dana)()).id)},
            {"ends_at": NOON},
        ):
            with self.subTest(end=list(end)):
                screen = await self.opened()
                assert (await self.post(screen, "wall_now")).status_code == 200
                await Display.objects.all().aupdate(**end)
                answer = await self.post(screen, "wall_now")
                assert (answer.status_code, answer.content) == (401, b"")
                assert answer.cookies[COOKIE].value == ""

    async def test_the_screens_cookie_opens_no_other_page(self) -> None:
        screen = await self.opened()
        for name in ("board", "console", "displays"):
            answer = await screen.get(reverse(name))
            assert (answer.status_code, answer["Location"]) == (302, reverse("sign_in"))
        answer = await screen.post(reverse("acknowledge", args=[uuid4()]), "{}", content_type="application/json")
        assert answer.status_code == 401

    async def test_a_page_of_another_site_opens_and_asks_nothing(self) -> None:
        screen = await self.opened()
        secret = await self.link()
        for name, body in (("wall_now", {}), ("wall_open", {"secret": secret})):
            answer = await screen.post(
                reverse(name),
                json.dumps(body),
                content_type="application/json",
                headers={"sec-fetch-site": "cross-site"},
            )
            assert answer.status_code == 403

    async def test_the_secret_reaches_no_log_also_when_something_fails(self) -> None:
        secret = await self.link()
        with (
            mock.patch("staff.services.displays.record", side_effect=OSError(secret)),
            self.assertLogs("django.request", "ERROR") as logged,
            pytest.raises(OSError, match=secret),
        ):
            await self.post(await self.screen(), "wall_open", secret=secret)
        from config.logs import QuietFormatter

        assert not any(secret in QuietFormatter().format(line) for line in logged.records)

    async def test_advocates_and_strangers_are_kept_out(self) -> None:
        for person in (ben, eve):
            client = AsyncClient()
            await client.aforce_login(await User.objects.aget(pk=(await sync_to_async(person)()).id))
            assert (await client.post(reverse("displays"), {"hours": "1"})).status_code == 403
            assert (await client.get(reverse("displays"))).status_code == 403
        assert await Display.objects.acount() == 0
