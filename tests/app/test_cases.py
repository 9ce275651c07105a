"""Contacts and cases: what lasts of ada's conversation, carried over by the outbox exactly once."""

from datetime import timedelta
from unittest import mock
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import TestCase

from audit.models import AuditEvent
from cases import delivery, selectors, services
from cases.core.timeline import Line
from cases.models import Case, Contact, Entry
from chat import outbox
from chat import services as chat
from chat.core.actors import Staff, Visitor
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.models import Conversation, OutboxItem
from crisis import services as crisis
from encryption.core.envelope import NotAuthentic
from encryption.models import DataKey
from encryption.providers import ProviderDown
from tests.support.people import NOON, ben, cleo, dana, eve, held_by, waiting

REASON = "she hears the teal kettle man on the stairs"
SUMMARY = "plan made to leave with the copper gate bus"
LATER = NOON + timedelta(hours=1)


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


class CasesCase(TestCase):
    """Have ben hold ada's conversation."""

    def setUp(self) -> None:
        self.ben, self.dana = ben(), dana()
        self.pk, self.token = held_by(self.ben)

    def raised(self, level: int = 2, seconds: float = 0, reason: str = REASON) -> UUID:
        done = crisis.raise_escalation(
            actor=self.ben,
            conversation_id=self.pk,
            level=level,
            reason=reason,
            client_id=uuid4().hex,
            now=NOON + after(seconds),
        )
        return done.result.id

    def recorded(self, *, by: Staff | None = None, identified: bool = False, seconds: float = 90) -> UUID:
        return services.record_contact(
            actor=by or self.ben,
            conversation_id=self.pk,
            contact_type="victim_survivor",
            disposition="support_given",
            case_identified=identified,
            summary=SUMMARY,
            now=NOON + after(seconds),
        ).result

    def deliver(self) -> int:
        return delivery.deliver_due(now=LATER)

    def timeline(self) -> tuple[Line, ...]:
        case = Case.objects.get()
        return services.read_case(actor=self.dana, case_id=case.pk, now=LATER).result.timeline

    def codes(self) -> list[str]:
        return [line.code.value for line in self.timeline()]


class Recording(CasesCase):
    def setUp(self) -> None:
        super().setUp()
        chat.end_conversation(actor=self.ben, conversation_id=self.pk, now=NOON + after(60))

    def test_the_record_closes_the_conversation_and_keeps_what_the_form_said(self) -> None:
        done = services.record_contact(
            actor=self.ben,
            conversation_id=self.pk,
            contact_type="victim_survivor",
            disposition="referral_made",
            case_identified=False,
            summary=SUMMARY,
            now=LATER,
        )
        contact = Contact.objects.get()
        assert [event.code for event in done.events] == ["recorded"]
        assert Conversation.objects.get(pk=self.pk).state == "closed"
        assert (contact.contact_type, contact.disposition) == ("victim_survivor", "referral_made")
        assert (contact.recorded_by_id, contact.recorded_at) == (self.ben.id, LATER)
        assert (contact.door, contact.ended_by, contact.ended_at) == ("help", "advocate", NOON + after(60))
        assert contact.case_id is None
        assert b"copper" not in bytes(contact.sealed_summary or b"")
        assert selectors.summary_of(contact) == SUMMARY
        assert AuditEvent.objects.filter(action="contact.recorded", actor=str(self.ben)).exists()

    def test_both_or_neither(self) -> None:
        with mock.patch("cases.services.close_conversation", side_effect=RuntimeError), pytest.raises(RuntimeError):
            self.recorded(identified=True)
        assert (Contact.objects.count(), Case.objects.count()) == (0, 0)
        assert Conversation.objects.get(pk=self.pk).state == "wrap_up"

    def test_an_identified_case_is_opened_and_belongs_to_who_recorded_it(self) -> None:
        self.recorded(identified=True)
        case = Contact.objects.get().case
        assert case is not None
        assert (case.status, case.owner_id, case.level) == ("Active", self.ben.id, 0)

    def test_the_same_record_again_is_harmless_and_another_is_refused(self) -> None:
        first = self.recorded()
        assert self.recorded(seconds=99) == first
        assert Contact.objects.get().recorded_at == NOON + after(90)
        with pytest.raises(Refused) as refused:
            self.recorded(by=self.dana)
        assert refused.value.code == ErrorCode.WRONG_STATE
        with mock.patch(f"{__name__}.SUMMARY", "other words"), pytest.raises(Refused):
            self.recorded()
        assert selectors.summary_of(Contact.objects.get()) == SUMMARY

    def test_bad_input_has_its_own_codes_and_leaves_the_conversation_open(self) -> None:
        good = {"contact_type": "unknown", "disposition": "test", "summary": ""}
        cases = [
            (ErrorCode.BAD_FRAME, {"contact_type": "customer"}),
            (ErrorCode.BAD_FRAME, {"disposition": ""}),
            (ErrorCode.TEXT_TOO_LONG, {"summary": "a" * 4001}),
            (ErrorCode.TEXT_CONTROL, {"summary": "a\x00b"}),
        ]
        for code, bad in cases:
            with self.subTest(bad=list(bad), code=code), pytest.raises(Refused) as refused:
                services.record_contact(
                    actor=self.ben, conversation_id=self.pk, case_identified=False, now=LATER, **{**good, **bad}
                )
            assert refused.value.code == code
        assert Conversation.objects.get(pk=self.pk).state == "wrap_up"

    def test_a_summary_may_be_left_out(self) -> None:
        with mock.patch(f"{__name__}.SUMMARY", " \u200f\n"):
            self.recorded()
        assert Contact.objects.get().sealed_summary is None
        assert not DataKey.objects.filter(subject_kind="contact").exists()

    def test_without_keys_nothing_is_written(self) -> None:
        down = mock.patch("cases.services.create_data_key", side_effect=ProviderDown("op"))
        with down, pytest.raises(Refused) as refused:
            self.recorded()
        assert refused.value.code == ErrorCode.OURS
        assert Contact.objects.count() == 0

    def test_strangers_record_nothing(self) -> None:
        for stranger in (cleo(), eve()):
            with self.subTest(stranger=stranger.name), pytest.raises(Unseen):
                self.recorded(by=stranger)
        assert Contact.objects.count() == 0

    def test_an_advocate_records_nothing_that_they_only_see_waiting(self) -> None:
        self.pk, _ = waiting()
        with pytest.raises(Refused) as refused:
            self.recorded()
        assert refused.value.code == ErrorCode.FORBIDDEN

    def test_a_running_conversation_is_not_recorded(self) -> None:
        self.pk, _ = held_by(cleo())
        with pytest.raises(Refused) as refused:
            self.recorded(by=cleo())
        assert refused.value.code == ErrorCode.WRONG_STATE
        assert not Contact.objects.filter(conversation_id=self.pk).exists()


class TheStory(CasesCase):
    def told(self) -> None:
        """Ben raises a flag, it climbs, dana answers, ada leaves quickly, ben records."""
        escalation = self.raised(1, seconds=0)
        crisis.climb_due(now=NOON + after(300))
        crisis.acknowledge(actor=self.dana, escalation_id=escalation, now=NOON + after(310))
        crisis.start_work(actor=self.dana, escalation_id=escalation, now=NOON + after(320))
        chat.leave_quickly(token=self.token, now=NOON + after(330))
        crisis.resolve(actor=self.dana, escalation_id=escalation, reason="the wren sings", now=NOON + after(340))
        self.recorded(seconds=350)

    expected = [
        "contact_began",
        "opened",
        "escalation_raised",
        "escalation_climbed",
        "escalation_acknowledged",
        "escalation_started",
        "left_quickly",
        "escalation_resolved",
        "contact_closed",
    ]

    def test_the_case_shows_escalation_exit_and_contact(self) -> None:
        self.told()
        assert self.deliver() == 8
        lines = self.timeline()
        assert self.expected == [line.code.value for line in lines]
        by_code = {line.code.value: line for line in lines}
        assert (by_code["escalation_raised"].text, by_code["escalation_raised"].author) == (REASON, self.ben.name)
        assert by_code["escalation_climbed"].level == 2
        assert by_code["escalation_climbed"].author == ""
        assert by_code["escalation_resolved"].text == "the wren sings"
        assert (by_code["contact_closed"].text, by_code["contact_closed"].author) == (SUMMARY, self.ben.name)
        case = Case.objects.get()
        assert (case.level, case.opened_at) == (2, NOON)

    def test_the_order_of_delivery_does_not_matter(self) -> None:
        self.told()
        for pk in OutboxItem.objects.order_by("-pk").values_list("pk", flat=True):
            assert delivery._deliver(pk, LATER)
        assert self.expected == self.codes()
        case = Case.objects.get()
        assert (case.level, case.opened_at) == (2, NOON)
        assert Contact.objects.get().ended_by == "left_quickly"

    def test_nothing_is_delivered_twice(self) -> None:
        self.told()
        assert [self.deliver(), self.deliver()] == [8, 0]
        # a second worker that had read the same list a moment before
        assert not any(delivery._deliver(item.pk, LATER) for item in OutboxItem.objects.all())
        entries = Entry.objects.count()
        # as after a restore: the marks are gone, the entries are there
        OutboxItem.objects.update(delivered_at=None)
        assert self.deliver() == 8
        assert (Entry.objects.count(), Case.objects.count(), Contact.objects.count()) == (entries, 1, 1)

    def test_dying_between_effect_and_mark_leaves_neither(self) -> None:
        self.raised()
        item = OutboxItem.objects.get(topic="escalation.raised")
        with mock.patch.object(OutboxItem, "save", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
            self.deliver()
        assert (Entry.objects.count(), Case.objects.count()) == (0, 0)
        item.refresh_from_db()
        assert (item.delivered_at, item.attempts) == (None, 0)
        assert self.deliver() == 1
        assert "escalation_raised" in self.codes()

    def test_an_entry_of_the_case_alone_stands_there_too(self) -> None:
        self.raised()
        self.deliver()
        Entry.objects.create(case=Case.objects.get(), code="escalation_climbed", at=LATER, level=3)
        assert (self.timeline()[-1].at, self.timeline()[-1].level) == (LATER, 3)

    def ending(self, actor: Visitor | Staff) -> tuple[str, str]:
        chat.end_conversation(actor=actor, conversation_id=self.pk, now=NOON)
        self.deliver()
        entry = Entry.objects.get()
        return entry.code, entry.author_name

    def test_an_end_by_the_advocate_names_them(self) -> None:
        assert self.ending(self.ben) == ("ended_by_advocate", self.ben.name)

    def test_an_end_by_the_visitor_names_nobody(self) -> None:
        assert self.ending(Visitor(self.pk)) == ("ended_by_visitor", "")

    def test_two_escalations_join_one_case(self) -> None:
        self.raised(1)
        self.deliver()
        self.raised(3, seconds=10, reason="a second one")
        self.deliver()
        assert Case.objects.get().level == 3
        assert [line.text for line in self.timeline() if line.kind == "escalation"] == [REASON, "a second one"]

    def test_a_flag_after_the_record_of_an_identified_case_joins_it(self) -> None:
        self.raised(1)
        chat.end_conversation(actor=self.ben, conversation_id=self.pk, now=NOON + after(60))
        self.recorded(identified=True)
        self.deliver()
        assert Case.objects.count() == 1
        assert (Case.objects.get().opened_at, Case.objects.get().owner_id) == (NOON, self.ben.id)

    def test_the_text_is_sealed_under_the_key_of_the_case(self) -> None:
        self.raised()
        self.deliver()
        entry = Entry.objects.get(code="escalation_raised")
        assert b"teal kettle" not in bytes(entry.sealed_body or b"")
        # the conversation's key may die; the case still opens
        DataKey.objects.filter(subject_kind="conversation").delete()
        assert self.timeline()[-1].text == REASON

    def test_a_visitor_who_left_while_waiting_leaves_a_contact_and_no_case(self) -> None:
        self.pk, token = waiting()
        chat.leave_quickly(token=token, now=NOON + after(5))
        self.deliver()
        contact = Contact.objects.get(conversation_id=self.pk)
        assert (contact.ended_by, contact.recorded_at, contact.case_id) == ("left_quickly", None, None)
        assert [entry.code for entry in contact.entries.all()] == ["left_quickly"]


class Patience(CasesCase):
    def test_a_failing_item_waits_longer_each_time_and_holds_no_other_up(self) -> None:
        outbox.put("no.such.topic", self.pk, {"at": "then"}, NOON)
        self.raised()
        now = NOON
        with self.assertLogs("cases.delivery", "WARNING") as logs:
            assert delivery.deliver_due(now=now) == 1
            pauses = []
            item = OutboxItem.objects.get(topic="no.such.topic")
            while not item.dead:
                pauses.append((item.due_at - now).total_seconds())
                assert delivery.deliver_due(now=item.due_at - after(0.5)) == 0
                assert not delivery._deliver(item.pk, item.due_at - after(0.5))
                now = item.due_at
                delivery.deliver_due(now=now)
                item.refresh_from_db()
        assert pauses[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
        assert (item.attempts, len(pauses), item.delivered_at) == (20, 19, None)
        assert f"outbox item {item.pk} (no.such.topic) given up after 20 attempts" in logs.output[-1]
        assert delivery.deliver_due(now=now + timedelta(days=1)) == 0

    def test_the_log_names_item_and_topic_and_no_words_of_the_error(self) -> None:
        self.raised()
        failing = mock.patch("cases.delivery.reason_of", side_effect=ValueError(REASON))
        with failing, self.assertLogs("cases.delivery", "WARNING") as logs:
            self.deliver()
        assert "escalation.raised" in logs.output[0]
        assert "ValueError" in logs.output[0]
        assert "kettle" not in f"{logs.output}{[record.__dict__ for record in logs.records]}"
        assert (Entry.objects.count(), Case.objects.count(), Contact.objects.count()) == (0, 0, 0)

    def test_it_heals_by_itself_when_the_keys_are_back(self) -> None:
        self.raised()
        down = mock.patch("cases.services.create_data_key", side_effect=ProviderDown("op"))
        with down, self.assertLogs("cases.delivery", "WARNING"):
            assert delivery.deliver_due(now=NOON) == 0
        assert delivery.deliver_due(now=NOON + after(1)) == 1
        assert "escalation_raised" in self.codes()

    def test_the_limit_leaves_the_rest_for_the_next_look(self) -> None:
        for _ in range(3):
            self.raised()
        assert [delivery.deliver_due(now=LATER, limit=2) for _ in range(3)] == [2, 1, 0]


class Permission(CasesCase):
    def setUp(self) -> None:
        super().setUp()
        self.raised()
        self.deliver()
        self.case = Case.objects.get()

    def read(self, actor: Staff) -> selectors.CaseView:
        return services.read_case(actor=actor, case_id=self.case.pk, now=LATER).result

    def test_who_holds_the_conversation_and_any_supervisor_read_it(self) -> None:
        for reader in (self.ben, self.dana):
            with self.subTest(reader=reader.name):
                assert self.read(reader).timeline[-1].text == REASON
                assert [row.id for row in selectors.case_list(reader)] == [self.case.pk]
                trail = AuditEvent.objects.get(action="case.read", actor=str(reader))
                assert trail.subject == f"case:{self.case.pk}"

    def test_who_recorded_it_reads_it_and_the_others_learn_nothing(self) -> None:
        administrator = Staff(id=eve().id, role="administrator", name="Eve", language="en")
        for stranger in (cleo(), eve(), administrator):
            with self.subTest(stranger=stranger.role):
                with pytest.raises(Unseen):
                    self.read(stranger)
                assert selectors.case_list(stranger) == ()
        assert not AuditEvent.objects.filter(action="case.read").exists()
        Contact.objects.update(recorded_by_id=cleo().id)
        assert self.read(cleo()).id == self.case.pk

    def test_an_offer_alone_gives_no_right(self) -> None:
        Conversation.objects.filter(pk=self.pk).update(state="offered")
        with pytest.raises(Unseen):
            self.read(self.ben)

    def test_a_case_that_does_not_exist_is_unseen(self) -> None:
        with pytest.raises(Unseen):
            services.read_case(actor=self.dana, case_id=uuid4(), now=LATER)

    def test_no_text_is_given_without_the_trail(self) -> None:
        with mock.patch("cases.services.record", side_effect=RuntimeError), pytest.raises(RuntimeError):
            self.read(self.dana)

    def test_nobody_waits_for_the_trail_while_keys_are_slow(self) -> None:
        depths = []

        def opened(case: Case, language: str) -> object:
            depths.append(len(connection.savepoint_ids))
            return selectors.case_view(case, language)

        with mock.patch("cases.services.case_view", opened):
            self.read(self.dana)
        assert depths == [len(connection.savepoint_ids)]

    def test_a_text_that_was_moved_to_another_entry_does_not_open(self) -> None:
        self.raised(reason="another reason")
        self.deliver()
        first, second = Entry.objects.filter(code="escalation_raised").order_by("pk")
        Entry.objects.filter(pk=second.pk).update(sealed_body=first.sealed_body)
        with pytest.raises(NotAuthentic):
            self.read(self.dana)

    def test_the_list_is_newest_first_and_in_the_reader_s_language(self) -> None:
        self.pk, _ = held_by(cleo())
        crisis.raise_escalation(
            actor=cleo(), conversation_id=self.pk, level=1, reason="x", client_id="f" * 32, now=NOON + after(9)
        )
        self.deliver()
        Case.objects.update(handle="owl-417")
        french = Staff(id=self.dana.id, role="supervisor", name="Dana", language="fr")
        rows = selectors.case_list(french)
        assert [row.handle for row in rows] == ["Hibou 417"] * 2
        assert [row.opened_at for row in rows] == [NOON + after(9), NOON]
        assert [row.opened_at for row in selectors.case_list(self.ben)] == [NOON]
