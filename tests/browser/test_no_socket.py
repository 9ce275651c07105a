"""A whole story where no WebSocket gets through, as behind the proxies of shelters and schools."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support import browsers
from tests.support.journeys import answer, begin, hold_all, open_row, say, sign_in
from tests.support.servers import HavreServer, havre_environment, migrate_and_seed

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

NO_SOCKET = """
globalThis.tried = 0;
globalThis.WebSocket = class extends EventTarget {
  readyState = 0;
  constructor() {
    super();
    globalThis.tried += 1;
    setTimeout(() => this.tells("close", { code: 1006 }, 3), 5);
  }
  tells(name, about, state) {
    this.readyState = state;
    const event = Object.assign(new Event(name), about);
    this["on" + name]?.(event);
    this.dispatchEvent(event);
  }
  send() {}
  close() {}
};
"""
# as slow to open as proxies are: by then the page has what stands in at hand, and sees it opening
SILENT_SOCKET = NO_SOCKET.replace('"close", { code: 1006 }, 3), 5', '"open", {}, 1), 1_000')
SAID, ASKED = "the teal kettle sings", "are you still there"
ANSWERED, LATE = "a copper answer", "written after the kill"


def talk(visitor: Page, console: Page, base: str) -> None:
    """Begin, wait, be taken, and write both ways."""
    begin(visitor, base)
    say(visitor, SAID)
    expect(visitor.locator("#log .way")).to_contain_text("Sent", timeout=20_000)
    hold_all(console, 1)
    open_row(console, SAID)
    # a poll that nobody wakes would bring it after 25 s
    expect(visitor.locator("#news")).to_contain_text("Ben")
    answer(console, ANSWERED)
    expect(visitor.locator("#log")).to_contain_text(ANSWERED)
    say(visitor, ASKED)
    log = console.locator(".conversation:visible [role=log]")
    expect(log).to_contain_text(ASKED)


def test_a_visitor_without_a_socket_talks_is_killed_under_and_ends(tmp_path: Path) -> None:
    migrate_and_seed(havre_environment(tmp_path))
    with (
        HavreServer(tmp_path) as server,
        sync_playwright() as playwright,
        browsers.chromium(playwright) as chrome,
    ):
        console = sign_in(chrome, server.base_url, tmp_path, "ben", "/staff/console")
        console.check("input[name=availability][value=ready]")
        context = browsers.phone(chrome, "en-CA")
        context.add_init_script(NO_SOCKET)
        visitor = context.new_page()
        errors: list[str] = []
        visitor.on("pageerror", lambda error: errors.append(str(error)))
        talk(visitor, console, server.base_url)
        # those count that were dialled before what stands in was loaded, and no poll broke after them
        assert visitor.evaluate("tried") == 3
        expect(visitor.locator("#line")).to_be_hidden()

        server.kill9()
        answer(console, LATE)
        server.restart()
        expect(visitor.locator("#log")).to_contain_text(LATE, timeout=45_000)
        for text in (SAID, ASKED, ANSWERED, LATE):
            assert (visitor.locator("#log").text_content() or "").count(text) == 1
        assert context.cookies() == []

        visitor.click("#end")
        visitor.click("#end-yes")
        expect(visitor.locator("#log")).not_to_contain_text(SAID)
        expect(console.locator("#mine")).to_contain_text("ended", ignore_case=True)
        assert errors == []


def test_quick_exit_works_without_a_socket_that_opens_and_stays_silent(tmp_path: Path) -> None:
    migrate_and_seed(havre_environment(tmp_path))
    with (
        HavreServer(tmp_path) as server,
        sync_playwright() as playwright,
        browsers.chromium(playwright) as chrome,
    ):
        console = sign_in(chrome, server.base_url, tmp_path, "ben", "/staff/console")
        console.check("input[name=availability][value=ready]")
        context = browsers.phone(chrome, "en-CA")
        context.add_init_script(SILENT_SOCKET)
        visitor = context.new_page()
        begin(visitor, server.base_url)
        say(visitor, SAID)
        # fifteen seconds of silence on one socket; a page that was slow to load what stands in has them on two
        expect(visitor.locator("#log .way")).to_contain_text("Sent", timeout=45_000)
        hold_all(console, 1)
        visitor.click("a.leave", no_wait_after=True)
        expect(console.locator("#mine")).to_contain_text("left quickly", timeout=5_000)
