"""What a profile on disk holds in the middle of a chat and after a quick exit (Q10 to Q15)."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.browser.exit.conftest import ANSWER, DRAFT, ENGINES, SAID, TOKEN, Saw, Stage, arrive, begin
from tests.support.profiles import traces

pytestmark = pytest.mark.browser

PLANTED = "an orange word that stays"
"""Written where a browser keeps it: the search must find it, or it proves nothing."""
PLANT = f"localStorage.setItem('planted', '{PLANTED}')"
FLUSH = 3
"""Seconds in which both browsers write their session files."""
STORED = """
(async () => [
  document.cookie, localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
  (await caches.keys()).length, (await navigator.serviceWorker.getRegistrations()).length,
])()
"""
NOTHING = ["", 0, 0, 0, 0, 0]
CACHES = ("Cache_Data", "cache2/entries")


@dataclass(frozen=True)
class Aftermath:
    """Hold what one visit with a quick exit left behind."""

    kind: str
    profile: Path
    place: str
    token: str
    during: dict[str, list[str]]
    cached: list[str]
    stored: dict[str, list[object]]
    cookies: list[object]
    history: str

    def found(self, *words: str) -> dict[str, list[str]]:
        """Return where which word stands now."""
        return traces(self.profile, words)


Visited = Callable[[str], Aftermath]


@pytest.fixture(scope="session")
def visited(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Visited:
    """Return what a visit left in a fresh profile of an engine; the visit is made once."""
    made: dict[str, Aftermath] = {}

    def one(kind: str) -> Aftermath:
        if kind not in made:
            made[kind] = visit(stage, kind, tmp_path_factory.mktemp(f"visit-{kind}") / "profile")
        return made[kind]

    return one


def visit(stage: Stage, kind: str, profile: Path) -> Aftermath:
    """Chat, look at the disk, leave, end the browser."""
    with ENGINES[kind](profile) as browser:
        tab, stored = browser.tab, {}
        arrive(stage, tab)
        stored["landing"] = tab.js(STORED)
        begin(tab)
        stage.answer(ANSWER)
        tab.until(f"document.querySelector('#log').textContent.includes('{ANSWER}')")
        token = str(tab.js(TOKEN))
        time.sleep(FLUSH)
        stored["chat"] = tab.js(STORED)
        cookies = tab.cookies()
        during = traces(profile, (SAID, DRAFT, ANSWER, token))
        # what a slow disk has not taken by then would be no trace that could be cleared
        cached = tab.wait(lambda: in_cache(profile, stage.place), "our files are in the cache")
        tab.click("a.leave")
        tab.at(stage.neutral.weather)
        tab.js(PLANT)
        time.sleep(FLUSH)
        cookies += tab.cookies()
        history = browser.history_page()
        browser.quit()
    return Aftermath(kind, profile, stage.place, token, during, cached, stored, cookies, history)


def test_q10_no_word_on_disk_during_the_chat_and_after(kind: str, visited: Visited, saw: Saw) -> None:
    after = visited(kind)
    assert len(after.token) == 43
    assert after.during == {}
    assert after.found(SAID, DRAFT, ANSWER, after.token) == {}
    assert after.found(PLANTED), "the search is blind"
    saw("no text, draft, answer or token in any file, in mid-chat and after; a planted word was found")


def test_q11_no_cookie_and_no_storage(kind: str, visited: Visited, saw: Saw) -> None:
    after = visited(kind)
    assert after.stored == {"landing": NOTHING, "chat": NOTHING}
    assert after.cookies == []
    saw("no cookie, storage, database, cache or worker on the landing page and in the chat")


def in_cache(profile: Path, place: str) -> list[str]:
    """Return the files of the cache of pages that hold something of ours."""
    found = traces(profile, (f"{place}/static/",)).get(f"{place}/static/", [])
    return [path for path in found if any(cache in path for cache in CACHES)]


def test_q12_no_file_of_ours_in_the_cache(kind: str, visited: Visited, saw: Saw) -> None:
    after = visited(kind)
    assert after.cached, "nothing was cached that could be cleared"
    assert in_cache(after.profile, after.place) == []
    place = f"{after.place}/static/"
    elsewhere = sorted({path.rpartition("/")[0] for path in after.found(place).get(place, [])})
    also = f"; the addresses of our files stay in {', '.join(elsewhere)}" if elsewhere else ""
    saw(f"{len(after.cached)} files of ours in the cache during the chat, none after it{also}")


def test_q13_q14_what_the_browsers_own_history_shows(kind: str, visited: Visited, saw: Saw) -> None:
    after = visited(kind)
    assert "/weather" in after.history, "the history was not read"
    rows = [row for row in after.history.splitlines() if after.place in row]
    if kind == "chromium":
        assert after.place not in after.history
        saw("History lists nothing of ours")
    else:
        assert {row.partition(" | ")[2] for row in rows} <= {"Home"}
        saw("the list of visits shows the address and the neutral title, and nothing else")


def test_q15_only_the_neutral_icon_is_kept(kind: str, visited: Visited, saw: Saw) -> None:
    after = visited(kind)
    file, question = {
        "chromium": ("Default/Favicons", "SELECT url FROM favicons"),
        "firefox": ("favicons.sqlite", "SELECT icon_url FROM moz_icons"),
    }[kind]
    with closing(sqlite3.connect(after.profile / file)) as kept:
        ours = {url.rpartition("/")[2] for (url,) in kept.execute(question) if after.place in url}
    assert ours <= {"icon.svg"}
    saw("the neutral icon at most" if ours else "no icon of ours")
