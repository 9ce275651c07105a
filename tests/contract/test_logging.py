"""What the code may hand to a logger: a message that stands whole in the source, no text and no exception."""

import ast
import re
from collections.abc import Iterator

import pytest

from config import logs
from tests.contract.test_architecture import ROOMS as ALL_ROOMS
from tests.support.needs import ROOT

ROOMS = sorted(logs.OURS)


def lines_logged(source: str) -> Iterator[ast.Call]:
    """Yield each call of a logger."""
    kinds = {"debug", "info", "warning", "error", "critical", "exception", "log"}
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="logger" | "_OUTSIDE"), attr=kind)) if kind in kinds:
                yield node


def unfit(call: ast.Call) -> bool:
    """Tell whether a message is put together, or a value is a whole exception or text."""
    plain = bool(call.args) and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    exceptions = any(isinstance(value, ast.Name) and value.id in {"error", "exception"} for value in call.args[1:])
    revealed = any("reveal" in ast.unparse(value) for value in call.args[1:])
    return not plain or exceptions or revealed


def test_every_message_stands_whole_in_the_source() -> None:
    found = []
    for path in (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))):
        source = path.read_text(encoding="utf-8")
        # the offline program has no log: a person at that screen is whom it speaks to
        assert "offline" in path.parts or not re.search(r"\bprint\(", source), path
        found += [(path.name, call.lineno, unfit(call)) for call in lines_logged(source)]
    assert len(found) > 15
    assert [place for place in found if place[2]] == []


@pytest.mark.parametrize(
    "line", ['logger.error(f"got {body}")', "logger.error(body)", 'logger.error("x %s", error)', 'logger.info("a" + b)']
)
def test_a_message_that_is_put_together_is_noticed(line: str) -> None:
    assert [unfit(call) for call in lines_logged(line)] == [True]


def test_the_rooms_are_the_rooms() -> None:
    assert frozenset(ALL_ROOMS) == logs.OURS
