"""A demo shows the whole thing, the archive too, and begins again where it was."""

import secrets
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import TestCase

from config.devkeys import development_archive_root, development_secret
from encryption.models import ArchiveKey, Grant, Reader
from encryption.services import archive, readers, unlock
from encryption.services.unlock import Holder
from ops import samples
from ops.samples.archive import READERS, sample_phrases, seed
from staff.models import User
from tests.support.people import NOON


class DemoStories(TestCase):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, settings: object) -> None:
        settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
        settings.ARCHIVE_ROOT = development_archive_root(tmp_path)  # type: ignore[attr-defined]
        self.folder = tmp_path

    def test_a_sample_reader_unlocks_with_the_words_that_the_demo_prints(self) -> None:
        samples.seed()
        key = archive.current_key(NOON.replace(year=2099))
        assert key is not None
        for name, phrase in sample_phrases().items():
            assert f"{name:<6} words    {phrase}" in "\n".join(samples.sign_ins())
            user = User.objects.get(username=name)
            holder = Holder(user.pk, b"session")
            cookie = unlock.unlock(holder, kind="phrase", entered=phrase, now=NOON)
            found = unlock.unlocked(holder, cookie, NOON)
            assert found is not None
            assert len(found.secrets()(key.name)) == 96
        assert sorted(sample_phrases()) == sorted(READERS)

    def test_a_second_start_changes_nothing_and_a_later_one_adds_the_months_that_lack(self) -> None:
        seed_at = NOON
        samples.seed()
        before = sample_phrases(), list(Reader.objects.values_list("pk", flat=True))
        ArchiveKey.objects.all().delete()
        seed(seed_at)
        months, grants = set(ArchiveKey.objects.values_list("name", flat=True)), Grant.objects.count()
        seed(seed_at)
        assert (set(ArchiveKey.objects.values_list("name", flat=True)), Grant.objects.count()) == (months, grants)
        seed(seed_at + timedelta(days=62))
        assert {"2026-11", "2027-01", "2027-03"} <= set(ArchiveKey.objects.values_list("name", flat=True))
        assert before == (sample_phrases(), list(Reader.objects.values_list("pk", flat=True)))

    def test_a_root_that_the_site_pinned_itself_is_left_alone(self) -> None:
        with self.settings(ARCHIVE_ROOT="ab" * 32):
            samples.seed()
        assert not ArchiveKey.objects.exists()
        assert readers.reader_views() == ()


def test_two_processes_that_start_at_once_have_one_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make = secrets.token_urlsafe
    other: list[str] = []

    def meanwhile(size: int | None) -> str:
        monkeypatch.setattr(secrets, "token_urlsafe", make)
        other.append(development_secret(tmp_path))
        return make(size)

    monkeypatch.setattr(secrets, "token_urlsafe", meanwhile)
    assert [development_secret(tmp_path)] == other
    assert [path.name for path in tmp_path.iterdir()] == ["development-secret"]
