"""Each state of the visitor's page in English, in French and from right to left: no barrier, nothing on the way out.

`make test` looks at every state once, and takes turns with the languages and the sizes; with `HAVRE_TEST_SCREENS`, as
`make barriers` runs it, at every state in each language at both sizes.
"""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support import browsers, looks
from tests.support.axe import SHAPES, problems
from tests.support.browsers import UNHEARD, comes
from tests.support.journeys import begin, say
from tests.support.looks import in_forced_colours, looked_at
from tests.support.servers import HavreServer, havre_environment, manage, migrate_and_seed
from tests.support.stage import WAITING, Stage
from tests.support.states import STATES

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

LANGUAGES = ("en", "fr", "ar")
EVERYTHING = bool(os.environ.get("HAVRE_TEST_SCREENS"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HavreServer]:
    folder = tmp_path_factory.mktemp("site")
    migrate_and_seed(havre_environment(folder))
    manage(havre_environment(folder), "site", "set", "survey=distress")
    with HavreServer(folder) as one:
        yield one


def barriers(page: Page, name: str, sizes: tuple[str, ...]) -> list[str]:
    """Return all that is wrong with a page in these sizes."""
    found: list[str] = []
    for size in sizes:
        page.set_viewport_size(SHAPES[size])  # type: ignore[arg-type]
        found += looked_at(page, f"{name}-{size}")
    return found + problems(page, name, sizes)


@pytest.mark.timeout(900 if EVERYTHING else 400)
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_state_has_a_barrier(chrome: Browser, server: HavreServer, language: str) -> None:
    context = browsers.phone(chrome, "fr-CA" if language == "fr" else "en-CA")
    found: list[str] = []
    for at, (name, comes_about) in enumerate(STATES.items()):
        if EVERYTHING or LANGUAGES[at % 3] == language:
            page = context.new_page()
            comes_about(Stage(page, server.base_url, language))
            found += barriers(page, f"{name}-{language}", tuple(SHAPES) if EVERYTHING else (tuple(SHAPES)[at % 2],))
            found += in_forced_colours(page, f"{name}-{language}")
            page.close()
    context.close()
    assert not found, "\n".join(found)


@pytest.fixture
def as_set(server: HavreServer) -> Iterator[Callable[..., None]]:
    """Change what the site is set to, and set it back: the other stories need it open."""
    environ = havre_environment(server.log.parent)

    def change(*settings: str) -> None:
        manage(environ, "site", "set", *settings)

    yield change
    change("open=yes", "most_waiting=500")


def test_what_a_site_says_first_has_no_barrier(
    chrome: Browser, server: HavreServer, as_set: Callable[..., None]
) -> None:
    found: list[str] = []
    context = browsers.phone(chrome, "en-CA")
    page = context.new_page()
    as_set("open=no")
    here = Stage(page, server.base_url, "en")
    for here.language in LANGUAGES:
        here.open().shows("#landing .box")
        found += barriers(page, f"landing-closed-{here.language}", tuple(SHAPES))
    as_set("open=yes", "most_waiting=1")
    first = context.new_page()
    begin(first, server.base_url)
    say(first, "I am first")
    # the text stands in the log before the server knows of the conversation
    expect(first.locator("#log .way")).to_contain_text("Sent")
    for here.language in LANGUAGES:
        here.open().shows("#landing .box")
        found += barriers(page, f"landing-full-{here.language}", tuple(SHAPES))
    context.close()
    assert not found, "\n".join(found)


def tab_to(page: Page, what: str, most: int = 12) -> list[str]:
    """Go on with Tab until something has the focus; return what had it on the way, each of which must show it."""
    passed: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        assert looks.ask(page, "focused") == []
        passed.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
        if passed[-1] == what:
            return passed
    raise AssertionError(f"Tab came to {passed}, not to {what}")


def test_a_keyboard_alone_begins_writes_and_ends(chrome: Browser, server: HavreServer) -> None:
    context = browsers.desk(chrome)
    page = context.new_page()
    here = Stage(page, server.base_url, "en").land()
    # the way out first, then the languages, then the page
    assert tab_to(page, "start") == ["Leave this site", "English", "Français", "start"]
    page.keyboard.press("Enter")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("I use no mouse")
    page.keyboard.press("Enter")
    expect(page.locator("#lines")).to_contain_text("I use no mouse")
    expect(page.locator("#text")).to_be_focused()
    here.far.tell("standing", **(WAITING | {"state": "active", "advocate": "Sam"}))
    here.far.tell("message", author="advocate", name="Sam", client_id=None, body="Good that you are here")
    expect(page.locator("#lines")).to_contain_text("Good that you are here")
    # what comes takes the focus from nobody
    expect(page.locator("#text")).to_be_focused()
    page.evaluate("document.activeElement.blur(); document.body.setAttribute('tabindex', '-1'); document.body.focus()")
    assert tab_to(page, "send") == ["Leave this site", "English", "Français", "log", "text", "send"]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "end"
    page.keyboard.press("Enter")
    expect(page.locator("#confirm-title")).to_be_focused()
    tab_to(page, "end-yes")
    page.keyboard.press("Enter")
    expect(page.locator("#ended-title")).to_be_focused()
    assert "I use no mouse" not in page.content()
    context.close()


LOG = """
- log "Messages":
  - list:
    - listitem:
      - paragraph: You
      - paragraph: I am not sure if I can talk here.
      - paragraph: Sent
    - listitem: Sam is here.
    - listitem:
      - paragraph: Sam
      - paragraph: You are welcome here. Take your time.
"""


def test_the_log_says_who_speaks_before_what_is_said(chrome: Browser, server: HavreServer) -> None:
    context = browsers.phone(chrome, "en-CA")
    page = context.new_page()
    here = Stage(page, server.base_url, "en").talk()
    expect(page.locator("#log")).to_match_aria_snapshot(LOG)
    assert page.locator("#log[role=log], #log[aria-live=polite]").count() == 1
    # one's own lines are not read back, and no live region lies in another
    assert page.locator("#lines li.own:not([aria-live=off])").count() == 0
    live = "[role=log], [role=status], [role=alert], [aria-live=polite], [aria-live=assertive]"
    assert (
        page.evaluate(f"[...document.querySelectorAll('{live}')].filter(e => e.parentElement.closest('{live}')).length")
        == 0
    )
    here.far.silent = True
    here.say("Hello?").later(16)
    expect(page.locator("#log")).to_match_aria_snapshot(
        '- log "Messages":\n  - list:\n    - listitem:\n      - paragraph: You\n      - paragraph: Hello?\n'
        '      - paragraph:\n        - text: Not sent yet\n        - button "Try again"\n'
    )
    context.close()


IN_SIGHT = """(all, top) => all.every((e) => {
  const { left, right, top: from, bottom } = e.getBoundingClientRect();
  const middle = document.elementFromPoint((left + right) / 2, (from + bottom) / 2);
  return from >= top && bottom <= innerHeight && e.contains(middle);
})"""


def in_sight(page: Page, what: str) -> bool:
    """Tell whether all of these can be seen and pressed, below the bar, once the page has come to rest."""

    def seen() -> bool:
        below: float = page.locator("header").evaluate("e => e.getBoundingClientRect().bottom")
        return bool(page.locator(what).evaluate_all(IN_SIGHT, below))

    return comes(page, seen)


def test_a_phone_has_in_sight_what_counts(chrome: Browser, server: HavreServer) -> None:
    """In French, where everything takes more room."""
    language = "fr"
    context = browsers.phone(chrome, f"{language}-CA")
    page = context.new_page()
    for name in ("waiting-wrote", "waiting-lost", "back-in-line", "chat-lost"):
        STATES[name](Stage(page, server.base_url, language))
        page.evaluate("scrollTo(0, 0)")
        assert in_sight(page, "#news, #text, #send, #call:not([hidden])"), name
        page.close()
        page = context.new_page()
    here = STATES["words-offered"](Stage(page, server.base_url, language))
    assert isinstance(here, Stage)
    for at in (0, 30, 60, 400):
        page.evaluate(f"scrollTo(0, {at})")
        assert in_sight(page, "#languages a")
    here.press("#return-words .main").shows(".six li")
    assert page.locator(".six li").count() == 6
    assert in_sight(page, ".six li, #languages a, #return-words .main")
    for number in range(12):
        here.hears("message", author="advocate", name="Sam", client_id=None, body=f"Line {number} to read again")
    here.hears("fact", code="ended_by_advocate", name="Sam").shows("#over")
    page.evaluate("scrollTo(0, 0)")
    assert in_sight(page, "#clear, #again")
    assert comes(page, lambda: page.locator("#log").evaluate("e => e.clientHeight") >= 250)
    here.press("#again").shows("#start")
    assert "Line 11 to read again" not in page.content()
    context.close()


def test_what_came_before_a_part_of_the_page_was_there_is_no_less_for_it(chrome: Browser, server: HavreServer) -> None:
    """On a slow line: an address that staff wrote is a link, and a text that is too long goes in parts."""
    context = browsers.phone(chrome, "en-CA")
    page = context.new_page()
    held: list[Route] = []
    page.route("**/visitor/waiting*.js", lambda route: held.append(route))
    stage = Stage(page, server.base_url, "en").land().press("#start").greets()
    assert comes(page, lambda: held != [])
    stage.hears("standing", **WAITING | {"state": "active", "advocate": "Sam"}).hears("fact", code="joined", name="Sam")
    body = "Read https://shelter.example/aide, when you can."
    stage.hears("message", author="advocate", name="Sam", client_id=None, body=body).shows("li.theirs")
    page.fill("#text", "a" * 4_012)
    held[0].continue_()
    expect(page.locator("li.theirs a")).to_have_attribute("href", "https://shelter.example/aide")
    stage.shows("#parts")
    context.close()


def test_a_page_speaks_the_language_that_was_asked_for_last(chrome: Browser, server: HavreServer) -> None:
    """Whatever comes first of what two presses ask for, and of what a part of the page asks for in between."""
    context = browsers.phone(chrome, "en-CA")
    page = context.new_page()
    stage = Stage(page, server.base_url, "en")
    held: dict[str, Route] = {}

    def hold(route: Route) -> None:
        if route.request.url in held:
            route.continue_()
        else:
            held[route.request.url] = route

    for what in ("**/survey/questions", "**/?l=fr"):
        page.route(what, hold)
    stage.land().press("#start").shows("#waited")
    assert comes(page, lambda: len(held) == 1)
    stage.press("#languages a[lang=fr]")
    assert comes(page, lambda: len(held) == 2)
    stage.press("#languages a[lang=en]")
    assert comes(page, lambda: stage.far.heard.count("language") == 1)
    held.pop(f"{server.base_url}/?l=fr").continue_()
    # the page says what it speaks once it has made up its mind
    assert comes(page, lambda: stage.far.heard.count("language") == 2)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.unroute("**/?l=fr")
    stage.press("#languages a[lang=fr]")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    held[f"{server.base_url}/survey/questions"].continue_()
    expect(page.locator("#feel")).to_contain_text("Comment vous sentez-vous")
    context.close()


LAST_LINE_IN_SIGHT = """() => {
  const log = document.querySelector("#log").getBoundingClientRect();
  const last = document.querySelector("#lines > li:last-child").getBoundingClientRect();
  return last.bottom <= log.bottom && last.bottom > log.top;
}"""

LAST_WORDS_IN_SIGHT = """() => {
  const log = document.querySelector("#log");
  return log.scrollHeight - log.scrollTop - log.clientHeight < 2;
}"""

LAST_LINE_AT_THE_TOP = """() => {
  const log = document.querySelector("#log").getBoundingClientRect();
  const last = document.querySelector("#lines > li:last-child").getBoundingClientRect();
  return last.top >= log.top && last.top < log.top + 40;
}"""


def test_who_loses_their_advocate_reads_why(chrome: Browser, server: HavreServer) -> None:
    """The wait takes room from the log just then; what was said last must not end up below its edge."""
    context = browsers.phone(chrome, "en-CA")
    page = context.new_page()
    Stage(page, server.base_url, "en").talk().hears("fact", code="returned_to_queue", name="Sam").shows("#calm")
    # in one look and not in two, between which the log may get its new height, and once all of the wait has come
    page.wait_for_function(LAST_LINE_IN_SIGHT)
    context.close()


def test_what_is_said_last_is_in_sight_also_where_all_of_it_comes_at_once(chrome: Browser, server: HavreServer) -> None:
    """The log gets room and loses it again before the page has drawn itself once."""
    context = browsers.phone(chrome, "en-CA")
    page = context.new_page()
    stage = Stage(page, server.base_url, "en").begin().say("I am not sure if I can talk here.")
    expect(page.locator("#log .way")).to_contain_text("Sent")
    stage.hears_at_once(
        ("standing", WAITING | {"state": "active", "advocate": "Sam"}),
        ("fact", {"code": "joined", "name": "Sam"}),
        ("message", {"author": "advocate", "name": "Sam", "client_id": None, "body": "You are welcome here."}),
        ("fact", {"code": "returned_to_queue", "name": "Sam"}),
    ).shows("#calm")
    page.wait_for_function(LAST_LINE_IN_SIGHT)
    context.close()


def test_who_has_scrolled_to_the_end_before_the_page_heard_of_it_stays_there(
    chrome: Browser, server: HavreServer
) -> None:
    """A page that is slow draws itself anew before it hears of a scroll, and the log may be smaller by then."""
    context = browsers.phone(chrome, "en-CA")
    page = context.new_page()
    stage = Stage(page, server.base_url, "en").talk()
    for number in range(20):
        stage.hears(
            "message", author="advocate", name="Sam", client_id=None, body=f"The grey heron stood {number} times"
        )
    log = page.locator("#log")
    expect(log).to_contain_text("stood 19 times")
    log.evaluate("log => new Promise((seen) => { log.onscroll = seen; log.scrollTop = 0; })")
    log.evaluate(UNHEARD)
    log.evaluate("log => { log.style.maxBlockSize = '150px'; }")
    stage.sees_typing()
    page.evaluate("hears()")
    page.wait_for_function(LAST_WORDS_IN_SIGHT)
    stage.hears("message", author="advocate", name="Sam", client_id=None, body="The amber gate")
    expect(log).to_contain_text("amber gate")
    page.wait_for_function(LAST_LINE_IN_SIGHT)
    context.close()


def test_a_long_message_of_staff_is_read_from_its_top(chrome: Browser, server: HavreServer) -> None:
    context = browsers.phone(chrome, "en-CA")
    page = context.new_page()
    stage = Stage(page, server.base_url, "en").talk()
    long = "You decide what you tell me." + "\nThere are limits." * 40
    stage.hears("message", author="advocate", name="Sam", client_id=None, body=long)
    expect(page.locator("#lines li").last).to_contain_text("You decide")
    page.wait_for_function(LAST_LINE_AT_THE_TOP)
    # who has come to its end stays there, also when the page is drawn again and when the keyboard opens
    box = page.locator("#log")
    # the page may have given the log another height before it hears that somebody scrolled
    box.evaluate("log => { log.scrollTop = log.scrollHeight; log.style.maxBlockSize = '150px'; }")
    stage.sees_typing("is writing…").page.set_viewport_size({"width": 360, "height": 420})
    page.wait_for_function("() => innerHeight === 420")
    page.wait_for_function(LAST_WORDS_IN_SIGHT)
    context.close()
