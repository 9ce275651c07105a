"""What is said when a conversation is already on its way out: a text is refused, a danger never lost."""

from datetime import timedelta
from unittest import mock
from uuid import UUID

import pytest

from cases import services as cases
from cases.delivery import deliver_due
from cases.models import Case
from chat import log, services
from chat.core.actors import Visitor
from chat.core.errors import ErrorCode
from chat.models import Conversation, Event, OutboxItem
from crisis import services as crisis
from crisis.models import Escalation
from crisis.selectors import EscalationView, reason_of, reason_subject
from crisis.services import escalations
from encryption.models import DataKey
from encryption.providers import ProviderDown
from encryption.services import sealing
from tests.support.archive_stories import SAID, ArchiveStories
from tests.support.people import NOON, ben, conversation, dana, held_by

WHY = "he is at her door"
SAFE = "she is with the police"
SOON = NOON + timedelta(seconds=5)
DAY_AFTER = NOON + timedelta(hours=24, seconds=1)


class Leaving(ArchiveStories):
    """Let another process take a conversation away, so that this one still has its key at hand."""

    def over(self) -> UUID:
        pk, _ = held_by(ben())
        services.post_message(actor=Visitor(pk), conversation_id=pk, client_id="a" * 32, body=SAID, now=NOON)
        services.end_conversation(actor=ben(), conversation_id=pk, now=NOON)
        deliver_due(now=NOON)
        return pk

    def erased(self) -> UUID:
        pk = self.over()
        self.erase(pk, NOON)
        with mock.patch.object(sealing, "forget"):
            services.retire_closed(now=SOON)
        assert conversation(pk).purged_at is not None
        assert sealing.ready(log.subject_of(pk)) is not None
        return pk

    def retired(self) -> UUID:
        pk = self.over()
        sealing.sealer_for(log.subject_of(pk))
        with mock.patch.object(sealing, "forget"):
            services.retire_closed(now=DAY_AFTER)
        assert conversation(pk).sealed_footer is not None
        return pk

    def note(self, pk: UUID) -> ErrorCode:
        return self.refused(
            lambda: services.write_note(
                actor=ben(), conversation_id=pk, client_id="c" * 32, body="a late note", now=DAY_AFTER
            )
        )

    def flag(self, pk: UUID) -> EscalationView:
        done = crisis.raise_escalation(
            actor=ben(), conversation_id=pk, level=3, reason=WHY, client_id="d" * 32, now=DAY_AFTER
        )
        return done.result

    def settled(self, pk: UUID) -> None:
        raised = self.flag(pk)
        sealing.forget()
        deliver_due(now=DAY_AFTER)
        crisis.acknowledge(actor=dana(), escalation_id=raised.id, now=DAY_AFTER)
        assert crisis.read_reason(actor=dana(), escalation_id=raised.id, now=DAY_AFTER).result.reason.reveal() == WHY
        crisis.resolve(actor=dana(), escalation_id=raised.id, reason=SAFE, now=DAY_AFTER)
        sealing.forget()
        deliver_due(now=DAY_AFTER)
        assert not OutboxItem.objects.filter(delivered_at=None).exists()
        view = cases.read_case(actor=dana(), case_id=Case.objects.get().pk, now=DAY_AFTER).result
        texts = [line.text for line in view.timeline if line.text]
        assert texts == [WHY, SAFE]
        assert conversation(pk).level == 0


class LateStories(Leaving):
    def test_a_note_is_refused_once_an_erasure_was_asked_for_and_once_it_is_done(self) -> None:
        pk = self.over()
        self.erase(pk, NOON)
        assert self.note(pk) is ErrorCode.WRONG_STATE
        assert self.note(self.erased()) is ErrorCode.WRONG_STATE

    def test_a_note_after_the_footer_is_refused_and_the_transcript_stays_honest(self) -> None:
        pk = self.retired()
        assert self.note(pk) is ErrorCode.WRONG_STATE
        sealing.forget()
        assert self.read(pk, dana(), self.key_of(dana())) == [SAID]

    def test_a_visitor_writes_nothing_more_into_what_goes(self) -> None:
        for mark in ({"erase_asked_at": NOON}, {"purged_at": NOON}, {"sealed_footer": b"x"}):
            pk, _ = held_by(ben())
            Conversation.objects.filter(pk=pk).update(**mark)
            for actor, code in ((Visitor(pk), ErrorCode.TOKEN_SPENT), (ben(), ErrorCode.WRONG_STATE)):
                with self.subTest(mark=list(mark), actor=str(actor)):
                    assert code is self.refused(
                        lambda actor=actor, pk=pk: services.post_message(
                            actor=actor, conversation_id=pk, client_id="e" * 32, body=SAID, now=NOON
                        )
                    )
            assert not Event.objects.filter(conversation=pk, kind="message").exists()
            Conversation.objects.filter(pk=pk).update(state="abandoned")

    def test_a_danger_after_the_erasure_opens_a_case_and_is_settled(self) -> None:
        pk = self.erased()
        self.settled(pk)
        services.retire_closed(now=DAY_AFTER)
        services.tend_keys(now=DAY_AFTER)
        assert not Event.objects.filter(conversation=pk, sealed_body__isnull=False).exists()

    def test_a_danger_while_the_erasure_waits_comes_first(self) -> None:
        pk = self.over()
        self.erase(pk, NOON)
        raised = self.flag(pk)
        deliver_due(now=DAY_AFTER)
        assert services.retire_closed(now=DAY_AFTER).result == 0
        crisis.stand_down(actor=dana(), escalation_id=raised.id, reason=SAFE, now=DAY_AFTER)
        deliver_due(now=DAY_AFTER)
        services.retire_closed(now=DAY_AFTER)
        assert conversation(pk).purged_at is not None
        assert reason_of(Escalation.objects.get()).reveal() == WHY

    def test_a_danger_after_archiving_opens_a_case_and_is_settled(self) -> None:
        pk = self.retired()
        self.settled(pk)
        assert self.read(pk, dana(), self.key_of(dana())) == [SAID]

    def test_a_danger_whose_old_key_was_lost_is_settled_all_the_same(self) -> None:
        pk = self.over()
        raised = self.flag(pk)
        DataKey.objects.filter(subject_id=raised.id).delete()
        DataKey.objects.filter(subject_id=pk).delete()
        sealing.forget()
        crisis.stand_down(actor=dana(), escalation_id=raised.id, reason=SAFE, now=DAY_AFTER)
        assert conversation(pk).level == 0


class OutageStories(Leaving):
    """Have the key provider away, while this process still has the conversation's key at hand."""

    def test_a_danger_in_a_running_conversation_is_taken_with_the_key_at_hand(self) -> None:
        pk, _ = held_by(ben())
        with mock.patch.object(sealing.provider(), "list_epochs", side_effect=ProviderDown("std")):
            raised = self.flag(pk)
        assert not DataKey.objects.filter(subject_id=raised.id).exists()
        sealing.forget()
        assert reason_of(Escalation.objects.get()).reveal() == WHY
        deliver_due(now=DAY_AFTER)
        crisis.resolve(actor=dana(), escalation_id=raised.id, reason=SAFE, now=DAY_AFTER)

    def test_it_is_not_taken_with_a_key_that_goes(self) -> None:
        pk = self.over()
        self.erase(pk, NOON)
        down = mock.patch.object(sealing.provider(), "list_epochs", side_effect=ProviderDown("std"))
        with down, pytest.raises(ProviderDown):
            self.flag(pk)
        assert not Escalation.objects.exists()

    def test_a_repeat_that_meets_the_first_under_the_lock_leaves_no_key_behind(self) -> None:
        pk, _ = held_by(ben())
        first = self.flag(pk)
        real = escalations._repeat
        with mock.patch.object(
            escalations, "_repeat", side_effect=[None, real(conversation(pk), ben(), 3, WHY, "d" * 32)]
        ):
            assert self.flag(pk).id == first.id
        kept = DataKey.objects.filter(subject_kind="escalation").values_list("subject_id", flat=True)
        assert list(kept) == [first.id]
        assert reason_subject(first.id).kind == "escalation"
