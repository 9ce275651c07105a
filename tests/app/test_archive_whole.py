"""An archived conversation is whole or it is not shown; who talks keeps their key, and no other key lives by that."""

from datetime import timedelta
from unittest import mock
from uuid import UUID

from audit.models import AuditEvent
from chat import log, services
from chat.core.actors import Visitor
from chat.core.errors import ErrorCode
from chat.models import Conversation, Event
from chat.selectors import conversation_for
from encryption.models import ArchiveKey, Wrap
from encryption.providers import ProviderDown
from encryption.services import lifecycle, sealing
from tests.support.archive_stories import DAY, SAID, ArchiveStories
from tests.support.people import NOON, ben, cleo, conversation, dana, held_by, recorded


class WholeStories(ArchiveStories):
    """Make a log shorter, or another's, and seal it as whole: as somebody who can write the database would try."""

    def assert_found(self, pk: UUID) -> None:
        assert self.refused(lambda: self.read(pk, dana(), self.key_of(dana()))) is ErrorCode.TAMPERED
        assert AuditEvent.objects.filter(action="archive.tampered", subject=f"conversation:{pk}").exists()

    def test_another_persons_name_under_a_note(self) -> None:
        pk = self.closed()
        Event.objects.filter(conversation=pk, kind="note").update(author_id=cleo().id)
        self.assert_found(pk)

    def test_a_line_removed_before_the_close(self) -> None:
        pk, _ = held_by(ben())
        services.post_message(actor=Visitor(pk), conversation_id=pk, client_id="a" * 32, body=SAID, now=NOON)
        Event.objects.filter(conversation=pk, kind="message").delete()
        services.end_conversation(actor=ben(), conversation_id=pk, now=NOON)
        recorded(pk, NOON)
        services.retire_closed(now=NOON + timedelta(minutes=15))
        self.assert_found(pk)

    def test_a_shorter_log_brought_back_into_daily_work_is_not_sealed_anew(self) -> None:
        pk = self.closed(retire=False)
        kept = Wrap.objects.filter(data_key__subject_id=pk, kind="op").values().get()
        services.retire_closed(now=NOON + timedelta(minutes=15))
        Wrap.objects.create(**kept)
        Event.objects.filter(conversation=pk, kind="note").update(kind="fact", code="joined", sealed_body=None)
        Conversation.objects.filter(pk=pk).update(sealed_footer=None)
        services.retire_closed(now=NOON + timedelta(minutes=20))
        assert conversation(pk).sealed_footer is None
        self.assert_found(pk)

    def test_a_footer_that_was_taken_away(self) -> None:
        pk = self.closed()
        Conversation.objects.filter(pk=pk).update(sealed_footer=None)
        self.assert_found(pk)

    def test_one_that_cannot_be_renewed_keeps_no_other_days_keys_alive(self) -> None:
        spoilt, _ = held_by(ben())
        Wrap.objects.filter(data_key__subject_id=spoilt, kind="op").update(blob=b"x" * 60)
        services.tend_keys(now=NOON + 3 * DAY)
        assert not any(one.startswith("op-2026-11-23") for one in sealing.provider().list_epochs())

    def test_an_outage_spares_the_key_of_who_is_talking_and_no_other(self) -> None:
        talking, _ = held_by(ben())
        sealing.provider().create_epoch("op-2026-11-20")
        with mock.patch.object(lifecycle, "renew", side_effect=ProviderDown("op")):
            services.tend_keys(now=NOON + 3 * DAY)
        assert [one for one in sealing.provider().list_epochs() if one.startswith("op-")] == ["op-2026-11-23"]
        sealing.forget()
        assert sealing.sealer_for(log.subject_of(talking)) is not None

    def test_a_swapped_archive_key_takes_no_key_from_who_is_talking(self) -> None:
        talking, _ = held_by(ben())
        ArchiveKey.objects.update(signature=b"x" * 64)
        for day in range(1, 5):
            services.tend_keys(now=NOON + day * DAY)
        sealing.forget()
        assert sealing.sealer_for(log.subject_of(talking)) is not None

    def test_no_process_keeps_a_closed_key_in_memory(self) -> None:
        pk = self.closed(retire=False)
        held = sealing.sealer_for(log.subject_of(pk))
        other_process = dict(sealing._cached)
        services.retire_closed(now=NOON + timedelta(minutes=15))
        sealing._cached.update(other_process)
        assert sealing.ready(log.subject_of(pk)) is held
        assert sealing.sweep() >= 1
        assert sealing.ready(log.subject_of(pk)) is None

    def test_a_danger_raised_at_the_last_moment_keeps_the_key(self) -> None:
        pk = self.closed(retire=False)
        raised = Conversation.objects.filter(pk=pk).update
        with mock.patch("chat.services.keys.conversation_for", wraps=conversation_for) as locked:
            locked.side_effect = lambda *args, **more: (raised(level=2), conversation_for(*args, **more))[1]
            services.retire_closed(now=NOON + timedelta(minutes=15))
        assert Wrap.objects.filter(data_key__subject_id=pk, kind="op").exists()
        assert conversation(pk).sealed_footer is None
