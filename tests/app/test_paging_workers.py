"""Several workers, one that vanished, a clock that was set back: each page leaves once and none is forgotten."""

import json
from datetime import timedelta
from typing import Any
from unittest import mock

from asgiref.sync import sync_to_async
from django.db import OperationalError, connection

from crisis import services
from crisis.core.paging import LEASE
from crisis.models import Paging
from crisis.services.deliveries import BOARD
from crisis.transport import Outcome
from encryption.text import Secret
from ops.on_call import Pager
from tests.support.layers import until
from tests.support.pagers import OK, far_end, worker_looks
from tests.support.paging import HOOK, PagingCase, after, works
from tests.support.people import NOON


class Workers(PagingCase):
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

        with mock.patch("crisis.services.deliveries.target_address", opened):
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

    async def test_what_became_of_a_page_is_noted_again_when_the_database_did_not_take_it(self) -> None:
        with far_end(OK) as far:
            pk = await sync_to_async(lambda: self.target(address=far.address))()
            await sync_to_async(lambda: services.try_target(actor=self.dana, target_id=pk, now=NOON))()
            pager, away = Pager(), [OperationalError(), OperationalError()]

            def settle(**given: Any) -> Any:
                if away:
                    raise away.pop()
                return services.settle_errand(**given)

            with mock.patch("ops.on_call.settle_errand", settle), mock.patch("ops.on_call.AGAIN", 0):
                await pager.look(NOON)
                await until(lambda: not pager._tasks, "it is noted")
        assert await sync_to_async(self.states)() == [("Night pager", "sent", 1, "204")]
        assert len(far.heard) == 1

    async def test_a_page_that_could_not_leave_early_in_its_lease_leaves_with_the_next_one(self) -> None:
        pk = await sync_to_async(self.target)()
        await sync_to_async(lambda: services.try_target(actor=self.dana, target_id=pk, now=NOON))()
        pager = Pager()
        with mock.patch("ops.on_call.LATEST", -1.0), mock.patch("ops.on_call.carry") as carried:
            await pager.look(NOON)
            await until(lambda: not pager._tasks, "it is noted")
        assert (carried.called, pager._busy) == (False, 0)
        assert await sync_to_async(self.states)() == [("Night pager", "failed", 1, "late")]

    def test_a_test_that_is_on_its_way_is_not_doubled(self) -> None:
        pk = self.target()
        for _ in range(3):
            services.try_target(actor=self.dana, target_id=pk, now=NOON)
        assert len(worker_looks(NOON, works)) == 1
        services.try_target(actor=self.dana, target_id=pk, now=NOON)
        assert len(worker_looks(NOON, works)) == 1

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
        keys = [line for one in far.heard for line in one.split(b"\r\n") if line.startswith(b"Idempotency-Key: ")]
        assert len(keys) == 2
        assert len(set(keys)) == 1, "a repeat is known by its key"
        bodies = {one.partition(b"\r\n\r\n")[2] for one in far.heard}
        assert len(bodies) == 1
