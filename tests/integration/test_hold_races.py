"""Several supervisors at the same hold at the same moment: one decision is taken, and the trail tells of that one."""

import pytest

from audit.models import AuditEvent
from chat import services
from chat.core.actors import Staff
from chat.core.errors import ErrorCode
from chat.models import Conversation, Hold, HoldEnd
from chat.selectors.borne_out import unborne
from encryption.services import sealing
from staff.models import User
from staff.web import staff_of
from tests.support.archive_stories import LATER, UNTIL, WHY_END, WHY_ERASED, ArchiveWork
from tests.support.people import NOON, dana
from tests.support.races import Races, Work, at_once

pytestmark = pytest.mark.servers


class HoldRaces(ArchiveWork, Races):
    def setUp(self) -> None:
        Races.setUp(self)
        ArchiveWork.setUp(self)
        self.pk, self.dana, self.fay = self.closed(), dana(), self.second()
        gil = User.objects.create(username="gil", work_name="Gil", role="supervisor", password="!")
        self.gil = staff_of(gil)
        self.written_down[gil.pk] = self.keys.enrol(self.gil, NOON)

    def tearDown(self) -> None:
        super().tearDown()
        assert unborne() == []

    def told(self, action: str) -> list[str]:
        return list(AuditEvent.objects.filter(action=action).values_list("actor", flat=True))

    def end(self, who: Staff, end: object) -> Work:
        key = self.key_of(who)
        return lambda: services.confirm_hold_end(actor=who, unlocked=key, end_id=end, now=LATER)  # type: ignore[arg-type]

    def test_of_two_who_confirm_an_end_one_ends_it(self) -> None:
        end = self.ask_end(self.held(self.pk))
        answers = at_once([self.end(self.fay, end), self.end(self.gil, end), self.end(self.dana, end)])
        assert answers[2] is ErrorCode.SECOND_PERSON
        assert not [one for one in answers[:2] if isinstance(one, ErrorCode)], "the other one finds it done"
        (by,) = self.told("hold.ended")
        row = Hold.objects.get()
        assert by in {str(self.fay), str(self.gil)}
        assert f"staff:{row.ended_by_id}" == by
        assert HoldEnd.objects.get().confirmed_by_id == row.ended_by_id
        assert not any(epoch.startswith("hold-") for epoch in sealing.provider().list_epochs())
        assert len(self.told("epoch.destroyed")) == 1

    def test_a_confirmation_and_a_no_do_not_both_count(self) -> None:
        for number in range(4):
            hold = self.held(self.pk)
            end, key = self.ask_end(hold), self.key_of(self.gil)
            answers = at_once(
                [
                    self.end(self.fay, end),
                    lambda end=end, key=key: services.withdraw_hold_end(  # type: ignore[misc]
                        actor=self.gil, unlocked=key, end_id=end, now=LATER
                    ),
                ]
            )
            assert answers.count(ErrorCode.WRONG_STATE) == 1, number
            row = HoldEnd.objects.get(pk=end)
            ended = Hold.objects.get(pk=hold).ended_at is not None
            assert (row.confirmed_by_id is not None, row.withdrawn_by_id is None) == (ended, ended)
            if not ended:
                self.let_go(hold)

    def test_of_two_who_ask_for_an_end_one_asks(self) -> None:
        hold = self.held(self.pk)

        def ask(who: Staff) -> Work:
            key = self.key_of(who)
            return lambda: services.ask_hold_end(actor=who, unlocked=key, hold_id=hold, reason=WHY_END, now=LATER)

        answers = at_once([ask(self.dana), ask(self.fay), ask(self.gil)])
        assert answers.count(ErrorCode.END_ASKED) == 2
        assert HoldEnd.objects.count() == 1
        assert len(self.told("hold.end_asked")) == 1

    def test_of_two_who_confirm_a_hold_one_confirms_it(self) -> None:
        hold = self.hold(self.pk)

        def confirm(who: Staff) -> Work:
            key = self.key_of(who)
            return lambda: services.confirm_hold(actor=who, unlocked=key, hold_id=hold, now=LATER)

        at_once([confirm(self.fay), confirm(self.gil)])
        assert len(self.told("hold.confirmed")) == 1
        assert [one.startswith("hold-") for one in sealing.provider().list_epochs()].count(True) == 1

    def test_what_is_asked_to_be_kept_and_to_be_erased_at_once_is_one_of_both(self) -> None:
        keeps, erases = self.key_of(self.dana), self.key_of(self.fay)
        answers = at_once(
            [
                lambda: services.ask_hold(
                    actor=self.dana, unlocked=keeps, conversation_id=self.pk, until=UNTIL, reason="court", now=LATER
                ),
                lambda: services.ask_erasure(
                    actor=self.fay, unlocked=erases, conversation_id=self.pk, reason=WHY_ERASED, now=LATER
                ),
            ]
        )
        held, erased = Hold.objects.exists(), Conversation.objects.get().erase_asked_at is not None
        assert held is not erased, answers
        assert (answers[0] is ErrorCode.WRONG_STATE, answers[1] is ErrorCode.ON_HOLD) == (erased, held)
