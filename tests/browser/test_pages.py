"""Every page and every state of it, in both languages, at both sizes, asked for barriers by axe."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.support import browsers
from tests.support.axe import problems
from tests.support.browsers import comes
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
    server: HavreServer

    def staff(self, username: str, path: str) -> Page:
        """Return a staff page in this place's language."""
        page = sign_in(self.browser, self.url, self.data, username, path)
        if page.locator("html").get_attribute("lang") != self.language:
            page.click("button[name=language]")
            expect(page.locator("html")).to_have_attribute("lang", self.language)
            page.goto(f"{self.url}{path}")
        expect(page.locator("html")).to_have_attribute("lang", self.language)
        return page

    def visitor(self) -> Page:
        """Return a visitor's blank page."""
        return browsers.phone(self.browser, f"{self.language}-CA").new_page()


@pytest.fixture(autouse=True)
def _pages_of_one_test(chrome: Browser) -> Iterator[None]:
    """Close after a test what it has opened: the browser goes on."""
    yield
    for context in chrome.contexts:
        context.close()


@contextmanager
def served(chrome: Browser, data: Path, language: str = "en") -> Iterator[Place]:
    migrate_and_seed(havre_environment(data))
    with HavreServer(data) as server:
        yield Place(server.base_url, data, chrome, language, server)


@pytest.fixture(params=["en", "fr"])
def place(request: pytest.FixtureRequest, chrome: Browser, tmp_path: Path) -> Iterator[Place]:
    with served(chrome, tmp_path, request.param) as one:
        yield one


@pytest.fixture
def english(chrome: Browser, tmp_path: Path) -> Iterator[Place]:
    """Return a place for what does not depend on the language."""
    with served(chrome, tmp_path) as one:
        yield one


@pytest.fixture(scope="module")
def waiting_room(tmp_path_factory: pytest.TempPathFactory, chrome: Browser) -> Iterator[Place]:
    """Return a place for visitors whom nobody answers: what one leaves behind there changes nothing for the next."""
    with served(chrome, tmp_path_factory.mktemp("waiting")) as one:
        yield one


@pytest.fixture(params=["en", "fr"])
def unanswered(request: pytest.FixtureRequest, waiting_room: Place) -> Place:
    """Return the same place for a visitor of each language."""
    return replace(waiting_room, language=request.param)


class Looks:
    """Look for barriers in page after page of one language, and keep what is found."""

    def __init__(self, place: Place) -> None:
        self.place, self.language, self.found = place, place.language, list[str]()

    def look(self, page: Page, name: str) -> None:
        self.found += problems(page, f"{name}-{self.language}")

    def at_the_way_in(self, visitor: Page) -> None:
        visitor.goto(f"{self.place.url}/staff/sign-in")
        self.look(visitor, "sign-in")
        visitor.fill("#username", "nobody")
        visitor.fill("#password", "nothing")
        visitor.click("button.main")
        expect(visitor.get_by_role("alert")).not_to_be_empty()
        self.look(visitor, "sign-in-refused")
        visitor.goto(f"{self.place.url}/")
        self.look(visitor, "home")
        begin(visitor, self.place.url)
        say(visitor, HELLO[self.language])
        self.look(visitor, "waiting")

    def at_a_talk(self, console: Page, visitor: Page) -> None:
        self.look(console, "console-empty")
        console.check("input[name=availability][value=ready]")
        hold_all(console, 1)
        open_row(console, HELLO[self.language])
        answer(console, REPLY[self.language])
        expect(visitor.locator("#log")).to_contain_text(REPLY[self.language])
        self.look(visitor, "chat")
        self.look(console, "console")
        raise_flag(console, "3", REASON[self.language])

    def at_what_a_supervisor_sees(self, page: Page) -> None:
        expect(page.locator("#escalations > li")).to_have_count(1)
        self.look(page, "board")
        page.locator("#running button.watch").first.click()
        expect(page.locator("#watch")).to_be_visible()
        self.look(page, "board-watching")
        assert comes(page, lambda: self.has_a_case(page))
        self.look(page, "cases")
        page.set_viewport_size(browsers.PHONE)  # type: ignore[arg-type]
        assert page.locator("td").first.evaluate("e => getComputedStyle(e).overflowWrap") == "normal"
        page.set_viewport_size(browsers.DESK)  # type: ignore[arg-type]
        page.click("main a[href^='/staff/cases/']")
        self.look(page, "case")
        for name in ("on-call", "ladder", "rules", "rules/try"):
            page.goto(f"{self.place.url}/staff/{name}")
            self.look(page, name.replace("/", "-"))

    def has_a_case(self, page: Page) -> bool:
        """Load the list of cases, into which the worker carries what was raised."""
        page.goto(f"{self.place.url}/staff/cases")
        return page.locator("main a[href^='/staff/cases/']").count() == 1

    def at_the_end(self, visitor: Page, console: Page) -> None:
        visitor.click("#end")
        expect(visitor.locator("#confirm")).to_be_visible()
        self.look(visitor, "end-question")
        visitor.click("#end-yes")
        expect(visitor.locator("#log")).not_to_contain_text(HELLO[self.language])
        self.look(visitor, "ended")
        expect(console.locator("#pane-context select").first).to_be_visible()
        self.look(console, "console-contact")
        visitor.goto(f"{self.place.url}/no-such-page")
        self.look(visitor, "not-found")


def test_no_page_has_a_barrier(place: Place) -> None:
    looks, visitor = Looks(place), place.visitor()
    looks.at_the_way_in(visitor)
    console = place.staff("ben", "/staff/console")
    looks.at_a_talk(console, visitor)
    looks.at_what_a_supervisor_sees(place.staff("dana", "/staff/board"))
    looks.at_the_end(visitor, console)
    assert looks.found == []


def test_axe_finds_a_barrier_where_there_is_one(unanswered: Place) -> None:
    page = unanswered.visitor()
    page.goto(f"{unanswered.url}/")
    page.evaluate("document.querySelector('#start').textContent = ''")
    assert any("button-name" in line for line in problems(page, "broken"))


# what a person sees and keeps

IN_SIGHT = "e => { const r = e.getBoundingClientRect(); return r.top >= 0 && r.bottom <= innerHeight; }"
AT_THE_END = "e => e.scrollHeight > e.clientHeight && e.scrollHeight - e.scrollTop - e.clientHeight < 48"
SCROLLS = """(e, to) => new Promise((seen) => {
  e.addEventListener("scroll", seen, { once: true });
  e.scrollTop = to;
})"""
"""Scroll, and wait until the page has heard of it, which it does with its next frame."""


def sees(page: Page, what: str) -> bool:
    """Tell whether all of something comes to stand inside the window."""
    return comes(page, lambda: bool(page.locator(what).first.evaluate(IN_SIGHT)))


def talk(place: Place, text: str) -> Page:
    """Return a visitor who has begun and written."""
    visitor = place.visitor()
    begin(visitor, place.url)
    say(visitor, text)
    return visitor


def ready(place: Place, held: int) -> Page:
    """Return the console of an advocate who holds conversations."""
    console = place.staff("ben", "/staff/console")
    console.check("input[name=availability][value=ready]")
    hold_all(console, held)
    return console


def stays(page: Page, link: str) -> bool:
    """Tell whether the browser asks before a link leaves the page, and stays there."""
    asked: list[str] = []

    def no(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", no)
    page.locator(link).first.click(no_wait_after=True)
    comes(page, lambda: asked != [])
    page.remove_listener("dialog", no)
    return asked == ["beforeunload"]


@pytest.mark.parametrize("shape", [(360, 340), (640, 360), (320, 256)], ids=["keyboard", "on its side", "enlarged"])
def test_the_way_out_and_the_newest_line_stay_in_sight_on_a_low_screen(
    waiting_room: Place, shape: tuple[int, int]
) -> None:
    visitor = talk(waiting_room, "Line 0")
    visitor.set_viewport_size({"width": shape[0], "height": shape[1]})
    for number in range(1, 12):
        say(visitor, f"Line {number} of a text that is a little longer than one row of a phone")
    visitor.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert sees(visitor, "a.leave")
    assert comes(visitor, lambda: bool(visitor.locator("#log").evaluate(AT_THE_END)))


def test_a_long_wait_and_a_long_text_leave_room_to_send(unanswered: Place) -> None:
    visitor = unanswered.visitor()
    visitor.clock.install()
    begin(visitor, unanswered.url)
    expect(visitor.locator("#waited")).to_be_visible()
    for minutes in (6, 5):
        before = visitor.locator("#long-words").inner_text()
        visitor.clock.fast_forward(minutes * 60_000)
        expect(visitor.locator("#long-words")).not_to_have_text(before)
        visitor.evaluate("scrollTo(0, 0)")
        assert sees(visitor, "#send")
        assert sees(visitor, "#long")
    visitor.click("#stay")
    visitor.fill("#text", "a" * 4_012)
    expect(visitor.locator("#keys")).to_be_hidden()
    expect(visitor.locator("#count")).not_to_be_empty()
    assert len(visitor.locator("#count").inner_text()) < 16
    visitor.click("#send")
    expect(visitor.locator("#problem")).to_be_visible()
    assert visitor.locator("#send").evaluate("e => e.scrollWidth <= e.clientWidth && e.offsetHeight < 56")


def test_an_end_from_the_other_side_loses_no_word_and_no_focus(english: Place) -> None:
    visitor = browsers.phone(english.browser, "fr-CA").new_page()
    begin(visitor, english.url)
    say(visitor, HELLO["en"])
    console = english.staff("ben", "/staff/console")
    console.check("input[name=availability][value=ready]")
    expect(console.locator("#mine-count")).to_have_text("0 of 2, 1 offered")
    hold_all(console, 1)
    open_row(console, HELLO["en"])
    expect(console.locator(".context > .hint")).to_have_text("This visitor writes in French: answer in French.")
    visitor.fill("#text", "half a sentence")
    console.click(".end button")
    console.click(".closing-asked")
    console.click("#ask-yes")
    expect(visitor.locator("#unsent-words")).to_have_text("half a sentence")
    expect(visitor.locator("#news")).to_be_focused()
    expect(console.locator("form.contact select").first).to_be_focused()
    expect(console.locator(".context > .hint")).to_be_hidden()
    console.click("form.contact button")
    expect(console.locator("form.contact [role=alert]")).not_to_be_empty()
    expect(console.locator("form.contact select[aria-invalid=true]")).to_have_count(2)
    visitor.click("#clear")
    assert "half a sentence" not in visitor.content()


def test_a_broken_line_is_the_news_and_nothing_written_is_lost_to_sight(english: Place) -> None:
    visitor = talk(english, HELLO["en"])
    console = ready(english, 1)
    open_row(console, HELLO["en"])
    for number in range(12):
        answer(console, f"{REPLY['en']} {number}")
    board = english.staff("dana", "/staff/board")
    board.locator("#running .watch").first.click()
    english.server.kill9()
    expect(visitor.locator("#news")).to_have_text("The line dropped.")
    expect(visitor.locator("#line")).to_have_text("We keep trying. You can go on writing.")
    expect(console.locator("#line")).to_have_attribute("role", "status")
    answer(console, "written without a line")
    assert sees(console, ".unsent .pending")
    board.fill("#watch-note textarea", "a note without a line")
    board.click(".save-note")
    expect(board.locator("#watch-note .count")).to_have_text("Not sent yet. It goes out when the line is back.")
    expect(board.locator("#watch-note textarea")).to_have_value("a note without a line")
    expect(board.locator("#stale")).to_have_attribute("role", "alert")
    english.server.restart()
    expect(board.locator("#watch-log")).to_contain_text("a note without a line", timeout=45_000)
    expect(board.locator("#watch-note textarea")).to_have_value("")


def test_changing_between_conversations_keeps_each_ones_place_and_counts_what_is_unread(english: Place) -> None:
    one, other = talk(english, "I am the first"), talk(english, "I am the second")
    console = ready(english, 2)
    expect(console.locator("#mine-count")).to_have_text("2 of 2")
    for _, text in ((one, "I am the first"), (other, "I am the second")):
        open_row(console, text)
        for number in range(14):
            answer(console, f"{REPLY['en']} {number}")
        # who writes fast is held back: until the last one has landed it would bring the end into sight again
        expect(console.locator(".conversation:visible .unsent li")).to_have_count(0, timeout=20_000)
    open_row(console, "I am the first")
    scroller = console.locator(".scroller:visible")
    assert comes(console, lambda: bool(scroller.evaluate(AT_THE_END)))
    scroller.evaluate(SCROLLS, 120)
    say(one, "below what you read")
    expect(console.get_by_role("button", name="New message below")).to_be_visible()
    expect(console.locator("#mine .unread").filter(has_text="1 new")).to_have_count(1)
    console.set_viewport_size(browsers.PHONE)  # type: ignore[arg-type]
    console.click("[data-turn=chat]")
    expect(console.get_by_role("button", name="List 1 new", exact=True)).to_be_visible()
    assert sees(console, "#list-count")
    console.set_viewport_size(browsers.DESK)  # type: ignore[arg-type]
    console.get_by_role("button", name="New message below").click()
    expect(console.locator("#list-unread")).to_be_empty()
    scroller.evaluate(SCROLLS, 120)
    open_row(console, "I am the second")
    open_row(console, "I am the first")
    assert comes(console, lambda: scroller.evaluate("e => e.scrollTop") == 120)


def test_nothing_typed_is_lost_by_leaving_a_staff_page(english: Place) -> None:
    talk(english, HELLO["en"])
    console = ready(english, 1)
    open_row(console, HELLO["en"])
    flag = console.locator("details.flag:not(.agree)")
    name = console.locator(".conversation h2").inner_text()
    expect(flag.locator("summary")).to_have_text(f"Raise an escalation for {name}")
    raise_flag(console, "2", "")
    expect(flag.locator("[role=alert]")).to_have_text("Please write a reason.")
    expect(flag.locator("textarea")).to_have_attribute("aria-invalid", "true")
    flag.locator("textarea").fill("a reason")
    # the pages of the bar open beside the console; this button is what leaves it
    assert console.locator("nav a[href='/staff/cases']").get_attribute("target") == "_blank"
    assert stays(console, "button[name=language]")
    flag.locator("button.raise").click()
    expect(flag.locator("summary")).to_be_focused()

    board = english.staff("dana", "/staff/board")
    expect(board.locator("#alarm")).to_have_text(f"Not acknowledged: {name}, urgent.")
    expect(board).to_have_title("(1) ⚠ Havre")
    board.set_viewport_size(browsers.PHONE)  # type: ignore[arg-type]
    board.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert sees(board, "#alarm")
    board.click("#alarm")
    assert sees(board, ".step-acknowledge")
    for button in ("Acknowledge", "Show reason", "Watch"):
        expect(board.get_by_role("button", name=f"{button}: {name}")).to_be_visible()
    board.click(".step-acknowledge")
    expect(board.locator(".step-start")).to_be_focused()
    expect(board.locator("#alarm")).to_be_empty()
    expect(board).to_have_title("Havre")
    board.click(".step-resolve")
    board.fill("#ask-reason", "half a reason")
    board.keyboard.press("Escape")
    assert stays(board, "nav a[href='/staff/cases']")
    board.click(".step-resolve")
    expect(board.locator("#ask-reason")).to_have_value("half a reason")
    board.click("#ask-yes")
    expect(board.locator("#escalations-heading")).to_be_focused()


def test_a_note_stays_with_the_conversation_it_is_about(english: Place) -> None:
    talk(english, "I am the first")
    talk(english, "I am the second")
    console = ready(english, 2)
    for row in range(2):
        console.locator("#mine button.row").nth(row).click()
        raise_flag(console, str(row + 1), "a reason")
        expect(console.locator("details.flag:not(.agree):visible summary")).to_be_focused()
    board = english.staff("dana", "/staff/board")
    expect(board.locator("#alarm")).to_contain_text("2 escalations are not acknowledged. First: ")
    first, second = (board.locator("#running .handle").nth(at).inner_text() for at in range(2))
    board.get_by_role("button", name=f"Watch {first}").click()
    board.fill("#watch-note textarea", "about the first")
    board.get_by_role("button", name=f"Watch {second}").click()
    expect(board.get_by_label(f"Note about {second} — only staff see this")).to_have_value("")
    board.get_by_role("button", name=f"Watch {first}").click()
    expect(board.get_by_label(f"Note about {first} — only staff see this")).to_have_value("about the first")
    assert stays(board, "nav a[href='/staff/cases']")
    left = board.locator("#escalations .handle").nth(1).inner_text()
    board.locator(".step-acknowledge").first.click()
    expect(board.locator("#alarm")).to_contain_text(f"Not acknowledged: {left}, ")


def test_the_cover_has_a_way_out_and_says_press_to_a_mouse(unanswered: Place) -> None:
    visitor = talk(unanswered, HELLO[unanswered.language])
    visitor.evaluate(
        "Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    expect(visitor.locator("#uncover")).to_have_text(
        {"en": "Press to go on", "fr": "Appuyez pour continuer"}[unanswered.language], use_inner_text=True
    )
    expect(visitor.locator("#cover a[data-leave]")).to_be_visible()
