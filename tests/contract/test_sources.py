"""Check the files of the pages: nothing that runs or stores by the back door, no third party, no bare word."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.shipped import (
    FRONTEND,
    SCRIPTS,
    STYLES,
    TEMPLATES,
    VISITOR_SCRIPTS,
    VISITOR_TEMPLATES,
    Problems,
    bare_words,
    goes_elsewhere,
    physical,
    runs_text,
    stores,
)


def called(path: Path) -> str:
    """Return the name of a test about a file."""
    return str(path.relative_to(FRONTEND))


@pytest.mark.parametrize("path", SCRIPTS + TEMPLATES, ids=called)
def test_nothing_turns_text_into_markup(path: Path) -> None:
    assert list(runs_text(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", VISITOR_SCRIPTS + VISITOR_TEMPLATES, ids=called)
def test_the_visitors_page_stores_nothing(path: Path) -> None:
    assert list(stores(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", SCRIPTS + STYLES + TEMPLATES, ids=called)
def test_no_third_party(path: Path) -> None:
    assert list(goes_elsewhere(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", STYLES, ids=called)
def test_styles_are_logical(path: Path) -> None:
    assert list(physical(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=called)
def test_every_word_of_a_template_can_be_translated(path: Path) -> None:
    assert list(bare_words(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=called)
def test_scripts_stay_small_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        (runs_text, 'row.innerHTML = "x"'),
        (runs_text, '<p style="color: red">'),
        (runs_text, '<a onclick="go()">'),
        (stores, 'sessionStorage.setItem("t", token)'),
        (goes_elsewhere, '<script src="//cdn.example.com/x.js">'),
        (goes_elsewhere, "@import url(https://fonts.example.org/a.css)"),
        (physical, "a { margin-left: 1px }"),
        (physical, "a { text-align: right }"),
        (physical, "a { border-top-left-radius: 1px }"),
        (bare_words, "<p>Hello {{ name }}</p>"),
        (bare_words, '<nav aria-label="Pages">'),
        (bare_words, "<kbd>Enter</kbd>"),
    ],
)
def test_the_rules_find_what_is_broken(rule: Callable[[str], Problems], broken: str) -> None:
    assert list(rule(broken)) != []


def test_edges_stay_where_colours_are_the_readers() -> None:
    rules = (FRONTEND / "static/css/visitor.css").read_text(encoding="utf-8")
    forced = re.search(r"forced-colors: active\) {\n(.*?)\n}", rules, re.DOTALL)
    assert forced is not None
    assert forced[1].strip() == ".leave, button, .button, #log li { border: 2px solid; }"
