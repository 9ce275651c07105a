"""Run the browser code's own tests and check its types."""

import subprocess
from pathlib import Path

from tests.support.needs import need_node, need_tsc

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_the_reducers_and_the_line_behave() -> None:
    tests = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/js").glob("*.test.js"))
    assert tests
    run(need_node(), "--test", *tests)


def test_the_types_hold() -> None:
    run(need_node(), str(need_tsc()), "--project", "tsconfig.json")
