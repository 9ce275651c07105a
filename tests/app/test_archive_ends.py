"""How an archived conversation ends: held for the law by two people, erased on a wish, or gone with its day."""

from dataclasses import replace
from datetime import datetime, timedelta
from unittest import mock
from uuid import UUID

import pytest
from django.db import OperationalError

from audit.models import AuditEvent
from cases.delivery import deliver_due
from cases.models import Entry
from chat import log, services
from chat.core.actors import Staff, Visitor
from chat.core.errors import ErrorCode, Refused
from chat.models import Conversation, Erasure, Event, Hold, Site
from crisis.models import Escalation
from crisis.services import raise_escalation, resolve
from encryption.core import archive as hpke
from encryption.models import ArchiveKey, DataKey, Wrap
from encryption.providers import ProviderDown
from encryption.services import KeyGone, archive, lifecycle, readers, sealing
from encryption.services.receipts import discrepancies, receipts
from encryption.services.unlock import Unlocked
from tests.support.archive_stories import DAY, LATER, NOTED, SAID, UNTIL, WHY_ERASED, ArchiveStories
from tests.support.people import (
    NOON,
    ben,
    cleo,
    conversation,
    dana,
    eve,
    held_by,
    new_token,
    open_site,
    recorded,
    waiting,
)
from tests.support.vault_keys import MONTH, Archive


class HoldStories(ArchiveStories):
    def test_two_people_keep_it_beyond_its_day_and_its_own_day_ends_it(self) -> None:
        pk = self.closed()
        self.held(pk)
        fay = self.second()
        services.tend_keys(now=NOON + 40 * DAY)
        assert self.read(pk, fay, self.key_of(fay)) == [SAID, NOTED]
        end = datetime(2027, 7, 1, tzinfo=NOON.tzinfo)
        services.tend_keys(now=end - timedelta(seconds=1))
        assert self.read(pk, fay, self.key_of(fay)) == [SAID, NOTED]
        services.tend_keys(now=end)
        assert self.refused(lambda: self.read(pk, fay, self.key_of(fay))) is ErrorCode.GONE
        assert conversation(pk).purged_at == end

    def test_who_asked_cannot_confirm_and_an_unconfirmed_one_keeps_nothing(self) -> None:
        pk = self.closed()
        hold = self.hold(pk)
        with pytest.raises(Refused) as caught:
            services.confirm_hold(actor=dana(), unlocked=self.key_of(dana()), hold_id=hold, now=LATER)
        assert caught.value.code is ErrorCode.SECOND_PERSON
        services.tend_keys(now=NOON + 40 * DAY)
        assert not DataKey.objects.filter(subject_id=pk).exists()

    def test_advocates_and_strangers_hold_nothing(self) -> None:
        pk = self.closed()
        hold = self.hold(pk)
        self.written_down[eve().id] = self.keys.enrol(eve(), NOON)
        for person in (ben(), eve()):
            key = self.key_of(person)
            for work in (
                lambda who=person, key=key: services.ask_hold(
                    actor=who, unlocked=key, conversation_id=pk, until=UNTIL, reason="x", now=LATER
                ),
                lambda who=person, key=key: services.confirm_hold(actor=who, unlocked=key, hold_id=hold, now=LATER),
                lambda who=person, key=key: services.withdraw_hold(actor=who, unlocked=key, hold_id=hold, now=LATER),
                lambda who=person, key=key: services.ask_erasure(
                    actor=who, unlocked=key, conversation_id=pk, reason="x", now=LATER
                ),
            ):
                assert self.refused(work) in {ErrorCode.NOT_FOUND, ErrorCode.FORBIDDEN}
        assert Hold.objects.get().ended_at is None

    def test_a_hold_has_an_end_within_two_years_and_there_is_one_at_a_time(self) -> None:
        pk = self.closed()
        key = self.key_of(dana())
        for until in (LATER.date(), LATER.date() - DAY, LATER.date() + 800 * DAY):
            code = self.refused(
                lambda day=until: services.ask_hold(
                    actor=dana(), unlocked=key, conversation_id=pk, until=day, reason="court", now=LATER
                )
            )
            assert code is ErrorCode.BAD_DATE
        self.hold(pk)
        assert self.refused(lambda: self.hold(pk)) is ErrorCode.ON_HOLD

    def test_a_swapped_archive_key_confirms_no_hold(self) -> None:
        pk = self.closed()
        hold, fay = self.hold(pk), self.second()
        key = self.key_of(fay)
        ArchiveKey.objects.update(signature=b"x" * 64)
        code = self.refused(lambda: services.confirm_hold(actor=fay, unlocked=key, hold_id=hold, now=LATER))
        assert code is ErrorCode.TAMPERED
        assert not Wrap.objects.filter(kind="hold").exists()

    def test_what_is_on_hold_is_not_erased(self) -> None:
        pk = self.closed()
        self.hold(pk)
        code = self.refused(lambda: self.erase(pk))
        assert code is ErrorCode.ON_HOLD


class ErasureStories(ArchiveStories):
    def test_a_visitor_ends_and_erases_and_nobody_reads_it_again(self) -> None:
        pk, token = held_by(ben())
        services.post_message(actor=Visitor(pk), conversation_id=pk, client_id="a" * 32, body=SAID, now=NOON)
        done = services.ask_erasure_by_token(token=token, now=NOON)
        assert done.result is True
        assert [event.code for event in done.events] == ["ended_by_visitor", "erase_asked"]
        assert all(event.visitor_seq is None for event in done.events if event.code == "erase_asked")
        deliver_due(now=NOON)
        told = services.retire_closed(now=NOON + timedelta(seconds=5)).events
        assert [(event.code, event.visitor_seq) for event in told] == [("erase_done", None)], "open consoles hear of it"
        assert not DataKey.objects.filter(subject_id=pk).exists()
        assert not Event.objects.filter(conversation=pk, sealed_body__isnull=False).exists()
        with pytest.raises(KeyGone):
            sealing.sealer_for(log.subject_of(pk))
        assert self.refused(lambda: self.read(pk, ben(), self.key_of(ben()))) is ErrorCode.GONE
        numbers = list(Event.objects.filter(conversation=pk).order_by("staff_seq").values_list("staff_seq", flat=True))
        assert numbers == list(range(1, len(numbers) + 1)), "a log without gaps is what every cursor relies on"

    def test_the_receipt_says_what_when_and_until_when_a_backup_holds_it(self) -> None:
        pk = self.closed()
        self.erase(pk)
        services.retire_closed(now=LATER)
        (receipt,) = [one for one in receipts() if one.what == "key"]
        assert (receipt.name, receipt.records, receipt.wraps) == (f"conversation:{pk}", 2, 1)
        assert receipt.epochs == ("ret-2026-11-27",)
        assert receipt.in_backups_until == "2026-11-27T00:00:00+00:00"
        assert AuditEvent.objects.get(pk=receipt.event).digest.hex() == receipt.digest
        assert discrepancies() == []

    def test_the_case_learns_that_it_was_erased_once(self) -> None:
        pk = self.closed()
        self.erase(pk)
        self.erase(pk)
        services.retire_closed(now=LATER)
        services.retire_closed(now=LATER)
        deliver_due(now=LATER)
        assert Entry.objects.filter(code="erased").count() == 1

    def test_a_danger_comes_first(self) -> None:
        pk, token = held_by(ben())
        raise_escalation(actor=ben(), conversation_id=pk, level=2, reason="a reason", client_id="f" * 32, now=NOON)
        assert services.ask_erasure_by_token(token=token, now=NOON).result is True
        deliver_due(now=NOON)
        assert services.retire_closed(now=NOON).result == 0
        resolve(actor=dana(), escalation_id=Escalation.objects.get().pk, reason="done", now=LATER)
        deliver_due(now=LATER)
        assert services.retire_closed(now=LATER).result == 1
        assert not DataKey.objects.filter(subject_id=pk).exists()

    def test_the_advocate_still_records_the_contact(self) -> None:
        pk, token = held_by(ben())
        services.ask_erasure_by_token(token=token, now=NOON)
        deliver_due(now=NOON)
        services.retire_closed(now=NOON)
        recorded(pk, NOON)
        assert conversation(pk).state == "closed"

    def test_a_site_may_not_offer_it_and_an_unknown_token_teaches_nothing(self) -> None:
        pk, token = held_by(ben())
        assert services.ask_erasure_by_token(token=new_token(), now=NOON).result is True
        Site.objects.update(visitor_may_erase=False)
        assert services.ask_erasure_by_token(token=token, now=NOON).result is False
        assert services.ask_erasure_by_token(token=new_token(), now=NOON).result is False
        assert conversation(pk).erase_asked_at is None

    def test_a_running_one_is_not_erased_by_staff(self) -> None:
        pk, _ = held_by(ben())
        code = self.refused(lambda: self.erase(pk, NOON))
        assert code is ErrorCode.WRONG_STATE


class StaffErasureStories(ArchiveStories):
    """A supervisor erases with as much proof as reading takes."""

    def ask(self, who: Staff, key: Unlocked | None, pk: UUID, reason: str = WHY_ERASED) -> object:
        return services.ask_erasure(actor=who, unlocked=key, conversation_id=pk, reason=reason, now=LATER)

    def test_without_a_fresh_proof_of_ones_own_and_a_reason_nothing_is_erased(self) -> None:
        pk, key = self.closed(), self.key_of(dana())
        for unfit in (None, replace(key, fresh=False), replace(key, user_id=ben().id)):
            assert self.refused(lambda unfit=unfit: self.ask(dana(), unfit, pk)) is ErrorCode.LOCKED
        for reason in ("", " \u200b "):
            code = self.refused(lambda reason=reason: self.ask(dana(), key, pk, reason))
            assert code is ErrorCode.REASON_MISSING
        assert self.refused(lambda: self.ask(dana(), key, pk, "x" * 4_001)) is ErrorCode.TEXT_TOO_LONG
        assert conversation(pk).erase_asked_at is None
        assert not Erasure.objects.exists()
        assert not AuditEvent.objects.filter(action="erasure.asked").exists()

    def test_the_reason_outlives_what_was_erased_and_the_trail_says_who_reads_it(self) -> None:
        pk = self.closed()
        self.erase(pk)
        self.erase(pk)
        row = Erasure.objects.get()
        assert WHY_ERASED.encode() not in bytes(row.sealed_reason)
        asked = AuditEvent.objects.get(action="erasure.asked")
        assert (asked.actor, asked.data) == (str(dana()), {"erasure": str(row.pk)})
        services.retire_closed(now=LATER)
        assert conversation(pk).purged_at == LATER
        fay = self.second()
        read = services.read_erasure_reason(actor=fay, conversation_id=pk, now=LATER)
        assert read.result.reveal() == WHY_ERASED
        assert AuditEvent.objects.get(action="erasure.reason_read").actor == str(fay)
        for stranger in (ben(), cleo(), eve()):
            code = self.refused(
                lambda who=stranger: services.read_erasure_reason(actor=who, conversation_id=pk, now=LATER)
            )
            assert code in {ErrorCode.NOT_FOUND, ErrorCode.FORBIDDEN}
        assert AuditEvent.objects.filter(action="erasure.reason_read").count() == 1

    def test_a_visitors_wish_has_no_reason_and_staff_add_none(self) -> None:
        pk, token = held_by(ben())
        services.ask_erasure_by_token(token=token, now=NOON)
        self.erase(pk)
        assert not Erasure.objects.exists()
        code = self.refused(lambda: services.read_erasure_reason(actor=dana(), conversation_id=pk, now=LATER))
        assert code is ErrorCode.NOT_FOUND

    def test_a_hold_keeps_it_until_two_people_have_let_it_go(self) -> None:
        pk = self.closed()
        hold = self.held(pk)
        assert self.refused(lambda: self.erase(pk)) is ErrorCode.ON_HOLD
        end, fay = self.ask_end(hold), self.second()
        assert self.refused(lambda: self.erase(pk)) is ErrorCode.ON_HOLD, "one person asked that it end"
        services.confirm_hold_end(actor=fay, unlocked=self.key_of(fay), end_id=end, now=LATER)
        self.erase(pk)
        services.retire_closed(now=LATER)
        assert conversation(pk).purged_at == LATER

    def test_what_the_trail_or_the_keys_do_not_take_is_not_done(self) -> None:
        pk = self.closed()
        with (
            mock.patch("chat.services.erasing.put_on_trail", side_effect=OperationalError),
            pytest.raises(OperationalError),
        ):
            self.erase(pk)
        with mock.patch.object(sealing.provider(), "wrap", side_effect=ProviderDown("std")):
            assert self.refused(lambda: self.erase(pk)) is ErrorCode.OURS
        assert conversation(pk).erase_asked_at is None
        assert not Erasure.objects.exists()
        assert not Event.objects.filter(conversation=pk, code="erase_asked").exists()


class LastingStories(ArchiveStories):
    def test_running_conversations_hold_on_while_the_provider_is_down_and_new_ones_are_refused(self) -> None:
        pk, _ = held_by(ben())
        services.post_message(actor=Visitor(pk), conversation_id=pk, client_id="a" * 32, body=SAID, now=NOON)
        down = ProviderDown("op")
        provider = sealing.provider()
        with (
            mock.patch.object(provider, "wrap", side_effect=down),
            mock.patch.object(provider, "unwrap", side_effect=down),
            mock.patch("encryption.services.sealing.monotonic", return_value=1e9),
        ):
            for number in range(3):
                services.post_message(
                    actor=Visitor(pk), conversation_id=pk, client_id=f"{number:032x}", body=f"{SAID} {number}", now=NOON
                )
            with pytest.raises(Refused) as caught:
                services.open_conversation(token=new_token(), language="fr", door="help", now=NOON)
        assert caught.value.code is ErrorCode.OURS
        assert Conversation.objects.count() == 1

    def test_a_wrap_up_that_nobody_records_is_archived_after_a_day(self) -> None:
        pk, _ = held_by(ben())
        services.post_message(actor=Visitor(pk), conversation_id=pk, client_id="a" * 32, body=SAID, now=NOON)
        services.end_conversation(actor=ben(), conversation_id=pk, now=NOON)
        deliver_due(now=NOON)
        services.retire_closed(now=NOON + DAY - timedelta(seconds=1))
        assert Wrap.objects.filter(data_key__subject_id=pk, kind="op").exists()
        services.retire_closed(now=NOON + DAY)
        sealing.forget()
        assert not Wrap.objects.filter(data_key__subject_id=pk, kind="op").exists()
        assert (
            self.refused(lambda: services.read_conversation(actor=ben(), conversation_id=pk, after=0, now=NOON + DAY))
            is ErrorCode.ARCHIVED
        )
        assert self.read(pk, ben(), self.key_of(ben())) == [SAID]

    def test_what_nobody_can_open_any_more_is_removed_and_counted(self) -> None:
        pk = self.closed()
        services.tend_keys(now=NOON + 10 * DAY)
        assert not Event.objects.filter(conversation=pk, sealed_body__isnull=False).exists()
        event = AuditEvent.objects.get(action="texts.purged")
        assert (event.subject, event.data) == (f"conversation:{pk}", {"records": 2})
        assert services.tend_keys(now=NOON + 10 * DAY).result == 0
        assert AuditEvent.objects.filter(action="texts.purged").count() == 1

    def test_a_receipt_that_is_not_borne_out_is_found(self) -> None:
        self.closed()
        lifecycle.destroy_over(NOON + 10 * DAY)
        assert discrepancies() == []
        sealing.provider().create_epoch("ret-2026-11-27")
        assert any("ret-2026-11-27" in line and "its key is there" in line for line in discrepancies())

    def test_a_key_that_vanished_without_a_receipt_is_found(self) -> None:
        self.closed()
        sealing.provider().destroy_epoch("ret-2026-11-27")
        assert discrepancies() == ["epoch ret-2026-11-27: its key is gone, and no receipt says so"]

    def test_activation_waits_for_two_readers_and_a_tested_recovery(self) -> None:
        pair = hpke.new_pair()
        signature = hpke.sign_public(self.keys.root, archive.key_id("2026-12"), pair.public)
        readers.publish_key(name="2026-12", public=pair.public, signature=signature, now=NOON)
        with pytest.raises(readers.NotReady) as caught:
            readers.activate(name="2026-12", now=NOON)
        assert caught.value.reasons == ("two_readers", "recovery_grant")
        open_site()
        assert archive.current_key(NOON + 20 * DAY) == ArchiveKey.objects.get(pk=MONTH)

    def test_next_months_key_waits_for_its_month(self) -> None:
        ArchiveKey.objects.create(name="2026-12", public=b"x", signature=b"y", created_at=NOON, activated_at=NOON)
        current = archive.current_key(NOON)
        assert current is not None
        assert current.name == MONTH
        with pytest.raises(hpke.NotOurs):
            archive.current_key(NOON + 10 * DAY)


class NewRootStories(ArchiveStories):
    """Replace the root, as after a theft, while what was archived before is still wanted."""

    @pytest.fixture(autouse=True)
    def _settings(self, settings: object) -> None:
        self.site = settings

    def replaced(self) -> Archive:
        new = Archive.new()
        self.site.ARCHIVE_ROOT, self.site.EARLIER_ARCHIVE_ROOTS = new.pinned, (self.keys.pinned,)  # type: ignore[attr-defined]
        return new

    def test_readers_go_on_opening_what_the_earlier_root_placed(self) -> None:
        pk = self.closed()
        key = self.key_of(dana())
        self.replaced()
        assert self.read(pk, dana(), key) == [SAID, NOTED]
        self.site.EARLIER_ARCHIVE_ROOTS = ()  # type: ignore[attr-defined]
        assert self.refused(lambda: self.read(pk, dana(), key)) is ErrorCode.TAMPERED

    def test_what_begins_then_waits_for_a_key_of_the_new_root(self) -> None:
        new = self.replaced()
        pk, _ = waiting()
        assert not Wrap.objects.filter(data_key__subject_id=pk, kind="archive").exists()
        signature = hpke.sign_public(new.root, archive.key_id(f"{MONTH}.2"), new.month.public)
        readers.publish_key(name=f"{MONTH}.2", public=new.month.public, signature=signature, now=NOON)
        ArchiveKey.objects.filter(pk=f"{MONTH}.2").update(activated_at=NOON)
        pk, _ = waiting()
        assert Wrap.objects.get(data_key__subject_id=pk, kind="archive").recipient == f"{MONTH}.2"

    def test_a_key_that_neither_root_signed_lets_nothing_begin(self) -> None:
        self.replaced()
        ArchiveKey.objects.update(public=hpke.new_pair().public)
        assert self.refused(waiting) is ErrorCode.OURS

    def test_a_key_taken_out_of_use_in_the_database_is_found(self) -> None:
        assert discrepancies() == []
        ArchiveKey.objects.update(activated_at=None)
        assert discrepancies() == [f"archive key {MONTH}: activated, and is active no longer"]
