"""Nobody at a board answers: who is on call is paged, one after the other, until somebody comes."""

import logging
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from audit.services import find_breaks
from cases.delivery import deliver_due
from cases.models import Entry
from crisis import services
from crisis.core.ladder import Pages
from crisis.models import Delivery, Escalation, OnCallTarget, Paging
from crisis.services.deliveries import BOARD
from crisis.transport import Errand, Outcome
from encryption.providers import ProviderDown
from encryption.services import sealing
from encryption.text import Secret
from tests.support.pagers import worker_looks
from tests.support.paging import HOOK, PagingCase, after, fails, works
from tests.support.people import NOON


class Paged(PagingCase):
    def test_level_3_pages_the_first_then_the_second_when_nobody_came(self) -> None:
        self.target("First", wait=90)
        self.target("Second", wait=60)
        escalation = self.raised(3)
        (errand,) = worker_looks(NOON, works)
        assert (errand.notice.level, errand.notice.escalation, errand.address) == (3, str(escalation), Secret(HOOK))
        assert self.told() == "reached"
        assert worker_looks(after(89), works) == []
        (errand,) = worker_looks(after(90), works)
        assert [name for name, *_ in self.states()] == ["First", "Second"]
        services.acknowledge(actor=self.dana, escalation_id=escalation, now=after(100))
        assert worker_looks(after(3_600), works) == []
        assert self.told() == "none"
        assert self.trail() == ["begun", "sent", "sent", "answered"]
        assert find_breaks() == []

    def test_a_level_2_that_nobody_answers_pages_as_it_climbs_and_level_1_does_not(self) -> None:
        self.target()
        self.raised(1)
        services.climb_due(now=after(300))
        assert not Paging.objects.exists()
        services.climb_due(now=after(420))
        assert [(row.level, row.state) for row in Paging.objects.all()] == [(3, "calling")]

    def test_a_level_2_that_may_not_climb_pages_as_it_repeats(self) -> None:
        self.target()
        services.set_rung(actor="command", level=2, seconds=30, climbs=False, pages=Pages.UNANSWERED, now=NOON)
        self.raised(2)
        assert not Paging.objects.exists()
        services.climb_due(now=after(30))
        assert Paging.objects.get().level == 2

    def test_a_rule_that_finds_danger_pages_as_a_person_does(self) -> None:
        self.target()
        services.raise_cue(conversation_id=self.pk, level=3, reason="because", client_id="c" * 32, now=NOON)
        assert len(worker_looks(NOON, works)) == 1

    def test_pages_repeat_with_the_ladder_once_every_target_had_its_turn(self) -> None:
        self.target("First", wait=90)
        self.target("Second", wait=90)
        self.raised(3)
        sent: list[tuple[int, str]] = []
        for second in range(0, 400, 10):
            services.climb_due(now=after(second))
            for errand in worker_looks(after(second), works):
                sent.append((second, Delivery.objects.get(pk=errand.delivery).target_name))
        # both have had their 90 s after 180 s; the ladder's next repeat, which comes each minute, begins anew
        assert sent == [(0, "First"), (90, "Second"), (240, "First"), (330, "Second")]

    def test_what_is_not_delivered_is_tried_again_and_then_the_next_is_paged(self) -> None:
        self.target("First")
        self.target("Second")
        self.raised(3)
        for second in (0, 1, 5, 15, 15):
            worker_looks(
                after(second), lambda errand: "503" if errand.tries and "First" in self._name(errand) else "200"
            )
        assert self.states() == [("First", "gave_up", 4, "503"), ("Second", "sent", 1, "200")]
        assert self.told() == "reached"

    def _name(self, errand: Errand) -> str:
        return Delivery.objects.get(pk=errand.delivery).target_name

    def test_nobody_on_call_was_reached_and_the_board_says_so_until_somebody_is(self) -> None:
        self.target()
        self.raised(3)
        assert self.told() == "calling"
        with self.assertLogs("crisis.services", "ERROR"):
            for second in (0, 1, 5, 15, 16):
                worker_looks(after(second), fails)
        assert self.told() == "unreached"
        services.climb_due(now=after(60))
        worker_looks(after(60), fails)
        assert self.told() == "unreached"
        worker_looks(after(61), works)
        assert self.told() == "reached"

    def test_each_step_is_in_the_case_and_a_page_is_there_once(self) -> None:
        self.target(wait=15)
        self.raised(3)
        for second in range(0, 200, 5):
            services.climb_due(now=after(second))
            worker_looks(after(second), works)
        deliver_due(now=after(300))
        codes = list(Entry.objects.order_by("pk").values_list("code", flat=True))
        assert codes.count("escalation_paged") == 1
        assert codes.count("escalation_repeated") == 3
        assert "escalation_unreached" not in codes

    def test_without_a_target_nothing_is_paged_and_nothing_fails(self) -> None:
        self.raised(3)
        services.climb_due(now=after(60))
        assert not Paging.objects.exists()
        assert self.told() == "none"

    def test_what_is_settled_or_acknowledged_before_it_left_is_dropped(self) -> None:
        self.target()
        seen, settled = self.raised(3), self.raised(3)
        services.step_pagings(now=NOON)
        services.acknowledge(actor=self.dana, escalation_id=seen, now=NOON)
        services.stand_down(actor=self.dana, escalation_id=settled, reason="a mistake", now=NOON)
        assert [state for _, state, *_ in self.states()] == ["dropped", "dropped"]
        assert worker_looks(after(1), works) == []

    def test_a_paging_that_began_in_the_moment_of_the_answer_pages_nobody(self) -> None:
        self.target()
        escalation = self.raised(3)
        services.step_pagings(now=NOON)
        # as a worker leaves it that began it anew beside the answer, which could not see it and so called it not off
        Escalation.objects.filter(pk=escalation).update(state="acknowledged", due_at=None)
        assert services.claim_deliveries(now=NOON, limit=10).result == ()
        assert [state for _, state, *_ in self.states()] == ["dropped"]
        assert Paging.objects.get().state == "answered"

    def test_a_page_that_was_on_its_way_when_somebody_came_is_told_as_arrived(self) -> None:
        self.target()
        escalation = self.raised(3)
        services.step_pagings(now=NOON)
        (errand,) = services.claim_deliveries(now=NOON, limit=10).result
        services.acknowledge(actor=self.dana, escalation_id=escalation, now=NOON)
        arrived = Outcome(True, "200")
        services.settle_delivery(delivery_id=errand.delivery, tries=errand.tries, outcome=arrived, now=after(2))
        assert [state for _, state, *_ in self.states()] == ["sent"]
        assert Paging.objects.get().state == "answered"

    def test_a_target_that_was_removed_meanwhile_holds_the_next_one_up_for_no_time(self) -> None:
        first = self.target("First")
        self.target("Second")
        self.raised(3)
        services.step_pagings(now=NOON)
        services.remove_target(actor=self.alix, target_id=first, now=NOON)
        worker_looks(NOON, works)
        (errand,) = worker_looks(after(1), works)
        assert self._name(errand) == "Second"

    def test_keys_that_are_away_cost_a_try_and_no_more(self) -> None:
        self.target()
        self.raised(3)
        services.step_pagings(now=NOON)
        sealing.forget()
        down = mock.MagicMock()
        down.unwrap.side_effect = ProviderDown("std")
        with mock.patch.object(sealing, "provider", return_value=down):
            assert services.claim_deliveries(now=NOON, limit=10).result == ()
        assert [(state, code) for _, state, _, code in self.states()] == [("failed", "keys")]
        assert len(worker_looks(after(1), works)) == 1


class Nothing(PagingCase):
    @pytest.fixture(autouse=True)
    def _log(self, caplog: pytest.LogCaptureFixture) -> None:
        self.log = caplog

    def test_address_secret_and_reason_are_in_no_row_no_line_and_no_page(self) -> None:
        pk = uuid4()
        given: dict[str, Any] = {"actor": self.alix, "name": "Pager", "way": "webhook", "address": HOOK}
        secret = services.add_target(target_id=pk, wait_seconds=60, **given, now=NOON).result
        assert secret is not None
        self.raised(3)
        with self.log.at_level(logging.INFO):
            carried = [one for second in (0, 1, 5, 15, 16) for one in worker_looks(after(second), fails)]
        rows: list[object] = [*OnCallTarget.objects.values(), *Delivery.objects.values(), *Paging.objects.values()]
        rows += AuditEvent.objects.values()
        told = f"{rows}{carried}{self.log.text}{[vars(one) for one in self.log.records]}"
        for canary in ("teal-kettle", secret.reveal(), "amber lantern"):
            assert canary not in told
        target = OnCallTarget.objects.get()
        assert secret.reveal().encode() not in bytes(target.sealed_secret or b"")
        assert b"teal-kettle" not in bytes(target.sealed_address)

    def test_the_link_leads_to_the_board(self) -> None:
        assert reverse("board") == BOARD
