"""What people do in a browser, said once for all journeys."""

import os
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.support import browsers


def sign_in(browser: Browser, base: str, data: Path, username: str, path: str) -> Page:
    page = browsers.desk(browser).new_page()
    page.goto(f"{base}/staff/sign-in")
    page.fill("#username", username)
    page.fill("#password", (data / "sample-password").read_text().strip())
    page.click("button.main")
    # a page that is asked for before the answer is there would stop it, and nobody be signed in
    page.wait_for_url(lambda url: not url.endswith("/staff/sign-in"), wait_until="commit")
    page.goto(f"{base}{path}")
    return page


def shot(page: Page, name: str) -> None:
    folder = os.environ.get("HAVRE_TEST_SCREENS")
    if folder:
        page.screenshot(path=f"{folder}/{name}.png")


def begin(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.click("#start")
    expect(page.locator("#text")).to_be_visible()


def say(page: Page, text: str) -> None:
    page.fill("#text", text)
    page.click("#send")
    expect(page.locator("#log")).to_contain_text(text)


def answer(console: Page, text: str, button: str = ".send") -> None:
    writer = console.locator("form:visible", has=console.locator(button))
    writer.locator("textarea").fill(text)
    writer.locator(button).click()
    # the whole conversation: while the line is down the text stands below the log, as not sent yet
    expect(console.locator(".conversation:visible")).to_contain_text(text)


def hold_all(console: Page, number: int) -> None:
    """Take what waits and accept what is offered, whichever comes first, until `number` are held."""
    rows = console.locator("#mine > li")
    for _ in range(150):
        if rows.count() >= number and not console.locator("#offer-accept").is_visible():
            return
        for button in (console.locator("#offer-accept"), console.locator("#waiting .take:enabled").first):
            # an offer may replace the row while we reach for it, as it may for a person; the next round sees it
            with suppress(PlaywrightTimeout):
                if button.is_visible():
                    button.click(timeout=2_000)
        console.wait_for_timeout(100)
    raise AssertionError("the conversations were not taken")


def open_row(console: Page, text: str) -> None:
    """Open the held conversation that shows a text; a log comes after its row, so all are looked at until one does."""
    shown = console.locator(".conversation:visible [role=log]")
    for _ in range(50):
        for row in console.locator("#mine > li button.row").all():
            row.click()
            for _ in range(6):
                if text in (shown.text_content() or ""):
                    return
                console.wait_for_timeout(50)
    raise AssertionError("no held conversation shows this")


def raise_flag(console: Page, level: str, reason: str) -> None:
    flag = console.locator("details.flag:not(.agree):visible")
    flag.locator("summary").click()
    flag.locator(f"input[type=radio][value='{level}']").check()
    flag.locator("textarea").fill(reason)
    flag.locator("button.raise").click()


def record_contact(console: Page, kind: str, disposition: str) -> None:
    form = console.locator("#pane-context form:visible", has=console.locator("select"))
    form.locator("select").nth(0).select_option(kind)
    form.locator("select").nth(1).select_option(disposition)
    form.locator("button[type=submit]").click()
