"""Tell what signing in leaves in the trail, and what a command answers when something of ours is down."""

import json
import logging
from unittest import mock

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.test import TestCase
from django.urls import reverse

from audit.models import AuditEvent
from staff.models import User
from tests.support.people import ben, held_by, open_site

SECRET = "a violet reason to worry"


class SignInStories(TestCase):
    def setUp(self) -> None:
        self.user = User.objects.create_user(
            username="ben", password="a long enough phrase", work_name="Ben", role="advocate"
        )

    def sign_in(self, username: str, password: str) -> int:
        answer = self.client.post(reverse("sign_in"), {"username": username, "password": password})
        return answer.status_code

    def test_a_sign_in_is_in_the_trail(self) -> None:
        assert self.sign_in("ben", "a long enough phrase") == 302
        event = AuditEvent.objects.get()
        assert (event.actor, event.action) == (f"staff:{self.user.pk}", "signed_in")

    def test_a_refused_one_is_there_without_what_was_typed(self) -> None:
        assert self.sign_in("a long enough phrase", "ben") == 403
        event = AuditEvent.objects.get()
        assert event.action == "sign_in_refused"
        assert "phrase" not in f"{event.actor}{event.subject}{event.data}"


class LeavingStories(TestCase):
    """An error page knows no neutral address, so its way out leads over one of ours."""

    async def test_it_leads_to_the_neutral_page_of_the_language(self) -> None:
        await sync_to_async(open_site)()
        for language, address in (("fr", "https://example.org/fr"), ("en", "https://example.org/")):
            answer = await self.async_client.get(f"{reverse('leave')}?l={language}")
            assert (answer.status_code, answer["Location"]) == (302, address)
            assert answer["Cache-Control"] == "no-store"

    async def test_it_leads_away_while_the_database_is_down(self) -> None:
        with mock.patch("frontend.views.leave.site", side_effect=OperationalError):
            answer = await self.async_client.get(f"{reverse('leave')}?l=fr")
        assert answer["Location"].startswith("https://meteo.")


class OutageStories(TestCase):
    @pytest.fixture(autouse=True)
    def _log(self, caplog: pytest.LogCaptureFixture) -> None:
        self.log = caplog

    async def test_a_command_that_meets_an_outage_answers_503_and_logs_no_words(self) -> None:
        person = await sync_to_async(ben)()
        pk, _ = await sync_to_async(held_by)(person)
        await self.async_client.aforce_login(await User.objects.aget(pk=person.id))
        body = {"level": 2, "reason": SECRET, "client_id": "e" * 32}
        with (
            mock.patch("crisis.services.raise_escalation", side_effect=OperationalError(SECRET)) as down,
            self.log.at_level(logging.ERROR),
        ):
            answer = await self.async_client.post(
                reverse("raise_flag", args=[pk]), json.dumps(body), content_type="application/json"
            )
        assert down.called
        assert (answer.status_code, answer.json()) == (503, {"error": "ours"})
        assert answer["Cache-Control"] == "no-store"
        from config.logs import QuietFormatter

        lines = [QuietFormatter().format(record) for record in self.log.records]
        assert any("OperationalError" in line for line in lines)
        assert not any(SECRET in line for line in lines)
