"""The direction of imports, held by import-linter; and where rows are read and written, held by reading the code."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from frontend.urls import urlpatterns

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    *("config", "frontend", "ops", "drills", "cases", "crisis", "directory", "chat", "staff", "encryption", "audit"),
)

PLACES = {
    "models": "managers and what a row does to itself",
    "services": "changes, inside a transaction",
    "selectors": "what somebody may see",
    "delivery": "the outbox's other end: takes due items and settles them",
    "log": "the one place that appends to a conversation, under its row lock",
    "outbox": "adds an item in the transaction of its cause",
    "samples": "accounts of the demo",
    "migrations": "data on its way to another shape",
}
"""The only modules, or folders of modules, that touch rows, and why."""


def test_rooms_import_in_one_direction_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def row_access(source: str) -> Iterator[int]:
    """Yield the lines that use a manager or call `save` or `delete`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(attr="objects") | ast.Call(func=ast.Attribute(attr="save" | "delete")):
                yield node.lineno


def test_rows_are_touched_in_few_places_only() -> None:
    strays, used = [], set()
    for path in (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))):
        inside = path.relative_to(ROOT).with_suffix("")
        lines = sorted(row_access(path.read_text(encoding="utf-8")))
        places = PLACES.keys() & set(inside.parts[1:])
        used |= places if lines else set()
        strays += [] if places else [f"{inside}.py:{line}" for line in lines]
    assert strays == []
    assert PLACES.keys() - used <= {"migrations"}, "a place that touches no rows needs no permission"


def test_what_anybody_may_ask_never_runs_on_the_threads_of_staff_and_worker() -> None:
    open_to_all = [one for one in urlpatterns if not str(one.pattern).startswith("staff/")]
    modules = {one.callback.__module__ for one in open_to_all} | {"chat.consumers.visitor", "chat.consumers.poll"}
    assert {"frontend.views.bye", "frontend.views.survey", "frontend.views.leave"} < modules
    assert [name for name in sorted(modules) if hasattr(import_module(name), "in_db")] == []


def test_the_reader_of_code_sees_each_kind_of_access() -> None:
    source = "User.objects.get()\nrow.save()\nself.row.delete()\nsave(row)\nrow.save\n"
    assert sorted(row_access(source)) == [1, 2, 3]
