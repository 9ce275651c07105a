"""A wrong clock destroys nothing; and the folder of the keys is made once, by somebody who looks."""

import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.test import RequestFactory, TestCase

from audit.models import AuditEvent
from chat import services
from chat.core.errors import ErrorCode, Refused
from encryption.models import DataKey
from encryption.providers import FileProvider, ProviderDown
from encryption.services import key_folder, rounds, sealing
from ops import health, worker
from ops.management.commands import serve
from tests.support.archive_stories import DAY, ArchiveStories
from tests.support.people import NOON, waiting

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def archive(*arguments: str, now: datetime) -> str:
    out = StringIO()
    with mock.patch("ops.management.commands.archive.timezone.now", return_value=now):
        call_command("archive", *arguments, stdout=out)
    return out.getvalue()


class ClockStories(ArchiveStories):
    @pytest.fixture(autouse=True)
    def _new_process(self) -> Iterator[None]:
        rounds.forget()
        yield
        rounds.forget()

    def round(self, wall: datetime, steady: timedelta | None = None) -> None:
        """Do the worker's round at a time of the wall, and of the steady clock, which fits it unless told."""
        seconds = (steady if steady is not None else wall - NOON).total_seconds()
        with mock.patch.object(rounds, "steady", return_value=seconds):
            async_to_sync(worker._tend)(wall)

    def alive(self) -> set[str]:
        return {name for name in sealing.provider().list_epochs() if not name.startswith("std")}

    def said(self) -> list[str]:
        rows = AuditEvent.objects.filter(subject="keys").order_by("pk")
        return [action.removeprefix("keys.") for action in rows.values_list("action", flat=True)]

    def test_one_round_with_a_wrong_clock_destroys_nothing(self) -> None:
        pk = self.closed()
        before = self.alive()
        self.round(NOON + HOUR)
        with self.assertLogs("encryption.services.rounds", "ERROR"):
            self.round(NOON + 365 * DAY, steady=HOUR + MINUTE)
        assert self.alive() == before
        assert DataKey.objects.filter(subject_id=pk).exists()
        self.round(NOON + HOUR + 2 * MINUTE)
        assert self.said() == ["round", "clock_doubted", "round"]
        assert not rounds.doubted(NOON + HOUR + 2 * MINUTE)

    def test_a_clock_that_jumped_within_a_day_is_noticed_by_the_steady_one(self) -> None:
        self.closed()
        before = self.alive()
        self.round(NOON + 20 * HOUR)
        with self.assertLogs("encryption.services.rounds", "ERROR"):
            self.round(NOON + 40 * HOUR, steady=20 * HOUR + MINUTE)
        assert self.alive() == before
        rounds.forget()
        with self.assertLogs("encryption.services.rounds", "ERROR"):
            self.round(NOON + 41 * HOUR, steady=MINUTE)
        assert self.alive() == before, "a process that begins anew does not settle it"

    def test_clocks_that_differ_by_some_minutes_destroy_what_is_over(self) -> None:
        self.closed()
        self.round(NOON + 30 * HOUR)
        self.round(NOON + 60 * HOUR, steady=60 * HOUR - 10 * MINUTE)
        assert "op-2026-11-23" not in self.alive()

    def test_a_site_that_was_down_for_days_goes_on_after_one_command(self) -> None:
        self.closed()
        self.round(NOON)
        rounds.forget()
        later = NOON + 10 * DAY
        with self.assertLogs("encryption.services.rounds", "ERROR"):
            self.round(later)
        assert "ret-2026-11-27" in self.alive()
        assert "The clock jumped, so no key is destroyed" in archive("status", now=later)
        archive("clock-is-right", now=later)
        assert "The clock jumped" not in archive("status", now=later)
        self.round(later + MINUTE)
        assert self.alive() == set()

    def test_an_operators_word_reaches_a_process_that_runs(self) -> None:
        self.closed()
        self.round(NOON)
        for _ in range(3):
            with self.assertLogs("encryption.services.rounds", "ERROR"):
                self.round(NOON + 10 * DAY, steady=MINUTE)
        assert self.said().count("clock_doubted") == 1, "the trail is told once"
        archive("clock-is-right", now=NOON + 10 * DAY)
        self.round(NOON + 10 * DAY + MINUTE, steady=2 * MINUTE)
        assert self.alive() == set()

    def test_a_night_off_is_no_jump_and_the_trail_keeps_a_round_an_hour(self) -> None:
        for minutes in range(0, 180, 10):
            self.round(NOON + minutes * MINUTE)
        assert self.said() == ["round"] * 3
        rounds.forget()
        self.round(NOON + 38 * HOUR, steady=MINUTE)
        assert self.said() == ["round"] * 4


class ReadinessStories(TestCase):
    def asked(self, now: datetime = NOON) -> tuple[int, dict[str, Any]]:
        request = RequestFactory().get("/readyz")
        with (
            mock.patch.object(health, "_layer", mock.AsyncMock(return_value=True)),
            mock.patch("ops.health.timezone.now", return_value=now),
        ):
            answer = async_to_sync(health.ready)(request)
        return answer.status_code, json.loads(answer.content)

    def test_a_doubtful_clock_is_named_and_turns_nobody_away(self) -> None:
        rounds.confirm(NOON)
        assert self.asked()[1]["clock"] is True
        status, said = self.asked(NOON + 2 * DAY)
        assert (status, said["clock"], said["keys"]) == (200, False, True)

    def test_asking_makes_no_key(self) -> None:
        assert self.asked()[1]["keys"] is True
        assert sealing.provider().list_epochs() == ()


class FolderStories(TestCase):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, settings: Any) -> Iterator[None]:
        self.folder = settings.KEYS_DIR = tmp_path / "keys"
        settings.DEVELOPMENT = False
        with mock.patch.object(sealing, "provider", return_value=FileProvider(self.folder, development=False)):
            yield

    def test_without_the_command_nothing_begins_and_with_it_everything_does(self) -> None:
        self.folder.mkdir()
        with pytest.raises(Refused) as caught:
            waiting()
        assert caught.value.code is ErrorCode.OURS
        archive("make-key-folder", now=NOON)
        archive("make-key-folder", now=NOON)
        waiting()
        assert AuditEvent.objects.filter(action="key_folder.made").count() == 1

    def test_a_disk_that_is_away_is_not_made_anew(self) -> None:
        archive("make-key-folder", now=NOON)
        waiting()
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        with pytest.raises(CommandError, match="Is its disk mounted"):
            archive("make-key-folder", now=NOON)
        assert list(self.folder.iterdir()) == []
        archive("make-key-folder", "--although-empty", now=NOON)
        assert sealing.provider().list_epochs() == ()

    def test_the_very_first_start_makes_it_and_no_later_one(self) -> None:
        with mock.patch.object(serve, "connection"):
            serve._make_key_folder()
            assert sealing.provider().list_epochs() == ()
            waiting()
            shutil.rmtree(self.folder)
            serve._make_key_folder()
        assert not self.folder.exists()
        with pytest.raises(ProviderDown):
            sealing.provider().list_epochs()

    def test_an_empty_place_is_not_made_by_a_start(self) -> None:
        self.folder.mkdir()
        assert key_folder.first_start(NOON) is False
        assert list(self.folder.iterdir()) == []

    def test_a_site_with_vault_has_no_folder(self) -> None:
        with (
            mock.patch.object(sealing, "provider", return_value=mock.Mock()),
            pytest.raises(CommandError, match="with Vault"),
        ):
            archive("make-key-folder", now=NOON)


def test_the_services_stay_pure(db: None) -> None:
    """Who calls them with a time means it: only the worker's round looks at the clock."""
    rounds.confirm(NOON)
    services.tend_keys(now=NOON + 365 * DAY)
    assert not AuditEvent.objects.filter(action="keys.clock_doubted").exists()
