"""What a profile on disk holds in the middle of a chat without script and after leaving it (Q10 to Q12).

The pages hold no script of their own, so that it makes no difference to what is kept that the browsers are asked by
script here; only the first page's is kept away.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.exit.conftest import ANSWER, DRAFT, ENGINES, SAID, Saw, Stage, arrive
from tests.browser.exit.test_traces import FLUSH, PLANT, PLANTED
from tests.support.engines import Tab
from tests.support.profiles import traces

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

REFUSED = "a saffron thought far too long"
"""Stands in a text that does not pass: it comes back in its box, as the answer to a form, and Chromium keeps forms.

The page says so; what is looked for here is whether that is still true.
"""
WORDS = (SAID, DRAFT, ANSWER)
STORED = "[localStorage.length, sessionStorage.length, document.cookie].join()"
BOX = "document.querySelector('iframe[name=write]')?.contentDocument"
LOG = "document.querySelector('iframe[name=log]')?.contentDocument.documentElement.textContent"


@dataclass(frozen=True)
class Aftermath:
    """Hold what one visit left behind."""

    profile: Path
    token: str
    during: dict[str, list[str]]
    refused: bool
    stored: str
    after: dict[str, list[str]]
    cookies: list[object]


Visited = Callable[[str], Aftermath]


@pytest.fixture(scope="module")
def visited(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Visited:
    """Return what a visit left in a fresh profile of an engine; the visit is made once."""
    made: dict[str, Aftermath] = {}

    def one(kind: str) -> Aftermath:
        if kind not in made:
            made[kind] = visit(stage, kind, tmp_path_factory.mktemp(f"plain-{kind}") / "profile")
        return made[kind]

    return one


def visit(stage: Stage, kind: str, profile: Path) -> Aftermath:
    """Chat without script, be refused once, look at the disk, leave, end the browser."""
    with ENGINES[kind](profile) as browser:
        tab = browser.tab
        arrive(stage, tab)
        main = tab.js("document.querySelector('script[src*=\"visitor/main.js\"]').src")
        browser.fresh_tab()
        tab = browser.tab
        tab.hold_back(main)
        tab.go(stage.home)
        tab.until("!!document.querySelector('#plain button')")
        tab.js("document.querySelector('#plain button').click()")
        writes(tab, SAID)
        tab.until(f"{LOG}.includes('{SAID}')")
        writes(tab, REFUSED + " and so on" * 500, "#problem")
        stage.answer(ANSWER)
        tab.until(f"{LOG}.includes('{ANSWER}')")
        fills(tab, DRAFT)
        (token,) = [value for value in map(value_of, tab.cookies()) if len(value) == 43]
        time.sleep(FLUSH)
        stored, during, refused = str(tab.js(STORED)), traces(profile, WORDS), traces(profile, (REFUSED,))
        tab.click("a.leave")
        tab.at(stage.neutral.weather)
        tab.js(PLANT)
        time.sleep(FLUSH)
        cookies = tab.cookies()
        browser.quit()
    return Aftermath(profile, token, during, bool(refused), stored, traces(profile, (*WORDS, PLANTED)), cookies)


def value_of(cookie: dict[str, object]) -> str:
    """Return the value of a cookie as either engine tells of it."""
    value = cookie["value"]
    return str(value["value"]) if isinstance(value, dict) else str(value)


def fills(tab: Tab, text: str) -> None:
    """Write into the box, as it is."""
    tab.until(f"{BOX}?.querySelector('#text') && {BOX}.readyState == 'complete'")
    tab.js(f"{BOX}.querySelector('#text').focus()")
    tab.js(f"{BOX}.execCommand('selectAll'), {BOX}.execCommand('insertText', false, {text!r})")
    tab.until(f"{BOX}.querySelector('#text').value == {text!r}")


def writes(tab: Tab, text: str, until: str = "#sent") -> None:
    """Write into the box, and send."""
    fills(tab, text)
    tab.js(f"{BOX}.querySelector('button').click()")
    tab.until(f"{BOX}?.querySelector('{until}') && {BOX}.readyState == 'complete'")


def test_q10_no_word_on_disk_during_the_chat_and_after(kind: str, visited: Visited, saw: Saw) -> None:
    after = visited(kind)
    assert after.during == {}
    assert after.after.keys() == {PLANTED}, "none of the words, and the search is not blind"
    kept = "in the browser's session file, as the page says" if after.refused else "in none either"
    saw(f"without script: no text, draft or answer in any file, in mid-chat and after; a refused text {kept}")


def test_q11_one_cookie_and_no_storage(kind: str, visited: Visited, saw: Saw) -> None:
    after = visited(kind)
    assert after.stored == "0,0,"
    assert after.cookies == []
    left = sorted({path for paths in traces(after.profile, (after.token,)).values() for path in paths})
    assert left == []
    saw("without script: one cookie that scripts do not see, none after leaving; its value in no file then")
