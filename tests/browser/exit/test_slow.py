"""What takes minutes: crashes, waits, fifty exits, private windows, closed tabs (`make exit`)."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.exit.conftest import WORDS, Saw, Stage, arrive, begin, shows, talk
from tests.browser.exit.test_leaving import EMPTY, by_bar, by_shift, gone
from tests.support.chromium import Chromium
from tests.support.engines import Engine, Tab
from tests.support.firefox import Firefox
from tests.support.profiles import traces

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]

FLUSH = 4
EXITS = 50
Fresh = Callable[..., Engine]


@pytest.fixture
def fresh(kind: str, tmp_path: Path) -> Fresh:
    """Return what makes a browser on this test's own profile, which it opens again as it was left."""

    def one(*extra: str, **preferences: bool | int | str) -> Engine:
        if kind == "chromium":
            profile = tmp_path / "profile"
            (profile / "Default").mkdir(parents=True, exist_ok=True)
            settings = profile / "Default/Preferences"
            if not settings.exists():
                settings.write_text(json.dumps({"session": {"restore_on_startup": 1}}), encoding="utf-8")
            return Chromium(profile, "--hide-crash-restore-bubble", *extra)
        return Firefox(tmp_path / "profile", *extra, **preferences)

    return one


def restored(browser: Engine, wanted: str) -> Tab:
    """Return the tab that the browser brought back by itself."""
    found: list[Tab] = []

    def there() -> bool:
        found[:] = [tab for tab in browser.tabs() if tab.address().startswith(wanted)]
        return bool(found)

    browser.tab.wait(there, f"the browser brought {wanted} back", 15)
    return found[0]


def test_q09_nothing_comes_back_after_a_crash(stage: Stage, fresh: Fresh, saw: Saw) -> None:
    """The battery dies in the middle of a chat; the profile is searched, then the browser opens it again."""
    browser = fresh()
    with browser:
        talk(stage, browser.tab)
        time.sleep(FLUSH)
        browser.kill9()
    assert traces(browser.profile, WORDS) == {}
    with fresh() as again:
        tab = restored(again, stage.home)
        tab.until("document.readyState == 'complete'")
        assert shows(tab) == []
    saw("after SIGKILL in mid-chat no word on disk; the browser brought our first page back without one")


def test_q09_a_browser_killed_after_leaving_brings_the_neutral_page_back(stage: Stage, fresh: Fresh, saw: Saw) -> None:
    with fresh() as browser:
        talk(stage, browser.tab)
        by_bar(browser.tab)
        gone(stage, browser.tab)
        time.sleep(FLUSH)
        browser.kill9()
    with fresh() as again:
        tab = restored(again, stage.neutral.weather)
        assert stage.place not in "".join(tab.trail())
        assert not any(other.address().startswith(stage.home) for other in again.tabs())
    saw("the neutral page came back, and nothing of ours behind it")


def test_q09_a_closed_tab_opened_again_shows_nothing(stage: Stage, fresh: Fresh, saw: Saw) -> None:
    """Somebody closed the tab instead of leaving; in Chromium the window is closed and opened with its tabs."""
    browser = fresh()
    with browser:
        talk(stage, browser.tab)
        time.sleep(FLUSH)
        if isinstance(browser, Firefox):
            browser.chrome("gBrowser.addTrustedTab('about:blank') && gBrowser.removeTab(gBrowser.selectedTab)")
            time.sleep(1)
            browser.chrome("(SessionStore.undoCloseTab(window, 0), 1)")
        else:
            browser.quit()
            browser = fresh().start()
        tab = restored(browser, stage.home)
        tab.until("document.readyState == 'complete'")
        assert shows(tab) == []
        browser.kill9()
    how = "the tab" if isinstance(browser, Firefox) else "the closed window"
    saw(f"{how} came back as our first page, without a word")


@pytest.mark.parametrize("seconds", [20, 120])
def test_q07_back_shows_nothing_after_a_while(stage: Stage, browser: Engine, seconds: int, saw: Saw) -> None:
    tab = browser.tab
    talk(stage, tab)
    by_bar(tab)
    gone(stage, tab)
    time.sleep(seconds)
    tab.turn(-1)
    tab.at(f"{stage.neutral.address}/links")
    assert shows(tab) == []
    saw(f"after {seconds} s Back showed the site before ours")


def test_q04_a_stopped_page_goes_on_by_itself(stage: Stage, browser: Engine, saw: Saw) -> None:
    tab = browser.tab
    talk(stage, tab)
    stage.neutral.may_answer.clear()
    by_shift(tab)
    tab.stop()
    tab.until(EMPTY)
    stage.neutral.may_answer.set()
    gone(stage, tab)
    saw("left without another key within seconds")


def test_q17_the_server_hears_of_each_exit(stage: Stage, browser: Engine, saw: Saw) -> None:
    tab, before = browser.tab, stage.ended()
    for _ in range(EXITS):
        arrive(stage, tab)
        begin(tab)
        by_shift(tab)
        gone(stage, tab)
    tab.wait(lambda: stage.ended() == before + EXITS, f"{EXITS} exits are marked")
    saw(f"{EXITS} of {EXITS} exits marked as left quickly")


def test_q17_a_request_that_is_lost_is_made_up_for_by_the_line(stage: Stage, browser: Engine, saw: Saw) -> None:
    tab, before = browser.tab, stage.ended()
    arrive(stage, tab)
    tab.hold_back(f"{stage.home}bye")
    begin(tab)
    by_shift(tab)
    tab.wait(lambda: stage.ended() == before + 1, "the close of the line was enough")
    saw("with the request held back, the close of the line marked it")


def test_q18_a_private_window_leaves_no_mark(stage: Stage, kind: str, fresh: Fresh, saw: Saw) -> None:
    extra = ("--incognito",) if kind == "chromium" else ()
    with fresh(*extra, **{"browser.privatebrowsing.autostart": True} if kind == "firefox" else {}) as browser:
        profile = browser.profile
        talk(stage, browser.tab)
        time.sleep(FLUSH)
        during = traces(profile, (*WORDS, stage.place))
        by_bar(browser.tab)
        gone(stage, browser.tab)
        browser.quit()
    assert during == {}
    assert traces(profile, (*WORDS, stage.place)) == {}
    saw("no word and no address on disk, during the chat and after")


OVER = """
(() => {
  const r = document.querySelector("a.leave").getBoundingClientRect();
  const at = [0.1, 0.5, 0.9].map((part) => document.elementFromPoint(r.x + r.width * part, r.y + r.height / 2));
  return r.top >= 0 && r.bottom <= innerHeight && at.every((one) => one?.matches("a.leave"));
})()
"""


def test_q20_nothing_lies_over_the_way_out(stage: Stage, browser: Engine, saw: Saw) -> None:
    tab = browser.tab
    talk(stage, tab)
    for width, height in ((1000, 800), (360, 640), (360, 340), (640, 360), (320, 256)):
        tab.size(width, height)
        for part in (0, 0.5, 1):
            tab.js(f"scrollTo(0, document.documentElement.scrollHeight * {part})")
            assert tab.js(OVER), (width, height, part)
    saw("free and in sight at five sizes, the keyboard's among them, wherever the page was scrolled to")
