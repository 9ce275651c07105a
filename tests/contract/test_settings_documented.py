"""Check that every environment variable is explained, and that none is explained that does not exist."""

import re
from pathlib import Path

from config.env import SECRETS, VARIABLES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


def rows() -> dict[str, str]:
    """Return the table of the page: the row of each variable."""
    found = re.findall(r"^\| `([A-Z_]+)` \|(.*)\|$", PAGE, re.MULTILINE)
    assert len(dict(found)) == len(found), "a variable has two rows"
    return dict(found)


def test_every_variable_has_a_row_and_every_row_a_variable() -> None:
    assert sorted(rows()) == sorted(VARIABLES)


def test_rows_say_which_variables_are_secrets() -> None:
    named = {name for name, row in rows().items() if f"`{name}_FILE`" in row}
    assert named == SECRETS


def test_no_other_page_names_an_unknown_variable() -> None:
    known = set(VARIABLES) | {f"{name}_FILE" for name in SECRETS}
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")):
        named = set(re.findall(r"\bHAVRE_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
        unknown = {name for name in named if name not in known and not name.startswith("HAVRE_TEST_")}
        assert unknown == set(), page.name
