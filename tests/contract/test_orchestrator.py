"""Check that `make test` cannot be green without having tested: what it runs, and what its last line and status say."""

from pathlib import Path

import pytest

from tests.__main__ import INTEGRATION, closing, plan
from tests.support.daemon import clean_environment
from tests.support.needs import lacking
from tests.support.servers import havre_environment
from tests.support.tally import Tally, read_tally

SERVERS = {"HAVRE_TEST_DATABASE_URL": "postgres://here/x", "HAVRE_TEST_REDIS_URL": "redis://here"}


def test_whole_suite_runs_on_sqlite_and_then_on_the_servers() -> None:
    embedded, served = plan([], SERVERS)
    assert embedded[1:] == ([f"--ignore={INTEGRATION}", "tests"], {})
    assert served[1:] == ([INTEGRATION], {"DATABASE_URL": "postgres://here/x", "REDIS_URL": "redis://here"})


def test_a_named_path_runs_where_it_belongs() -> None:
    path = "tests/contract/test_orchestrator.py::test_a_named_path_runs_where_it_belongs"
    assert [run[1] for run in plan(["-x", path], SERVERS)] == [[f"--ignore={INTEGRATION}", "-x", path]]


def test_last_line_has_the_shape_that_others_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert closing(Tally(passed=3, skipped=1, reasons=["on purpose"]), [0, 0], strict=True) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "havre: 3 passed, 0 failed, 1 skipped"


@pytest.mark.parametrize(
    ("total", "statuses", "strict"),
    [
        (Tally(), [0, 0], False),
        (Tally(passed=1, failed=1), [0, 0], False),
        (Tally(passed=1), [0, 5], False),
        (Tally(passed=1, skipped=1, reasons=["needs Redis: gone"]), [0, 0], True),
    ],
    ids=["nothing ran", "one failed", "one run selected nothing", "something was wanting in CI"],
)
def test_it_fails(total: Tally, statuses: list[int], strict: bool) -> None:
    assert closing(total, statuses, strict=strict) == 1


def test_a_run_that_died_before_its_end_is_a_failure(tmp_path: Path) -> None:
    assert read_tally(tmp_path / "missing").failed == 1


def test_want_of_something_skips_on_a_desk_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs Redis: gone"):
        lacking("Redis", "gone")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs Redis: gone"):
        lacking("Redis", "gone")


def test_settings_of_a_real_site_reach_no_test(tmp_path: Path) -> None:
    shell = {"HAVRE_DATA_DIR": "/real", "DATABASE_URL_FILE": "/real", "HAVRE_TEST_NODE": "/n", "PATH": "/bin"}
    assert clean_environment(shell) == {"HAVRE_TEST_NODE": "/n", "PATH": "/bin"}
    assert havre_environment(tmp_path)["HAVRE_DATA_DIR"] == str(tmp_path)
    assert "DATABASE_URL" not in havre_environment(tmp_path)
