"""Every page and every state of it, in both languages, at both sizes, asked for barriers by axe."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.support import browsers
from tests.support.axe import problems
from tests.support.journeys import answer, begin, hold_all, open_row, raise_flag, say, sign_in
from tests.support.servers import HavreServer, havre_environment, migrate_and_seed

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

HELLO = {"en": "Hi. I am not sure if I can talk here.", "fr": "Bonjour. Je ne sais pas si je peux parler ici."}
REPLY = {
    "en": "You are welcome here. Are you safe to write right now?",
    "fr": "Vous êtes au bon endroit. Pouvez-vous écrire sans danger maintenant?",
}
REASON = {"en": "He is due back within the hour.", "fr": "Il doit revenir dans moins d'une heure."}


@dataclass(frozen=True)
class Place:
    """Be a running Havre, a browser and the language of everybody in it."""

    url: str
    data: Path
    browser: Browser
    language: str

    def staff(self, username: str, path: str) -> Page:
        """Return a staff page in this place's language."""
        page = sign_in(self.browser, self.url, self.data, username, path)
        if page.locator("html").get_attribute("lang") != self.language:
            page.click("button[name=language]")
            page.goto(f"{self.url}{path}")
        expect(page.locator("html")).to_have_attribute("lang", self.language)
        return page

    def visitor(self) -> Page:
        """Return a visitor's blank page."""
        return browsers.phone(self.browser, f"{self.language}-CA").new_page()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(params=["en", "fr"])
def place(request: pytest.FixtureRequest, playwright: Playwright, tmp_path: Path) -> Iterator[Place]:
    migrate_and_seed(havre_environment(tmp_path))
    with HavreServer(tmp_path) as server, browsers.chromium(playwright) as chrome:
        yield Place(server.base_url, tmp_path, chrome, request.param)


def test_no_page_has_a_barrier(place: Place) -> None:
    lang = place.language
    found: list[str] = []

    def look(page: Page, name: str) -> None:
        found.extend(problems(page, f"{name}-{lang}"))

    visitor = place.visitor()
    visitor.goto(f"{place.url}/staff/sign-in")
    look(visitor, "sign-in")
    visitor.fill("#username", "nobody")
    visitor.fill("#password", "nothing")
    visitor.click("button.main")
    look(visitor, "sign-in-refused")
    visitor.goto(f"{place.url}/")
    look(visitor, "home")
    begin(visitor, place.url)
    say(visitor, HELLO[lang])
    look(visitor, "waiting")

    console = place.staff("ben", "/staff/console")
    look(console, "console-empty")
    console.check("input[name=availability][value=ready]")
    hold_all(console, 1)
    open_row(console, HELLO[lang])
    answer(console, REPLY[lang])
    expect(visitor.locator("#log")).to_contain_text(REPLY[lang])
    look(visitor, "chat")
    look(console, "console")
    raise_flag(console, "3", REASON[lang])

    board = place.staff("dana", "/staff/board")
    expect(board.locator("#escalations > li")).to_have_count(1)
    look(board, "board")
    board.locator("#running button").first.click()
    expect(board.locator("#watch")).to_be_visible()
    look(board, "board-watching")
    board.goto(f"{place.url}/staff/cases")
    expect(board.locator("main a[href^='/staff/cases/']")).to_have_count(1)
    look(board, "cases")
    board.click("main a[href^='/staff/cases/']")
    look(board, "case")

    visitor.click("#end")
    look(visitor, "end-question")
    visitor.click("#end-yes")
    expect(visitor.locator("#log")).not_to_contain_text(HELLO[lang])
    look(visitor, "ended")
    expect(console.locator("#pane-context select").first).to_be_visible()
    look(console, "console-contact")
    visitor.goto(f"{place.url}/no-such-page")
    look(visitor, "not-found")
    assert found == []


def test_axe_finds_a_barrier_where_there_is_one(place: Place) -> None:
    page = place.visitor()
    page.goto(f"{place.url}/")
    page.evaluate("document.querySelector('#start').textContent = ''")
    assert any("button-name" in line for line in problems(page, "broken"))
