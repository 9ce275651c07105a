"""Limits and the pause in real browsers: a line is put into the reply and never sent, and what she writes is kept."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support import browsers
from tests.support.axe import problems
from tests.support.journeys import begin, hold_all, open_row, say, shot, sign_in
from tests.support.servers import HavreServer, havre_environment, migrate_and_seed

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

HELLO = "Est-ce que je peux vous écrire ici?"
DRAFT = "safran, à demi écrit"
LINE = "Je vois des insultes dans ce que vous m’écrivez."
LIMITS = "details.limits:visible"


def sets_a_limit_in_words(console: Page, ada: Page) -> None:
    """The line stands in the reply and is not sent."""
    limits = console.locator(LIMITS)
    limits.locator("summary").click()
    limits.locator("input[value=abuse]").check()
    expect(limits.locator(".sample").first).to_have_text(LINE)
    assert problems(console, "console-limits") == []
    shot(console, "console-limits")
    limits.locator("ol button").first.click()
    reply = console.locator(".writer.message:visible textarea")
    expect(reply).to_have_value(LINE)
    expect(reply).to_be_focused()
    expect(ada.locator("#log")).not_to_contain_text(LINE)


def pauses(console: Page, ada: Page) -> None:
    """She reads until when and whom to call; neither the button nor the key sends what she wrote, and it stays."""
    limits = console.locator(LIMITS)
    ada.fill("#text", DRAFT)
    limits.locator("select").select_option("15")
    limits.locator("button[type=submit]").click()
    console.click("#ask-yes")
    expect(ada.locator("#paused")).to_contain_text("vous pourrez écrire de nouveau.")
    for number in ("911", "1-833-555-0100"):
        expect(ada.locator("#paused")).to_contain_text(number)
    shot(ada, "chat-paused-real")
    expect(ada.locator("#send")).to_be_hidden()
    ada.press("#text", "Enter")
    expect(ada.locator("#text")).to_have_value(f"{DRAFT}\n")
    expect(ada.locator("#lines li.own")).to_have_count(1)
    expect(console.locator(".conversation:visible .standing")).to_contain_text("paused until")
    shot(console, "console-paused")


def is_let_go_on(board: Page, console: Page, ada: Page) -> None:
    """A supervisor lifts the pause, and what she had written goes."""
    board.locator("#running button.watch").click()
    board.locator("#watch-limits summary").click()
    expect(board.locator("#watch-pause")).to_contain_text("Paused until")
    assert problems(board, "board-paused") == []
    shot(board, "board-paused")
    board.locator("#watch-pause .choices button").click()
    expect(ada.locator("#paused")).to_have_count(0)
    expect(ada.locator("#log")).to_contain_text("La pause est finie.")
    ada.click("#send")
    expect(ada.locator("#lines li.own .way").last).to_have_text("Envoyé")
    expect(console.locator(".conversation:visible [role=log]")).to_contain_text(DRAFT)


def test_limits_the_pause_and_the_way_on(tmp_path: Path) -> None:
    migrate_and_seed(havre_environment(tmp_path))
    with (
        HavreServer(tmp_path) as server,
        sync_playwright() as playwright,
        browsers.chromium(playwright) as chrome,
    ):
        base = server.base_url
        ada = browsers.phone(chrome, "fr-CA").new_page()
        begin(ada, base)
        say(ada, HELLO)
        console = sign_in(chrome, base, tmp_path, "ben", "/staff/console")
        console.check("input[name=availability][value=ready]")
        hold_all(console, 1)
        open_row(console, HELLO)
        sets_a_limit_in_words(console, ada)
        pauses(console, ada)
        board = sign_in(chrome, base, tmp_path, "dana", "/staff/board")
        is_let_go_on(board, console, ada)
        console.locator("button.voice:visible").first.click()
        expect(board.locator("#escalations")).to_contain_text("The voice has changed.")
        expect(console.locator(".raised:visible")).to_contain_text("The voice has changed.")
