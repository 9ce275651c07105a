"""Say what a test needs from the machine: a browser, a server, Node.js.

Each `need_*` returns the path or address, or skips the test with the reason. Under `CI=true` a missing one
fails the test instead: a check that quietly did not run is worth nothing there. `python -m tests` finds,
installs or starts these things and hands them over in `HAVRE_TEST_*` variables.
"""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parents[2]

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
HEADLESS = ("chromium-headless-shell", *CHROMIUM)
"""The same engine without what draws windows takes less than half the processor time; the whole one serves too."""
FIREFOX = ("firefox-esr", "firefox")
NODE = ("node", "nodejs")

PREFIX = "needs "
"""Begins the reason of every skip for want of something; the orchestrator looks for it."""


def need_chromium() -> str:
    """Return the path of Chromium, or skip."""
    return _program("CHROMIUM", "Chromium", CHROMIUM)


def need_headless() -> str:
    """Return the path of Chromium without windows, or else of the whole one, or skip."""
    return _program("HEADLESS", "Chromium", HEADLESS)


def need_firefox() -> str:
    """Return the path of Firefox, or skip."""
    return _program("FIREFOX", "Firefox", FIREFOX)


def need_node() -> str:
    """Return the path of Node.js, or skip."""
    return _program("NODE", "Node.js", NODE)


def need_postgres() -> str:
    """Return the address of a PostgreSQL database whose user may create others, or skip."""
    return _address("DATABASE_URL", "PostgreSQL")


def need_redis() -> str:
    """Return the address of a Redis that a test may empty, or skip."""
    return _address("REDIS_URL", "Redis")


def need_axe() -> Path:
    """Return the accessibility checker's script, or skip."""
    return _package_file("AXE", "axe-core", "axe-core/axe.min.js")


def need_tsc() -> Path:
    """Return the TypeScript compiler, to be run by Node.js, or skip."""
    need_node()
    return _package_file("TSC", "TypeScript", "typescript/bin/tsc")


def lacking(what: str, reason: str) -> NoReturn:
    """Skip the running test for want of `what`; fail it in CI."""
    message = f"{PREFIX}{what}: {reason}"
    if os.environ.get("CI") == "true":
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def _program(name: str, what: str, candidates: tuple[str, ...]) -> str:
    given = os.environ.get(f"HAVRE_TEST_{name}", "")
    found = given or next(filter(None, map(shutil.which, candidates)), None)
    if not found:
        lacking(what, _why_not(name, "it is not installed"))
    return found


def _address(name: str, what: str) -> str:
    given = os.environ.get(f"HAVRE_TEST_{name}", "")
    if not given:
        lacking(what, _why_not(name, f"HAVRE_TEST_{name} is not set; make test starts one"))
    return given


def _package_file(name: str, what: str, inside: str) -> Path:
    path = Path(os.environ.get(f"HAVRE_TEST_{name}") or ROOT / "node_modules" / inside)
    if not path.is_file():
        lacking(what, _why_not(name, "node_modules is missing; make test installs it"))
    return path


def _why_not(name: str, otherwise: str) -> str:
    return os.environ.get(f"HAVRE_TEST_WHY_NOT_{name}") or otherwise
