"""Find what the tests need on this machine, and install what is missing where that is allowed.

As root on a Debian system the missing packages are installed; elsewhere they are only looked for.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support.daemon import ROOT, ServerFailed
from tests.support.needs import CHROMIUM, FIREFOX, HEADLESS, NODE
from tests.support.servers import postgres_programs

INSTALL_SECONDS = 420

FONTS = Path("/usr/share/fonts/truetype/noto")
STAMP = ROOT / "node_modules" / ".package-lock.stamp"


def find_all() -> dict[str, str]:
    """Return the `HAVRE_TEST_*` variables for what is here, and a `HAVRE_TEST_WHY_NOT_*` for what is not."""
    why_not_packages = install_packages()
    why_not_modules = install_node_modules()
    found: dict[str, str] = {}
    programs = {"CHROMIUM": CHROMIUM, "HEADLESS": HEADLESS, "FIREFOX": FIREFOX, "NODE": NODE}
    for name, candidates in programs.items():
        _note(found, name, which(candidates), why_not_packages or "it is not installed")
    for name, inside in (("AXE", "axe-core/axe.min.js"), ("TSC", "typescript/bin/tsc")):
        path = ROOT / "node_modules" / inside
        _note(found, name, str(path) if path.is_file() else "", why_not_modules or "it is not in node_modules")
    return found


def install_packages() -> str:
    """Install the Debian packages that are missing; return why that was not possible, or nothing."""
    missing = [package for package, present in _packages() if not present()]
    if not missing:
        return ""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "it is not installed, and only root on a Debian system can install it"
    say(f"installing {' '.join(missing)}")
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *missing]
    for command in (["apt-get", "update", "--quiet=2"], install):
        problem = _run(command, environ)
        if problem:
            return problem
    return ""


def install_node_modules() -> str:
    """Install the locked npm packages when the lock changed; return why that was not possible, or nothing."""
    npm = shutil.which("npm")
    if not npm or not which(NODE):
        return "Node.js and npm are not installed"
    # By time, as make compares them: the Makefile keeps the same stamp.
    if STAMP.is_file() and STAMP.stat().st_mtime >= (ROOT / "package-lock.json").stat().st_mtime:
        return ""
    say("installing the npm packages")
    problem = _run([npm, "ci", "--ignore-scripts", "--silent"], dict(os.environ))
    if not problem:
        STAMP.touch()
    return problem


def which(candidates: tuple[str, ...]) -> str:
    """Return the path of the first of these programs that is installed, or nothing."""
    return next(filter(None, map(shutil.which, candidates)), "")


def say(line: str) -> None:
    """Print one line of the orchestrator's own, at once."""
    print(f"havre-tests: {line}", flush=True)


def _packages() -> list[tuple[str, Callable[[], object]]]:
    return [
        ("chromium", lambda: which(CHROMIUM)),
        ("chromium-headless-shell", lambda: which(HEADLESS[:1])),
        ("firefox-esr", lambda: which(FIREFOX)),
        ("postgresql", lambda: os.environ.get("HAVRE_TEST_DATABASE_URL") or _has_postgres()),
        ("redis-server", lambda: os.environ.get("HAVRE_TEST_REDIS_URL") or shutil.which("redis-server")),
        ("nodejs", lambda: which(NODE)),
        ("npm", lambda: shutil.which("npm")),
        ("fonts-noto-core", FONTS.is_dir),
    ]


def _has_postgres() -> bool:
    try:
        postgres_programs()
    except ServerFailed:
        return False
    return True


def _run(command: list[str], environ: dict[str, str]) -> str:
    """Run one installation step; return what went wrong, or nothing."""
    what = " ".join(command[:2])
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{what} took more than {INSTALL_SECONDS} s"
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        print("\n".join(lines[-20:]), file=sys.stderr)
        return f"{what} failed: {lines[-1] if lines else done.returncode}"
    return ""


def _note(found: dict[str, str], name: str, value: str, why_not: str) -> None:
    found |= {f"HAVRE_TEST_{name}": value} if value else {f"HAVRE_TEST_WHY_NOT_{name}": why_not}
