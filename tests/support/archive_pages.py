"""What the stories of the archive's pages share: people who sign in and unlock, by a clock that the test moves."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from chat.core.actors import Staff
from encryption.services import readers
from staff.models import User
from tests.support.archive_stories import LATER, NOTED, SAID, ArchiveStories
from tests.support.vault_keys import CHEAP

PASSWORD = "a long enough phrase"
REASON = "she asked us for what she wrote"
OUTPUT, OTHER_OUTPUT = "A" * 43, "B" * 42 + "A"
QUICK = "django.contrib.auth.hashers.MD5PasswordHasher"


class ArchivePages(ArchiveStories):
    """Sign people in with a clock that the test moves."""

    @pytest.fixture(autouse=True)
    def _cheap(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, settings: Any
    ) -> Iterator[None]:
        settings.PASSWORD_HASHERS = [QUICK]
        for slow in (readers.enrol, readers.renew_slot):
            monkeypatch.setitem(slow.__kwdefaults__ or {}, "cost", CHEAP)
        self.now = LATER
        self.log = caplog
        caplog.set_level(logging.DEBUG)
        with mock.patch("django.utils.timezone.now", side_effect=lambda: self.now):
            yield

    def pass_time(self, **span: int) -> None:
        self.now += timedelta(**span)

    def signed_in(self, person: Staff) -> Client:
        # once: another hash would end the sessions that are there, and with them what a test looks at
        User.objects.filter(pk=person.id, password="!").update(password=make_password(PASSWORD))
        client = Client()
        answer = client.post(reverse("sign_in"), {"username": person.name.lower(), "password": PASSWORD})
        assert answer.status_code == 302
        return client

    def unlock(self, client: Client, person: Staff, **changes: str) -> Any:
        fields = {"kind": "phrase", "entered": self.written_down[person.id].phrase} | changes
        return client.post(reverse("unlock"), fields)

    def inside(self, person: Staff) -> Client:
        client = self.signed_in(person)
        assert self.unlock(client, person).status_code == 302
        assert self.is_inside(client)
        return client

    def is_inside(self, client: Client) -> bool:
        answer = client.get(reverse("archive"))
        return answer.status_code == 200 and 'id="unlocked"' in answer.content.decode()

    def open(self, client: Client, pk: UUID, **changes: str) -> Any:
        return client.post(reverse("archived", args=[pk]), {"reason": REASON} | changes)

    def shows(self, answer: Any) -> bool:
        return SAID in answer.content.decode() and NOTED in answer.content.decode()

    def actions(self) -> list[str]:
        return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))
