"""Nobody at a board answers: who is on call is paged, one after the other, until somebody comes."""

import json
import logging
import socket
import ssl
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connection
from django.test import TestCase, override_settings
from django.urls import reverse

from audit.models import AuditEvent
from audit.services import find_breaks
from cases.delivery import deliver_due
from cases.models import Entry
from chat import hooks
from chat.core.actors import Staff
from crisis import services, transport
from crisis.core.ladder import Pages
from crisis.core.notice import Notice, Way
from crisis.core.paging import LEASE
from crisis.models import Delivery, OnCallTarget, Paging
from crisis.services.paging import BOARD
from crisis.transport import Errand, Outcome, carry
from encryption.providers import ProviderDown
from encryption.services import sealing
from encryption.text import Secret
from ops.on_call import Pager
from tests.support.layers import until
from tests.support.pagers import OK, certificate, far_end, worker_looks
from tests.support.people import NOON, alix, ben, dana, held_by

HOOK = "https://pager.example.org/hook?token=teal-kettle"
REASON = "she hears the amber lantern man on the stairs"


def after(seconds: float) -> Any:
    return NOON + timedelta(seconds=seconds)


def works(errand: Errand) -> str:
    return "204"


def fails(errand: Errand) -> str:
    return "timeout"


class Case(TestCase):
    def setUp(self) -> None:
        self.ben, self.dana, self.alix = ben(), dana(), alix()
        self.pk, _ = held_by(self.ben)

    def target(self, name: str = "Night pager", *, wait: int = 90, address: str = HOOK) -> UUID:
        pk = uuid4()
        services.add_target(
            actor=self.alix, target_id=pk, name=name, way="webhook", address=address, wait_seconds=wait, now=NOON
        )
        return pk

    def raised(self, level: int, *, by: Staff | None = None) -> UUID:
        done = services.raise_escalation(
            actor=by or self.ben,
            conversation_id=self.pk,
            level=level,
            reason=REASON,
            client_id=uuid4().hex,
            now=NOON,
        )
        return done.result.id

    def told(self) -> str:
        (shown,) = hooks.open_escalations()
        return shown.paged

    def trail(self) -> list[str]:
        rows = AuditEvent.objects.filter(action__startswith="paging.").order_by("pk")
        return [row.action.partition(".")[2] for row in rows]

    def states(self) -> list[tuple[str, str, int, str]]:
        rows = Delivery.objects.order_by("pk")
        return [(row.target_name, row.state, row.tries, row.result) for row in rows]


class Paged(Case):
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


class Workers(Case):
    def test_a_worker_that_vanished_is_replaced_after_its_lease_and_its_late_word_counts_nothing(self) -> None:
        self.target()
        self.raised(3)
        services.step_pagings(now=NOON)
        (lost,) = services.claim_deliveries(now=NOON, limit=10).result
        assert services.claim_deliveries(now=NOON + LEASE - timedelta(seconds=1), limit=10).result == ()
        (again,) = services.claim_deliveries(now=NOON + LEASE, limit=10).result
        assert (again.delivery, again.tries, again.notice.page) == (lost.delivery, 2, lost.notice.page)
        late = services.settle_delivery(
            delivery_id=lost.delivery, tries=lost.tries, outcome=Outcome(False, "timeout"), now=NOON + LEASE
        )
        assert late.result == 0
        assert [state for _, state, *_ in self.states()] == ["due"]

    def test_workers_that_vanish_again_and_again_use_the_tries_up(self) -> None:
        self.target()
        self.raised(3)
        for look in range(5):
            services.step_pagings(now=NOON + look * LEASE)
            services.claim_deliveries(now=NOON + look * LEASE, limit=10)
        assert [(state, code) for _, state, _, code in self.states()] == [("gave_up", "lost")]

    def test_no_transaction_is_open_while_addresses_are_opened(self) -> None:
        self.target()
        self.raised(3)
        services.step_pagings(now=NOON)
        depths: list[int] = []

        def opened(*_: object) -> Secret:
            depths.append(len(connection.savepoint_ids))
            return Secret(HOOK)

        with mock.patch("crisis.services.paging.target_address", opened):
            services.claim_deliveries(now=NOON, limit=10)
        assert depths == [len(connection.savepoint_ids)]

    def test_a_clock_that_was_set_back_makes_nobody_wait(self) -> None:
        self.target(wait=90)
        self.target("Second", wait=90)
        self.raised(3)
        worker_looks(NOON, works)
        back = after(-86_400)
        assert services.mend_pagings(now=back).result == 1
        assert worker_looks(back + timedelta(seconds=89), works) == []
        assert len(worker_looks(back + timedelta(seconds=90), works)) == 1

    def test_old_pagings_are_forgotten_and_running_ones_are_not(self) -> None:
        pk = self.target()
        services.try_target(actor=self.dana, target_id=pk, now=NOON)
        worker_looks(NOON, works)
        worker_looks(after(1), works)
        self.raised(3)
        services.forget_pagings(now=NOON + timedelta(days=91))
        assert [row.kind for row in Paging.objects.all()] == ["escalation"]

    async def test_a_machine_without_a_thread_left_fails_a_try_and_holds_no_place(self) -> None:
        pk = await sync_to_async(self.target)()
        await sync_to_async(lambda: services.try_target(actor=self.dana, target_id=pk, now=NOON))()
        pager = Pager()
        with mock.patch("ops.on_call.Thread.start", side_effect=RuntimeError("can't start new thread")):
            await pager.look(NOON)
            await until(lambda: not pager._tasks, "the try is over")
        assert pager._busy == 0
        states = await sync_to_async(self.states)()
        assert [(state, code) for _, state, _, code in states] == [("failed", "failed")]

    async def test_the_worker_sends_a_signed_page_over_a_real_line_beside_its_loop(self) -> None:
        with far_end(b"HTTP/1.1 500 Oh\r\n\r\n", OK) as far:
            pk = await sync_to_async(lambda: self.target(address=far.address))()
            await sync_to_async(lambda: services.try_target(actor=self.dana, target_id=pk, now=NOON))()
            pager = Pager()
            with (
                mock.patch("crisis.core.paging._PAUSES", (timedelta(0),) * 3),
                mock.patch("ops.on_call.timezone") as clock,
            ):
                clock.now.return_value = NOON
                for tries in (1, 2):
                    await pager.look(NOON)
                    await until(lambda: pager._busy == 0 and not pager._tasks, f"try {tries} is noted")
        states = await sync_to_async(self.states)()
        assert states == [("Night pager", "sent", 2, "204")]
        told = json.loads(far.body())
        assert (told["kind"], told["level"], told["escalation"]) == ("test", 0, None)
        assert told["board"].endswith(BOARD)
        assert far.head("Havre-Signature").startswith(f"t={int(NOON.timestamp())},v1=")
        assert far.heard[0].startswith(b"POST /hook?t=teal HTTP/1.1\r\n")


def errand(address: str, *, way: Way = Way.WEBHOOK) -> Errand:
    notice = Notice("p", None, "test", 0, NOON, "Havre", "https://x.example/staff/board")
    return Errand(1, 1, way, Secret(address), Secret("s") if way is Way.WEBHOOK else None, notice)


class Transport(TestCase):
    """What comes back is a status or a code, and nothing that the far end said."""

    def test_a_redirect_is_not_followed(self) -> None:
        with far_end(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n") as far:
            assert carry(errand(far.address), NOON) == Outcome(False, "302")

    def test_a_far_end_that_drips_has_no_more_time_than_one_that_is_silent(self) -> None:
        def drips(line: socket.socket) -> None:
            line.settimeout(0.02)
            with suppress(ConnectionError):
                for _ in range(100):
                    line.sendall(b"H")
                    with suppress(TimeoutError):
                        if not line.recv(1):
                            return

        with mock.patch.object(transport, "WITHIN", 0.2), far_end(drips) as far:
            assert carry(errand(far.address), NOON) == Outcome(False, "timeout")

    def test_what_is_no_web_server_and_what_is_not_there(self) -> None:
        with far_end(b"220 mail.example.org ESMTP\r\n") as far:
            assert carry(errand(far.address), NOON) == Outcome(False, "not_http")
        assert carry(errand(far.address), NOON) == Outcome(False, "no_connection")

    def test_only_a_certificate_that_is_trusted_for_that_name_gets_the_page(self) -> None:
        with TemporaryDirectory() as folder:
            context, alone = certificate("localhost", Path(folder))
            trusting = mock.patch("ssl.create_default_context", return_value=ssl.create_default_context(cafile=alone))
            with far_end(OK, name="localhost", tls=context) as far:
                assert carry(errand(far.address), NOON) == Outcome(False, "tls")
            assert far.heard == []
            with far_end(OK, tls=context) as far, trusting:
                assert carry(errand(far.address), NOON) == Outcome(False, "tls")
            assert far.heard == []
            with far_end(OK, name="localhost", tls=context) as far, trusting:
                assert carry(errand(far.address), NOON) == Outcome(True, "204")
        assert far.head("Host") == far.address.split("/")[2]

    @override_settings(DEVELOPMENT=False)
    def test_nothing_is_sent_to_what_stands_beside_havre(self) -> None:
        with far_end() as far:
            assert carry(errand(far.address), NOON) == Outcome(False, "not_allowed")
        with override_settings(PAGING_NETWORKS=("127.0.0.0/8",)), far_end(OK) as far:
            assert carry(errand(far.address), NOON) == Outcome(True, "204")

    def test_a_mail_goes_over_the_sites_server_and_a_site_without_one_says_so(self) -> None:
        assert carry(errand("night@example.org", way=Way.MAIL), NOON) == Outcome(False, "no_mail")
        with override_settings(MAIL=True, DEFAULT_FROM_EMAIL="havre@example.org"):
            assert carry(errand("night@example.org", way=Way.MAIL), NOON) == Outcome(True, "mail_taken")
        (sent,) = mail.outbox
        assert (sent.to, sent.from_email) == (["night@example.org"], "havre@example.org")
        assert sent.extra_headers["Message-ID"] == "<p.1.1@example.org>"

    def test_whatever_a_library_raises_is_a_code(self) -> None:
        with mock.patch("socket.getaddrinfo", side_effect=UnicodeError("teal kettle")):
            assert carry(errand(HOOK), NOON) == Outcome(False, "failed")


class Nothing(Case):
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
