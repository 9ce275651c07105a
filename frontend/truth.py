"""What the visitor's page promises, and the browser tests that each promise rests on.

`make exit` writes into `proved.json` how each test ended. A promise is shown only while every test that it names passed
there, in each engine; docs/quick-exit.md says how to add one. What the page cannot do stands in the templates: it needs
no proof.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.functional import Promise as LazyText
from django.utils.translation import gettext_lazy as _

PROVED = Path(__file__).with_name("proved.json")
SCRIPT, PLAIN = "script", "plain"
ENGINES = {"chromium", "firefox"}
_EXIT = "tests/browser/exit/"
_LEAVING = f"{_EXIT}test_leaving.py::"
_TRACES = f"{_EXIT}test_traces.py::"
_PLAIN_TRACES = f"{_EXIT}test_plain_traces.py::"
_PLAIN = "tests/browser/test_plain.py::"
_SLOW = f"{_EXIT}test_slow.py::"


@dataclass(frozen=True, slots=True)
class Promise:
    """Be one promise: how the page says it, what proves it, and in which ways of writing it holds."""

    sentence: LazyText | str
    tests: tuple[str, ...]
    modes: frozenset[str] = frozenset({SCRIPT})


PROMISES: dict[str, Promise] = {
    "unsaved": Promise(
        _("What you write is not saved on this device."),
        (
            f"{_TRACES}test_q10_no_word_on_disk_during_the_chat_and_after",
            f"{_TRACES}test_q11_no_cookie_and_no_storage",
            f"{_TRACES}test_q12_no_file_of_ours_in_the_cache",
            f"{_SLOW}test_q09_nothing_comes_back_after_a_crash",
            # the first page says it to both
            f"{_PLAIN_TRACES}test_q10_no_word_on_disk_during_the_chat_and_after",
            f"{_PLAIN_TRACES}test_q11_one_cookie_and_no_storage",
        ),
        frozenset({SCRIPT, PLAIN}),
    ),
    "leaving": Promise(
        _("“Leave this site” empties this page and ends the chat."),
        (
            f"{_LEAVING}test_q01_every_way_out_leaves",
            f"{_LEAVING}test_q03_q21_the_page_is_empty_in_the_next_frame",
            f"{_LEAVING}test_q04_a_stopped_load_stays_empty_and_goes_on",
            f"{_LEAVING}test_q07_back_and_forward_never_show_the_chat",
            f"{_SLOW}test_q17_the_server_hears_of_each_exit",
        ),
    ),
    "away": Promise(
        _("“Leave this site” takes you to another page at once. On a keyboard, press Shift three times."),
        (
            f"{_LEAVING}test_q01_every_way_out_leaves",
            f"{_LEAVING}test_q02_only_shift_pressed_alone_counts",
            f"{_LEAVING}test_q05_a_dead_destination_and_a_dead_line",
            f"{_LEAVING}test_q06_half_a_page_leaves_too",
        ),
    ),
    "plain_leaving": Promise(
        _("“Leave this site” ends the chat and takes the cookie away. The keys to leave do not work: use the link."),
        (
            f"{_LEAVING}test_q06_the_link_needs_no_script",
            f"{_PLAIN}test_a_visitor_without_script_talks_over_a_restart_and_leaves",
        ),
        frozenset({PLAIN}),
    ),
    "locked": Promise(
        _("Our team can read what you write. We keep it locked (encrypted)."),
        ("tests/browser/test_story.py::test_two_visitors_one_advocate_a_flag_and_a_case",),
        frozenset({SCRIPT, PLAIN}),
    ),
    "erasing": Promise(
        _("You can have your chat erased: press “End this chat”, then “End it and erase it”."),
        (
            "tests/browser/test_archive_pages.py::test_a_visitor_ends_and_erases",
            f"{_PLAIN}test_what_a_visitor_without_script_has_erased_is_gone",
        ),
        frozenset({SCRIPT, PLAIN}),
    ),
}


def sentence(code: str, mode: str) -> str:
    """Return a promise in the reader's language; nothing where it does not hold or is not proved."""
    promise = PROMISES[code]
    return str(promise.sentence) if mode in promise.modes and keeps(promise.tests, proved()) else ""


def keeps(tests: Iterable[str], passed: frozenset[str]) -> bool:
    """Tell whether all of these tests passed."""
    return set(tests) <= passed


@cache
def proved() -> frozenset[str]:
    """Return which tests passed when they last ran, in every engine in which they run."""
    return passed_in(json.loads(PROVED.read_text(encoding="utf-8")))


def passed_in(written: dict[str, dict[str, dict[str, str]]]) -> frozenset[str]:
    """Return which tests of a file of results passed in every engine; those of the exit count in both only."""
    return frozenset(
        test
        for test, runs in written.items()
        if runs
        and all(run["outcome"] == "passed" for run in runs.values())
        and (not test.startswith(_EXIT) or runs.keys() >= ENGINES)
    )
