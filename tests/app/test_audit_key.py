"""The key that signs the trail's heads is changed while everything runs; what its thief then signs is refused."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import TestCase

from audit import heads, services, signing
from audit.core import KEY_CHANGED, Handover, Head, key_line
from audit.heads import HeadsUnusable
from audit.models import AuditEvent
from audit.services import KEY_SUBJECT, KeyChanged, newest_head, record
from audit.signing import public_of
from tests.support.people import NOON


class KeyStories(TestCase):
    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path: Path, settings: Any) -> None:
        self.folder = settings.AUDIT_DIR = tmp_path / "audit"
        self.keys = settings.KEYS_DIR = tmp_path / "keys"

    def setUp(self) -> None:
        self.signed = b""
        for _ in range(3):
            self.happens()
            self.sign()
        self.first = self.key()

    def happens(self) -> int:
        record(actor="staff:1", action="thing.done", subject="conversation:1", now=NOON)
        return AuditEvent.objects.latest("pk").pk

    def sign(self) -> None:
        self.signed = signing.sign_newest(keys=self.keys, folder=self.folder, now=NOON, after=self.signed)

    def key(self) -> Ed25519PrivateKey:
        return signing.signing_key(self.keys)

    def command(self, *arguments: str) -> str:
        out = StringIO()
        try:
            call_command(*arguments, stdout=out)
        except CommandError as error:
            return f"{out.getvalue()}{error}"
        return out.getvalue()

    def rotate(self) -> Ed25519PrivateKey:
        assert "Write that down." in self.command("audit_key", "rotate")
        return self.key()

    def goes_on(self) -> None:
        for _ in range(2):
            self.happens()
            self.sign()

    def assert_whole(self, *known: Ed25519PrivateKey) -> None:
        for arguments in ([], *(["--public-key", public_of(one).hex()] for one in known)):
            said = self.command("verify_audit", *arguments)
            assert said.endswith("all fit\n"), said

    def lines(self) -> list[dict[str, Any]]:
        (path,) = self.folder.iterdir()
        return [json.loads(line) for line in path.read_text().splitlines()]

    def put(self, lines: list[dict[str, Any]]) -> None:
        (path,) = self.folder.iterdir()
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    def forge(self, key: Ed25519PrivateKey, event: int) -> None:
        """Sign the head of an event as somebody would who has a key."""
        row = AuditEvent.objects.get(pk=event)
        heads.append(Head(event, bytes(row.digest), NOON), self.folder, key)


class Changing(KeyStories):
    def test_heads_fit_across_changes_whichever_key_of_the_site_one_begins_with(self) -> None:
        second = self.rotate()
        self.goes_on()
        third = self.rotate()
        self.goes_on()
        assert len({public_of(one) for one in (self.first, second, third)}) == 3
        self.assert_whole(self.first, second, third)
        stored = [(one.name, one.stat().st_mode & 0o777) for one in self.keys.iterdir()]
        assert stored == [(f"audit-head-{public_of(third).hex()[:16]}.secret", 0o400)], "the earlier secrets are gone"

    def test_the_trail_says_which_key_took_over_and_nothing_secret(self) -> None:
        new = self.rotate()
        event = AuditEvent.objects.get(action=KEY_CHANGED)
        named = {"old": public_of(self.first).hex(), "new": public_of(new).hex()}
        assert (event.actor, event.subject, event.data) == ("command", KEY_SUBJECT, named)
        assert new.private_bytes_raw().hex() not in str(event.data)

    def test_it_says_what_to_write_down(self) -> None:
        assert self.command("audit_key", "show") == f"{public_of(self.first).hex()}\n"
        said = self.command("audit_key", "rotate")
        event = AuditEvent.objects.get(action=KEY_CHANGED).pk
        assert f"From event {event} on heads are signed by {public_of(self.key()).hex()}." in said
        assert public_of(self.first).hex() in said

    def test_a_dry_run_changes_nothing(self) -> None:
        def everything() -> object:
            files = sorted((path, path.read_bytes()) for path in (*self.keys.iterdir(), *self.folder.iterdir()))
            return files, AuditEvent.objects.count()

        before = everything()
        said = self.command("audit_key", "rotate", "--dry-run")
        assert public_of(self.first).hex() in said
        assert "Nothing changed." in said
        assert everything() == before

    def test_without_a_key_there_is_nothing_to_change_and_none_is_made(self) -> None:
        (self.keys / signing.FIRST).unlink()
        for step in (["show"], ["rotate"], ["rotate", "--dry-run"]):
            assert "no head was signed yet" in self.command("audit_key", *step)
        assert list(self.keys.iterdir()) == []

    def test_without_a_folder_for_heads_nothing_is_changed(self) -> None:
        for path in self.folder.iterdir():
            path.rename(self.folder.parent / path.name)
        self.folder.rmdir()
        self.folder.write_text("a file in its place")
        assert "cannot be used" in self.command("audit_key", "rotate")
        assert not AuditEvent.objects.filter(action=KEY_CHANGED).exists()
        assert [path.name for path in self.keys.iterdir()] == [signing.FIRST]


class Thieves(KeyStories):
    def test_the_old_key_signs_no_head_any_more(self) -> None:
        self.rotate()
        self.forge(self.first, AuditEvent.objects.latest("pk").pk)
        assert "is not signed by this site's key of that time" in self.command("verify_audit")

    def test_the_new_key_signs_no_head_of_before(self) -> None:
        self.forge(self.rotate(), AuditEvent.objects.order_by("pk")[1].pk)
        assert "is not signed by this site's key of that time" in self.command("verify_audit")

    def test_an_unknown_key_signs_none(self) -> None:
        self.rotate()
        self.forge(Ed25519PrivateKey.generate(), self.happens())
        assert "is not signed by this site's key of that time" in self.command("verify_audit")

    def test_a_key_that_is_not_the_sites_vouches_for_nothing(self) -> None:
        self.rotate()
        self.goes_on()
        other = public_of(Ed25519PrivateKey.generate()).hex()
        said = self.command("verify_audit", "--public-key", other)
        assert "hands a signing key over that is not this site's" in said
        assert "is not signed by this site's key of that time" in said

    def test_a_change_that_only_the_database_knows_is_found_and_takes_no_key_away(self) -> None:
        mine = public_of(Ed25519PrivateKey.generate())
        named = {"old": public_of(self.first).hex(), "new": mine.hex()}
        record(actor="command", action=KEY_CHANGED, subject=KEY_SUBJECT, data=named, now=NOON)
        event = AuditEvent.objects.latest("pk").pk
        with pytest.raises(HeadsUnusable):
            self.sign()
        assert (self.keys / signing.FIRST).exists()
        assert "no key to check signatures with" in self.command("verify_audit")
        said = self.command("verify_audit", "--public-key", public_of(self.first).hex())
        assert f"event {event}: is not the change of the signing key that both keys signed" in said

    def test_a_change_whose_line_was_taken_away_is_found(self) -> None:
        new = self.rotate()
        self.goes_on()
        self.put([line for line in self.lines() if "new" not in line])
        for known in (self.first, new):
            said = self.command("verify_audit", "--public-key", public_of(known).hex())
            assert "is not the change of the signing key that both keys signed" in said
            assert "is not signed by this site's key of that time" in said

    def test_a_change_moved_to_another_event_is_found(self) -> None:
        self.rotate()
        self.put([line | {"event": line["event"] - 1} if "new" in line else line for line in self.lines()])
        assert "is not signed by this site's key of that time" in self.command("verify_audit")

    def test_a_change_that_one_key_alone_signed_is_none(self) -> None:
        self.rotate()
        for name in ("by_old", "by_new"):
            kept = self.lines()
            self.put([line | {name: "00" * 64} if "new" in line else line for line in kept])
            assert "is not the change of the signing key" in self.command("verify_audit")
            self.put(kept)
        self.assert_whole()

    def hand_over(self, old: Ed25519PrivateKey, new: Ed25519PrivateKey, event: int) -> None:
        digest = bytes(AuditEvent.objects.get(pk=event).digest)
        heads.append_handover(Handover(event, digest, NOON, public_of(old), public_of(new)), self.folder, old, new)

    def test_who_stole_the_old_key_hands_it_to_nobody_else(self) -> None:
        self.rotate()
        self.hand_over(self.first, Ed25519PrivateKey.generate(), self.happens())
        assert "hands a signing key over that is not this site's, or did so before" in self.command("verify_audit")

    def test_who_stole_the_key_and_hands_it_over_without_the_trail_is_found(self) -> None:
        event = self.happens()
        self.hand_over(self.first, Ed25519PrivateKey.generate(), event)
        said = self.command("verify_audit")
        assert f"event {event}: is not the change of the signing key that both keys signed" in said

    def test_a_change_to_another_key_than_the_trail_names_is_found(self) -> None:
        self.rotate()
        event = AuditEvent.objects.get(action=KEY_CHANGED).pk
        self.put([line for line in self.lines() if "new" not in line])
        self.hand_over(self.first, Ed25519PrivateKey.generate(), event)
        said = self.command("verify_audit", "--public-key", public_of(self.first).hex())
        assert f"event {event}: is not the change of the signing key that both keys signed" in said

    def test_an_event_of_another_kind_changes_no_key(self) -> None:
        other = Ed25519PrivateKey.generate()
        named = {"old": public_of(self.first).hex(), "new": public_of(other).hex()}
        record(actor="command", action="thing.done", subject=KEY_SUBJECT, data=named, now=NOON)
        event = AuditEvent.objects.latest("pk").pk
        self.hand_over(self.first, other, event)
        said = self.command("verify_audit")
        assert f"event {event}: is not the change of the signing key that both keys signed" in said

    def test_a_line_of_keys_goes_one_way(self) -> None:
        one, two, three = (bytes([number]) * 32 for number in range(3))
        steps = [Handover(9, b"", NOON, one, two), Handover(5, b"", NOON, two, three)]
        line, broken = key_line(two, steps)
        assert (line.first, line.at(4), line.at(9)) == (one, one, three)
        assert [(found.event, found.what) for found in broken] == [
            (5, "hands the signing key over before it was taken over")
        ]
        assert key_line(two, [Handover(4, b"", NOON, two, one), Handover(3, b"", NOON, one, two)])[1] != []

    def test_without_heads_nobody_asks_who_signed_a_change(self) -> None:
        self.rotate()
        (path,) = self.folder.iterdir()
        path.unlink()
        assert self.command("verify_audit", "--no-heads").endswith("all fit\n")
        assert "there is no signed head" in self.command("verify_audit")


class CutOff(KeyStories):
    def cut(self, what: str, error: Exception) -> None:
        with mock.patch(what, side_effect=error), pytest.raises(type(error)):
            signing.change_key(keys=self.keys, folder=self.folder, actor="command", now=NOON)

    def test_after_the_event_the_worker_finishes_it(self) -> None:
        self.cut("audit.heads.append_handover", HeadsUnusable("heads"))
        assert AuditEvent.objects.filter(action=KEY_CHANGED).count() == 1
        assert (self.keys / signing.FIRST).exists(), "the old secret is there until both keys have signed"
        self.sign()
        assert not (self.keys / signing.FIRST).exists()
        self.goes_on()
        self.assert_whole(self.first)

    def test_after_the_line_it_is_written_twice_and_that_is_harmless(self) -> None:
        self.cut("audit.signing._remove", HeadsUnusable("secret"))
        self.goes_on()
        assert len([line for line in self.lines() if "new" in line]) == 2
        self.assert_whole(self.first)

    def test_the_next_change_finishes_the_one_before(self) -> None:
        self.cut("audit.heads.append_handover", HeadsUnusable("heads"))
        self.rotate()
        self.goes_on()
        self.assert_whole(self.first)

    def test_before_the_event_the_old_key_goes_on(self) -> None:
        self.cut("audit.signing.note_key_change", OperationalError())
        self.goes_on()
        assert public_of(self.key()) == public_of(self.first)
        self.assert_whole(self.first)
        self.rotate()
        self.goes_on()
        self.assert_whole(self.first)

    def test_of_two_who_change_it_at_once_one_does(self) -> None:
        real: Callable[..., Any] = services.note_key_change
        change = {"keys": self.keys, "folder": self.folder, "actor": "command", "now": NOON}

        def overtaken(**given: Any) -> Any:
            with mock.patch.object(signing, "note_key_change", real):
                signing.change_key(**change)  # type: ignore[arg-type]
            return real(**given)

        with mock.patch.object(signing, "note_key_change", overtaken), pytest.raises(KeyChanged):
            signing.change_key(**change)  # type: ignore[arg-type]
        assert len(list(self.keys.iterdir())) == 1
        self.goes_on()
        self.assert_whole(self.first)

    def test_a_head_that_is_signed_at_the_same_moment_takes_the_key_of_its_event(self) -> None:
        self.happens()

        def changed(*args: Any) -> bool:
            with mock.patch.object(signing, "finish_change", real):
                signing.change_key(keys=self.keys, folder=self.folder, actor="command", now=NOON)
            return True

        real = signing.finish_change
        with mock.patch.object(signing, "finish_change", changed):
            self.sign()
        assert self.lines()[-1]["event"] == AuditEvent.objects.get(action=KEY_CHANGED).pk
        self.goes_on()
        self.assert_whole(self.first)

    def test_an_older_event_is_still_signed_by_the_key_of_its_time(self) -> None:
        event = self.happens()
        with mock.patch("audit.signing._remove"):
            signing.change_key(keys=self.keys, folder=self.folder, actor="command", now=NOON)
        assert public_of(signing.signing_key(self.keys, event)) == public_of(self.first)
        assert public_of(signing.signing_key(self.keys, event + 1)) == public_of(self.key())

    def test_a_database_of_before_a_change_gets_no_new_first_key(self) -> None:
        new = self.rotate()
        with mock.patch.object(signing, "key_change", return_value=None), pytest.raises(HeadsUnusable):
            signing.signing_key(self.keys)
        assert [path.name for path in self.keys.iterdir()] == [f"audit-head-{public_of(new).hex()[:16]}.secret"]

    def test_nothing_new_is_not_signed_again(self) -> None:
        before = self.lines()
        self.sign()
        assert self.lines() == before
        head = newest_head(NOON + timedelta(minutes=1))
        assert head is not None
        assert self.signed == head.digest
