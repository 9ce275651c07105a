"""Count what one pytest run did, and write it where `HAVRE_TEST_TALLY` says; a plugin for `python -m tests`."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest


@dataclass
class Tally:
    """Hold the counts of one run, or of several added up."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    reasons: list[str] = field(default_factory=list)
    """Why tests were skipped, one entry for each."""

    def add(self, other: "Tally") -> None:
        """Add the counts of another run to these."""
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.reasons += other.reasons


TALLY = Tally()
_FAILED: set[str] = set()


def read_tally(path: Path) -> Tally:
    """Return what a run wrote to `path`; a run that died before its end counts as one failure."""
    try:
        return Tally(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return Tally(failed=1)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count one phase of one test; a test that fails in two phases is one failure."""
    if report.failed:
        _FAILED.add(report.nodeid)
    elif report.skipped:
        _skip(report)
    elif report.when == "call":
        TALLY.passed += 1


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Count a module that cannot be collected as a failure, and one that skips itself as a skip."""
    if report.failed:
        _FAILED.add(report.nodeid)
    elif report.skipped:
        _skip(report)


def pytest_sessionfinish() -> None:
    """Write the counts."""
    TALLY.failed = len(_FAILED)
    path = os.environ.get("HAVRE_TEST_TALLY")
    if path:
        Path(path).write_text(json.dumps(asdict(TALLY)), encoding="utf-8")


def _skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    TALLY.skipped += 1
    TALLY.reasons.append(reason.removeprefix("Skipped: "))
