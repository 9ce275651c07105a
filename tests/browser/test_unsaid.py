"""What does not get through: no word vanishes, and the page says of the chat only what is so."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support import browsers
from tests.support.axe import problems
from tests.support.journeys import begin, say, sign_in
from tests.support.servers import HavreServer, havre_environment, manage, migrate_and_seed

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

STAND_IN = """
globalThis.sockets = [];
globalThis.WebSocket = class {
  constructor() {
    sockets.push(this);
    setTimeout(() => this.onopen?.({}), 5);
  }
  send() {}
  close() {}
};
"""
"""A socket on which the test speaks for the server."""
DEAD = STAND_IN.replace("onopen?.({})", "onclose?.({ code: 1006 })")
WELCOME = {
    "type": "welcome",
    "version": 1,
    "state": "waiting",
    "language": "en",
    "head": 0,
    "after": 0,
    "older": False,
    "hidden": False,
    "advocate": None,
    "staffed": True,
    "wait": None,
    "language_read": True,
}
SAID, DRAFT = "the teal kettle sings", "half a sentence"
TEN_MINUTES = 601_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("unsaid")


@pytest.fixture(scope="module")
def server(place: Path) -> Iterator[HavreServer]:
    environ = havre_environment(place)
    migrate_and_seed(environ)
    manage(environ, "site", "set", "survey=off")
    with HavreServer(place) as one:
        yield one


def visitor(chrome: Browser, script: str = "") -> Page:
    """Return a visitor's blank page, on which a script may stand in for the socket."""
    context = browsers.phone(chrome, "en-CA")
    if script:
        context.add_init_script(script)
    page = context.new_page()
    page.clock.install()
    return page


def hear(page: Page, *frames: dict[str, Any], close: int | None = None) -> None:
    """Let the page hear frames on its newest socket, and a close after them."""
    # as a function: a page's own policy lets no text be looked at twice
    page.wait_for_function("() => sockets.length > 0 && sockets.at(-1).onmessage != null")
    for frame in frames:
        page.evaluate("text => sockets.at(-1).onmessage({ data: text })", json.dumps(frame))
    if close is not None:
        page.evaluate("code => sockets.at(-1).onclose({ code })", close)


def refusal(code: str) -> dict[str, Any]:
    return {"type": "error", "ref": None, "code": code, "wait_ms": None}


@pytest.mark.parametrize(("code", "section"), [("full", "#full"), ("closed", "#refused")])
def test_who_is_not_let_in_reads_what_they_had_written(
    chrome: Browser, server: HavreServer, code: str, section: str
) -> None:
    page = visitor(chrome, STAND_IN)
    begin(page, server.base_url)
    say(page, SAID)
    page.fill("#text", DRAFT)
    hear(page, refusal(code), close=4403)
    expect(page.locator(f"{section} h1")).to_be_visible()
    expect(page.locator(f"{section} #unsent-words")).to_have_text(f"{SAID}\n\n{DRAFT}")
    assert problems(page, f"unsaid-{code}") == []
    page.clock.fast_forward(TEN_MINUTES)
    expect(page.locator("#unsent-words")).to_have_count(0)
    assert [text for text in (SAID, DRAFT) if text in page.content()] == []
    expect(page.locator(f"{section} h1")).to_be_visible()


def test_a_page_that_is_too_old_stops_trying_and_keeps_the_text(chrome: Browser, server: HavreServer) -> None:
    page = visitor(chrome, STAND_IN)
    begin(page, server.base_url)
    hear(page, WELCOME)
    say(page, SAID)
    hear(page, close=4400)
    way = page.locator("#log .way")
    for _ in range(3):
        expect(way).to_contain_text("Not sent")
        expect(way.locator("button")).to_have_text("Put it back in the box")
        page.clock.fast_forward(6_000)


def test_the_owner_of_a_chat_that_went_on_elsewhere_is_not_told_that_it_was_closed(
    chrome: Browser, server: HavreServer
) -> None:
    page = visitor(chrome, STAND_IN)
    begin(page, server.base_url)
    hear(page, WELCOME, {"type": "fact", "seq": 1, "code": "came_back", "name": None, "at": "2026-01-01T00:00:00Z"})
    hear(page, refusal("token_unknown"), close=4401)
    expect(page.locator("#news")).to_have_text("This page can no longer show your chat.")
    expect(page.locator("#log")).to_contain_text("opened again with the six words")


def test_who_cannot_connect_has_a_number_to_call(chrome: Browser, server: HavreServer) -> None:
    page = visitor(chrome, DEAD)
    page.route("**/poll", lambda route: route.abort())
    begin(page, server.base_url)
    expect(page.locator("#call")).to_be_visible()
    expect(page.locator("#call a[href^='tel:']")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).overscrollBehaviorY") == "contain"


def test_who_waits_sees_the_numbers_to_call_and_who_talks_finds_them_below(
    chrome: Browser, server: HavreServer
) -> None:
    page = visitor(chrome, STAND_IN)
    begin(page, server.base_url)
    hear(page, WELCOME)
    expect(page.locator("#call")).to_contain_text("In danger right now? Call 911.")
    expect(page.locator("#call-too")).to_be_hidden()
    hear(page, {"type": "fact", "seq": 1, "code": "joined", "name": "Ben", "at": "2026-01-01T00:00:00Z"})
    expect(page.locator("#call")).to_be_hidden()
    expect(page.locator("#call-too")).to_contain_text("In danger right now? Call 911.")


def test_the_chat_is_called_closed_only_once_our_side_knows(chrome: Browser, server: HavreServer, place: Path) -> None:
    console = sign_in(chrome, server.base_url, place, "ben", "/staff/console")
    page = visitor(chrome)
    begin(page, server.base_url)
    say(page, SAID)
    expect(page.locator("#log .way")).to_contain_text("Sent")
    waiting = console.locator("#waiting > li")
    expect(waiting).to_have_count(1)
    server.kill9()
    try:
        page.click("#end")
        page.click("#end-yes")
        expect(page.locator("#ended h1")).to_have_text("We are closing this chat.", use_inner_text=True)
        expect(page.locator("#untold")).to_be_visible()
        assert SAID not in page.content()
        assert problems(page, "unsaid-end") == []
    finally:
        server.restart()
    for _ in range(60):
        page.clock.fast_forward(5_000)
        if page.locator("#untold").is_hidden():
            break
        page.wait_for_timeout(500)
    expect(page.locator("#ended h1")).to_have_text("This chat is closed.", use_inner_text=True)
    # a console whose server was away for long waits for up to half a minute before it dials again
    expect(waiting).to_have_count(0, timeout=45_000)


def test_an_end_goes_by_a_request_too_where_the_line_is_dead(chrome: Browser, server: HavreServer) -> None:
    page = visitor(chrome, STAND_IN)
    asked: list[Any] = []
    ours = {"type": "error", "ref": 1, "code": "ours", "wait_ms": None}

    def answer(route: Route) -> None:
        asked.append(route.request.post_data_json)
        frame = ours if len(asked) == 1 else {"type": "ok", "ref": 1}
        route.fulfill(json={"frames": [frame], "mark": "", "close": None})

    page.route("**/send", answer)
    begin(page, server.base_url)
    hear(page, WELCOME)
    page.wait_for_load_state("networkidle")
    page.click("#end")
    page.click("#end-yes")
    expect(page.locator("#untold")).to_have_attribute("role", "status")
    expect(page.locator("#ended h1")).to_have_text("We are closing this chat.", use_inner_text=True)
    # an outage on our side ends nothing: it is asked again
    hear(page, ours)
    page.clock.fast_forward(5_000)
    expect(page.locator("#ended h1")).to_have_text("This chat is closed.", use_inner_text=True)
    assert [one["frame"]["type"] for one in asked] == ["end", "end"]


def test_one_chat_begins_once_while_words_are_looked_up(chrome: Browser, server: HavreServer) -> None:
    page = visitor(chrome, STAND_IN)
    held: list[Route] = []
    page.route("**/return", lambda route: held.append(route))
    page.goto(f"{server.base_url}/")
    page.click("#have-words")
    page.fill("#six-typed", "one two three four five six")
    page.click("#return-words button")
    for button in ("#start", "#start-below", "#have-words"):
        expect(page.locator(button)).to_be_disabled()
    while not held:
        page.wait_for_timeout(20)
    held[0].fulfill(json={"found": False})
    expect(page.locator("#six-news")).to_contain_text("could not find")
    for button in ("#start", "#start-below", "#have-words"):
        expect(page.locator(button)).to_be_enabled()


def test_words_that_are_shown_again_stay_for_their_whole_time(chrome: Browser, server: HavreServer) -> None:
    page = visitor(chrome, STAND_IN)
    page.route("**/words", lambda route: route.fulfill(json={"words": ["a", "b", "c", "d", "e", "f"]}))
    begin(page, server.base_url)
    hear(page, WELCOME)
    page.click("#get-words")
    show, six = page.locator("#return-words button.main"), page.locator("#return-words .six")
    show.click()
    expect(six).to_be_visible()
    page.clock.fast_forward(100_000)
    show.click()
    expect(six).to_be_hidden()
    show.click()
    expect(six).to_be_visible()
    page.clock.fast_forward(100_000)
    expect(six).to_be_visible()
    page.clock.fast_forward(30_000)
    expect(six).to_be_hidden()


def test_without_script_the_page_promises_no_keys(chrome: Browser, server: HavreServer) -> None:
    context = chrome.new_context(java_script_enabled=False, locale="en-CA")
    page = context.new_page()
    page.goto(f"{server.base_url}/")
    text = page.locator("#landing").inner_text()
    assert "The keys to leave do not work" in text
    assert "press Shift three times" not in text
    assert "is not saved on this device" not in text
    context.close()
