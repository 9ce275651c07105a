"""Write down how the tests of the quick exit ended and what they saw: a plugin for `make exit`.

The page shows a promise only while the tests that it names passed here (`frontend/truth.py`), and docs/quick-exit.md
shows the same as a table. What a run leaves out keeps its older result, with its older date. Each result bears the
mark of the code that it was about: `make test` fails when the way out has changed since.
"""

import hashlib
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
WAY_OUT = [
    *("frontend/static/js/visitor/exit.js", "frontend/views/bye.py", "frontend/views/leave.py"),
    *("frontend/plain_cookie.py", "frontend/security_headers.py"),
]
"""What each promise about leaving rests on, whatever else a page shows."""

Results = dict[str, dict[str, dict[str, str]]]
"""By test and engine: outcome, what was seen, version, date, mark of the code."""

_seen: Results = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note one test; whatever is not a pass in each phase is none."""
    test, _, parameter = report.nodeid.partition("[")
    named = parameter.rstrip("]")
    for engine in [named] if named in ENGINES else engines_of(test.partition("::")[0]):
        one = _seen.setdefault(test, {}).setdefault(engine, {"outcome": "passed", "saw": ""})
        if report.outcome != "passed":
            one["outcome"] = report.outcome
        one["saw"] = str(dict(report.user_properties).get("saw", one["saw"]))


def pytest_sessionfinish() -> None:
    """Bring both files up to date."""
    versions, today = {name: version(name) for name in ENGINES}, datetime.now(UTC).date().isoformat()
    for test, runs in _seen.items():
        for engine, one in runs.items():
            one |= {"version": versions[engine], "date": today, "code": mark(test)}
    results = {test: runs for test, runs in (read() | _seen).items() if (ROOT / test.partition("::")[0]).is_file()}
    FILE.write_text(json.dumps(results, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(before + BEGIN + table(results) + END + rest.partition(END)[2], encoding="utf-8")


def read() -> Results:
    """Return what is written down."""
    results: Results = json.loads(FILE.read_text(encoding="utf-8"))
    return results


def engines_of(file: str) -> list[str]:
    """Return the browsers that the tests of a file start when none stands in their names."""
    text = (ROOT / file).read_text(encoding="utf-8")
    return [engine for engine in ENGINES if f"browsers.{engine}(" in text]


def mark(test: str) -> str:
    """Return the mark of the code that a test is about: the way out, and the file of the test itself."""
    files = [*WAY_OUT, test.partition("::")[0]]
    return hashlib.sha256(b"".join((ROOT / file).read_bytes() for file in files)).hexdigest()[:12]


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
            asked = ", ".join(f"Q{number}" for number in numbers(test)) or "–"
            rows.append(f"| {asked} | {words(name)} | {engine} {one['version']} | {seen} | {one['date']} |")
    return "\n".join(rows) + "\n"


def numbers(test: str) -> list[int]:
    """Return the numbers of the design's list in a test's name."""
    return [int(number) for number in re.findall(r"_q(\d\d)(?=_)", test)]


def words(name: str) -> str:
    """Return a test's name as words."""
    return re.sub(r"^(?:q\d\d_)+", "", name).replace("_", " ")
