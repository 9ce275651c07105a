"""On a bad night who is on call is paged at once, then for many calls together, and never less for a graver one."""

from datetime import datetime, timedelta
from unittest import mock
from uuid import UUID, uuid4

from audit.models import AuditEvent
from cases.delivery import deliver_due
from cases.models import Entry
from chat import hooks
from chat.core.actors import Staff
from chat.core.drills import Drill
from crisis import services
from crisis.core.ladder import Pages
from crisis.core.paging import GATHERS, LEASE, MOST_PAGES, standing
from crisis.models import Delivery, Paging
from crisis.selectors.on_call import standings
from crisis.transport import Errand, Outcome
from tests.app.test_drill_mark import flag, taken
from tests.support.pagers import worker_looks
from tests.support.paging import PagingCase, after, fails, works
from tests.support.people import NOON, cleo, held_by


class PaceCase(PagingCase):
    def setUp(self) -> None:
        super().setUp()
        self.sent: list[tuple[int, str, int, int]] = []

    def looks(self, *seconds: int) -> None:
        """Let a worker look at these seconds; note when what left, to whom, of which level and with how many more."""
        for second in seconds:
            for one in worker_looks(after(second), works):
                name = Delivery.objects.get(pk=one.delivery).target_name
                self.sent.append((second, name, one.notice.level, one.notice.more))

    def pages_at_once(self, level: int) -> None:
        services.set_rung(actor="command", level=level, seconds=1_800, climbs=False, pages=Pages.AT_ONCE, now=NOON)


class Rising(PaceCase):
    def test_a_rise_pages_at_once_from_the_first_target_on_and_once(self) -> None:
        self.target("First", wait=1_800)
        self.target("Second", wait=60)
        self.pages_at_once(2)
        self.cue(2)
        self.looks(0, 1)
        self.cue(3)
        self.looks(2, 3, 60)
        assert self.sent == [(0, "First", 2, 0), (2, "First", 3, 0)]
        assert [(row.level, row.state) for row in Paging.objects.order_by("begun_at")] == [(2, "risen"), (3, "calling")]
        assert self.told() == "reached"
        assert self.trail() == ["begun", "sent", "risen", "begun", "sent"]

    def test_a_climb_does_so_too_and_its_case_hears_of_one_page(self) -> None:
        self.target("First", wait=1_800)
        services.set_rung(actor="command", level=2, seconds=30, climbs=True, pages=Pages.AT_ONCE, now=NOON)
        self.raised(2)
        self.looks(0)
        services.climb_due(now=after(30))
        self.looks(30, 31)
        services.climb_due(now=after(90))
        self.looks(90, 91)
        assert self.sent == [(0, "First", 2, 0), (30, "First", 3, 0)]
        deliver_due(now=after(100))
        assert list(Entry.objects.values_list("code", flat=True)).count("escalation_paged") == 1

    def test_a_page_that_was_not_delivered_yet_is_dropped_for_the_graver_one(self) -> None:
        self.target()
        self.pages_at_once(2)
        self.cue(2)
        worker_looks(NOON, fails)
        self.cue(3)
        self.looks(1, 2, 20)
        assert self.sent == [(1, "Night pager", 3, 0)]
        assert [state for _, state, *_ in self.states()] == ["dropped", "sent"]

    def test_a_level_that_does_not_page_by_itself_lets_the_paging_go_on_with_its_name(self) -> None:
        services.set_rung(actor="command", level=2, seconds=1_800, climbs=False, pages=Pages.AT_ONCE, now=NOON)
        services.set_rung(actor="command", level=3, seconds=60, climbs=False, pages=Pages.UNANSWERED, now=NOON)
        self.target("First", wait=30)
        self.target("Second")
        self.cue(2)
        self.looks(0)
        self.cue(3)
        self.looks(1, 30)
        assert self.sent == [(0, "First", 2, 0), (30, "Second", 3, 0)]

    def test_a_rise_between_two_looks_of_a_worker_is_paged_with_its_own_level_and_once(self) -> None:
        self.target()
        self.pages_at_once(2)
        self.cue(2)
        services.step_pagings(now=NOON)
        with mock.patch("crisis.services.paging.locked", return_value=None):
            # the worker holds it, so the batch with the message leaves it alone
            self.cue(3)
        assert services.claim_deliveries(now=after(1), limit=9).result == ()
        self.looks(1, 2, 20)
        assert self.sent == [(1, "Night pager", 3, 0)]

    def test_a_rise_in_the_moment_in_which_a_worker_ends_the_paging_is_paged(self) -> None:
        self.target()
        self.pages_at_once(2)
        self.cue(2)
        self.looks(0)
        with mock.patch("crisis.services.paging.locked", return_value=None):
            self.cue(3)
        Paging.objects.update(state="unanswered", due_at=None)
        self.looks(1, 2)
        assert self.sent == [(0, "Night pager", 2, 0), (1, "Night pager", 3, 0)]

    def test_what_was_raised_before_there_was_a_target_pages_the_first_one_at_once(self) -> None:
        seen, _ = self.raised(3), self.raised(1)
        services.acknowledge(actor=self.dana, escalation_id=seen, now=NOON)
        self.raised(3)
        self.looks(1)
        self.target()
        self.looks(2, 3)
        assert self.sent == [(2, "Night pager", 3, 0)]

    def cue(self, level: int) -> None:
        at = after(level - 2)
        services.raise_cue(conversation_id=self.pk, level=level, reason="because", client_id=uuid4().hex, now=at)


class Gathering(PaceCase):
    def test_of_forty_calls_in_a_minute_the_first_pages_at_once_and_the_rest_together(self) -> None:
        self.target()
        for second in range(40):
            self.raised(3, at=after(second))
            if second % 5 == 0:
                self.looks(second)
        self.looks(*range(40, 80, 5))
        assert [(second, more) for second, _, _, more in self.sent] == [(0, 0), (15, 14), (30, 14), (45, 8)]
        assert {state for _, state, *_ in self.states()} == {"sent"}
        assert Paging.objects.filter(reached=True).count() == 40

    def test_one_that_is_graver_than_the_page_before_waits_for_nothing(self) -> None:
        self.target()
        self.pages_at_once(2)
        self.raised(2)
        self.looks(0)
        self.raised(2, at=after(1))
        self.raised(3, at=after(2))
        self.looks(1, 2, 3)
        assert self.sent == [(0, "Night pager", 2, 0), (2, "Night pager", 3, 1)]

    def test_each_target_has_a_pace_of_its_own_and_a_test_has_none(self) -> None:
        first, _ = self.target("First", wait=15), self.target("Second")
        self.raised(3)
        self.looks(0)
        self.raised(3, at=after(14))
        services.try_target(actor=self.dana, target_id=first, now=after(14))
        self.looks(14, 15)
        assert self.sent == [(0, "First", 3, 0), (14, "First", 0, 0), (15, "First", 3, 0), (15, "Second", 3, 0)]

    def test_a_drill_travels_with_drills_and_keeps_no_call_waiting(self) -> None:
        self.target()
        for person in (self.dana, cleo()):
            flag(person, taken(person, Drill.PAGING), 3)
        self.looks(0)
        self.raised(3)
        self.looks(1)
        assert self.sent == [(0, "Night pager", 3, 1), (1, "Night pager", 3, 0)]
        assert list(Paging.objects.order_by("kind").values_list("kind", flat=True)) == ["drill", "drill", "escalation"]

    def test_who_was_acknowledged_meanwhile_is_not_counted(self) -> None:
        self.target()
        self.raised(3)
        self.looks(0)
        seen = self.raised(3, at=after(1))
        self.raised(3, at=after(1))
        self.looks(1)
        services.acknowledge(actor=self.dana, escalation_id=seen, now=after(2))
        self.looks(15)
        assert self.sent == [(0, "Night pager", 3, 0), (15, "Night pager", 3, 0)]

    def test_what_travels_together_fails_and_is_tried_together_and_a_failure_keeps_nothing_waiting(self) -> None:
        self.target()
        for _ in range(3):
            self.raised(3)
        (lost,) = worker_looks(NOON, fails)
        assert (lost.notice.more, len(lost.others)) == (2, 2)
        self.looks(1)
        assert self.sent == [(1, "Night pager", 3, 2)]
        assert {(state, tries) for _, state, tries, _ in self.states()} == {("sent", 2)}

    def test_a_clock_that_was_set_back_keeps_no_page_waiting(self) -> None:
        self.target()
        self.raised(3)
        self.looks(0)
        self.raised(3, at=after(-3_600))
        self.looks(-3_600)
        assert [second for second, *_ in self.sent] == [0, -3_600]


class Holding(PaceCase):
    def setUp(self) -> None:
        super().setUp()
        self.target()
        self.pages_at_once(2)
        self.apart = int(GATHERS.total_seconds())

    def fill(self) -> list[bool]:
        """Page as often as an hour takes; return what each page said about holding back."""
        said = []
        for number in range(MOST_PAGES):
            at = after(number * self.apart)
            self.raised(2, at=at)
            (one,) = worker_looks(at, works)
            said.append(one.notice.holds_back)
        return said

    def test_the_last_page_of_an_hour_says_that_more_are_held_back_and_the_board_says_which(self) -> None:
        assert self.fill() == [False] * (MOST_PAGES - 1) + [True]
        late = after(MOST_PAGES * self.apart)
        held = self.raised(2, at=late)
        with self.assertLogs("crisis.services", "ERROR"):
            assert worker_looks(late, works) == []
            assert worker_looks(late + timedelta(seconds=1), works) == []
        assert self.states()[-1][1] == "held"
        assert self.standing(held) == "unreached"
        assert AuditEvent.objects.filter(action="paging.held").count() == 1
        # an hour later a page leaves again
        services.climb_due(now=after(5_400))
        assert [one.notice.holds_back for one in worker_looks(after(5_400), works)] == [False]

    def test_level_3_is_never_held_back_and_comes_once_a_minute(self) -> None:
        self.fill()
        begin = MOST_PAGES * self.apart
        said = []
        for second in range(begin, begin + 180, 10):
            self.raised(3, at=after(second))
            said += [
                (second - begin, one.notice.more, one.notice.holds_back) for one in worker_looks(after(second), works)
            ]
        assert said == [(0, 0, True), (60, 5, True), (120, 5, True)]
        assert not Delivery.objects.filter(state="held").exists()

    def test_a_lower_level_goes_along_where_level_3_goes(self) -> None:
        self.fill()
        late = after(MOST_PAGES * self.apart)
        self.raised(2, at=late)
        self.raised(3, at=late)
        (one,) = worker_looks(late, works)
        assert (one.notice.level, one.notice.more) == (3, 1)

    def standing(self, escalation: UUID) -> str:
        return {one.id: one.paged for one in hooks.open_escalations()}[str(escalation)]


class Keys(PagingCase):
    """What a receiver knows a repeat by."""

    def claimed(self, at: datetime) -> Errand:
        services.step_pagings(now=at)
        (errand,) = services.claim_deliveries(now=at, limit=9).result
        return errand

    def test_a_page_that_is_sent_again_after_its_lease_has_the_same_key_and_body_and_no_other_has(self) -> None:
        self.target("First", wait=60)
        self.target("Second")
        self.raised(3)
        lost = self.claimed(NOON)
        again = self.claimed(NOON + LEASE)
        assert (again.key, again.notice) == (lost.key, lost.notice)
        services.settle_errand(errand=again, outcome=Outcome(True, "204"), now=NOON + LEASE)
        second = self.claimed(NOON + LEASE + timedelta(seconds=60))
        assert (second.notice.page, second.key == lost.key) == (lost.notice.page, False)

    def test_a_page_that_took_another_call_along_is_no_repeat(self) -> None:
        self.target()
        self.raised(3)
        lost = self.claimed(NOON)
        self.pk, _ = held_by(self.other())
        self.raised(3, by=self.other(), at=after(5))
        more = self.claimed(NOON + LEASE)
        assert (more.notice.page, more.notice.more) == (lost.notice.page, 1)
        assert more.key != lost.key

    def other(self) -> Staff:
        return cleo()


class Standing(PagingCase):
    def test_however_often_it_was_paged_for_the_board_asks_once_and_reads_one_row_for_each_call(self) -> None:
        self.target()
        escalations = [self.raised(3), self.raised(3)]
        begun = [{"begun_at": after(-number), "state": "unreached"} for number in range(1, 200)]
        begun[5] |= {"state": "unanswered", "reached": True}
        for pk in escalations:
            Paging.objects.bulk_create(Paging(escalation_id=pk, kind="escalation", level=3, **one) for one in begun)
        with self.assertNumQueries(1), mock.patch("crisis.selectors.on_call.standing", wraps=standing) as asked:
            assert set(standings(escalations).values()) == {"unreached"}
        assert asked.call_count == 2
        Paging.objects.filter(begun_at__gt=after(-6), state="unreached").delete()
        assert set(standings(escalations).values()) == {"reached"}
