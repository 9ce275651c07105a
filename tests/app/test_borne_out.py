"""What a database writer changes without the trail, and the check that finds it."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from unittest import mock

import pytest
from django.core.management import CommandError, call_command

from audit import heads, signing
from audit.services import newest_head
from chat import services
from chat.models import Conversation, Event, Hold
from chat.selectors.borne_out import unborne
from encryption.core import ceremony
from encryption.core.papers import BadPaper, ReaderKey
from encryption.models import DataKey, Grant, Reader, RecoveryKey
from encryption.services import ceremony as server
from encryption.services import readers, sealing
from encryption.services.receipts import discrepancies, overdue
from tests.support.archive_stories import DAY, LATER, ArchiveStories
from tests.support.people import NOON, ben, dana


class HoldsAndTexts(ArchiveStories):
    def test_what_people_did_is_borne_out(self) -> None:
        pk, other = self.closed(), self.closed(NOON + timedelta(minutes=1))
        hold = self.held(pk)
        assert unborne() == []
        self.let_go(hold)
        self.erase(other)
        services.retire_closed(now=LATER)
        services.tend_keys(now=NOON + 10 * DAY)
        assert Conversation.objects.filter(purged_at__isnull=False).count() == 2
        assert unborne() == []

    def test_a_hold_that_was_ended_in_the_database_is_found(self) -> None:
        hold = self.held(self.closed())
        Hold.objects.update(ended_at=LATER)
        services.tend_keys(now=LATER)
        assert unborne() == [f"hold {hold}: ended in the database, and no event says so"]

    def test_a_hold_that_was_confirmed_moved_or_removed_in_the_database_is_found(self) -> None:
        hold = self.held(self.closed())
        Hold.objects.update(confirmed_at=None, confirmed_by=None)
        assert "the database says otherwise" in "".join(unborne())
        Hold.objects.update(confirmed_at=LATER, until=(NOON + 5 * DAY).date())
        assert "its last day is not that of event" in "".join(unborne())
        Hold.objects.all().delete()
        (line,) = unborne()
        assert line.startswith(f"hold {hold}: asked for by event")

    def test_texts_that_went_without_a_receipt_for_their_key_are_found(self) -> None:
        pk = self.closed()
        DataKey.objects.filter(subject_id=pk).delete()
        services.tend_keys(now=LATER)
        (line,) = unborne()
        assert line.startswith(f"conversation {pk}: texts removed by event")

    def test_texts_that_went_without_an_event_are_found(self) -> None:
        pk = self.closed()
        Event.objects.filter(conversation=pk, sealed_body__isnull=False).update(
            kind="fact", code="erased", sealed_body=None, client_id=None
        )
        Conversation.objects.filter(pk=pk).update(purged_at=LATER)
        assert unborne() == [f"conversation {pk}: texts removed, and no event says so"]


class KeysAndReaders(ArchiveStories):
    def test_a_recovery_that_is_called_tested_in_the_database_is_found(self) -> None:
        assert discrepancies() == []
        RecoveryKey.objects.update(tested_at=NOON + DAY)
        assert discrepancies() == ["recovery key 1: called tested, and no drill of that time stands in the trail"]

    def test_a_revoked_reader_who_was_made_one_again_in_the_database_is_found(self) -> None:
        readers.revoke(user_id=ben().id, actor="command", now=LATER)
        assert discrepancies() == []
        Reader.objects.filter(user_id=ben().id).update(revoked_at=None)
        (line,) = discrepancies()
        assert line.startswith(f"reader {ben().id}: revoked by event")
        Reader.objects.filter(user_id=ben().id).update(revoked_at=LATER)
        self.keys.enrol(ben(), LATER + DAY)
        assert discrepancies() == [], "who came back with a new key is a reader"

    def test_a_key_past_its_end_is_found(self) -> None:
        self.closed()
        end = NOON.replace(hour=0) + 2 * DAY
        assert overdue(end + timedelta(minutes=59)) == []
        assert overdue(end + timedelta(hours=1)) == ["epoch op-2026-11-23: its time is over, and its key is there"]

    def test_a_revoked_reader_under_another_name_gets_no_new_month(self) -> None:
        row = Reader.objects.get(user_id=ben().id)
        readers.revoke(user_id=ben().id, actor="command", now=LATER)
        Reader.objects.filter(pk=row.pk).update(revoked_at=None)
        theirs = bytes(Reader.objects.get(user_id=dana().id).public)
        people = [ReaderKey(ben().id, "Dana", bytes(row.public)), ReaderKey(dana().id, "Dana ", theirs)]
        paper = ceremony.sign_readers(self.keys.root, people)
        recovery = ceremony.recovery_paper(self.keys.root, self.keys.recovery.public)
        months = ceremony.make_months(self.keys.root, ["2026-12"], paper, recovery)
        for papers in ([paper], [paper, recovery, months]):
            with pytest.raises(BadPaper, match="was revoked by event"):
                server.take_in(papers, LATER)
        assert not Grant.objects.filter(archive_key_id="2026-12").exists()


class WholeCheck(ArchiveStories):
    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path: Path, settings: object) -> None:
        self.folder = settings.AUDIT_DIR = tmp_path / "audit"  # type: ignore[attr-defined]
        self.secret = settings.KEYS_DIR = tmp_path / "keys"  # type: ignore[attr-defined]

    def verify(self, *arguments: str) -> str:
        out = StringIO()
        try:
            with mock.patch("ops.management.commands.verify_audit.timezone.now", return_value=LATER):
                call_command("verify_audit", *arguments, stdout=out)
        except CommandError as error:
            return f"{out.getvalue()}{error}"
        return out.getvalue()

    def test_a_trail_without_a_signed_head_does_not_pass_for_whole(self) -> None:
        assert "there is no signed head" in self.verify()
        assert "all fit" in self.verify("--no-heads")
        head = newest_head(NOON)
        assert head is not None
        heads.append(head, self.folder, signing.signing_key(self.secret))
        assert "1 signed heads: all fit" in self.verify()

    def test_it_asks_for_holds_and_late_keys_too(self) -> None:
        pk = self.closed()
        sealing.provider().create_epoch("op-2026-11-01")
        Conversation.objects.filter(pk=pk).update(purged_at=LATER)
        said = self.verify("--no-heads")
        assert "op-2026-11-01: its time is over" in said
        assert f"conversation {pk}: texts removed, and no event says so" in said
        assert "broken in 2 places" in said
