"""Open what is closed: the trail first, and every way to cheat is found or refused."""

from datetime import datetime, timedelta
from unittest import mock
from uuid import UUID

import pytest

from audit.models import AuditEvent
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.models import Conversation, Event, Reading
from chat.selectors import conversation_for
from chat.selectors.archive import archived, readings
from encryption.core import archive as hpke
from encryption.core.envelope import NotAuthentic
from encryption.models import ArchiveKey, DataKey, Grant, Reader, Wrap
from encryption.providers import ProviderDown
from encryption.services import readers, sealing, unlock
from encryption.services.unlock import Holder, TooManyTries
from staff.permissions import Action
from tests.support.archive_stories import NOTED, SAID, ArchiveStories
from tests.support.people import NOON, ben, cleo, conversation, dana, eve, held_by, waiting
from tests.support.vault_keys import MONTH


class ReadingStories(ArchiveStories):
    def test_a_reader_opens_it_with_a_reason_and_the_trail_knows_before(self) -> None:
        pk = self.closed()
        assert self.read(pk, dana(), self.key_of(dana())) == [SAID, NOTED]
        event = AuditEvent.objects.get(action="archive.opened")
        assert (event.actor, event.subject) == (str(dana()), f"conversation:{pk}")
        assert [(one.by, one.reason) for one in readings(pk)] == [("Dana", "she asked us")]

    def test_the_trail_has_it_even_when_the_text_does_not_open(self) -> None:
        pk = self.closed()
        Wrap.objects.filter(data_key__subject_id=pk).update(blob=b"x" * 1_200)
        assert self.refused(lambda: self.read(pk, dana(), self.key_of(dana()))) is ErrorCode.TAMPERED
        assert AuditEvent.objects.filter(action="archive.opened").exists()
        assert AuditEvent.objects.filter(action="archive.tampered").exists()

    def test_without_a_reason_or_an_unlocked_key_nothing_opens(self) -> None:
        pk = self.closed()
        assert self.refused(lambda: self.read(pk, dana(), None)) is ErrorCode.LOCKED
        assert self.refused(lambda: self.read(pk, dana(), self.key_of(ben()))) is ErrorCode.LOCKED
        assert self.refused(lambda: self.read(pk, dana(), self.key_of(dana()), "  ")) is ErrorCode.REASON_MISSING
        assert not Reading.objects.exists()

    def test_an_old_proof_is_not_enough(self) -> None:
        pk = self.closed()
        holder = Holder(dana().id, b"session")
        cookie = unlock.unlock(holder, kind="code", entered=self.written_down[dana().id].code, now=NOON)
        key = unlock.unlocked(holder, cookie, NOON + timedelta(minutes=6))
        assert key is not None
        assert self.refused(lambda: self.read(pk, dana(), key)) is ErrorCode.LOCKED
        assert unlock.prove_again(holder, cookie, NOON + timedelta(minutes=6))
        assert self.read(pk, dana(), unlock.unlocked(holder, cookie, NOON + timedelta(minutes=7))) == [SAID, NOTED]

    def test_only_who_held_it_and_supervisors_may(self) -> None:
        pk = self.closed()
        self.written_down |= {cleo().id: self.keys.enrol(cleo(), NOON), eve().id: self.keys.enrol(eve(), NOON)}
        assert self.read(pk, ben(), self.key_of(ben())) == [SAID, NOTED]
        for stranger in (cleo(), eve()):
            with pytest.raises(Unseen):
                self.read(pk, stranger, self.key_of(stranger))
            assert archived(stranger, NOON) == ()
        assert [row.id for row in archived(dana(), NOON)] == [row.id for row in archived(ben(), NOON)] == [pk]

    def test_a_running_one_is_not_read_this_way(self) -> None:
        pk, _ = held_by(ben())
        assert self.refused(lambda: self.read(pk, ben(), self.key_of(ben()))) is ErrorCode.WRONG_STATE

    def test_a_closed_one_is_not_read_the_other_way_unless_a_danger_is_open(self) -> None:
        pk = self.closed(retire=False)
        for person in (ben(), dana()):
            code = self.refused(lambda who=person: conversation_for(who, pk, Action.READ_CONVERSATION))
            assert code is ErrorCode.ARCHIVED
        Conversation.objects.filter(pk=pk).update(level=2)
        assert conversation_for(dana(), pk, Action.READ_CONVERSATION).pk == pk

    def test_a_reader_without_the_months_grant_opens_nothing(self) -> None:
        pk = self.closed()
        Grant.objects.filter(reader__user_id=dana().id).delete()
        assert self.refused(lambda: self.read(pk, dana(), self.key_of(dana()))) is ErrorCode.NOT_GRANTED

    def test_an_expired_one_is_gone_and_an_outage_is_not_called_so(self) -> None:
        pk = self.closed()
        with mock.patch.object(sealing.provider(), "unwrap", side_effect=ProviderDown("ret")):
            assert self.refused(lambda: self.read(pk, dana(), self.key_of(dana()))) is ErrorCode.OURS
        sealing.provider().destroy_epoch("ret-2026-11-27")
        assert self.refused(lambda: self.read(pk, dana(), self.key_of(dana()))) is ErrorCode.GONE


class TamperingStories(ArchiveStories):
    """Write the database as a thief who can, and see each change found when the conversation is opened."""

    def assert_found(self, pk: UUID) -> None:
        assert self.refused(lambda: self.read(pk, dana(), self.key_of(dana()))) is ErrorCode.TAMPERED

    def test_a_removed_record(self) -> None:
        pk = self.closed()
        Event.objects.filter(conversation=pk, kind="note").delete()
        self.assert_found(pk)

    def test_a_replayed_record(self) -> None:
        pk = self.closed()
        row = Event.objects.get(conversation=pk, kind="message")
        row.pk, row.staff_seq, row.visitor_seq, row.client_id = None, 90, 90, "c" * 32
        row.save(force_insert=True)
        self.assert_found(pk)

    def test_records_in_another_order(self) -> None:
        pk = self.closed()
        message, note = (Event.objects.get(conversation=pk, kind=kind) for kind in ("message", "note"))
        for row, number in ((message, 90), (note, message.staff_seq), (message, note.staff_seq)):
            Event.objects.filter(pk=row.pk).update(staff_seq=number)
        self.assert_found(pk)

    def test_another_author(self) -> None:
        pk = self.closed()
        Event.objects.filter(conversation=pk, kind="message").update(author_role="staff")
        self.assert_found(pk)

    def test_another_kind(self) -> None:
        pk = self.closed()
        Event.objects.filter(conversation=pk, kind="message").update(kind="note", visitor_seq=None)
        self.assert_found(pk)

    def test_one_flipped_bit(self) -> None:
        pk = self.closed()
        row = Event.objects.get(conversation=pk, kind="message")
        body = bytearray(row.sealed_body or b"")
        body[40] ^= 1
        Event.objects.filter(pk=row.pk).update(sealed_body=bytes(body))
        self.assert_found(pk)

    def test_a_footer_of_another_conversation(self) -> None:
        one, two = self.closed(), self.closed(NOON + timedelta(minutes=1))
        Conversation.objects.filter(pk=one).update(sealed_footer=conversation(two).sealed_footer)
        self.assert_found(one)

    def test_a_record_moved_to_another_conversation(self) -> None:
        one, two = self.closed(), self.closed(NOON + timedelta(minutes=1))
        moved = bytes(Event.objects.get(conversation=two, kind="message").sealed_body or b"")
        Event.objects.filter(conversation=one, kind="message").update(sealed_body=moved)
        self.assert_found(one)

    def test_a_swapped_commitment(self) -> None:
        one, two = self.closed(), self.closed(NOON + timedelta(minutes=1))
        other = DataKey.objects.get(subject_id=two).commitment
        DataKey.objects.filter(subject_id=one).update(commitment=other)
        self.assert_found(one)

    def test_a_forged_grant_opens_nothing(self) -> None:
        pk = self.closed()
        reader = Reader.objects.get(user_id=dana().id)
        public, mallory = bytes(reader.public), hpke.new_pair()
        info = readers.grant_info(MONTH, readers.reader_key_id(dana().id), public)
        Grant.objects.filter(reader=reader).update(blob=hpke.seal_to(public, mallory.secret, info))
        self.assert_found(pk)

    def test_a_swapped_reader_key_is_granted_nothing(self) -> None:
        readers.enrol(user_id=cleo().id, language="fr", now=NOON)
        reader = Reader.objects.get(user_id=cleo().id)
        public = bytes(reader.public)
        signature = hpke.sign_public(self.keys.root, readers.reader_key_id(cleo().id), public)
        readers.accept_signature(user_id=cleo().id, public=public, signature=signature, now=NOON)
        Reader.objects.filter(user_id=cleo().id).update(public=hpke.new_pair().public)
        key = self.key_of(dana())
        with pytest.raises(hpke.NotOurs):
            readers.grant_all(to_user=cleo().id, by_user=dana().id, secret=key.secret, now=NOON)
        assert not Grant.objects.filter(reader__user_id=cleo().id).exists()

    def test_an_older_month_set_active_again_is_refused_when_its_key_was_swapped(self) -> None:
        ArchiveKey.objects.filter(pk=MONTH).update(public=hpke.new_pair().public)
        with pytest.raises(Refused) as caught:
            waiting()
        assert caught.value.code is ErrorCode.OURS


class UnlockStories(ArchiveStories):
    def setUp(self) -> None:
        super().setUp()
        self.holder = Holder(dana().id, b"session")

    def cookie(self, now: datetime = NOON) -> str:
        return unlock.unlock(self.holder, kind="phrase", entered=self.written_down[dana().id].phrase, now=now)

    def test_idle_and_absolute_time_end_it(self) -> None:
        cookie = self.cookie()
        assert unlock.unlocked(self.holder, cookie, NOON + timedelta(minutes=15)) is None
        cookie, now = self.cookie(), NOON
        while now < NOON + timedelta(hours=3, minutes=51):
            assert unlock.unlocked(self.holder, cookie, now) is not None
            now += timedelta(minutes=10)
        assert unlock.unlocked(self.holder, cookie, NOON + timedelta(hours=3, minutes=59)) is not None
        assert unlock.unlocked(self.holder, cookie, NOON + timedelta(hours=4)) is None

    def test_it_is_gone_for_good_once_it_was_refused(self) -> None:
        cookie = self.cookie()
        assert unlock.unlocked(Holder(dana().id, b"another role"), cookie, NOON) is None
        assert unlock.unlocked(self.holder, cookie, NOON) is None

    def test_another_persons_session_gets_nothing_with_it(self) -> None:
        cookie = self.cookie()
        assert unlock.unlocked(Holder(ben().id, b"session"), cookie, NOON) is None
        assert unlock.unlocked(self.holder, cookie, NOON) is not None

    def test_locking_a_new_unlock_and_revocation_end_it(self) -> None:
        first = self.cookie()
        second = self.cookie()
        assert unlock.unlocked(self.holder, first, NOON) is None
        assert unlock.unlocked(self.holder, second, NOON) is not None
        unlock.lock(dana().id)
        assert unlock.unlocked(self.holder, second, NOON) is None
        third = self.cookie()
        readers.revoke(user_id=dana().id, actor="command", now=NOON)
        assert unlock.unlocked(self.holder, third, NOON) is None

    def test_six_wrong_tries_close_the_door_even_to_the_right_one(self) -> None:
        for _ in range(5):
            with pytest.raises(NotAuthentic):
                unlock.unlock(self.holder, kind="phrase", entered="six wrong words", now=NOON)
        with pytest.raises(TooManyTries):
            self.cookie()
        assert AuditEvent.objects.filter(action="reader.unlock_refused").count() == 5

    def test_a_code_and_a_passkey_open_it_too_and_a_renewed_phrase_replaces_the_old(self) -> None:
        code = self.written_down[dana().id].code.lower().replace("-", " ")
        key = unlock.unlocked(self.holder, unlock.unlock(self.holder, kind="code", entered=code, now=NOON), NOON)
        assert key is not None
        readers.add_passkey(user_id=dana().id, secret=key.secret, credential=b"id", prf_output=b"p" * 32, now=NOON)
        assert unlock.unlock(self.holder, kind="passkey", entered=b"p" * 32, now=NOON)
        with pytest.raises(NotAuthentic):
            unlock.unlock(self.holder, kind="passkey", entered=b"q" * 32, now=NOON)
        fresh = readers.renew_slot(user_id=dana().id, secret=key.secret, kind="phrase", language="fr", now=NOON)
        with pytest.raises(NotAuthentic):
            self.cookie()
        assert unlock.unlock(self.holder, kind="phrase", entered=fresh, now=NOON)

    def test_the_servers_half_alone_is_noise(self) -> None:
        from encryption import halves

        cookie = self.cookie()
        key = unlock.unlocked(self.holder, cookie, NOON)
        assert key is not None
        held = halves.halves()
        assert isinstance(held, halves.MemoryHalves)
        everything = b"".join(name.encode() + value for name, (value, _) in held._held.items())
        for half_of_secret in (key.secret[:32], key.secret[64:]):
            assert half_of_secret not in everything
        assert cookie.encode() not in everything
