"""Doors, the wait and the languages, as somebody on a phone meets them: nothing is lost, and what is said is true."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, Route, expect

from tests.support import browsers
from tests.support.axe import problems
from tests.support.journeys import begin, hold_all, open_row, say, sign_in
from tests.support.servers import HavreServer, havre_environment, manage, migrate_and_seed

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

ARABIC = {
    'lang="en" dir="ltr"': 'lang="ar" dir="rtl"',
    "Leave this site": "اترك هذا الموقع",
    "Write to us": "اكتب لنا",
    "Your message": "رسالتك",
    "We are getting someone for you.": "نبحث عن شخص لك.",
    "While you wait: something calm": "أثناء الانتظار: شيء هادئ",
}
"""A handful of texts that stand in for a language that reads the other way; Havre has none yet."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HavreServer]:
    environ = havre_environment(tmp_path)
    migrate_and_seed(environ)
    guide = "for_work_fr=Un mot.\nNotre guide | https://example.org/guide"
    manage(environ, "site", "set", "interpreters_phone=1-833-555-0142", guide)
    with HavreServer(tmp_path) as one:
        yield one


def speaks(page: Page, route: Route) -> None:
    """Answer with the page in the stand-in for Arabic."""
    text = route.fetch(url=route.request.url.replace("l=ar", "l=en")).text()
    for english, arabic in ARABIC.items():
        text = text.replace(english, arabic)
    route.fulfill(body=text, content_type="text/html; charset=utf-8")


def is_told_who_reads_what(ada: Page) -> list[str]:
    """Nobody on shift reads French: that, and who helps by phone, stands first of all."""
    expect(ada.locator("#unread-here")).to_contain_text("personne ici ne lit le français")
    expect(ada.locator("#unread-here")).to_contain_text("1-833-555-0142")
    ada.click("#languages a[lang=en]")
    expect(ada.locator("#unread-here")).to_be_hidden()
    expect(ada.locator("h1:visible")).to_have_text("Write to us")
    assert ada.evaluate("document.documentElement.lang") == "en"
    ada.click("#languages a[lang=fr]")
    expect(ada.locator("#unread-here")).to_be_visible()
    return problems(ada, "wait-unread-fr")


def waits_with_words_of_her_own(ada: Page) -> list[str]:
    """Who comes for their work has their own words first, and something calm for the wait."""
    ada.check("input[name=door][value=professional]")
    expect(ada.locator("#landing #work a")).to_be_visible()
    ada.click("#start")
    link = ada.locator("#stage #work a")
    expect(link).to_have_attribute("href", "https://example.org/guide")
    expect(link).to_have_attribute("rel", "noreferrer noopener nofollow")
    expect(ada.locator("#unread")).to_be_visible()
    say(ada, "Bonjour, je suis là")
    ada.fill("#text", "une phrase à moitié")
    ada.click("#calm summary")
    expect(ada.locator("#breath li:visible")).to_have_count(1)
    ada.click("#breathe")
    expect(ada.locator("#breath li:visible")).to_have_text("Inspirez doucement. Comptez jusqu’à quatre.")
    found = problems(ada, "wait-calm-fr")
    ada.click("#calm summary")
    ada.evaluate("scrollTo(0, 0)")
    return found + problems(ada, "wait-fr")


def changes_language_and_door(ada: Page) -> list[str]:
    """All is said in another language where the page stands, and nothing that was written changes."""
    ada.click("#languages a[lang=en]")
    expect(ada.locator("#news")).to_have_text("We are getting someone for you.")
    expect(ada.locator("#calm summary")).to_have_text("While you wait: something calm")
    expect(ada.locator("#lines .who").first).to_have_text("You")
    expect(ada.locator("#unread")).to_be_hidden()
    assert ada.input_value("#text") == "une phrase à moitié"
    assert ada.locator("#work a").count() == 0, "the site has no English words: ours stand there"
    expect(ada.locator("#lines")).to_contain_text("Bonjour, je suis là")
    ada.check("input[name=door][value=worried]")
    expect(ada.locator("#stage #work")).to_have_count(0)
    ada.evaluate("scrollTo(0, 0)")
    return problems(ada, "wait-en")


def is_taken(ada: Page, console: Page) -> None:
    hold_all(console, 1)
    open_row(console, "Bonjour, je suis là")
    seen = console.locator(".conversation:visible [role=log]")
    expect(seen).to_contain_text("The visitor reads the page in English now.")
    expect(seen).to_contain_text("The visitor now says: I am worried about someone.")
    expect(ada.locator("#calm")).to_be_hidden()


def reads_the_other_way(ada: Page) -> list[str]:
    """Arabic reads from right to left, and what was written in French does not."""
    ada.route("**/?l=ar", lambda route: speaks(ada, route))
    ada.evaluate("document.querySelector('#languages a[lang=fr]').href = '/?l=ar'")
    ada.click("#languages a[lang=fr]")
    expect(ada.locator("#composer label")).to_have_text("رسالتك")
    assert ada.evaluate("getComputedStyle(document.body).direction") == "rtl"
    own = ada.locator("#lines .own").bounding_box()
    log = ada.locator("#log").bounding_box()
    assert own is not None
    assert log is not None
    assert own["x"] - log["x"] < log["width"] / 2, "one's own texts stand at the end of a line, which is left now"
    assert ada.locator("#lines .own .words").evaluate("e => getComputedStyle(e).direction") == "ltr"
    return problems(ada, "wait-ar")


def keeps_her_page_without_a_line(ada: Page) -> None:
    """With the line down the page stays as it is, and says so."""
    ada.context.set_offline(True)
    ada.click("#languages a[lang=en]")
    expect(ada.locator("#tongue")).not_to_be_empty(timeout=20_000)
    assert ada.input_value("#text") == "une phrase à moitié"


def test_a_door_a_wait_and_another_language_lose_nothing(
    playwright: Playwright, server: HavreServer, tmp_path: Path
) -> None:
    with browsers.chromium(playwright) as chrome:
        console = sign_in(chrome, server.base_url, tmp_path, "ben", "/staff/console")
        console.check("input[name=availability][value=ready]")
        ada = browsers.phone(chrome, "fr-CA").new_page()
        ada.goto(f"{server.base_url}/")
        entries = ada.evaluate("history.length")
        found = is_told_who_reads_what(ada)
        found += waits_with_words_of_her_own(ada)
        found += changes_language_and_door(ada)
        is_taken(ada, console)
        found += reads_the_other_way(ada)
        keeps_her_page_without_a_line(ada)
        assert ada.evaluate("history.length") == entries
        assert ada.url == f"{server.base_url}/"
    assert found == []


def test_a_full_queue_is_said_before_any_question(playwright: Playwright, server: HavreServer, tmp_path: Path) -> None:
    environ = havre_environment(tmp_path)
    manage(environ, "site", "set", "most_waiting=1")
    with browsers.chromium(playwright) as chrome:
        late = browsers.phone(chrome, "fr-CA").new_page()
        late.goto(f"{server.base_url}/")
        first = browsers.phone(chrome, "en-CA").new_page()
        begin(first, server.base_url)
        say(first, "I am first")
        # the text stands in the log before the server knows of the conversation
        expect(first.locator("#log .way")).to_contain_text("Sent")
        # who had the page open already, and pressed
        late.click("#start")
        expect(late.locator("#full h1")).to_have_text("Beaucoup de gens attendent déjà.")
        found = problems(late, "full-pressed-fr")
        for lang, words in (("fr", "prend personne de plus"), ("en", "takes nobody new")):
            late.goto(f"{server.base_url}/?l={lang}")
            expect(late.locator("#landing .box").first).to_contain_text(words)
            expect(late.locator("h1:visible")).to_contain_text({"fr": "attendent déjà", "en": "are waiting"}[lang])
            expect(late.locator("#landing .box a[href^='tel:']")).to_be_visible()
            assert late.locator("#start, #doors").count() == 0
            found += problems(late, f"full-{lang}")
        expect(first.locator("#news")).to_be_visible()
        assert found == []
