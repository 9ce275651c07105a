"""Ada comes back by words, or sounds like somebody else: dana is asked, and who knows her again answers."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from unittest import mock
from uuid import UUID

import pytest

from audit.models import AuditEvent
from chat import services
from chat.core.actors import Staff
from chat.core.errors import ErrorCode, Refused
from chat.models import Event, OutboxItem
from crisis import services as crisis
from crisis.models import Escalation
from crisis.selectors import reason_of, settlement_of
from crisis.services import escalations, unspoken
from encryption.providers import ProviderDown
from encryption.services import sealing
from tests.support.people import NOON, cleo, conversation, eve, new_token
from tests.support.unspoken import Unspoken, after
from tests.support.words import quick_words


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with quick_words():
        yield


class Returning(Unspoken):
    def back(self, now: datetime) -> None:
        services.return_by_words(phrase=self.words, token=new_token(), now=now)

    def setUp(self) -> None:
        super().setUp()
        self.words = " ".join(services.give_words(token=self.token, now=NOON).result)

    def accept(self, who: Staff | None = None) -> None:
        number = conversation(self.pk).return_seq
        crisis.accept_return(actor=who or self.ben, conversation_id=self.pk, returned=number, now=after(2))

    def test_a_return_consults_once_and_who_knows_them_again_ends_the_consult(self) -> None:
        self.back(after(1))
        assert self.look(after(1)) == [("returned", 1)]
        assert conversation(self.pk).level == 1
        self.accept()
        row = self.row("returned")
        assert (row.state, row.settled_by_id) == ("stood_down", self.ben.id)
        settled = settlement_of(row)
        assert settled is not None
        assert "accepted the return" in settled.reveal()
        assert conversation(self.pk).level == 0
        assert AuditEvent.objects.filter(action="escalation.stood_down", actor=str(self.ben)).exists()
        assert self.look(after(3)) == []

    def test_who_is_known_before_the_clock_looks_calls_nobody(self) -> None:
        self.back(after(1))
        self.accept()
        assert self.look(after(3)) == []

    def test_two_returns_of_which_none_was_accepted_are_urgent_and_stay_for_a_supervisor(self) -> None:
        self.back(after(1))
        self.look(after(1))
        self.back(after(2))
        assert self.look(after(2)) == [("returned", 2)]
        assert "Came back by words 2 times" in reason_of(self.row_of(2)).reveal()
        self.accept()
        assert self.row_of(2).state == "raised"
        assert conversation(self.pk).level == 2

    def row_of(self, level: int) -> Escalation:
        return Escalation.objects.get(source="returned", raised_level=level)

    def test_what_a_supervisor_has_taken_up_stays_theirs(self) -> None:
        self.back(after(1))
        self.look(after(1))
        crisis.acknowledge(actor=self.dana, escalation_id=self.row("returned").pk, now=after(1))
        self.accept()
        assert self.row("returned").state == "acknowledged"

    def test_nobody_else_accepts_and_the_consult_stays(self) -> None:
        self.back(after(1))
        self.look(after(1))
        for stranger in (cleo(), eve(), self.dana):
            with pytest.raises(Refused):
                self.accept(stranger)
        assert self.row("returned").state == "raised"

    def test_it_is_accepted_without_keys_and_the_consult_waits_for_a_supervisor(self) -> None:
        self.back(after(1))
        self.look(after(1))
        sealing.forget()
        with mock.patch("crisis.services.returns.sealer_of", side_effect=ProviderDown("std")):
            self.accept()
        assert not conversation(self.pk).return_open
        assert self.row("returned").state == "raised"


class Voices(Unspoken):
    def mark(self, who: Staff | None = None) -> UUID:
        done = crisis.mark_changed_voice(actor=who or self.ben, conversation_id=self.pk, now=NOON)
        return done.result.id

    def test_one_tap_consults_once_whoever_taps(self) -> None:
        first = self.mark()
        assert self.mark() == self.mark(self.dana) == first
        row = self.row("voice")
        assert (row.level, row.raised_by_id, row.due_at) == (1, self.ben.id, after(5))
        assert reason_of(row).reveal().startswith("The voice has changed")
        assert Event.objects.filter(code="cue_voice", level=1, visitor_seq=None).count() == 1
        assert OutboxItem.objects.filter(topic="escalation.raised").count() == 1

    def test_two_taps_in_one_moment_consult_once(self) -> None:
        real = escalations.raise_escalation

        def quicker(**arguments: Any) -> Any:
            real(**(arguments | {"actor": self.dana}))
            return real(**arguments)

        with mock.patch.object(unspoken, "raise_escalation", quicker):
            assert self.mark() == self.row("voice").pk

    def test_once_settled_it_can_be_marked_again(self) -> None:
        self.stand_down(Escalation.objects.get(pk=self.mark()))
        again = self.mark()
        assert Escalation.objects.filter(source="voice").count() == 2
        assert Escalation.objects.get(pk=again).state == "raised"

    def test_a_stranger_marks_nothing(self) -> None:
        for stranger in (cleo(), eve()):
            with pytest.raises(Refused) as caught:
                self.mark(stranger)
            assert caught.value.code is ErrorCode.NOT_FOUND
        assert not Escalation.objects.exists()
