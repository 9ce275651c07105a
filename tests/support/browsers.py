"""Drive Debian's own Chromium and Firefox, with the back/forward cache on as people have it."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.support.needs import need_chromium, need_firefox, need_headless

PATIENCE = 15_000
"""How long is waited for what is no promise: servers, browsers and other tests share two cores. A promise is named."""
expect.set_options(timeout=PATIENCE)

LOOK = 50
UNHEARD = """(log) => {
  window.hears = () => { delete window.hears; log.dispatchEvent(new Event("scroll")); };
  addEventListener("scroll", (event) => window.hears && event.stopImmediatePropagation(), true);
  log.scrollTop = log.scrollHeight;
}"""
"""Scrolls a log to its end, of which a page hears with its next frame: here, as late as a test calls `hears`."""

PROVING = bool(os.environ.get("HAVRE_TEST_EXIT"))
PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 800}


@contextmanager
def chromium(playwright: Playwright, *, whole: bool = PROVING) -> Iterator[Browser]:
    """Start Chromium, and end it: the whole one where a promise is proved or a time measured."""
    browser = playwright.chromium.launch(
        executable_path=need_chromium() if whole else need_headless(),
        ignore_default_args=["--disable-back-forward-cache"],
        args=["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"],
    )
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def firefox(playwright: Playwright) -> Iterator[Browser]:
    """Start Firefox over WebDriver BiDi, and end it."""
    browser = playwright.firefox.launch(channel="moz-firefox", executable_path=need_firefox())
    try:
        yield browser
    finally:
        browser.close()


def comes(page: Page, holds: Callable[[], bool]) -> bool:
    """Tell whether something comes to be so on a page, which does what follows a press in turns of its own.

    It is looked at so many times and not so long: a machine that stands still meanwhile takes no look away.
    """
    for _ in range(PATIENCE // LOOK):
        if holds():
            return True
        page.wait_for_timeout(LOOK)
    return False


def phone(browser: Browser, locale: str) -> BrowserContext:
    """Return a fresh phone-sized context in a language."""
    return browser.new_context(viewport=PHONE, locale=locale)  # type: ignore[arg-type]


def desk(browser: Browser) -> BrowserContext:
    """Return a fresh desk-sized context."""
    return browser.new_context(viewport=DESK, locale="en-CA")  # type: ignore[arg-type]
