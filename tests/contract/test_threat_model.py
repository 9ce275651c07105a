"""Each row of the threat model names what shows it, and what it names is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "threat-model.md"
REFERENCE = re.compile(r"`(tests/[\w/]+\.py)((?:::\w+)*)`")


def rows() -> list[str]:
    """Return the rows of the table."""
    return [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if re.match(r"\| T\d+ ", line)]


def names_in(path: Path) -> set[tuple[str, ...]]:
    """Return every test of a file as the names that lead to it."""
    found: set[tuple[str, ...]] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add((node.name,))
        if isinstance(node, ast.ClassDef):
            inner = (one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
            found |= {(node.name, one.name) for one in inner}
    return found


def test_there_is_a_row_for_each_threat() -> None:
    assert [int(line.split("|")[1].strip()[1:]) for line in rows()] == list(range(1, 20))


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.split("|")[1].strip())
def test_what_a_row_names_is_there(row: str) -> None:
    references = REFERENCE.findall(row)
    assert references or re.search(r"issue \d", row), "a row names a test or the issue that brings it"
    for file, rest in references:
        path = ROOT / file
        assert path.is_file(), f"{file} does not exist"
        if rest:
            assert tuple(rest.split("::")[1:]) in names_in(path), f"{file}{rest} does not exist"


def test_a_dead_reference_would_be_seen() -> None:
    assert ("test_there_is_a_row_for_each_threat",) in names_in(Path(__file__))
    assert ("test_that_never_was",) not in names_in(Path(__file__))
