"""Write down how the tests of the quick exit ended and what they saw: a plugin for `make exit`.

The page shows a promise only while the tests that it names passed here (`frontend/truth.py`), and docs/quick-exit.md
shows the same as a table. What a run leaves out keeps its older result, with its older date.
"""

import json
import os
import re
import subprocess
from datetime import UTC, datetime

import pytest

from tests.support.needs import CHROMIUM, FIREFOX, ROOT

FILE = ROOT / "frontend" / "proved.json"
PAGE = ROOT / "docs" / "quick-exit.md"
BEGIN, END = "<!-- written by make exit: begin -->\n", "<!-- written by make exit: end -->"
ENGINES = {"chromium": CHROMIUM, "firefox": FIREFOX}
BOTH = "both"
"""Stands for the engine of a test that drives both browsers by itself."""

Results = dict[str, dict[str, dict[str, str]]]
"""By test and engine: outcome, what was seen, version, date."""

_seen: Results = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note one test; whatever is not a pass in each phase is none."""
    test, _, parameter = report.nodeid.partition("[")
    engine = parameter.rstrip("]") if parameter.rstrip("]") in ENGINES else BOTH
    one = _seen.setdefault(test, {}).setdefault(engine, {"outcome": "passed", "saw": ""})
    if report.outcome != "passed":
        one["outcome"] = report.outcome
    one["saw"] = str(dict(report.user_properties).get("saw", one["saw"]))


def pytest_sessionfinish() -> None:
    """Bring both files up to date."""
    versions, today = {name: version(name) for name in ENGINES}, datetime.now(UTC).date().isoformat()
    for runs in _seen.values():
        for engine, one in runs.items():
            both = ", ".join(f"{name} {number}" for name, number in versions.items())
            one |= {"version": versions.get(engine, both), "date": today}
    results = {test: runs for test, runs in (read() | _seen).items() if (ROOT / test.partition("::")[0]).is_file()}
    FILE.write_text(json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table(results) + END + rest.partition(END)[2], encoding="utf-8")


def read() -> Results:
    """Return what is written down."""
    results: Results = json.loads(FILE.read_text(encoding="utf-8"))
    return results


def version(engine: str) -> str:
    """Return the version of an installed browser, or nothing."""
    program = os.environ.get(f"HAVRE_TEST_{engine.upper()}") or ENGINES[engine][0]
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""
    found = re.search(r"\d+\.[\w.]+", done.stdout)
    return found[0] if found else ""


def table(results: Results) -> str:
    """Return the results as rows of a page, in the order of their Q."""
    rows = ["| Q | Test | Engine | Seen | Date |", "| --- | --- | --- | --- | --- |"]
    for test in sorted(results, key=lambda one: (numbers(one) or [99], one)):
        name = test.rpartition("::")[2].removeprefix("test_")
        for engine, one in sorted(results[test].items()):
            seen = one["saw"] or "as asked" if one["outcome"] == "passed" else one["outcome"].upper()
            which = one["version"] if engine == BOTH else f"{engine} {one['version']}"
            asked = ", ".join(f"Q{number}" for number in numbers(test)) or "–"
            rows.append(f"| {asked} | {words(name)} | {which} | {seen} | {one['date']} |")
    return "\n".join(rows) + "\n"


def numbers(test: str) -> list[int]:
    """Return the numbers of the design's list in a test's name."""
    return [int(number) for number in re.findall(r"_q(\d\d)(?=_)", test)]


def words(name: str) -> str:
    """Return a test's name as words."""
    return re.sub(r"^(?:q\d\d_)+", "", name).replace("_", " ")
