"""What ada does not say calls dana: she leaves quickly, falls silent, comes back, or sounds like somebody else."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, transaction

from audit.models import AuditEvent
from cases import services as cases
from cases.delivery import deliver_due
from cases.models import Case
from chat import hooks, services
from chat.core.pausing import Why
from chat.models import Conversation, Event
from chat.selectors import visitor_of
from crisis import services as crisis
from crisis.core.ladder import Pages
from crisis.cues import Cues as Screener
from crisis.models import Escalation, Paging, Silence
from crisis.selectors import open_escalations, reason_of, silent_after
from crisis.services import unspoken
from encryption.models import DataKey
from encryption.providers import ProviderDown
from encryption.services import sealing
from tests.support.people import NOON, alix, conversation, new_token, waiting
from tests.support.unspoken import Unspoken, after
from tests.support.words import quick_words


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with quick_words():
        yield


class Leaving(Unspoken):
    def test_a_quick_exit_after_danger_calls_once_with_its_reason_for_board_trail_and_case(self) -> None:
        self.danger()
        services.leave_quickly(token=self.token, now=after(1))
        done = crisis.raise_unspoken(now=after(1))
        assert [(one.code, one.level, one.visitor_seq) for one in done.events] == [("cue_left", 3, None)]
        assert self.look(after(2)) == []
        row = self.row("left")
        assert (row.level, row.state, row.raised_by, row.due_at) == (3, "raised", None, after(2))
        assert reason_of(row).reveal().splitlines() == [
            "Left quickly after a sign of danger. Do not try to reach them.",
            "A quitté vite après un signe de danger. N’essayez pas de joindre la personne.",
        ]
        assert conversation(self.pk).level == 3
        assert {one.source for one in open_escalations()} == {"person", "left"}
        assert AuditEvent.objects.get(action="escalation.raised", actor="system").data["source"] == "left"
        deliver_due(now=after(2))
        view = cases.read_case(actor=self.dana, case_id=Case.objects.get().pk, now=after(2)).result
        assert any("Left quickly after a sign" in line.text for line in view.timeline)

    def test_who_leaves_without_danger_or_before_it_was_seen_calls_nobody(self) -> None:
        services.leave_quickly(token=self.token, now=NOON)
        assert self.look(after(1)) == []
        # the advocate thinks so afterwards: that is their own call, and nobody left because of it
        self.danger(now=after(2))
        assert self.look(after(3)) == []

    def test_a_danger_that_was_settled_is_none(self) -> None:
        crisis.stand_down(actor=self.dana, escalation_id=self.danger(), reason="a film", now=NOON)
        services.leave_quickly(token=self.token, now=after(1))
        assert self.look(after(1)) == []

    def test_who_waits_is_heard_too_and_a_find_of_the_screening_is_danger(self) -> None:
        hooks.register_screener(Screener())
        self.addCleanup(hooks._screeners.clear)
        self.pk, self.token = waiting()
        services.post_message(
            actor=visitor_of(conversation(self.pk)),
            conversation_id=self.pk,
            client_id="a" * 32,
            body="he has a gun",
            now=NOON,
        )
        services.leave_quickly(token=self.token, now=NOON)
        assert conversation(self.pk).state == "abandoned"
        assert self.look(NOON) == [("left", 3)]

    def test_dismissed_with_a_reason_it_does_not_come_back_and_the_level_falls_by_a_person_alone(self) -> None:
        urgent = self.danger()
        services.leave_quickly(token=self.token, now=NOON)
        self.look(NOON)
        self.stand_down(self.row("left"))
        assert conversation(self.pk).level == 2
        assert self.look(after(5)) == []
        crisis.resolve(actor=self.dana, escalation_id=urgent, reason="she called", now=after(6))
        assert conversation(self.pk).level == 0
        assert self.look(after(7)) == []

    def test_it_pages_who_is_on_call_as_its_level_says_and_a_consult_that_is_accepted_pages_no_more(self) -> None:
        words = " ".join(services.give_words(token=self.token, now=NOON).result)
        crisis.add_target(
            actor=alix(),
            target_id=uuid4(),
            name="Night pager",
            way="webhook",
            address="https://pager.example.org/hook",
            wait_seconds=90,
            now=NOON,
        )
        crisis.set_rung(actor="command", level=1, seconds=300, climbs=True, pages=Pages.AT_ONCE, now=NOON)
        services.return_by_words(phrase=words, token=(back := new_token()), now=NOON)
        self.look(NOON)
        assert Paging.objects.get().state == "calling"
        number = conversation(self.pk).return_seq
        crisis.accept_return(actor=self.ben, conversation_id=self.pk, returned=number, now=NOON)
        assert Paging.objects.get().state == "answered"
        self.danger()
        services.leave_quickly(token=back, now=NOON)
        self.look(NOON)
        assert Paging.objects.get(state="calling", level=3).escalation == self.row("left")

    def test_what_is_not_acknowledged_climbs_like_every_other(self) -> None:
        self.danger()
        services.leave_quickly(token=self.token, now=NOON)
        self.look(NOON)
        assert crisis.climb_due(now=after(1)).result == 1
        assert self.row("left").climbs == 1


class Silent(Unspoken):
    def talk(self) -> None:
        self.writes(NOON)
        self.danger()
        self.writes(after(1), self.ben)

    def test_who_stops_answering_on_an_open_line_calls_once_the_site_s_time_is_over(self) -> None:
        self.talk()
        crisis.set_silence(actor="command", seconds=120, now=NOON)
        self.here(after(3))
        assert self.look(after(3) - timedelta(seconds=1)) == []
        assert self.look(after(3)) == [("silence", 3)]
        assert "no answer for 3 minutes" in reason_of(self.row("silence")).reveal()
        self.here(after(9))
        assert self.look(after(9)) == []

    def test_further_questions_start_no_clock_anew_and_a_late_one_gives_time_to_answer(self) -> None:
        self.talk()
        for minute in (2, 4, 6):
            self.writes(after(minute), self.ben)
        self.here(after(6))
        assert self.look(after(6)) == [("silence", 3)]

    def test_a_late_answer_of_ours_gives_them_time(self) -> None:
        self.writes(NOON)
        self.danger()
        self.writes(after(20), self.ben)
        self.here(after(24))
        assert self.look(after(24)) == []
        self.here(after(25))
        assert self.look(after(25)) == [("silence", 3)]

    def test_a_lost_line_counts_also_of_who_waits(self) -> None:
        self.pk, self.token = waiting()
        crisis.raise_escalation(
            actor=self.dana, conversation_id=self.pk, level=2, reason="a knock", client_id="c" * 32, now=NOON
        )
        # heard last at noon, so lost a minute later
        assert self.look(after(6) - timedelta(seconds=1)) == []
        assert self.look(after(6)) == [("silence", 3)]
        assert "the line has been lost for 5 minutes" in reason_of(self.row("silence")).reveal()

    def test_a_silence_that_was_answered_and_comes_again_is_another_one(self) -> None:
        self.talk()
        self.here(after(6))
        self.look(after(6))
        self.stand_down(self.row("silence"))
        self.here(after(7))
        assert self.look(after(7)) == [], "the same silence"
        self.writes(after(8))
        self.writes(after(9), self.ben)
        self.here(after(14))
        assert self.look(after(14)) == [("silence", 3)]

    def test_a_pause_that_is_over_or_was_lifted_gives_them_time_to_answer(self) -> None:
        self.talk()
        for begins, ends in ((2, 17), (18, 20)):
            services.pause(actor=self.dana, conversation_id=self.pk, minutes=15, why=Why.ABUSE, now=after(begins))
            if ends < begins + 15:
                services.lift_pause(actor=self.dana, conversation_id=self.pk, now=after(ends))
            services.end_pauses(now=after(ends))
            self.here(after(ends))
            assert self.look(after(ends)) == []
        late = after(25)
        self.here(late)
        assert self.look(late - timedelta(seconds=1)) == []
        assert self.look(late) == [("silence", 3)]

    def test_one_that_is_open_stands_for_the_next_one_too(self) -> None:
        self.talk()
        self.here(after(6))
        self.look(after(6))
        self.writes(after(8))
        self.writes(after(9), self.ben)
        self.here(after(14))
        assert self.look(after(14)) == []
        self.stand_down(self.row("silence"), after(15))
        self.here(after(15))
        assert self.look(after(15)) == [], "dismissed is dismissed"

    def test_after_a_long_standstill_of_the_worker_it_calls_once(self) -> None:
        self.talk()
        self.here(after(600))
        assert self.look(after(600)) == [("silence", 3)]

    def test_a_clock_that_is_set_back_delays_it_by_no_more_than_the_site_s_time(self) -> None:
        self.talk()
        earlier = after(-60)
        services.mend_set_back(now=earlier)
        self.here(earlier + silent_after())
        assert self.look(earlier + silent_after()) == [("silence", 3)]

    def test_a_clock_that_is_set_back_makes_nobody_answered(self) -> None:
        self.danger()
        self.writes(NOON, self.ben)
        self.writes(after(1))
        services.mend_set_back(now=after(-60))
        row = conversation(self.pk)
        assert row.last_staff_at is not None
        assert row.last_visitor_at is not None
        assert row.last_staff_at < row.last_visitor_at <= after(-60)

    def test_two_workers_at_once_call_once(self) -> None:
        """The second one has looked before the first one wrote."""
        self.talk()
        self.here(after(6))
        real = unspoken._raise
        entered: list[int] = []

        def second(pk: UUID, cue: Any, now: datetime) -> Any:
            if not entered:
                entered.append(1)
                crisis.raise_unspoken(now=now)
            return real(pk, cue, now)

        with mock.patch.object(unspoken, "_raise", second):
            crisis.raise_unspoken(now=after(6))
        assert Escalation.objects.filter(source="silence").count() == 1
        keys = set(DataKey.objects.filter(subject_kind="escalation").values_list("subject_id", flat=True))
        assert keys == set(Escalation.objects.values_list("pk", flat=True)), "the other one's key is gone"

    def test_without_keys_it_calls_with_the_key_at_hand(self) -> None:
        self.talk()
        self.here(after(6))
        with mock.patch.object(sealing.provider(), "list_epochs", side_effect=ProviderDown("std")):
            assert self.look(after(6)) == [("silence", 3)]
        sealing.forget()
        assert "no answer" in reason_of(self.row("silence")).reveal()

    def test_one_that_fails_is_tried_again_and_holds_no_other_one_up(self) -> None:
        self.talk()
        self.here(after(6))
        with mock.patch("crisis.services.calls.tell", side_effect=ValueError), self.assertLogs("chat.services.queue"):
            assert self.look(after(6)) == []
        assert conversation(self.pk).level == 2
        assert self.look(after(6)) == [("silence", 3)]

    def test_the_database_takes_no_silence_that_is_none(self) -> None:
        for seconds in (59, 1801):
            with pytest.raises(IntegrityError), transaction.atomic():
                Silence.objects.create(pk=1, seconds=seconds)


class Bounds(Unspoken):
    def test_the_database_lets_no_rule_reach_level_4_nor_bear_a_name(self) -> None:
        escalation = Escalation.objects.get(pk=self.danger())
        for source in ("left", "silence", "returned", "screening"):
            for wrong in ({"level": 4, "raised_by": None}, {"raised_by": self.ben.id}):
                with self.subTest(source, **wrong), pytest.raises(IntegrityError), transaction.atomic():
                    Escalation.objects.filter(pk=escalation.pk).update(source=source, **wrong)

    def test_a_quiet_shift_costs_three_short_readings(self) -> None:
        self.danger(1)
        with self.assertNumQueries(3):
            crisis.raise_unspoken(now=after(60))

    def test_no_cue_is_part_of_what_the_visitor_hears(self) -> None:
        self.danger()
        services.leave_quickly(token=self.token, now=NOON)
        self.look(NOON)
        seen = Event.objects.filter(conversation=self.pk, visitor_seq__isnull=False).values_list("code", flat=True)
        assert not [code for code in seen if code.startswith(("cue_", "flag_"))]
        assert Conversation.objects.get(pk=self.pk).visitor_head == len(seen)
