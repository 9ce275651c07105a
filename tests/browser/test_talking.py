"""What a chat does besides carrying texts: links, long texts, drafts, who has seen it, its end and what comes after."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocket, expect, sync_playwright

from tests.support import browsers
from tests.support.axe import problems
from tests.support.journeys import answer, begin, hold_all, say, shot, sign_in
from tests.support.servers import HavreServer, havre_environment, manage, migrate_and_seed

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

DRAFT = "saffron thoughts nobody sends"
ASKED = {"en": "A few short questions", "fr": "Quelques petites questions"}
SAID = {"en": "May I write to you here?", "fr": "Est-ce que je peux vous écrire ici?"}
WITH_LINK = {
    "en": "Read https://shelter.example/aide?l=en, when you can.",
    "fr": "Lisez https://shelter.example/aide?l=fr, quand vous pourrez.",
}
HERS = "https://his-profile.example/me"
PARTS = 12


@dataclass
class Wire:
    """Hold everything that a page sent, over any way."""

    sent: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Note each frame and each request of a page from now on."""
        page.on("websocket", self._socket)
        page.on("request", lambda request: self.sent.append(f"{request.url} {request.post_data or ''}"))

    def _socket(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda payload: self.sent.append(str(payload)))


@dataclass(frozen=True)
class Talk:
    """Be a visitor's page and an advocate's console that talk."""

    language: str
    server: HavreServer
    visitor: Page
    console: Page
    wire: Wire
    database: Path

    def answers(self) -> list[tuple[object, ...]]:
        """Return what the site keeps of answers."""
        with closing(sqlite3.connect(self.database)) as rows:
            return rows.execute("SELECT helpful, again, before, after, language FROM chat_surveyanswer").fetchall()


@pytest.fixture(params=["en", "fr"])
def talk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Talk]:
    language, environ = request.param, havre_environment(tmp_path)
    migrate_and_seed(environ)
    manage(environ, "site", "set", "survey=distress")
    with HavreServer(tmp_path) as server, sync_playwright() as playwright, browsers.chromium(playwright) as chrome:
        visitor, wire = browsers.phone(chrome, f"{language}-CA").new_page(), Wire()
        wire.listen(visitor)
        begin(visitor, server.base_url)
        console = sign_in(chrome, server.base_url, tmp_path, "ben", "/staff/console")
        yield Talk(language, server, visitor, console, wire, tmp_path / "havre.sqlite3")


def test_a_talk_from_the_first_draft_to_its_end(talk: Talk) -> None:
    how_she_feels_is_asked_beside_the_wait(talk)
    nothing_typed_leaves_the_page(talk)
    each_text_says_how_far_it_has_got(talk)
    links_are_made_of_staffs_addresses_only(talk)
    a_long_text_goes_in_parts_and_none_is_lost(talk)
    the_advocate_asks_before_the_end(talk)
    the_text_is_gone_before_anything_is_asked(talk)
    she_answers_and_has_it_erased(talk)


def how_she_feels_is_asked_beside_the_wait(talk: Talk) -> None:
    feel = talk.visitor.locator("#feel")
    expect(feel).to_be_visible()
    sizes = [button.bounding_box() for button in feel.locator("button").all()]
    assert len({(box["width"], box["height"]) for box in sizes if box}) == 1, "skipping is as easy as answering"
    assert problems(talk.visitor, f"feel-{talk.language}") == []
    feel.locator("select").select_option("8")
    feel.locator("button").last.click()
    expect(feel).to_be_hidden()
    assert not [sent for sent in talk.wire.sent if '"8"' in sent or ":8" in sent.split("/survey")[-1]]


def nothing_typed_leaves_the_page(talk: Talk) -> None:
    talk.visitor.locator("#text").press_sequentially(DRAFT)
    talk.visitor.wait_for_timeout(1_500)
    assert any('"hello"' in sent for sent in talk.wire.sent), "the ear hears nothing"
    assert not [sent for sent in talk.wire.sent if DRAFT[:7] in sent or "typing" in sent]


def each_text_says_how_far_it_has_got(talk: Talk) -> None:
    sent, seen = {"en": ("Sent", "Seen"), "fr": ("Envoyé", "Vu")}[talk.language]
    say(talk.visitor, SAID[talk.language])
    expect(talk.visitor.locator("li.own .way")).to_have_text(sent)
    talk.console.check("input[name=availability][value=ready]")
    hold_all(talk.console, 1)
    talk.console.locator("#mine > li button.row").first.click()
    expect(talk.visitor.locator("li.own .way")).to_have_text(seen, timeout=15_000)


def links_are_made_of_staffs_addresses_only(talk: Talk) -> None:
    answer(talk.console, WITH_LINK[talk.language])
    link = talk.visitor.locator("li.theirs a")
    address = f"https://shelter.example/aide?l={talk.language}"
    expect(link).to_have_text(address)
    for name, value in {"href": address, "target": "_blank", "rel": "noreferrer noopener nofollow"}.items():
        expect(link).to_have_attribute(name, value)
    expect(talk.visitor.locator("li.theirs .words")).to_have_attribute("lang", talk.language)
    expect(talk.visitor.locator("li.theirs .words")).to_have_text(WITH_LINK[talk.language])
    say(talk.visitor, HERS)
    log = talk.console.locator(".conversation:visible [role=log]")
    expect(log).to_contain_text(HERS)
    expect(log.locator("a")).to_have_count(0)
    expect(talk.visitor.locator("li.own a")).to_have_count(0)
    expect(log.locator("li.theirs .text").first).to_have_attribute("lang", talk.language)
    shot(talk.visitor, f"visitor-link-{talk.language}-phone")


def a_long_text_goes_in_parts_and_none_is_lost(talk: Talk) -> None:
    """More parts than anybody may write at once: the server slows the page down, and takes them all."""
    paragraphs = [f"{number}. {'mot ' * 900}fin {number}." for number in range(1, PARTS + 1)]
    talk.visitor.fill("#text", "\n\n".join(paragraphs))
    talk.visitor.click("#send")
    expect(talk.visitor.locator("#problem")).to_be_visible()
    assert talk.visitor.locator("#text").input_value() == "\n\n".join(paragraphs)
    shot(talk.visitor, f"visitor-long-{talk.language}-phone")
    assert problems(talk.visitor, f"long-{talk.language}") == []
    talk.visitor.click("#parts")
    log = talk.console.locator(".conversation:visible [role=log]")
    expect(log).to_contain_text(f"fin {PARTS}.", timeout=20_000)
    assert re.findall(r"fin (\d+)\.", log.text_content() or "") == [str(n) for n in range(1, PARTS + 1)]
    assert talk.visitor.locator("#text").input_value() == ""


def the_advocate_asks_before_the_end(talk: Talk) -> None:
    part = talk.console.locator("div.end:visible")
    part.locator("p > button").first.click()
    line = part.locator("textarea").input_value()
    expect(part.locator("textarea")).to_have_attribute("lang", talk.language)
    assert line.startswith({"en": "Is there anything else", "fr": "Y a-t-il autre chose"}[talk.language])
    assert problems(talk.console, f"closing-{talk.language}") == []
    part.locator(".closing-send").click()
    expect(talk.visitor.locator("li.theirs").last).to_contain_text(line)
    expect(talk.visitor.locator("#composer")).to_be_visible()
    say(talk.visitor, "Merci.")
    expect(part.locator("[role=status]")).to_contain_text("Read it before you end")
    part.locator(".closing-end").click()
    talk.console.click("#ask-yes")
    expect(talk.visitor.locator("#clear")).to_be_visible()


def the_text_is_gone_before_anything_is_asked(talk: Talk) -> None:
    page = talk.visitor
    expect(page.locator("#survey")).to_be_hidden()
    page.click("#clear")
    expect(page.locator("#survey")).to_be_visible()
    seen = page.evaluate("document.body.innerHTML")
    for text in (SAID[talk.language], HERS, "shelter.example", "fin 12.", DRAFT):
        assert text not in seen
    assert page.locator("#text").input_value() == ""
    expect(page.locator("#ended-title")).to_be_focused()
    sizes = [button.bounding_box() for button in page.locator("#survey .choices button").all()]
    assert len({(box["width"], box["height"]) for box in sizes if box}) == 1
    assert problems(page, f"survey-{talk.language}") == []
    page.locator("#survey").scroll_into_view_if_needed()
    shot(page, f"visitor-survey-{talk.language}")


def she_answers_and_has_it_erased(talk: Talk) -> None:
    page, before = talk.visitor, len(talk.wire.sent)
    page.click("#survey .choices button >> nth=1")
    expect(page.locator("#survey [role=status]")).not_to_be_empty()
    page.check("#survey input[name=helpful][value=a_little]")
    page.locator("#survey select").select_option("3")
    for language in ("fr" if talk.language == "en" else "en", talk.language):
        page.click(f"#languages a[hreflang={language}]")
        expect(page.locator("#survey-title")).to_contain_text(ASKED[language])
        expect(page.locator("#survey input[name=helpful][value=a_little]")).to_be_checked()
        expect(page.locator("#survey select")).to_have_value("3")
    assert talk.answers() == []
    page.click("#survey .choices button >> nth=1")
    expect(page.locator("#survey select")).to_have_count(0)
    assert talk.answers() == [("a_little", "", 8, 3, talk.language)]
    (sent,) = [sent for sent in talk.wire.sent[before:] if "/survey " in sent]
    assert '"ticket"' in sent
    assert '"token"' not in sent
    page.click("#ended [data-erase=ended]")
    expect(page.locator("#erasing-ended")).to_be_visible()
    expect(page.locator("#ended [data-erase=ended]")).to_be_hidden()
    # scrolled back: links half under the bar that stays in sight would count as too small
    page.evaluate("scrollTo(0, 0)")
    assert problems(page, f"after-{talk.language}") == []
