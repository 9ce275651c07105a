"""A pause ends when somebody is called because of danger, and a clock that is set back makes none longer."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from audit.models import AuditEvent
from chat import services
from chat.core.actors import Staff
from chat.core.errors import ErrorCode
from crisis.services import climb_due, raise_cue, raise_escalation, raise_unspoken
from tests.app.test_pausing import Pauses, after, refused
from tests.support.people import NOON, conversation, new_token
from tests.support.words import quick_words


class Dangers(Pauses):
    """Whoever may be in danger can say so, whatever came before."""

    def flag(self, level: int, who: Staff, at: datetime = NOON) -> Any:
        return raise_escalation(
            actor=who, conversation_id=self.pk, level=level, reason="he is near", client_id=uuid4().hex, now=at
        )

    def test_a_call_for_help_ends_the_pause_and_both_sides_read_it(self) -> None:
        for level, who in ((2, self.ben), (3, self.dana)):
            self.pause(who=self.dana)
            done = self.flag(level, who, after(1))
            assert [(one.code, one.visitor_seq is not None) for one in done.events] == [
                ("flag_raised", False),
                ("pause_over", True),
            ]
            assert done.events[1].author_role == "system"
            self.write(after(1))
        told = AuditEvent.objects.filter(action="conversation.pause_lifted", actor="system")
        assert [one.data for one in told.order_by("pk")] == [{"level": 2}, {"level": 3}]
        assert self.codes().count("pause_over") == 2

    def test_a_rule_and_a_climb_end_it_and_a_consult_does_not(self) -> None:
        self.pause(60)
        self.flag(1, self.ben)
        assert refused(lambda: self.write(after(1))) is ErrorCode.PAUSED
        done = climb_due(now=after(5))
        assert [one.code for one in done.events] == ["flag_climbed", "pause_over"]
        self.write(after(5))
        self.pause(60, who=self.dana, now=after(6))
        found = raise_cue(conversation_id=self.pk, level=3, reason="because", client_id="c" * 32, now=after(7))
        assert [one.code for one in found.events] == ["flag_raised", "pause_over"]

    def test_a_supervisor_pauses_again_and_what_only_repeats_ends_nothing(self) -> None:
        self.flag(3, self.ben)
        self.pause(who=self.dana)
        assert climb_due(now=after(2)).events == ()
        assert refused(lambda: self.write(after(2))) is ErrorCode.PAUSED

    def test_who_is_paused_ends_it_with_no_returns(self) -> None:
        with quick_words():
            words = " ".join(services.give_words(token=self.token, now=NOON).result)
            self.pause(60)
            for minute in (1, 2):
                services.return_by_words(phrase=words, token=new_token(), now=after(minute))
        raise_unspoken(now=after(3))
        climb_due(now=after(30))
        assert conversation(self.pk).level == 3
        assert refused(lambda: self.write(after(31))) is ErrorCode.PAUSED


class Clocks(Pauses):
    def test_one_that_ran_when_the_process_ended_is_no_longer_when_it_begins_with_a_clock_set_back(self) -> None:
        self.pause(60)
        assert services.mend_pauses(now=after(-60)).result == 1
        assert conversation(self.pk).paused_until == NOON
        assert services.mend_pauses(now=after(-60)).result == 0

    def test_one_that_had_ended_comes_not_back_with_a_clock_that_is_set_back(self) -> None:
        self.pause(60)
        # no worker was there to tell it, and ada's page was
        services.note_visitors(here={self.pk: after(61)}, gone={})
        services.mend_pauses(now=after(1))
        self.write(after(1))
        assert [one.code for one in services.end_pauses(now=after(1)).events] == ["pause_over"]
