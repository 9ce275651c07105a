"""A whole story without script in both engines, and every state of its pages asked for barriers.

Chromium runs with scripts off. The tool that drives Firefox cannot read a page then, so there every script file is
kept from coming; the pages hold no other script (`tests/contract/test_pages.py`).
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Playwright, expect, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from tests.support import browsers
from tests.support.axe import problems, problems_of_frames
from tests.support.journeys import answer, hold_all, open_row, shot, sign_in
from tests.support.proxy import Proxy
from tests.support.servers import HavreServer, havre_environment, migrate_and_seed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

SAID, HALF = "the teal kettle sings", "half of a sentence"
ANSWERED, LATE = "a copper answer", "written after the restart"
NEXT, AFTER = "another half", "written after the cut"
SERVERS = {"chromium": "daphne", "firefox": "uvicorn"}
SEEN_WITHIN = 25_000
SLOW = bool(os.environ.get("HAVRE_TEST_SLOW_LINE"))
"""`make slow-line`: the same story over a line on which each piece takes its time."""
DELAYS = (0.3, 1.0) if SLOW else (0.0, 0.05)


@contextmanager
def started(playwright: Playwright, engine: str) -> Iterator[Browser]:
    """Start an engine, and end it."""
    with (browsers.firefox if engine == "firefox" else browsers.chromium)(playwright) as browser:
        yield browser


def without_script(browser: Browser, engine: str) -> BrowserContext:
    """Return a phone on which no script of ours runs."""
    if engine == "chromium":
        return browser.new_context(viewport=browsers.PHONE, locale="en-CA", java_script_enabled=False)  # type: ignore[arg-type]
    context = browsers.phone(browser, "en-CA")
    context.route("**/*.js", lambda route: route.abort())
    return context


def begin(page: Page, base: str) -> FrameLocator:
    """Begin by the form, and return the frame with the messages."""
    page.goto(f"{base}/", wait_until="commit")
    page.locator("#plain button.main").click(no_wait_after=True)
    expect(box(page).locator("#text")).to_be_visible()
    return page.frame_locator("iframe[name=log]")


def box(page: Page) -> FrameLocator:
    """Return the frame to write in."""
    return page.frame_locator("iframe[name=write]")


def say(page: Page, text: str) -> None:
    """Send a text in its frame."""
    box(page).locator("#text").fill(text)
    box(page).locator("button").click(no_wait_after=True)


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """Wait longer for what a slow line brings."""
    expect.set_options(timeout=40_000 if SLOW else browsers.PATIENCE)
    yield
    expect.set_options(timeout=browsers.PATIENCE)


@pytest.mark.parametrize("engine", ["chromium", "firefox"])
def test_a_visitor_without_script_talks_over_a_restart_and_leaves(tmp_path: Path, engine: str) -> None:
    migrate_and_seed(havre_environment(tmp_path))
    with (
        Elsewhere(tmp_path) as elsewhere,
        HavreServer(tmp_path, server=SERVERS[engine]) as server,
        Proxy(server.port) as line,
        sync_playwright() as playwright,
        started(playwright, engine) as browser,
    ):
        console = sign_in(browser, server.base_url, tmp_path, "ben", "/staff/console")
        console.check("input[name=availability][value=ready]")
        context = without_script(browser, engine)
        visitor = context.new_page()
        line.delay(*DELAYS)
        log = begin(visitor, f"http://127.0.0.1:{line.port}")
        expect(log.locator(".standing").last).to_contain_text("You can already write.")
        say(visitor, SAID)
        expect(log.locator(".own")).to_contain_text(SAID)
        # only the frame came anew, and who writes goes on writing
        expect(box(visitor).locator("#sent")).to_be_visible()
        expect(box(visitor).locator("#text")).to_be_focused()
        expect(box(visitor).locator("#text")).to_be_empty()
        fits_a_small_phone(visitor)
        visitor.locator("iframe[name=log]").scroll_into_view_if_needed()
        (cookie,) = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Strict", -1)

        hold_all(console, 1)
        open_row(console, SAID)
        expect(log.locator(".standing").last).to_have_text("Ben is with you.")
        box(visitor).locator("#text").fill(HALF)
        answer(console, ANSWERED)
        expect(log.locator(".theirs")).to_contain_text(ANSWERED)
        expect(log.locator(".theirs")).to_be_in_viewport()
        assert box(visitor).locator("#text").input_value() == HALF
        shot(visitor, f"plain-chat-{engine}")

        server.restart()
        answer(console, LATE)
        # nobody touches the page: the stream ended in order, and the browser asks again
        expect(log.locator(".theirs").last).to_contain_text(LATE, timeout=SEEN_WITHIN)
        assert box(visitor).locator("#text").input_value() == HALF
        sends_while_the_line_hangs(visitor, line)
        expect(log.locator(".own").last).to_contain_text(HALF)
        expect(console.locator(".conversation:visible [role=log]")).to_contain_text(HALF)
        # a line that broke makes no browser ask again: there is a link for it
        box(visitor).locator("#text").fill(NEXT)
        line.cut(reset=True)
        answer(console, AFTER)
        visitor.get_by_role("link", name="Show new messages").click(no_wait_after=True)
        expect(log.locator(".theirs").last).to_contain_text(AFTER)
        assert box(visitor).locator("#text").input_value() == NEXT
        for text in (SAID, HALF, ANSWERED, LATE, AFTER):
            expect(log.locator("li .words", has_text=text)).to_have_count(1)

        leaves(visitor, console, elsewhere)
        assert context.cookies() == []
        goes_back(visitor)
        assert cookie["value"] not in server.log_text()
        assert SAID not in server.log_text()


def sends_while_the_line_hangs(visitor: Page, line: Proxy) -> None:
    """Press twice while nothing goes through: it is sent once."""
    line.hold()
    for _ in range(2):
        box(visitor).locator("button").click(no_wait_after=True)
        visitor.wait_for_timeout(500)
    line.flow()
    expect(box(visitor).locator("#sent")).to_be_visible()
    expect(box(visitor).locator("#text")).to_be_empty()


class Elsewhere:
    """Be the neutral site."""

    def __init__(self, data: Path) -> None:
        self.asked: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                with suppress(OSError):
                    self.wfile.write(b"<!doctype html><title>Weather</title><p>Rain.</p>")

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://localhost:{self._server.server_port}/"
        with closing(sqlite3.connect(data / "havre.sqlite3")) as database, database:
            # the command takes https only, as a site should
            database.execute("UPDATE chat_site SET exit_url_en = ?, exit_url_fr = ?", (self.address, self.address))

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def fits_a_small_phone(visitor: Page) -> None:
    """Look at a small phone, then with its keyboard open: the way out, the box and its button are in sight."""
    before = visitor.viewport_size
    for height in (640, 330):
        visitor.set_viewport_size({"width": 360, "height": height})
        button, text = box(visitor).locator("button"), box(visitor).locator("#text")
        button.scroll_into_view_if_needed()
        for part in (visitor.locator("header a.leave"), text, button):
            expect(part).to_be_in_viewport(ratio=0.9)
    if before is not None:
        visitor.set_viewport_size(before)


def leaves(visitor: Page, console: Page, elsewhere: Elsewhere) -> None:
    """Leave by the link: nothing else is to be seen from the press on, however slow the line is."""
    visitor.locator("header a.leave").hover()
    visitor.mouse.down()
    expect(visitor.locator("main")).to_be_hidden()
    for name in ("log", "write"):
        expect(visitor.locator(f"iframe[name={name}]")).to_be_hidden()
    visitor.mouse.up()
    expect(console.locator("#mine")).to_contain_text("left quickly", timeout=5_000)
    expect(visitor.get_by_text("Rain.")).to_be_visible()
    assert visitor.url == elsewhere.address
    assert not {"referer", "origin"} & elsewhere.asked[0].keys()


def goes_back(visitor: Page) -> None:
    """Press Back as often as there is somewhere to go; find nothing."""
    for _ in range(4):
        with suppress(PlaywrightError):
            visitor.go_back(wait_until="commit", timeout=3_000)
        visitor.wait_for_timeout(500)
        with suppress(PlaywrightError):
            for frame in visitor.frames:
                for text in (SAID, HALF, ANSWERED, LATE, NEXT, AFTER):
                    assert text not in frame.content()


def test_no_page_without_script_has_a_barrier(tmp_path: Path) -> None:
    migrate_and_seed(havre_environment(tmp_path))
    found: list[str] = []
    with (
        Elsewhere(tmp_path) as elsewhere,
        HavreServer(tmp_path) as server,
        sync_playwright() as playwright,
        browsers.chromium(playwright) as chrome,
    ):
        # each page once in each language and once at each size
        for language, sizes in (("en", ("desk",)), ("fr", ("phone",))):
            context = browsers.phone(chrome, f"{language}-CA")
            # axe itself is a script: none of ours comes
            context.route("**/*.js", lambda route: route.abort())
            found += barriers(context.new_page(), server.base_url, elsewhere.address, language, sizes)
            context.close()
    assert found == []


def test_what_a_visitor_without_script_has_erased_is_gone(tmp_path: Path) -> None:
    migrate_and_seed(havre_environment(tmp_path))
    with HavreServer(tmp_path) as server, sync_playwright() as playwright, browsers.chromium(playwright) as chrome:
        page = without_script(chrome, "chromium").new_page()
        begin(page, server.base_url)
        say(page, "May I write here?")
        expect(page.frame_locator("iframe[name=log]").locator(".own")).to_have_count(1)
        assert messages(tmp_path) == 1
        page.goto(f"{server.base_url}/plain/end?l=en")
        page.locator("button[value=erase]").click()
        expect(page.locator("main")).to_contain_text("What is written in this chat is erased within a few minutes.")
        for _ in range(80):
            if not messages(tmp_path):
                break
            page.wait_for_timeout(500)
        assert messages(tmp_path) == 0


def messages(folder: Path) -> int:
    """Return how many messages are stored."""
    with closing(sqlite3.connect(folder / "havre.sqlite3")) as rows:
        (count,) = rows.execute("SELECT count(*) FROM chat_event WHERE kind = 'message'").fetchone()
    return int(count)


def barriers(page: Page, base: str, elsewhere: str, language: str, sizes: tuple[str, ...]) -> list[str]:
    """Go through every page, and through coming back by words; return what axe finds."""
    found: list[str] = []

    def look(name: str) -> None:
        found.extend(problems(page, f"plain-{name}-{language}", sizes))
        found.extend(problems_of_frames(page, f"plain-{name}-{language}"))

    page.goto(f"{base}/")
    expect(page.locator("#plain button.main")).to_be_visible()
    look("home")
    log = begin(page, base)
    say(page, "Hi, can I talk to you here?" if language == "en" else "Bonjour, je peux vous parler ici?")
    expect(log.locator(".own")).to_be_visible()
    expect(box(page).locator("#sent")).to_be_visible()
    look("waiting")
    for summary in page.locator("summary").all():
        summary.click()
    look("open")
    say(page, "a" * 4_001)
    expect(box(page).locator("#problem")).to_be_visible()
    expect(box(page).locator("#text")).to_be_focused()
    look("refused")
    page.locator("form[action='/plain/words'] button").click()
    expect(page.locator("ol.six li")).to_have_count(6)
    look("words")
    words = page.locator("ol.six li").all_text_contents()
    page.locator("header a.leave").click(no_wait_after=True)
    # a page that is asked for before it has left would stop it, or be stopped
    page.wait_for_url(elsewhere)
    comes_back(page, base, words, look)
    page.goto(f"{base}/plain?l={language}&m=ask")
    look("ask")
    page.goto(f"{base}/plain/end?l={language}")
    look("end")
    page.locator("button[value=erase]").click()
    look("closed")
    page.goto(f"{base}/plain?l={language}")
    look("nothing")
    return found


def comes_back(page: Page, base: str, words: list[str], look: Callable[[str], None]) -> None:
    """Come back by six words, the wrong ones first."""
    page.goto(f"{base}/")
    page.locator("a[href^='/plain/back']").click()
    page.fill("#words", "one two three four five six")
    page.locator("main button.main").click()
    expect(page.locator("#problem")).to_be_visible()
    look("not-found")
    page.fill("#words", " ".join(words))
    page.locator("main button.main").click()
    expect(page.locator("iframe[name=write]")).to_be_visible()
    expect(page.locator("main .box").first).to_be_visible()
    look("hidden")
