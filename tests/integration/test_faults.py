"""Break what can break while people write: acknowledged = stored = shown, none lost, none doubled. Short forms of
`make chaos`, whose runs are longer and also on other servers."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.chaos import runs
from tests.chaos.count import Count
from tests.chaos.runs import Size
from tests.chaos.site import Site, running
from tests.support.needs import need_postgres, need_redis

pytestmark = pytest.mark.servers

SMALL = Size(messages=200, pairs=6, seconds=1.0)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One process on SQLite, with a proxy before it."""
    with running(tmp_path_factory.mktemp("alone"), before=("web",)) as site:
        yield site


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two processes and a worker, with proxies before a PostgreSQL and a Redis of their own, which are restarted."""
    need_postgres()
    need_redis()
    folder = tmp_path_factory.mktemp("joined")
    with running(folder, database="postgres", webs=2, before=("redis", "postgres")) as site:
        yield site


def held(count: Count) -> None:
    assert count.whole, count
    assert count.sent > 0


def test_a_killed_process_loses_nothing(alone: Site) -> None:
    held(runs.web_killed(SMALL, alone))


def test_a_process_that_is_asked_to_end_loses_nothing(alone: Site) -> None:
    held(runs.web_stopped(SMALL, alone))


def test_bad_lines_of_pages_lose_nothing(alone: Site) -> None:
    held(runs.page_lines_bad(SMALL, alone))


def test_a_crowd_that_comes_back_at_once_is_let_in(alone: Site) -> None:
    held(runs.storm(SMALL, alone))


def test_processes_killed_in_turn_lose_nothing(joined: Site) -> None:
    held(runs.web_killed(replace(SMALL, times=2), joined))


def test_a_redis_that_restarts_loses_nothing(joined: Site) -> None:
    held(runs.redis_restarted(replace(SMALL, times=2), joined))


def test_a_postgres_that_restarts_loses_nothing(joined: Site) -> None:
    held(runs.postgres_restarted(SMALL, joined))


def test_nudges_that_are_dropped_doubled_and_swapped_harm_nobody(joined: Site) -> None:
    held(runs.nudges_meddled(SMALL, joined))


def test_bad_lines_of_servers_lose_nothing(joined: Site) -> None:
    held(runs.server_lines_bad(SMALL, joined))


def test_a_full_disk_refuses_and_loses_nothing() -> None:
    count = runs.disk_full(SMALL)
    held(count)
    assert count.ours, "nobody was told"


def test_a_clock_that_is_set_back_harms_no_order() -> None:
    held(runs.clock_back(SMALL))


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
def test_a_page_that_never_reads_costs_bounded_memory(server: str) -> None:
    held(runs.never_reads(replace(SMALL, messages=1_600, pairs=1, server=server)))
