"""Tamper with the trail as somebody who can write the database would, and see each way found."""

from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import TestCase

from audit import heads, services, signing
from audit.core import GENESIS, Link, digest_of
from audit.models import AuditEvent, AuditHead
from audit.services import find_breaks, newest_head, record
from tests.support.people import NOON

UNGUARDED = ("DROP TRIGGER audit_event_is_kept_update", "DROP TRIGGER audit_event_is_kept_delete")


class TrailStories(TestCase):
    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path: Path, settings: object) -> None:
        self.folder = settings.AUDIT_DIR = tmp_path / "audit"  # type: ignore[attr-defined]
        self.keys = settings.KEYS_DIR = tmp_path / "keys"  # type: ignore[attr-defined]

    def setUp(self) -> None:
        for number in range(6):
            record(
                actor="staff:1",
                action=f"thing.{number}",
                subject="conversation:1",
                now=NOON + timedelta(seconds=number),
                data={"level": number},
            )
        self.ids = list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))

    def unguard(self) -> None:
        with connection.cursor() as cursor:
            for statement in UNGUARDED:
                cursor.execute(statement)

    def sign(self) -> None:
        head = newest_head(NOON)
        assert head is not None
        heads.append(head, self.folder, signing.signing_key(self.keys))

    def verify(self) -> str:
        out = StringIO()
        try:
            call_command("verify_audit", stdout=out)
        except CommandError as error:
            return f"{out.getvalue()}{error}"
        return out.getvalue()

    def test_a_whole_trail_fits(self) -> None:
        self.sign()
        assert self.verify() == "6 events and 1 signed heads: all fit\n"

    def test_where_nothing_was_destroyed_there_is_no_receipt_and_that_is_said(self) -> None:
        out, beside = StringIO(), StringIO()
        call_command("receipts", stdout=out, stderr=beside)
        assert (out.getvalue(), beside.getvalue()) == ("", "none: no key was destroyed in that time\n")

    def test_what_is_appended_while_it_is_checked_breaks_nothing(self) -> None:
        real = services.trail

        def appended(*args: int) -> Iterator[Link]:
            record(actor="staff:1", action="late", subject="conversation:1", now=NOON)
            yield from real(*args)

        with mock.patch.object(services, "trail", appended):
            assert services.check_trail({}) == (6, [])
        assert services.check_trail({}) == (7, [])

    def test_it_knows_what_it_holds(self) -> None:
        assert services.recorded(action="thing.1", subject="conversation:1", data={"level": 1})
        assert not services.recorded(action="thing.1", subject="conversation:1", data={"level": 2})
        assert not services.recorded(action="thing.1", subject="conversation:2", data={"level": 1})

    def test_the_database_refuses_to_change_or_remove_an_event(self) -> None:
        for change in (lambda: AuditEvent.objects.update(actor="x"), lambda: AuditEvent.objects.all().delete()):
            with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
                change()
        assert find_breaks() == []

    def test_an_edited_event_is_found(self) -> None:
        self.unguard()
        AuditEvent.objects.filter(pk=self.ids[2]).update(actor="staff:2")
        assert f"event {self.ids[2]}: was edited" in self.verify()

    def test_a_removed_event_is_found(self) -> None:
        self.unguard()
        AuditEvent.objects.filter(pk=self.ids[2]).delete()
        assert f"event {self.ids[3]}: does not follow" in self.verify()

    def test_a_cut_off_end_is_found(self) -> None:
        self.unguard()
        self.sign()
        AuditEvent.objects.filter(pk__gte=self.ids[4]).delete()
        found = self.verify()
        assert "the trail: the newest event is not the one" in found
        assert f"event {self.ids[5]}: was signed at" in found

    def test_a_cut_off_end_with_a_matching_head_is_found_by_the_signature(self) -> None:
        self.unguard()
        self.sign()
        AuditEvent.objects.filter(pk__gte=self.ids[4]).delete()
        AuditHead.objects.update(digest=AuditEvent.objects.get(pk=self.ids[3]).digest)
        assert find_breaks() == []
        assert "and is gone" in self.verify()

    def test_an_inserted_event_is_found(self) -> None:
        self.unguard()
        AuditEvent.objects.filter(pk=self.ids[5]).update(id=self.ids[5] + 10)
        before = AuditEvent.objects.get(pk=self.ids[4])
        fields = {"at": NOON, "actor": "staff:9", "action": "made.up", "subject": "site", "data": {}}
        digest = digest_of(bytes(before.digest), **fields)  # type: ignore[arg-type]
        AuditEvent.objects.create(pk=self.ids[5], previous=before.digest, digest=digest, **fields)
        assert f"event {self.ids[5] + 10}: does not follow" in self.verify()

    def test_swapped_events_are_found(self) -> None:
        self.unguard()
        one, two = self.ids[1], self.ids[2]
        for old, new in ((one, 10_000), (two, one), (10_000, two)):
            AuditEvent.objects.filter(pk=old).update(id=new)
        assert f"event {one}: does not follow" in self.verify()

    def test_a_trail_that_was_computed_anew_is_found_by_the_signature(self) -> None:
        self.unguard()
        self.sign()
        self.compute_anew(without=self.ids[1])
        assert find_breaks() == []
        assert f"event {self.ids[5]}: is not the one that was signed" in self.verify()

    def test_a_head_that_somebody_else_signed_is_found(self) -> None:
        self.sign()
        heads.append(newest_head(NOON), self.folder, signing.signing_key(self.folder / "other"))  # type: ignore[arg-type]
        assert "is not signed by this site's key" in self.verify()

    def test_a_trail_that_was_computed_anew_and_signed_again_is_found(self) -> None:
        self.unguard()
        self.sign()
        self.compute_anew(without=self.ids[1])
        self.sign()
        found = self.verify()
        assert f"event {self.ids[5]}: is not the one that was signed" in found
        assert f"event {self.ids[5]}: line 2 of" in found

    def compute_anew(self, *, without: int) -> None:
        AuditEvent.objects.filter(pk=without).delete()
        previous = GENESIS
        for row in AuditEvent.objects.order_by("pk"):
            row.previous = previous
            row.digest = previous = digest_of(
                previous, at=row.at, actor=row.actor, action=row.action, subject=row.subject, data=row.data
            )
            row.save()
        AuditHead.objects.update(digest=previous)

    def test_the_signing_key_is_for_its_owner_only(self) -> None:
        self.sign()
        assert (self.keys / signing.FIRST).stat().st_mode & 0o777 == 0o400
