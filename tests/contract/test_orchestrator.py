"""Check that `make test` cannot be green without having tested: what it runs, and what its last line and status say."""

import os
import socket
import time
from pathlib import Path

import pytest

from tests.__main__ import BROWSER, INTEGRATION, LATER, PATIENT, TIMED, Run, closing, plan
from tests.support.daemon import LOOPBACK, ROOT, clean_environment, free_port
from tests.support.needs import lacking
from tests.support.servers import havre_environment
from tests.support.tally import Tally, read_tally

SERVERS = {"HAVRE_TEST_DATABASE_URL": "postgres://here/x", "HAVRE_TEST_REDIS_URL": "redis://here"}


def test_whole_suite_runs_on_sqlite_in_browsers_and_on_the_servers() -> None:
    (embedded, browsers, more_browsers, served), (timed,) = plan([], SERVERS)
    assert embedded[1:] == ([f"--ignore={BROWSER}", f"--ignore={INTEGRATION}", "tests"], {})
    everything = {f"--ignore={file.relative_to(ROOT)}" for file in (ROOT / BROWSER).rglob("test_*.py")}
    assert {*browsers[1], *more_browsers[1]} == {BROWSER, *everything}
    assert {*browsers[1]} & {*more_browsers[1]} == {BROWSER, f"--ignore={TIMED}", f"--ignore={LATER[0]}"}
    assert timed[1:] == ([TIMED], {})
    assert served[1:] == (
        [INTEGRATION, f"--ignore={LATER[1]}"],
        {"DATABASE_URL": f"postgres://here/x{PATIENT}", "REDIS_URL": "redis://here"},
    )


def test_a_port_that_was_given_to_one_is_given_to_nobody_else() -> None:
    port = free_port()
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind((LOOPBACK, port))
    with socket.create_server((LOOPBACK, port)):
        # as servers ask for one
        socket.create_connection((LOOPBACK, port), timeout=5).close()


def test_what_is_left_for_later_has_a_target_that_tells_it() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"@exec $(PY) -m tests {' '.join(LATER)} $(ARGS)\n" in makefile
    (browsers, served), timed = plan([*LATER], SERVERS)
    assert [browsers[1], served[1], timed] == [[LATER[0]], [LATER[1]], []]


def test_a_named_path_runs_where_it_belongs() -> None:
    path = "tests/contract/test_orchestrator.py::test_a_named_path_runs_where_it_belongs"
    left_out = [f"--ignore={BROWSER}", f"--ignore={INTEGRATION}"]
    assert [run[1] for run in plan(["-x", path], SERVERS)[0]] == [[*left_out, "-x", path]]
    story = "tests/browser/test_story.py"
    assert [[run[1] for run in runs] for runs in plan(["-x", story], SERVERS)] == [[["-x", story]], []]
    assert [[run[1] for run in runs] for runs in plan([f"{TIMED}::x"], SERVERS)] == [[], [[f"{TIMED}::x"]]]


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


def test_what_a_run_prints_and_how_it_ended_reach_who_asked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "test_it.py").write_text("def test_wrong(): assert 'teal' == 'kettle'", encoding="utf-8")
    with Run(tmp_path, os.environ, "a run", alone(tmp_path), {}) as run:
        assert run.wait() == 1
    assert "assert 'teal' == 'kettle'" in capfd.readouterr().out
    assert read_tally(run.tally).failed == 1


def test_runs_go_side_by_side_and_none_outlives_a_stop(tmp_path: Path) -> None:
    """Each of the two waits for the sign of the other, and then goes on until it is stopped."""
    (tmp_path / "test_it.py").write_text(WAITS, encoding="utf-8")
    with (
        Run(tmp_path, os.environ, "one", alone(tmp_path), {"SIGN": "1", "OTHER": "2"}) as one,
        Run(tmp_path, os.environ, "two", alone(tmp_path), {"SIGN": "2", "OTHER": "1"}) as two,
    ):
        last = time.monotonic() + 30
        while len(list(tmp_path.glob("met-*"))) < 2:
            assert time.monotonic() < last, "they were never there at the same time"
            time.sleep(0.05)
        assert (one.process.poll(), two.process.poll()) == (None, None)
    assert one.process.returncode is not None
    assert two.process.returncode is not None


def alone(folder: Path) -> list[str]:
    """Return the arguments of a pytest that takes nothing from this project but its plugin."""
    return ["-c", os.devnull, "--rootdir", str(folder), "-p", "no:django", "-p", "no:cacheprovider", str(folder)]


WAITS = """
import os, pathlib, time

def test_wait():
    here = pathlib.Path(__file__).parent
    (here / f"here-{os.environ['SIGN']}").touch()
    last = time.monotonic() + 30
    while not (here / f"here-{os.environ['OTHER']}").exists():
        assert time.monotonic() < last
        time.sleep(0.05)
    (here / f"met-{os.environ['SIGN']}").touch()
    time.sleep(60)
"""
