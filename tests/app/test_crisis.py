"""Escalations: ben or dana raises, dana answers or the clock climbs; eve and cleo get nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import TestCase

from audit.models import AuditEvent
from audit.services import find_breaks
from chat import services as chat
from chat.core.actors import Staff
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.models import Conversation, Event, OutboxItem
from crisis import services
from crisis.models import Escalation
from crisis.selectors import EscalationView
from encryption.core.envelope import NotAuthentic
from tests.support.people import NOON, ben, cleo, dana, eve, held_by, waiting

REASON = "she hears the teal kettle man on the stairs"


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


class CrisisCase(TestCase):
    """Have ben hold ada's conversation."""

    def setUp(self) -> None:
        self.ben, self.dana = ben(), dana()
        self.pk, self.token = held_by(self.ben)

    def raised(self, level: int = 1, *, by: Staff | None = None, reason: str = REASON) -> EscalationView:
        done = services.raise_escalation(
            actor=by or self.ben,
            conversation_id=self.pk,
            level=level,
            reason=reason,
            client_id=uuid4().hex,
            now=NOON,
        )
        return done.result

    def refused(self, code: ErrorCode, command: object, **arguments: object) -> None:
        assert callable(command)
        with pytest.raises(Refused) as caught:
            command(**arguments)
        assert caught.value.code == code

    def conversation(self) -> Conversation:
        return Conversation.objects.get(pk=self.pk)

    def topics(self) -> list[str]:
        return list(OutboxItem.objects.order_by("pk").values_list("topic", flat=True))

    def row(self, escalation_id: UUID) -> Escalation:
        return Escalation.objects.get(pk=escalation_id)


class Raising(CrisisCase):
    def test_a_flag_starts_a_clock_raises_the_level_and_reaches_log_trail_and_outbox(self) -> None:
        done = services.raise_escalation(
            actor=self.ben, conversation_id=self.pk, level=2, reason=REASON, client_id="a" * 32, now=NOON
        )
        assert done.result.due_at == NOON + after(120)
        assert [(event.code, event.level, event.visitor_seq) for event in done.events] == [("flag_raised", 2, None)]
        assert self.conversation().level == 2
        item = OutboxItem.objects.get(topic="escalation.raised")
        assert item.data == {"escalation": str(done.result.id), "level": 2, "at": NOON.isoformat(), "by": self.ben.id}
        assert AuditEvent.objects.filter(action="escalation.raised", actor=str(self.ben)).exists()
        assert find_breaks() == []

    def test_the_reason_is_nowhere_in_clear(self) -> None:
        escalation = self.row(self.raised().id)
        services.resolve(actor=self.dana, escalation_id=escalation.pk, reason="the copper gate is shut", now=NOON)
        escalation.refresh_from_db()
        for sealed in (escalation.sealed_reason, escalation.sealed_settlement):
            assert b"teal kettle" not in bytes(sealed or b"")
            assert b"copper gate" not in bytes(sealed or b"")
        told = f"{list(AuditEvent.objects.values())}{list(OutboxItem.objects.values())}{list(Event.objects.values())}"
        assert "kettle" not in told
        assert "copper" not in told

    def test_the_same_flag_again_is_harmless(self) -> None:
        arguments: dict[str, Any] = {
            "actor": self.ben,
            "conversation_id": self.pk,
            "level": 1,
            "reason": REASON,
            "client_id": "b" * 32,
        }
        first = services.raise_escalation(**arguments, now=NOON)
        again = services.raise_escalation(**arguments, now=NOON + after(3))
        assert again.result == first.result
        assert again.events == ()
        assert Escalation.objects.count() == 1
        assert self.topics().count("escalation.raised") == 1

    def test_a_repeat_after_it_climbed_is_still_the_same_flag(self) -> None:
        arguments: dict[str, Any] = {
            "actor": self.ben,
            "conversation_id": self.pk,
            "level": 1,
            "reason": REASON,
            "client_id": "b" * 32,
        }
        first = services.raise_escalation(**arguments, now=NOON)
        services.climb_due(now=NOON + after(300))
        assert services.raise_escalation(**arguments, now=NOON + after(301)).result.id == first.result.id

    def test_the_same_id_with_other_content_is_refused(self) -> None:
        arguments: dict[str, Any] = {
            "actor": self.ben,
            "conversation_id": self.pk,
            "level": 1,
            "reason": REASON,
            "client_id": "c" * 32,
        }
        services.raise_escalation(**arguments, now=NOON)
        others: list[dict[str, object]] = [{"level": 2}, {"reason": "something else"}, {"actor": self.dana}]
        for other in others:
            with self.subTest(other=list(other)):
                self.refused(ErrorCode.ID_REUSED, services.raise_escalation, **{**arguments, **other}, now=NOON)

    def test_bad_input_has_its_own_codes_and_changes_nothing(self) -> None:
        cases: list[tuple[ErrorCode, object, str]] = [
            (ErrorCode.REASON_MISSING, 1, ""),
            (ErrorCode.REASON_MISSING, 1, " \n\t\u200f "),
            (ErrorCode.TEXT_TOO_LONG, 1, "a" * 4001),
            (ErrorCode.TEXT_CONTROL, 1, "a\x00b"),
            (ErrorCode.TEXT_UNPAIRED, 1, "a\ud800b"),
            (ErrorCode.LEVEL_UNKNOWN, 0, REASON),
            (ErrorCode.LEVEL_UNKNOWN, 4, REASON),
        ]
        for code, level, reason in cases:
            with self.subTest(code=code, level=level):
                self.refused(
                    code,
                    services.raise_escalation,
                    actor=self.ben,
                    conversation_id=self.pk,
                    level=level,
                    reason=reason,
                    client_id="d" * 32,
                    now=NOON,
                )
        assert Escalation.objects.count() == 0
        assert self.conversation().level == 0

    def test_it_can_be_raised_after_the_end_but_not_after_the_record(self) -> None:
        chat.leave_quickly(token=self.token, now=NOON)
        self.raised()
        chat.close_conversation(actor=self.ben, conversation_id=self.pk, now=NOON)
        self.refused(
            ErrorCode.WRONG_STATE,
            services.raise_escalation,
            actor=self.ben,
            conversation_id=self.pk,
            level=1,
            reason=REASON,
            client_id="e" * 32,
            now=NOON,
        )

    def test_a_supervisor_raises_for_a_visitor_who_still_waits(self) -> None:
        self.pk, _ = waiting()
        assert self.raised(3, by=self.dana).level == 3
        assert self.conversation().level == 3


class Permission(CrisisCase):
    def test_strangers_raise_nothing_and_learn_nothing(self) -> None:
        for stranger in (cleo(), eve()):
            with self.subTest(stranger=stranger.name), pytest.raises(Unseen):
                self.raised(by=stranger)

    def test_an_advocate_flags_nothing_that_they_only_see_waiting(self) -> None:
        self.pk, _ = waiting()
        with pytest.raises(Refused) as refused:
            self.raised()
        assert refused.value.code == ErrorCode.FORBIDDEN

    def test_strangers_read_no_reason(self) -> None:
        escalation = self.raised()
        for stranger in (cleo(), eve()):
            with self.subTest(stranger=stranger.name), pytest.raises(Unseen):
                services.read_reason(actor=stranger, escalation_id=escalation.id, now=NOON)

    def test_only_supervisors_acknowledge_and_settle(self) -> None:
        escalation = self.raised()
        arguments: dict[str, Any] = {"escalation_id": escalation.id, "now": NOON}
        self.refused(ErrorCode.FORBIDDEN, services.acknowledge, actor=self.ben, **arguments)
        self.refused(ErrorCode.FORBIDDEN, services.start_work, actor=self.ben, **arguments)
        for settle in (services.resolve, services.stand_down):
            self.refused(ErrorCode.FORBIDDEN, settle, actor=self.ben, reason="done", **arguments)
            self.refused(ErrorCode.NOT_FOUND, settle, actor=eve(), reason="done", **arguments)
        assert self.row(escalation.id).state == "raised"

    def test_an_escalation_that_does_not_exist_is_unseen(self) -> None:
        with pytest.raises(Unseen):
            services.acknowledge(actor=self.dana, escalation_id=uuid4(), now=NOON)

    def test_the_trail_knows_who_read_a_reason_and_the_reader_gets_it(self) -> None:
        escalation = self.raised()
        for reader in (self.ben, self.dana):
            with self.subTest(reader=reader.name):
                done = services.read_reason(actor=reader, escalation_id=escalation.id, now=NOON)
                assert (done.result.reason.reveal(), done.result.by_rules) == (REASON, False)
                trail = AuditEvent.objects.filter(action="escalation.reason_read", actor=str(reader))
                assert trail.get().subject == f"escalation:{escalation.id}"

    def test_a_reason_that_was_moved_to_another_escalation_does_not_open(self) -> None:
        first, second = self.raised(), self.raised(reason="another reason")
        Escalation.objects.filter(pk=second.id).update(sealed_reason=self.row(first.id).sealed_reason)
        with pytest.raises(NotAuthentic):
            services.read_reason(actor=self.dana, escalation_id=second.id, now=NOON)


class Answering(CrisisCase):
    def test_the_ordinary_way(self) -> None:
        escalation = self.raised(2)
        seen = services.acknowledge(actor=self.dana, escalation_id=escalation.id, now=NOON + after(30))
        begun = services.start_work(actor=self.dana, escalation_id=escalation.id, now=NOON + after(40))
        over = services.resolve(actor=self.dana, escalation_id=escalation.id, reason="safe now", now=NOON + after(50))
        assert [done.result.state for done in (seen, begun, over)] == ["acknowledged", "in_progress", "resolved"]
        assert [event.code for event in (*seen.events, *over.events)] == ["flag_acknowledged", "flag_resolved"]
        assert [topic for topic in self.topics() if topic.startswith("escalation.")] == [
            "escalation.raised",
            "escalation.acknowledged",
            "escalation.started",
            "escalation.resolved",
        ]
        assert self.conversation().level == 0
        assert services.climb_due(now=NOON + timedelta(days=1)).result == 0

    def test_an_acknowledged_one_no_longer_climbs(self) -> None:
        escalation = self.raised(1)
        services.acknowledge(actor=self.dana, escalation_id=escalation.id, now=NOON)
        assert services.climb_due(now=NOON + timedelta(days=1)).result == 0
        assert self.row(escalation.id).level == 1

    def test_repeats_by_the_same_person_are_harmless(self) -> None:
        escalation = self.raised()
        for command in (services.acknowledge, services.start_work):
            command(actor=self.dana, escalation_id=escalation.id, now=NOON)
            again = command(actor=self.dana, escalation_id=escalation.id, now=NOON + after(9))
            assert again.events == ()
        services.stand_down(actor=self.dana, escalation_id=escalation.id, reason="a mistake", now=NOON)
        count = OutboxItem.objects.count()
        again = services.stand_down(actor=self.dana, escalation_id=escalation.id, reason="a mistake", now=NOON)
        assert (again.events, OutboxItem.objects.count()) == ((), count)
        assert self.row(escalation.id).acknowledged_at == NOON

    def test_what_is_settled_stays_settled(self) -> None:
        escalation = self.raised()
        services.acknowledge(actor=self.dana, escalation_id=escalation.id, now=NOON)
        services.start_work(actor=self.dana, escalation_id=escalation.id, now=NOON)
        services.resolve(actor=self.dana, escalation_id=escalation.id, reason="safe", now=NOON)
        arguments: dict[str, Any] = {"actor": self.dana, "escalation_id": escalation.id, "now": NOON}
        self.refused(ErrorCode.ALREADY_SETTLED, services.acknowledge, **arguments)
        self.refused(ErrorCode.ALREADY_SETTLED, services.start_work, **arguments)
        self.refused(ErrorCode.ALREADY_SETTLED, services.stand_down, reason="no", **arguments)

    def test_two_supervisors_the_second_is_told(self) -> None:
        escalation = self.raised()
        services.acknowledge(actor=self.dana, escalation_id=escalation.id, now=NOON)
        other = Staff(id=cleo().id, role="supervisor", name="Cleo", language="en")
        self.refused(ErrorCode.ALREADY_TAKEN, services.acknowledge, actor=other, escalation_id=escalation.id, now=NOON)
        services.resolve(actor=self.dana, escalation_id=escalation.id, reason="safe", now=NOON)
        self.refused(
            ErrorCode.ALREADY_SETTLED,
            services.resolve,
            actor=other,
            escalation_id=escalation.id,
            reason="safe",
            now=NOON,
        )

    def test_nothing_is_settled_without_a_reason(self) -> None:
        escalation = self.raised()
        for settle in (services.resolve, services.stand_down):
            self.refused(
                ErrorCode.REASON_MISSING, settle, actor=self.dana, escalation_id=escalation.id, reason="  ", now=NOON
            )
        assert self.row(escalation.id).state == "raised"
        assert self.conversation().level == 1

    def test_the_level_falls_to_the_highest_that_is_still_open(self) -> None:
        low, high = self.raised(1), self.raised(3)
        services.stand_down(actor=self.dana, escalation_id=high.id, reason="not needed", now=NOON)
        assert self.conversation().level == 1
        services.resolve(actor=self.dana, escalation_id=low.id, reason="talked about", now=NOON)
        assert self.conversation().level == 0

    def test_a_lower_flag_does_not_lower_the_conversation(self) -> None:
        self.raised(3)
        self.raised(1)
        assert self.conversation().level == 3
