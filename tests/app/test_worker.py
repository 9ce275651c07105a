"""The worker's loops do not wait for each other."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

from cases.delivery import deliver_due
from chat import services
from crisis.services import CLIMBS_AT_ONCE, raise_unspoken
from ops import worker
from tests.support.layers import until


@pytest.mark.parametrize("slow", [deliver_due, raise_unspoken, services.retire_closed, services.tend_keys])
async def test_what_waits_for_slow_keys_holds_no_clock_rescue_or_offer_up(slow: Callable[..., Any]) -> None:
    calls: Counter[str] = Counter()

    async def in_db(function: Callable[..., Any], **kwargs: Any) -> services.Done[int]:
        calls[function.__name__] += 1
        if function is slow:
            await asyncio.Event().wait()
        return services.Done(0)

    with mock.patch.object(worker, "in_db", in_db), mock.patch.object(worker, "EVERY", 0.001):
        task = asyncio.create_task(worker.run_forever())
        clocks = ("rescue_stranded", "lapse_offers", "fade_waiting", "offer_waiting", "climb_due")
        await until(lambda: all(calls[name] > 5 for name in clocks), "all clocks go on")
        assert calls[slow.__name__] == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_loop_that_fails_goes_on_and_ends_no_other_one(caplog: pytest.LogCaptureFixture) -> None:
    calls: Counter[str] = Counter()

    async def failing(now: object) -> None:
        calls["failing"] += 1
        raise ValueError

    with (
        mock.patch.object(worker, "run_clocks", failing),
        mock.patch.object(worker, "in_db", mock.AsyncMock(return_value=services.Done(0))),
        mock.patch.object(worker, "EVERY", 0.001),
    ):
        task = asyncio.create_task(worker.run_forever())
        await until(lambda: calls["failing"] > 3, "it is tried again")
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_only_a_clock_that_goes_back_is_noticed() -> None:
    wall, noon = worker.WallClock(), datetime(2026, 11, 25, 12, tzinfo=UTC)
    looks = [(0, 0), (1, 1), (-2, 2), (3, 3), (3_600, 4), (3_601, 5), (1, 6), (2, 7), (400, 700)]
    noticed = [wall.went_back(noon + timedelta(seconds=at), float(steady)) for at, steady in looks]
    assert noticed == [False, False, False, False, False, False, True, False, True], (
        "forward, or by a moment, is no harm"
    )


MENDED = ["mend_clocks", "mend_pagings", "mend_pauses", "mend_screens"]
"""What a worker does as it begins: nobody knows what the clock did before."""


class Looks:
    """Let a worker look at its clock: so many hours back by the wall, so many seconds on by the steady one."""

    def __init__(self) -> None:
        self.wall, self.done = worker.WallClock(), list[str]()
        self.broken = False

    async def look(self, hours: float, seconds: float) -> list[str]:
        """Return what it mended."""
        self.done.clear()
        noon = datetime(2026, 11, 25, 12, tzinfo=UTC)
        with (
            mock.patch.object(worker, "in_db", self._in_db),
            mock.patch.object(worker, "time", SimpleNamespace(monotonic=lambda: seconds)),
        ):
            await worker.mend_clock(self.wall, noon + timedelta(hours=hours, seconds=seconds))
        return list(self.done)

    async def _in_db(self, function: Callable[..., Any], **kwargs: Any) -> services.Done[int]:
        if self.broken:
            raise OSError
        self.done.append(function.__name__)
        return services.Done(0)


async def test_times_are_mended_once_a_clock_went_back(caplog: pytest.LogCaptureFixture) -> None:
    looks = Looks()
    # what began before a clock was set back may be written down after it, with a time of then: so for a minute
    assert [await looks.look(0, second) for second in (0, 1, 61, 62)] == [MENDED, MENDED, MENDED, []]
    assert "set back" not in caplog.text
    assert sorted(await looks.look(-1, 63)) == sorted(["mend_set_back", *MENDED])
    assert "set back" in caplog.text
    assert [await looks.look(-1, second) for second in (64, 122, 123, 124)] == [MENDED, MENDED, MENDED, []]


async def test_what_could_not_be_mended_is_mended_later() -> None:
    """A machine starts with a wrong clock and before its database: nothing may wait an hour for it."""
    looks = Looks()
    looks.broken = True
    assert await looks.look(0, 0) == []
    looks.broken = False
    assert await looks.look(0, 90) == MENDED
    looks.broken = True
    assert [await looks.look(-1, second) for second in (91, 180)] == [[], []]
    looks.broken = False
    assert sorted(await looks.look(-1, 181)) == sorted(["mend_set_back", *MENDED])
    assert await looks.look(-1, 182) == []


async def test_as_many_clocks_act_in_a_round_as_are_due() -> None:
    due, told = 2 * CLIMBS_AT_ONCE + 1, mock.AsyncMock()

    async def in_db(function: Callable[..., Any], **kwargs: Any) -> services.Done[int]:
        nonlocal due
        acted = min(due, CLIMBS_AT_ONCE)
        due -= acted
        return services.Done(acted)

    with mock.patch.object(worker, "in_db", in_db), mock.patch("chat.broadcast.publish_overview", told):
        await worker.run_clocks(datetime(2026, 11, 25, 12, tzinfo=UTC))
    assert due == 0
    assert told.await_count == 3, "boards hear of each batch before the next one"
