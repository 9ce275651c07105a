"""A drill in real browsers: begun by a supervisor, marked on every screen, ended with a summary."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support import browsers
from tests.support.axe import problems
from tests.support.journeys import shot, sign_in
from tests.support.servers import HavreServer, havre_environment, migrate_and_seed

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

LOG = ".conversation.drill:visible [role=log]"


def begins(drills: Page) -> None:
    """Begin a drill for Ben, as a supervisor."""
    expect(drills.locator("input[name=people]")).to_have_count(1)
    assert problems(drills, "drills-en") == []
    drills.check("input[value='en/motel']")
    drills.get_by_label("Ben").check()
    shot(drills, "drills")
    drills.click("button[value=drill]")
    expect(drills.get_by_role("status")).to_contain_text("1 drill began.")


def is_taken_and_answered(console: Page) -> None:
    expect(console.locator("#offer-text")).to_contain_text("DRILL · ")
    console.click("#offer-accept")
    row = console.locator("#mine .row.drill")
    expect(row).to_contain_text("DRILL · ")
    row.click()
    expect(console.locator(LOG)).to_contain_text("This is a drill")
    expect(console.locator("#mine-count")).to_have_text("0 of 2")
    console.fill(".writer.message:visible textarea", "Are you safe to write?")
    expect(console.locator(".writer.message:visible .send")).to_have_text("Send (drill)")
    console.press(".writer.message:visible textarea", "Control+Enter")
    # what is measured is what has arrived
    expect(console.locator(LOG)).to_contain_text("Are you safe to write?")
    shot(console, "console-drill")


def is_marked_and_counted_nowhere(board: Page) -> None:
    expect(board.locator("#drills")).to_contain_text("1 drill runs. It is not counted.")
    expect(board.locator("#tile-running")).to_have_text("0")
    expect(board.locator("#running .drill")).to_contain_text("DRILL · ")
    assert problems(board, "board-drill-en") == []
    shot(board, "board-drill")


def ends_with_its_goals(drills: Page) -> None:
    drills.reload()
    drills.get_by_role("button", name="End the drill").click()
    expect(drills.locator("main")).to_contain_text("You asked whether it is safe to write")
    expect(drills.locator(".goals .met").first).to_be_visible()
    assert problems(drills, "drill-summary-en") == []
    shot(drills, "drill-summary")


def test_a_drill_from_its_start_to_its_summary(tmp_path: Path) -> None:
    migrate_and_seed(havre_environment(tmp_path))
    with (
        HavreServer(tmp_path) as server,
        sync_playwright() as playwright,
        browsers.chromium(playwright) as chrome,
    ):
        console = sign_in(chrome, server.base_url, tmp_path, "ben", "/staff/console")
        console.check("input[name=availability][value=ready]")
        drills = sign_in(chrome, server.base_url, tmp_path, "dana", "/staff/drills")
        begins(drills)
        is_taken_and_answered(console)
        board = drills.context.new_page()
        board.goto(f"{server.base_url}/staff/board")
        is_marked_and_counted_nowhere(board)
        ends_with_its_goals(drills)
        # it was not the visitor who ended it, and there is something to be learned from it
        expect(console.locator(".conversation:visible .standing")).to_have_text("The drill is over.")
        expect(console.locator(".conversation:visible .goals-link")).to_have_attribute(
            "href", f"/staff/drills/{drills.url.split('/')[-1]}"
        )
        expect(console.locator(LOG)).to_contain_text("The conversation ended, and the drill with it.")
        expect(console.locator(".fact-visitor:visible")).to_have_text("The drill is over.")
        expect(console.locator("form.contact:visible .drill-sign")).to_contain_text("counted nowhere")
