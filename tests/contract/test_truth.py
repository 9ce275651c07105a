"""No promise without its proof: what the page says of itself stands only while the tests that it names have passed."""

import re
from pathlib import Path
from unittest import mock

import pytest
from django.template.loader import get_template
from django.utils import translation

from frontend import truth
from frontend.truth import PLAIN, PROMISES, SCRIPT
from tests.contract.test_threat_model import names_in
from tests.support import proofs

ROOT = Path(__file__).resolve().parents[2]
VISITOR = ROOT / "frontend/templates/frontend/visitor"
NAMED = sorted({test for promise in PROMISES.values() for test in promise.tests})


def box(mode: str = SCRIPT) -> str:
    """Return the truth box."""
    with translation.override("en"):
        return get_template("frontend/visitor/_truth.html").render({"mode": mode, "tel": "911"})


@pytest.mark.parametrize("test", sorted({*NAMED, *proofs.read()}))
def test_what_a_promise_or_a_result_names_is_there(test: str) -> None:
    file, _, name = test.partition("::")
    assert file.startswith("tests/browser/"), "one run in browsers writes the results"
    assert tuple(name.split("::")) in names_in(ROOT / file)


def test_each_promise_rests_on_something() -> None:
    assert [code for code, promise in PROMISES.items() if not promise.tests or not promise.modes] == []


@pytest.mark.parametrize("test", NAMED)
def test_a_promise_goes_when_one_of_its_tests_failed_was_skipped_or_never_ran(test: str) -> None:
    told = [str(promise.sentence) for promise in PROMISES.values() if test in promise.tests]
    results = {name: {"chromium": {"outcome": "passed"}, "firefox": {"outcome": "passed"}} for name in NAMED}
    for outcome in ("failed", "skipped", None):
        results[test] = {} if outcome is None else {**results[test], "firefox": {"outcome": outcome}}
        with mock.patch.object(truth, "proved", return_value=truth.passed_in(results)), translation.override("en"):
            shown = {truth.sentence(code, mode) for code in PROMISES for mode in (SCRIPT, PLAIN)}
        assert shown.isdisjoint(told), outcome


def test_one_browser_proves_nothing_about_the_way_out() -> None:
    test = next(test for test in NAMED if test.startswith("tests/browser/exit/"))
    assert truth.passed_in({test: {"chromium": {"outcome": "passed"}}}) == frozenset()


def test_the_box_shows_what_is_proved_and_keeps_its_limits_without() -> None:
    with mock.patch.object(truth, "proved", return_value=frozenset(NAMED)):
        whole, plain = box(), box(PLAIN)
    with mock.patch.object(truth, "proved", return_value=frozenset()):
        bare = box()
    promise, scripts = "What you write is not saved on this device.", "empties this page and ends the chat."
    assert promise in whole
    assert promise in plain
    assert promise not in bare
    assert scripts in whole
    assert scripts not in plain, "it holds with script only"
    limit = "If a message cannot be sent, this browser may keep its text in its files."
    assert limit in plain
    assert limit not in whole
    for limit in ("It does not clean your browser’s history.", "the law may make us report it."):
        assert limit in whole
        assert limit in bare


def test_no_template_promises_by_itself() -> None:
    """Each promise comes from `frontend/truth.py`: a template that says it itself would go on saying it."""
    texts = "".join(path.read_text(encoding="utf-8") for path in VISITOR.glob("*.html"))
    assert [str(one.sentence) for one in PROMISES.values() if f'"{one.sentence}' in texts] == []
    assert set(re.findall(r'{% promise "(\w+)"', texts)) <= set(PROMISES)


@pytest.mark.parametrize("test", NAMED)
def test_what_a_promise_rests_on_was_seen_since_the_way_out_last_changed(test: str) -> None:
    marks = {run.get("code") for run in proofs.read().get(test, {}).values()}
    assert marks == {proofs.mark(test)}, "run `make exit`"


def test_the_page_about_it_shows_the_same_results() -> None:
    page = proofs.PAGE.read_text(encoding="utf-8")
    assert proofs.BEGIN + proofs.table(proofs.read()) + proofs.END in page
