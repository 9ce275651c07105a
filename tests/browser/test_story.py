"""The main story in real browsers: two visitors, one advocate, a supervisor, a case."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.support import browsers
from tests.support.servers import HavreServer, havre_environment, manage, migrate_and_seed

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

SENTENCES = [f"the teal kettle sings {number} times" for number in range(10)]
PHRASES = [f"le merle bleu chante {number} fois" for number in range(10)]
REPLY = "a copper answer for heron"
NOTE = "an amber note for the team"
REASON = "a violet reason to worry"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HavreServer]:
    data = tmp_path_factory.mktemp("story")
    migrate_and_seed(havre_environment(data))
    with HavreServer(data) as running:
        yield running


def data_of(server: HavreServer) -> Path:
    return Path(server.environ["HAVRE_DATA_DIR"])


def sign_in(browser: Browser, base: str, data: Path, username: str, path: str) -> Page:
    page = browsers.desk(browser).new_page()
    page.goto(f"{base}/staff/sign-in")
    page.fill("#username", username)
    page.fill("#password", (data / "sample-password").read_text().strip())
    page.click("button.main")
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
    for _ in range(60):
        if rows.count() >= number and not console.locator("#offer-accept").is_visible():
            return
        for button in (console.locator("#offer-accept"), console.locator("#waiting .take:enabled").first):
            # an offer may replace the row while we reach for it, as it may for a person; the next round sees it
            with suppress(PlaywrightTimeout):
                if button.is_visible():
                    button.click(timeout=2_000)
        console.wait_for_timeout(250)
    raise AssertionError("the conversations were not taken")


def open_row(console: Page, text: str) -> None:
    """Open the held conversation that shows a text."""
    for row in console.locator("#mine > li button.row").all():
        row.click()
        console.wait_for_timeout(300)
        if text in (console.locator(".conversation:visible [role=log]").text_content() or ""):
            return
    raise AssertionError("no held conversation shows this")


def test_two_visitors_one_advocate_a_flag_and_a_case(server: HavreServer) -> None:
    base, data = server.base_url, data_of(server)
    with sync_playwright() as playwright, browsers.chromium(playwright) as chrome, browsers.firefox(playwright) as fox:
        console = sign_in(chrome, base, data, "ben", "/staff/console")
        console.check("input[name=availability][value=ready]")
        english, french = browsers.phone(chrome, "en-CA").new_page(), browsers.phone(fox, "fr-CA").new_page()
        begin(english, base)
        begin(french, base)
        expect(french.locator("html")).to_have_attribute("lang", re.compile("^fr"))
        say(english, SENTENCES[0])
        say(french, PHRASES[0])
        shot(english, "visitor-waiting-phone")
        hold_all(console, 2)

        for page, texts in ((english, SENTENCES), (french, PHRASES)):
            open_row(console, texts[0])
            for number, text in enumerate(texts):
                if number:
                    say(page, text)
                answer(console, f"{REPLY} {number} {text[::-1]}")
                expect(page.locator("#log")).to_contain_text(f"{REPLY} {number} {text[::-1]}")
        answer(console, NOTE, ".save-note")
        expect(french.locator("#log")).not_to_contain_text(NOTE)
        shot(console, "console-desk")
        shot(french, "visitor-chat-phone")

        board = sign_in(chrome, base, data, "dana", "/staff/board")
        expect(board.locator("#running > li")).to_have_count(2)
        raise_flag(console, "2", REASON)
        expect(board.locator("#escalations > li")).to_have_count(1, timeout=2_000)
        shot(board, "board-desk")
        board.click("#escalations .step-acknowledge")
        expect(board.locator("#escalations .step-acknowledge")).to_be_hidden()

        french.click("a.leave", no_wait_after=True)
        expect(console.locator("#mine")).to_contain_text(re.compile("left quickly", re.I), timeout=5_000)
        record_contact(console, "victim_survivor", "support_given")
        open_row(console, SENTENCES[0])
        english.click("#end")
        english.click("#end-yes")
        expect(english.locator("#log")).not_to_contain_text(SENTENCES[0])
        shot(english, "visitor-ended-phone")

        expect_in_case(board, base, ["escalat", "left quickly", "contact"])
        shot(board, "case-desk")
    nothing_readable(data, server.log_text())


def raise_flag(console: Page, level: str, reason: str) -> None:
    flag = console.locator("details.flag:visible")
    flag.locator("summary").click()
    flag.locator(f"input[type=radio][value='{level}']").check()
    flag.locator("textarea").fill(reason)
    flag.locator("button.raise").click()


def record_contact(console: Page, kind: str, disposition: str) -> None:
    form = console.locator("#pane-context form:visible", has=console.locator("select"))
    form.locator("select").nth(0).select_option(kind)
    form.locator("select").nth(1).select_option(disposition)
    form.locator("button[type=submit]").click()


def expect_in_case(page: Page, base: str, words: list[str]) -> None:
    """Wait for the worker to carry everything over, then look at the timeline."""
    for _ in range(20):
        page.goto(f"{base}/staff/cases")
        link = page.locator("main a[href^='/staff/cases/']").first
        if link.count():
            link.click()
            text = (page.locator("main").text_content() or "").lower()
            if all(word in text for word in words):
                return
        page.wait_for_timeout(500)
    raise AssertionError(f"the timeline lacks one of {words}")


def nothing_readable(data: Path, log: str) -> None:
    """Search the database, its write-ahead log and the server's log for every kind of text of the story."""
    canaries = [SENTENCES[3], PHRASES[4], REPLY, NOTE, REASON]
    found: Callable[[bytes], list[str]] = lambda raw: [text for text in canaries if text.encode() in raw]  # noqa: E731
    files = [path for path in data.rglob("*") if path.is_file()]
    assert any(path.name == "havre.sqlite3" for path in files)
    assert {path.name: hits for path in files if (hits := found(path.read_bytes()))} == {}
    assert found(log.encode()) == []


def test_both_browsers_go_on_by_themselves_after_kill_9(tmp_path: Path) -> None:
    migrate_and_seed(havre_environment(tmp_path))
    with (
        HavreServer(tmp_path) as server,
        sync_playwright() as playwright,
        browsers.chromium(playwright) as chrome,
        browsers.firefox(playwright) as fox,
    ):
        console = sign_in(chrome, server.base_url, tmp_path, "ben", "/staff/console")
        console.check("input[name=availability][value=ready]")
        visitor = browsers.phone(fox, "en-CA").new_page()
        begin(visitor, server.base_url)
        say(visitor, SENTENCES[0])
        hold_all(console, 1)
        open_row(console, SENTENCES[0])
        server.kill9()
        say(visitor, SENTENCES[1])
        answer(console, REPLY)
        server.restart()
        expect(visitor.locator("#log")).to_contain_text(REPLY, timeout=45_000)
        log = console.locator(".conversation:visible [role=log]")
        expect(log).to_contain_text(SENTENCES[1], timeout=45_000)
        for text in (SENTENCES[0], SENTENCES[1], REPLY):
            assert (visitor.locator("#log").text_content() or "").count(text) == 1
            assert (log.text_content() or "").count(text) == 1


WITHOUT_SEALING = f"""
from django.utils import timezone
from chat import services
from chat.core.actors import Visitor
from encryption.services import Sealer
Sealer.seal = lambda self, binding, text: text.encode()
now = timezone.now()
pk = services.open_conversation(token="A" * 43, language="en", door="help", now=now).result.conversation
services.post_message(actor=Visitor(pk), conversation_id=pk, client_id="a" * 32, body={SENTENCES[3]!r}, now=now)
"""


def test_the_search_finds_the_canary_when_sealing_is_off(tmp_path: Path) -> None:
    environ = havre_environment(tmp_path)
    migrate_and_seed(environ)
    manage(environ, "shell", "--no-imports", "-c", WITHOUT_SEALING)
    with pytest.raises(AssertionError):
        nothing_readable(tmp_path, "")
