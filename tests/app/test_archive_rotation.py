"""Wrap anew what outlives a key, with `manage.py archive`: cut off, in a dry run, while others work."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest import mock
from uuid import uuid4

import pytest

from encryption.core import archive as hpke
from encryption.core.envelope import NotAuthentic
from encryption.core.subject import Subject
from encryption.models import ArchiveKey, Grant, Wrap
from encryption.providers import MemoryProvider, ProviderDown
from encryption.services import archive, lifecycle, readers, rotation, sealer_for, sealing
from tests.support.ceremony import SAID, CeremonyStories
from tests.support.people import NOON, dana

Rows = list[tuple[object, ...]]


def wraps() -> Rows:
    """Return every wrap as it stands."""
    fields = ("pk", "epoch", "recipient", "expires", "blob")
    return [(*map(str, row[:4]), bytes(row[4])) for row in Wrap.objects.order_by("pk").values_list(*fields)]


class Rotations(CeremonyStories):
    def second_key(self) -> None:
        """Make a second key of the month and activate it."""
        self.months("second.json", "--name", "2026-11.2")
        self.keep_secrets("second.json", dana())
        self.archive("import", "second.json")
        self.archive("activate", "2026-11.2")

    def rekey(self, *more: str, fails: bool = False) -> str:
        """Move everything to the second key."""
        phrase = self.cards[dana().id].phrase
        return self.archive("rekey", "2026-11", "2026-11.2", "--by", "dana", *more, stdin=phrase, fails=fails)

    def secret_named(self, name: str) -> bytes:
        return readers.secrets_of(dana().id, self.secret_of(dana()))(name)

    def test_rekeyed_conversations_open_with_the_new_key_and_not_with_the_old(self) -> None:
        self.whole()
        pk = self.closed()
        self.second_key()
        said = self.rekey()
        assert "1 of 1 were made anew, 0 could not be opened" in said
        assert self.read(pk, dana()) == SAID
        old, new = self.secret_named("2026-11"), self.secret_named("2026-11.2")
        wrap = Wrap.objects.get(data_key__subject_id=pk)
        assert wrap.recipient == "2026-11.2"
        with pytest.raises(NotAuthentic):
            archive.open_wrap(Subject("conversation", pk), lambda _: old)
        archive.open_wrap(Subject("conversation", pk), lambda _: new)

    def test_a_rekey_needs_an_active_key_and_somebody_who_has_the_old_one(self) -> None:
        self.whole()
        assert "no active archive key 2026-11.2" in self.rekey(fails=True)
        self.second_key()
        ArchiveKey.objects.filter(pk="2026-11.2").update(activated_at=None)
        assert "no active archive key 2026-11.2" in self.rekey(fails=True)
        ArchiveKey.objects.filter(pk="2026-11.2").update(activated_at=NOON)
        Grant.objects.filter(reader__user_id=dana().id, archive_key_id="2026-11").delete()
        assert "dana has no key 2026-11" in self.rekey(fails=True)

    def test_a_swapped_new_key_gets_nothing(self) -> None:
        self.whole()
        self.closed()
        self.second_key()
        ArchiveKey.objects.filter(pk="2026-11.2").update(public=hpke.new_pair().public)
        before = wraps()
        assert "is not signed by the pinned root" in self.rekey(fails=True)
        assert wraps() == before

    def test_a_dry_run_of_a_rekey_changes_nothing(self) -> None:
        self.whole()
        self.closed()
        self.second_key()
        before, epochs = wraps(), sealing.provider().list_epochs()
        assert "1 of 1 would be made anew" in self.rekey("--dry-run")
        assert (wraps(), sealing.provider().list_epochs()) == (before, epochs)
        assert "rotation.archive" not in self.actions()

    def test_a_rekey_that_was_cut_off_is_begun_again(self) -> None:
        self.whole()
        made = [self.closed(NOON + timedelta(minutes=number)) for number in range(5)]
        self.second_key()
        self.monkeypatch.setattr(rotation, "BATCH", 2)
        secrets = readers.secrets_of(dana().id, self.secret_of(dana()))
        steps = rotation.rekey(old="2026-11", new="2026-11.2", secrets=secrets, actor="staff:1", now=NOON)
        assert [next(steps).done, next(steps).done] == [0, 2]
        steps.close()  # type: ignore[attr-defined]
        assert sorted(Wrap.objects.filter(kind="archive").values_list("recipient", flat=True)) == [
            *["2026-11"] * 3,
            *["2026-11.2"] * 2,
        ]
        assert {self.read(pk, dana()) for pk in made} == {SAID}, "half done, everything opens"
        assert "3 of 3 were made anew" in self.rekey()
        assert {self.read(pk, dana()) for pk in made} == {SAID}

    def test_what_does_not_open_is_left_and_said(self) -> None:
        self.whole()
        good, bad = self.closed(), self.closed(NOON + timedelta(minutes=1))
        Wrap.objects.filter(data_key__subject_id=bad).update(blob=b"x" * 1_200)
        self.second_key()
        said = self.rekey(fails=True)
        assert "1 of 2 were made anew, 1 could not be opened" in said
        assert self.read(good, dana()) == SAID
        assert Wrap.objects.get(data_key__subject_id=bad).recipient == "2026-11"

    def file(self, when: datetime) -> Subject:
        """Make a case file's key."""
        subject = Subject("case", uuid4())
        lifecycle.create_data_key(subject, when)
        return subject

    def test_standing_keys_are_rotated_while_a_file_is_begun(self) -> None:
        self.monkeypatch.setattr(rotation, "BATCH", 2)
        files = [self.file(NOON) for _ in range(5)]
        later = datetime(2026, 12, 9, 12, 0, tzinfo=UTC)
        steps = rotation.rotate_standing(now=later)
        next(steps)
        next(steps)
        files += [self.file(later), self.file(NOON)]
        done = list(steps)[-1]
        assert done.failed == 0
        assert set(Wrap.objects.filter(kind="op").values_list("epoch", flat=True)) == {"std-2026-12"}
        assert [one for one in sealing.provider().list_epochs() if one.startswith("std")] == ["std-2026-12"]
        sealing.forget()
        for subject in files:
            assert sealer_for(subject) is not None

    def test_an_old_standing_key_that_still_wraps_something_is_spared(self) -> None:
        self.file(NOON)
        self.now = datetime(2026, 12, 9, 12, 0, tzinfo=UTC)
        whole = rotation._rewrapped
        late: list[Subject] = []

        def then_late(*args: object, **given: bool) -> Iterator[rotation.Progress]:
            yield from whole(*args, **given)  # type: ignore[arg-type]
            late.append(self.file(NOON))

        with mock.patch.object(rotation, "_rewrapped", then_late):
            self.pin("00" * 32)
            self.archive("rotate-standing")
        assert "std-2026-11" in sealing.provider().list_epochs()
        sealing.forget()
        assert sealer_for(late[0]) is not None

    def test_a_dry_run_of_standing_keys_changes_nothing(self) -> None:
        self.file(NOON)
        self.now = datetime(2026, 12, 9, 12, 0, tzinfo=UTC)
        before, epochs, trail = wraps(), sealing.provider().list_epochs(), self.actions()
        assert "1 of 1 would be made anew" in self.archive("rotate-standing", "--dry-run")
        assert (wraps(), sealing.provider().list_epochs(), self.actions()) == (before, epochs, trail)
        assert "1 of 1 were made anew" in self.archive("rotate-standing")
        assert sealing.provider().list_epochs() == ("std-2026-12",)

    def test_without_the_key_provider_a_step_says_so(self) -> None:
        with mock.patch.object(MemoryProvider, "list_epochs", side_effect=ProviderDown("down")):
            assert "key provider cannot be reached" in self.refused("rotate-standing")
