"""A whole story without script in both engines, and every state of its pages asked for barriers.

Chromium runs with scripts off. The tool that drives Firefox cannot read a page then, so there every script file is
kept from coming; the pages hold no other script (`tests/contract/test_pages.py`).
"""

import sqlite3
import threading
from collections.abc import Iterator
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
from tests.support.servers import HavreServer, havre_environment, migrate_and_seed

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

SAID, HALF = "the teal kettle sings", "half of a sentence"
ANSWERED, LATE = "a copper answer", "written after the restart"
SERVERS = {"chromium": "daphne", "firefox": "uvicorn"}
SEEN_WITHIN = 25_000


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
    expect(page.locator("#text")).to_be_visible()
    return page.frame_locator("iframe[name=log]")


def say(page: Page, text: str) -> None:
    """Send a text by the form."""
    page.fill("#text", text)
    page.locator("form[action='/plain/send'] button").click(no_wait_after=True)


@pytest.mark.parametrize("engine", ["chromium", "firefox"])
def test_a_visitor_without_script_talks_over_a_restart_and_leaves(tmp_path: Path, engine: str) -> None:
    migrate_and_seed(havre_environment(tmp_path))
    with (
        Elsewhere(tmp_path) as elsewhere,
        HavreServer(tmp_path, server=SERVERS[engine]) as server,
        sync_playwright() as playwright,
        started(playwright, engine) as browser,
    ):
        console = sign_in(browser, server.base_url, tmp_path, "ben", "/staff/console")
        console.check("input[name=availability][value=ready]")
        context = without_script(browser, engine)
        visitor = context.new_page()
        log = begin(visitor, server.base_url)
        expect(log.locator(".standing").last).to_contain_text("You can already write.")
        say(visitor, SAID)
        expect(log.locator(".own")).to_contain_text(SAID)
        (cookie,) = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"], cookie["expires"]) == (True, "Strict", -1)

        hold_all(console, 1)
        open_row(console, SAID)
        expect(log.locator(".standing").last).to_have_text("Ben is with you.")
        visitor.fill("#text", HALF)
        answer(console, ANSWERED)
        expect(log.locator(".theirs")).to_contain_text(ANSWERED)
        expect(log.locator(".theirs")).to_be_in_viewport()
        assert visitor.input_value("#text") == HALF
        shot(visitor, f"plain-chat-{engine}")

        server.restart()
        answer(console, LATE)
        # nobody touches the page: the stream ended in order, and the browser asks again
        expect(log.locator(".theirs").last).to_contain_text(LATE, timeout=SEEN_WITHIN)
        assert visitor.input_value("#text") == HALF
        say(visitor, HALF)
        expect(log.locator(".own").last).to_contain_text(HALF)
        expect(console.locator(".conversation:visible [role=log]")).to_contain_text(HALF, timeout=10_000)
        for text in (SAID, HALF, ANSWERED, LATE):
            assert (log.locator("#lines").text_content() or "").count(text) == 1

        leaves(visitor, console, elsewhere)
        assert context.cookies() == []
        goes_back(visitor)
        assert cookie["value"] not in server.log_text()
        assert SAID not in server.log_text()


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
            database.execute("UPDATE chat_site SET exit_url_en = ?", (self.address,))

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def leaves(visitor: Page, console: Page, elsewhere: Elsewhere) -> None:
    """Leave by the link: nothing else is to be seen from the press on, however slow the line is."""
    visitor.locator("header a.leave").hover()
    visitor.mouse.down()
    expect(visitor.locator("main")).to_be_hidden()
    expect(visitor.locator("iframe[name=log]")).to_be_hidden()
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
                for text in (SAID, HALF, ANSWERED, LATE):
                    assert text not in frame.content()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_page_without_script_has_a_barrier(tmp_path: Path, language: str) -> None:
    migrate_and_seed(havre_environment(tmp_path))
    found: list[str] = []
    with (
        HavreServer(tmp_path) as server,
        sync_playwright() as playwright,
        browsers.chromium(playwright) as chrome,
    ):
        context = browsers.phone(chrome, f"{language}-CA")
        # axe itself is a script: none of ours comes
        context.route("**/*.js", lambda route: route.abort())
        page = context.new_page()

        def look(name: str) -> None:
            page.wait_for_timeout(300)
            found.extend(problems(page, f"{name}-{language}"))
            found.extend(problems_of_frames(page, f"{name}-{language}"))

        page.goto(f"{server.base_url}/")
        expect(page.locator("#plain button.main")).to_be_visible(timeout=10_000)
        look("plain-home")
        log = begin(page, server.base_url)
        say(page, "Hi, can I talk to you here?" if language == "en" else "Bonjour, je peux vous parler ici?")
        expect(log.locator(".own")).to_be_visible()
        look("plain-waiting")
        page.locator("summary").first.click()
        page.locator("summary").last.click()
        look("plain-open")
        say(page, "a" * 4_001)
        expect(page.locator("#problem")).to_be_visible()
        look("plain-refused")
        page.goto(f"{server.base_url}/plain?l={language}&m=ask")
        look("plain-ask")
        page.goto(f"{server.base_url}/plain/end?l={language}")
        look("plain-end")
        page.locator("button[value=erase]").click()
        look("plain-closed")
        page.goto(f"{server.base_url}/plain?l={language}")
        look("plain-nothing")
    assert found == []
