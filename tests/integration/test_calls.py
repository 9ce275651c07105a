"""Calls for help on PostgreSQL and Redis: heard at once on another process, and no clock lost or doubled by workers.

Short forms of `make calls`.
"""

import math
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from crisis.core.paging import GATHERS
from tests.chaos.calls import SOON, Shift, heard, p99, shift, told
from tests.chaos.clocks import ROUND, carried, judged, killed, wait_until, watched
from tests.support.needs import need_postgres, need_redis
from tests.support.servers import fresh_database

pytestmark = pytest.mark.servers
MANY, FEW = 60, 5


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shift]:
    """Two web processes, and clocks that run: many on level 1, a few on level 2."""
    redis, folder = need_redis(), tmp_path_factory.mktemp("calls")
    clocks = {1: MANY, 2: FEW}
    with fresh_database(need_postgres()) as database, shift(folder, database, redis, clocks=clocks, webs=2) as one:
        yield one


async def test_a_call_on_one_process_is_on_the_board_of_another_within_a_second(one: Shift) -> None:
    # browsers run beside this one and may hold a batch up; what Havre itself delays, it delays each time
    for _ in range(3):
        seconds = await heard(one, 40, every=0.1)
        print(f"heard after {told(seconds)}")
        if p99(seconds) < SOON:
            break
    assert p99(seconds) < SOON


def test_no_clock_is_lost_or_doubled_by_workers_that_die_and_double(one: Shift) -> None:
    first = one.worker().start()
    fate = killed(one, first, 2, FEW)
    print(f"acted {fate.acted:.1f} s after a start that took {fate.started:.1f} s")
    assert fate.acted < fate.started + ROUND
    # what comes for one target within seconds leaves with the next page
    one.jump(math.ceil(GATHERS.total_seconds()) + 1)
    wait_until(lambda: one.pager.calls == FEW, "each is paged for")

    # many at once: the worker is killed among them, and two go on
    one.run_out(1)
    since = time.monotonic()
    wait_until(lambda: one.acted(1) > 0, "the first ones act")
    first.kill9()
    others = [one.worker(), one.worker()]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda worker: worker.start(), others))
    seen = watched(one, 1, MANY, since)
    print(f"{MANY} clocks: p99 {seen.after(0.99):.1f} s, {seen.connections} connections, {seen.waiting} waited")
    # those that had climbed first call again meanwhile, and once more with both workers there
    wait_until(lambda: one.acted(2, times=2) == FEW, "each calls again")
    one.run_out(2)
    wait_until(lambda: one.acted(2, times=3) == FEW, "each calls again")
    wait_until(lambda: carried(one), "all is in its case")
    found = judged(one)
    assert found.wrong == []
    assert found.acts == MANY + 3 * FEW
    assert seen.longest_wait < 3, "who waits for a lock longer than that is told so"
    for word in ("failed", "could not", "rror"):
        assert word not in one.logs()
    for worker in others:
        worker.kill9()
