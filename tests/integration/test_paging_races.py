"""Several workers page, and several administrators set who is paged, on real PostgreSQL: once, and without an error."""

from datetime import timedelta
from threading import Event as Signal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from chat.core.actors import Staff
from crisis.core.duty import Duty, DutyChanged, Province
from crisis.core.ladder import Pages
from crisis.core.notice import BadTarget, Flaw
from crisis.models import Delivery, DutyRow, Escalation, OnCallTarget, Paging
from crisis.services import (
    add_target,
    change_target,
    claim_deliveries,
    climb_due,
    page_earlier,
    raise_escalation,
    remove_target,
    renew_secret,
    set_duty,
    set_rung,
    settle_errand,
    step_pagings,
)
from crisis.transport import Errand, Outcome
from tests.support.people import NOON, alix, ben, held_by
from tests.support.races import Races, Work, at_once, somebody_waits

pytestmark = pytest.mark.servers


def told(work: Work) -> Work:
    """Return what comes back as a sentence on a page, as that; what would be an error stays one."""

    def tried() -> Any:
        try:
            return work()
        except BadTarget as bad:
            return bad.flaw
        except DutyChanged:
            return "changed"

    return tried


class PagingRaces(Races):
    def setUp(self) -> None:
        super().setUp()
        self.alix, self.ben = alix(), ben()
        self.pk, _ = held_by(self.ben)

    def target(self, name: str = "Pager", pk: UUID | None = None, wait: int = 1_800) -> UUID:
        target_id = pk or uuid4()
        add_target(
            actor=self.alix,
            target_id=target_id,
            name=name,
            way="webhook",
            address="https://pager.example.org/",
            wait_seconds=wait,
            now=NOON,
        )
        return target_id

    def raised(self, level: int) -> UUID:
        done = raise_escalation(
            actor=self.ben, conversation_id=self.pk, level=level, reason="now", client_id=uuid4().hex, now=NOON
        )
        return done.result.id

    def claimed(self, seconds: float = 0) -> list[Errand]:
        at = NOON + timedelta(seconds=seconds)
        claims = at_once([lambda: claim_deliveries(now=at, limit=9)] * 4)
        return [errand for done in claims for errand in done.result]

    def test_four_workers_send_what_is_due_for_a_target_as_one_page_and_note_it_once(self) -> None:
        self.target()
        for _ in range(6):
            self.raised(3)
        at_once([lambda: step_pagings(now=NOON)] * 4)
        step_pagings(now=NOON)
        sent = self.claimed() or self.claimed()
        assert [one.notice.more for one in sent] == [5]
        assert self.claimed(1) == []
        outcome = Outcome(True, "204")
        noted = at_once([lambda: settle_errand(errand=sent[0], outcome=outcome, now=NOON)] * 3)
        assert sum(done.result for done in noted) == 6
        assert set(Delivery.objects.values_list("state", flat=True)) == {"sent"}

    def test_a_rise_that_meets_its_workers_pages_once_for_the_new_level(self) -> None:
        self.target()
        set_rung(actor="command", level=2, seconds=60, climbs=True, pages=Pages.AT_ONCE, now=NOON)
        for number in range(4):
            self.raised(2)
            step_pagings(now=NOON)
            climb: Work = lambda: climb_due(now=NOON + timedelta(seconds=61))  # noqa: E731
            step: Work = lambda: step_pagings(now=NOON + timedelta(seconds=61))  # noqa: E731
            at_once([climb, step, climb, step, step])
            for work in (climb, step):
                # what was held just now is looked at again in a second
                work()
            rows = Paging.objects.order_by("level").values_list("level", "state")
            assert list(rows) == [(2, "risen"), (3, "calling")], number
            assert Delivery.objects.filter(paging__level=3).count() == 1
            Paging.objects.all().delete()
            Escalation.objects.update(state="in_progress", due_at=None, level=1)

    def test_a_rise_that_waits_for_a_worker_which_begins_anew_itself_finds_that_and_doubles_nothing(self) -> None:
        self.target()
        set_rung(actor="command", level=2, seconds=60, climbs=True, pages=Pages.AT_ONCE, now=NOON)
        escalation = self.raised(2)
        Paging.objects.update(level=1)
        holds = Signal()

        def begins_anew() -> None:
            with transaction.atomic():
                old = Paging.objects.select_for_update(no_key=True).get()
                holds.set()
                assert somebody_waits(), "the rise comes to the row that is held"
                Paging.objects.filter(pk=old.pk).update(state="risen", due_at=None)
                Paging.objects.create(escalation_id=escalation, kind="escalation", level=2, begun_at=NOON, due_at=NOON)

        def climbs() -> None:
            holds.wait(10)
            climb_due(now=NOON + timedelta(seconds=61))

        at_once([begins_anew, climbs])
        assert Escalation.objects.get().level == 3
        step_pagings(now=NOON + timedelta(seconds=61))
        rows = Paging.objects.order_by("level").values_list("level", "state")
        assert list(rows) == [(1, "risen"), (2, "risen"), (3, "calling")]

    def test_of_administrators_at_one_target_one_is_told_and_none_overwrites_or_waits_for_ever(self) -> None:
        first, second = self.target("First"), self.target("Second")

        def change(name: str) -> Work:
            return told(
                lambda: change_target(
                    actor=self.alix, target_id=first, version=1, name=name, address="", wait_seconds=60, now=NOON
                )
            )

        answers = at_once([change("Mine"), change("Theirs")])
        assert answers.count(Flaw.CHANGED) == 1
        assert OnCallTarget.objects.get(pk=first).version == 2
        renew = told(lambda: renew_secret(actor=self.alix, target_id=second, version=1, now=NOON))
        assert at_once([renew, renew, renew]).count(Flaw.CHANGED) == 2
        third = self.target("Third")
        for _ in range(4):
            at_once([self.earlier(self.alix, pk) for pk in (first, second, third) * 2])
            assert sorted(OnCallTarget.objects.values_list("place", flat=True)) == [1, 2, 3]

    def earlier(self, actor: Staff, pk: UUID) -> Work:
        return lambda: page_earlier(actor=actor, target_id=pk, now=NOON)

    def test_one_form_that_comes_twice_at_once_adds_one_target(self) -> None:
        for number in range(1, 6):
            pk = uuid4()
            answers = at_once([told(lambda pk=pk: self.target(pk=pk))] * 3)  # type: ignore[misc]
            assert answers.count(Flaw.AGAIN) == 2
            assert OnCallTarget.objects.count() == number

    def test_of_administrators_at_one_province_one_is_told_the_first_time_and_later(self) -> None:
        for version, ages in ((0, (14, 16)), (1, (17, 18))):

            def keep(age: int, version: int = version) -> Work:
                duty = Duty(must_under=age)
                return told(
                    lambda: set_duty(actor=self.alix, province=Province.QC, version=version, duty=duty, now=NOON)
                )

            answers = at_once([keep(age) for age in ages])
            assert answers.count("changed") == 1
            assert DutyRow.objects.count() == version + 1

    def test_a_target_that_is_removed_while_workers_page_it_stops_nobody(self) -> None:
        first = self.target("First")
        self.target("Second")
        for _ in range(3):
            self.raised(3)
        step_pagings(now=NOON)
        works: list[Work] = [lambda: claim_deliveries(now=NOON, limit=9), lambda: step_pagings(now=NOON)] * 2
        works.append(lambda: remove_target(actor=self.alix, target_id=first, now=NOON))
        at_once(works)
        at = NOON + timedelta(seconds=40)
        for _ in range(3):
            claim_deliveries(now=at, limit=9)
            step_pagings(now=at)
        left = Delivery.objects.filter(target_name="Second")
        assert left.count() == 3
