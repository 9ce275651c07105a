"""Follow a conversation's key from its first word to its last day, and play the thief on the way."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from unittest import mock
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import TestCase

from audit.models import AuditEvent
from cases.delivery import deliver_due
from chat import log, services
from chat.core.actors import Visitor
from chat.core.errors import ErrorCode, Refused
from chat.models import Conversation, Event, Site
from chat.selectors import STILL_READABLE
from chat.services.keys import FOOTER
from crisis.services import raise_escalation, resolve
from encryption.core import archive as hpke
from encryption.core.archive import NotOurs, Pair
from encryption.core.envelope import NotAuthentic
from encryption.core.footer import footer_of, unpacked
from encryption.core.life import FILE, Life, expiry_day, is_over, working_epoch
from encryption.models import ArchiveKey, DataKey, Wrap
from encryption.providers import MemoryProvider, ProviderDown
from encryption.services import KeyGone, archive, lifecycle, readers, receipts
from encryption.services import sealing as keys
from staff.services import renew_lease
from tests.support.people import NOON, ben, conversation, dana, held_by, recorded, waiting

SAID = "the teal kettle sings at dusk"
LATER = NOON + STILL_READABLE + timedelta(minutes=5)
DAY = timedelta(days=1)


@dataclass
class Vault:
    """Be the archive's month: its pair, and the root that signed it."""

    root: Ed25519PrivateKey
    pair: Pair


class Archived(TestCase):
    @pytest.fixture(autouse=True)
    def _root(self, settings: object) -> None:
        self.vault = Vault(Ed25519PrivateKey.generate(), hpke.new_pair())
        settings.ARCHIVE_ROOT = self.vault.root.public_key().public_bytes_raw().hex()  # type: ignore[attr-defined]

    def setUp(self) -> None:
        signature = hpke.sign_public(self.vault.root, archive.key_id("2026-11"), self.vault.pair.public)
        readers.publish_key(name="2026-11", public=self.vault.pair.public, signature=signature, now=NOON)
        ArchiveKey.objects.update(activated_at=NOON)

    def closed(self, when: datetime = NOON) -> UUID:
        """Return a conversation with one sentence, recorded and taken out of daily work."""
        pk, _ = held_by(ben(), now=when)
        services.post_message(actor=Visitor(pk), conversation_id=pk, client_id="a" * 32, body=SAID, now=when)
        services.end_conversation(actor=ben(), conversation_id=pk, now=when)
        recorded(pk, when)
        services.retire_closed(now=when + timedelta(minutes=15))
        keys.forget()
        return pk

    def read(self, pk: UUID, secret: bytes) -> str:
        sealer = archive.open_wrap(log.subject_of(pk), lambda _: secret)
        event = Event.objects.get(conversation=pk, kind="message")
        binding = log.binding_of(event.kind, event.sender, event.client_id, event.staff_seq, event.author_role)
        return sealer.unseal(binding, bytes(event.sealed_body or b"")).reveal()


class ClosingStories(Archived):
    def test_a_closed_conversation_opens_with_a_readers_secret_and_no_other_way(self) -> None:
        pk = self.closed()
        with pytest.raises(KeyGone):
            keys.sealer_for(log.subject_of(pk))
        assert self.read(pk, self.vault.pair.secret) == SAID
        with pytest.raises(NotAuthentic):
            self.read(pk, hpke.new_pair().secret)

    def test_the_thief_of_database_and_server_keys_opens_nothing(self) -> None:
        pk = self.closed()
        provider = keys.provider()
        opened = []
        for wrap in Wrap.objects.filter(data_key__subject_id=pk):
            for epoch in provider.list_epochs():
                for context in self.contexts(wrap):
                    try:
                        opened.append(provider.unwrap(epoch, bytes(wrap.blob), context))
                    except (NotAuthentic, ProviderDown):
                        continue
        # the outer lock opens for who has the server; behind it stands the reader's
        assert [len(one) for one in opened] == [32 + 1_136]
        event = Event.objects.get(conversation=pk, kind="message")
        assert SAID.encode() not in bytes(event.sealed_body or b"")

    def contexts(self, wrap: Wrap) -> list[bytes]:
        subject = log.subject_of(wrap.data_key.subject_id)
        assert wrap.expires is not None
        placing = archive._placing(wrap.data_key, wrap.recipient, wrap.expires)
        return [keys.context(subject, bytes(wrap.data_key.commitment)), placing.info()]

    def test_a_running_one_is_the_positive_control_of_the_thief(self) -> None:
        pk, _ = held_by(ben())
        wrap = Wrap.objects.get(data_key__subject_id=pk, kind="op")
        key = keys.provider().unwrap(wrap.epoch, bytes(wrap.blob), self.contexts_of_op(wrap))
        assert len(key) == 32

    def contexts_of_op(self, wrap: Wrap) -> bytes:
        return keys.context(log.subject_of(wrap.data_key.subject_id), bytes(wrap.data_key.commitment))

    def test_it_stays_open_while_the_visitor_may_read_the_last_words(self) -> None:
        pk, _ = held_by(ben())
        services.end_conversation(actor=ben(), conversation_id=pk, now=NOON)
        recorded(pk, NOON)
        assert services.retire_closed(now=NOON + STILL_READABLE - timedelta(seconds=1)).result == 0
        assert services.retire_closed(now=NOON + STILL_READABLE).result == 1
        assert services.retire_closed(now=NOON + STILL_READABLE).result == 0

    def test_it_stays_open_until_its_case_has_everything_and_its_escalation_is_settled(self) -> None:
        pk, _ = held_by(ben())
        raise_escalation(actor=ben(), conversation_id=pk, level=2, reason="a reason", client_id="f" * 32, now=NOON)
        services.end_conversation(actor=ben(), conversation_id=pk, now=NOON)
        recorded(pk, NOON)
        assert services.retire_closed(now=LATER).result == 0
        from crisis.models import Escalation

        resolve(actor=dana(), escalation_id=Escalation.objects.get().pk, reason="done", now=LATER)
        assert services.retire_closed(now=LATER).result == 0, "the settlement is not in the case yet"
        deliver_due(now=LATER)
        assert services.retire_closed(now=LATER).result == 1

    def test_an_abandoned_wait_is_retired_too(self) -> None:
        pk, token = waiting()
        services.leave_quickly(token=token, now=NOON)
        deliver_due(now=NOON)
        assert services.retire_closed(now=LATER).result == 1
        assert conversation(pk).state == "abandoned"

    def test_a_site_that_keeps_nothing_keeps_no_key(self) -> None:
        held_by(ben())
        Site.objects.update(keep_hours=0)
        pk = self.closed()
        assert not DataKey.objects.filter(subject_id=pk).exists()
        (receipt,) = receipts.receipts()
        assert (receipt.what, receipt.name, receipt.epochs) == ("key", f"conversation:{pk}", ("op-2026-11-23",))
        assert services.retire_closed(now=LATER + DAY).result == 0
        assert len(list(receipts.receipts())) == 1

    def test_without_an_archive_key_the_days_key_ends_it(self) -> None:
        ArchiveKey.objects.all().delete()
        pk = self.closed()
        assert keys.sealer_for(log.subject_of(pk)) is not None
        lifecycle.destroy_over(NOON + 2 * DAY)
        with pytest.raises(KeyGone):
            keys.sealer_for(log.subject_of(pk))


class FooterStories(Archived):
    def footer_fits(self, pk: UUID) -> bool:
        sealer = archive.open_wrap(log.subject_of(pk), lambda _: self.vault.pair.secret)
        sealed = Conversation.objects.get(pk=pk).sealed_footer
        rows = Event.objects.filter(conversation=pk, sealed_body__isnull=False).order_by("staff_seq")
        found = footer_of((row.staff_seq, bytes(row.sealed_body or b"")) for row in rows)
        return unpacked(sealer.unseal_bytes(FOOTER, bytes(sealed or b""))) == found

    def test_a_removed_record_is_missed(self) -> None:
        pk = self.closed()
        assert self.footer_fits(pk)
        Event.objects.filter(conversation=pk, kind="message").delete()
        assert not self.footer_fits(pk)


class SwapStories(Archived):
    def test_a_swapped_archive_key_lets_nothing_begin(self) -> None:
        mallory = hpke.new_pair()
        ArchiveKey.objects.update(public=mallory.public)
        with pytest.raises(Refused) as caught:
            waiting()
        assert caught.value.code is ErrorCode.OURS
        assert not Conversation.objects.exists()

    def test_a_key_that_the_root_did_not_sign_is_not_published(self) -> None:
        pair = hpke.new_pair()
        forged = hpke.sign_public(Ed25519PrivateKey.generate(), archive.key_id("2026-12"), pair.public)
        with pytest.raises(NotOurs):
            readers.publish_key(name="2026-12", public=pair.public, signature=forged, now=NOON)

    def test_wraps_swapped_between_conversations_do_not_open(self) -> None:
        one, two = self.closed(), self.closed(NOON + timedelta(minutes=1))
        first, second = (Wrap.objects.get(data_key__subject_id=pk) for pk in (one, two))
        Wrap.objects.filter(pk=first.pk).update(blob=second.blob)
        with pytest.raises(NotAuthentic):
            self.read(one, self.vault.pair.secret)

    def test_a_later_expiry_written_into_the_row_does_not_open(self) -> None:
        pk = self.closed()
        Wrap.objects.filter(data_key__subject_id=pk).update(expires=date(2036, 1, 1))
        with pytest.raises(NotAuthentic):
            self.read(pk, self.vault.pair.secret)


class LastDayStories(Archived):
    def test_what_expired_opens_for_nobody_even_from_a_backup(self) -> None:
        pk = self.closed()
        backup = list(Wrap.objects.filter(data_key__subject_id=pk).values())
        keys_backup = list(DataKey.objects.filter(subject_id=pk).values())
        assert self.read(pk, self.vault.pair.secret) == SAID
        over = NOON.replace(hour=0) + 4 * DAY
        assert lifecycle.destroy_over(over - timedelta(seconds=1)) == ["op-2026-11-23"]
        assert self.read(pk, self.vault.pair.secret) == SAID
        assert lifecycle.destroy_over(over) == ["ret-2026-11-27"]
        DataKey.objects.bulk_create(DataKey(**row) for row in keys_backup)
        Wrap.objects.bulk_create(Wrap(**row) for row in backup)
        with pytest.raises(ProviderDown):
            self.read(pk, self.vault.pair.secret)

    def test_the_trail_holds_a_receipt_with_the_count(self) -> None:
        self.closed()
        lifecycle.destroy_over(NOON + 10 * DAY)
        events = AuditEvent.objects.filter(subject="epoch:ret-2026-11-27").order_by("pk")
        assert [(one.action, one.data) for one in events] == [("epoch.ending", {"wraps": 1}), ("epoch.destroyed", {})]

    def test_a_crash_before_the_destruction_is_made_good_by_the_next_round(self) -> None:
        self.closed()
        with mock.patch.object(MemoryProvider, "destroy_epoch", side_effect=ProviderDown("ret")):
            assert lifecycle.destroy_over(NOON + 10 * DAY) == []
        assert "ret-2026-11-27" in lifecycle.destroy_over(NOON + 10 * DAY)
        assert "ret-2026-11-27" not in keys.provider().list_epochs()

    def test_one_key_that_stays_keeps_no_other_one_alive(self) -> None:
        self.closed()
        real = MemoryProvider.destroy_epoch

        def stuck(provider: MemoryProvider, epoch: str) -> bool:
            if epoch.startswith("op"):
                raise ProviderDown(epoch)
            return real(provider, epoch)

        with (
            mock.patch.object(MemoryProvider, "destroy_epoch", stuck),
            self.assertLogs("encryption.services.lifecycle", "ERROR") as logged,
        ):
            assert lifecycle.destroy_over(NOON + 10 * DAY) == ["ret-2026-11-27"]
        assert logged.records[-1].getMessage() == "1 wrapping keys whose time is over are still there"

    def test_of_two_that_destroy_one_key_one_writes_the_receipt(self) -> None:
        self.closed()
        for _ in range(2):
            lifecycle.destroy("ret-2026-11-27", actor="system", now=NOON + 10 * DAY)
        assert [(one.name, one.wraps) for one in receipts.receipts()] == [("ret-2026-11-27", 1)]

    def test_a_log_in_use_is_not_taken_for_an_empty_one(self) -> None:
        busy = mock.MagicMock(vendor="sqlite", in_atomic_block=False)
        fetched = busy.cursor.return_value.__enter__.return_value.fetchone
        fetched.return_value = (1, 4, 0)
        with mock.patch.object(lifecycle, "connection", busy):
            with self.assertLogs("encryption.services.lifecycle", "WARNING"):
                assert lifecycle.clear_remains() is False
            fetched.return_value = (0, 0, 0)
            with self.assertNoLogs("encryption.services.lifecycle"):
                lifecycle.destroy_over(NOON)
        assert fetched.call_count == 2, "the next round tries again although it destroyed nothing"


class RenewalStories(Archived):
    def test_a_conversation_that_outlives_its_day_moves_to_the_next_keys(self) -> None:
        pk, _ = held_by(ben())
        tomorrow = NOON + DAY
        renew_lease(user_id=ben().id, now=tomorrow)
        services.tend_keys(now=tomorrow)
        wraps = {wrap.kind: wrap for wrap in Wrap.objects.filter(data_key__subject_id=pk)}
        assert (wraps["op"].epoch, wraps["archive"].epoch) == ("op-2026-11-24", "ret-2026-11-28")
        services.tend_keys(now=NOON.replace(hour=0) + 2 * DAY)
        keys.forget()
        services.post_message(actor=Visitor(pk), conversation_id=pk, client_id="a" * 32, body=SAID, now=tomorrow)
        assert "op-2026-11-23" not in keys.provider().list_epochs()

    def test_a_running_conversation_that_cannot_be_renewed_keeps_its_key(self) -> None:
        pk, _ = held_by(ben())
        later = NOON + 3 * DAY
        with mock.patch.object(lifecycle, "renew", side_effect=ProviderDown("op")):
            services.tend_keys(now=later)
        keys.forget()
        assert keys.sealer_for(log.subject_of(pk)) is not None


@pytest.mark.parametrize(
    ("epoch", "when", "over"),
    [
        ("op-2026-11-23", NOON.replace(hour=0) + 2 * DAY - timedelta(seconds=1), False),
        ("op-2026-11-23", NOON.replace(hour=0) + 2 * DAY, True),
        ("ret-2026-11-27", NOON.replace(day=26, hour=23), False),
        ("ret-2026-11-27", NOON.replace(day=27, hour=0), True),
        ("std-2026-11", NOON + 9_000 * DAY, False),
        ("op-garbage", NOON + 9_000 * DAY, False),
    ],
)
def test_when_an_epoch_is_over(epoch: str, when: datetime, over: bool) -> None:
    assert is_over(epoch, when) is over


@pytest.mark.parametrize(("hours", "day"), [(24, 25), (72, 27), (25, 26)])
def test_the_archive_lasts_at_least_as_long_as_the_site_says(hours: int, day: int) -> None:
    assert expiry_day(NOON, timedelta(hours=hours)) == date(2026, 11, day)


def test_files_are_wrapped_for_a_month_and_conversations_for_a_day() -> None:
    assert working_epoch(FILE, NOON) == "std-2026-11"
    assert working_epoch(Life(standing=False), NOON) == "op-2026-11-23"
