"""Start where one may: a port that is one, a folder that nobody serves, settings that are there."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command

from crisis import in_force
from crisis.core.screening import BadRule
from crisis.selectors.rules import Newest
from ops.management.commands import serve
from ops.one_server import AlreadyServed, claim
from tests.support.daemon import ROOT, clean_environment
from tests.support.servers import HavreServer, havre_environment, migrate_and_seed


def run(*arguments: str, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a management command to its end."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_a_command_looks_for_garbage_once_it_is_loaded_and_not_through_itself(tmp_path: Path) -> None:
    asked = "import gc; print(gc.isenabled(), gc.get_freeze_count() > 50_000)"
    done = run("shell", "--no-imports", "-c", asked, environ=havre_environment(tmp_path))
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.parametrize("port", ["0", "99999", "-1"])
def test_what_is_no_port_is_called_so(port: str, tmp_path: Path) -> None:
    done = run("serve", f"--port={port}", environ=havre_environment(tmp_path))
    assert done.returncode == 1
    assert done.stderr == f"CommandError: {port} is no port; choose one from 1024 to 65535 with PORT=\n"


def test_a_taken_port_is_called_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        done = run("serve", "--port", str(other.getsockname()[1]), environ=havre_environment(tmp_path))
    assert "is taken; choose another with PORT=" in done.stderr


def test_a_missing_variable_is_named_in_one_line() -> None:
    done = run("check", environ=clean_environment())
    assert done.stderr == "manage.py: HAVRE_SECRET_KEY is missing; set it, or HAVRE_SECRET_KEY_FILE\n"


def test_a_folder_is_held_by_one_until_it_ends(tmp_path: Path) -> None:
    held = claim(tmp_path, "port 8000")
    with pytest.raises(AlreadyServed, match="port 8000"):
        claim(tmp_path, "port 8001")
    os.close(held)
    os.close(claim(tmp_path, "port 8001"))


def test_a_running_demo_is_neither_thrown_away_nor_served_twice(tmp_path: Path) -> None:
    environ = havre_environment(tmp_path)
    migrate_and_seed(environ)
    with HavreServer(tmp_path) as server:
        reset = run("reset_demo", environ=environ)
        assert f"the demo is running on port {server.port}" in reset.stderr
        assert "serves" in run("serve", "--port", "8999", environ=environ).stderr
        assert (tmp_path / "havre.sqlite3").exists()
        server.kill9()
        assert run("reset_demo", environ=environ).returncode == 0
        assert not tmp_path.exists()


def test_real_data_is_never_thrown_away(tmp_path: Path) -> None:
    environ = havre_environment(tmp_path) | {"HAVRE_DEVELOPMENT": "0", "HAVRE_SECRET_KEY": "x" * 60}
    assert "only the data of a demo" in run("reset_demo", environ=environ).stderr
    assert tmp_path.exists()


@pytest.fixture
def order(settings: Any) -> Iterator[mock.Mock]:
    """Return what a start does, in its order; nothing listens."""
    settings.SCREENING, settings.EMBEDDED = True, False
    steps = mock.Mock()
    with mock.patch.multiple(
        serve,
        rules=steps.rules,
        keep_pauses_short=steps.pauses,
        serve_daphne=steps.serve,
        _check_free=mock.DEFAULT,
        _make_key_folder=mock.DEFAULT,
    ):
        yield steps


def test_the_rules_are_read_before_anybody_is_let_in(order: mock.Mock) -> None:
    call_command("serve")
    assert [name for name, _, _ in order.mock_calls] == ["rules.load", "pauses", "serve"]


def test_a_bad_rule_keeps_nobody_out(order: mock.Mock, caplog: pytest.LogCaptureFixture) -> None:
    order.rules.load = in_force.InForce().load
    bad = BadRule("a.rule", "it has no pattern")
    with (
        mock.patch.object(in_force, "newest_rules", return_value=Newest(0, True, "")),
        mock.patch("crisis.rules.shipped", side_effect=bad),
    ):
        call_command("serve")
    order.serve.assert_called_once()
    assert "the screening rules has a flaw" in caplog.text
