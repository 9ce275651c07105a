"""The worker's loops do not wait for each other."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import pytest

from cases.delivery import deliver_due
from chat import services
from ops import worker
from tests.support.layers import until


@pytest.mark.parametrize("slow", [deliver_due, services.retire_closed, services.tend_keys])
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


async def test_times_are_mended_once_a_clock_went_back(caplog: pytest.LogCaptureFixture) -> None:
    wall, noon, done = worker.WallClock(), datetime(2026, 11, 25, 12, tzinfo=UTC), []

    async def in_db(function: Callable[..., Any], **kwargs: Any) -> services.Done[int]:
        done.append(function.__name__)
        return services.Done(0)

    with mock.patch.object(worker, "in_db", in_db):
        await worker.mend_clock(wall, noon)
        # nobody knows what the clock did before this process began
        assert done == ["mend_clocks", "mend_pagings"]
        assert "set back" not in caplog.text
        done.clear()
        for hours in (-1, -1):
            await worker.mend_clock(wall, noon + timedelta(hours=hours))
    assert done == ["mend_set_back", "mend_clocks", "mend_pagings"]
    assert "set back" in caplog.text
