"""What somebody sees who comes in a flood of others: a short wait, the phone number beside it, and then the chat."""

import asyncio
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.servers import HavreServer, havre_environment, migrate_and_seed
from tests.support.wire import Line, dial

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

WORDS = {
    "en": ("Very many people are coming at once.", "You can also call.", "We could not let you in yet."),
    "fr": (
        "Beaucoup de personnes arrivent en même temps.",
        "Vous pouvez aussi appeler.",
        "Nous n’avons pas encore pu vous laisser entrer.",
    ),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HavreServer]:
    data = tmp_path_factory.mktemp("flood")
    migrate_and_seed(havre_environment(data))
    with HavreServer(data) as one:
        yield one


def flood(server: HavreServer) -> None:
    """Begin so often that the site's pace is used up for some seconds."""

    async def begin() -> str:
        async with dial(server, "/ws/v") as socket:
            line = Line(socket)
            token = secrets.token_urlsafe(32)
            await line.send(type="hello", version=1, token=token, after=0, start=True, language="en")
            return str((await line.until())["type"])

    async def until_work_is_asked() -> None:
        answers: list[str] = []
        while answers[-10:] != ["proof_wanted"] * 10:
            answers += await asyncio.gather(*(begin() for _ in range(10)))

    # on a thread of its own: the browser's driver runs a loop on this one
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, until_work_is_asked()).result()


def come(chrome: Browser, server: HavreServer, language: str, script: str = "") -> Page:
    """Return a page on which one can press Start, in a flood that has just been there: it is over in ten seconds."""
    page = chrome.new_context(locale=language).new_page()
    if script:
        page.add_init_script(script)
    page.goto(f"{server.base_url}/?l={language}")
    expect(page.locator("#start")).to_be_visible()
    flood(server)
    return page


def start(chrome: Browser, server: HavreServer, language: str, script: str = "") -> Page:
    page = come(chrome, server, language, script)
    page.click("#start")
    return page


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_says_what_it_waits_for_with_the_phone_beside_it_and_gets_in(
    chrome: Browser, server: HavreServer, language: str
) -> None:
    # the work goes on only once all was looked at that stands on the page meanwhile
    held = (
        "const real = crypto.subtle.deriveBits.bind(crypto.subtle);"
        "const looked = new Promise((go) => (globalThis.goOn = go));"
        "SubtleCrypto.prototype.deriveBits = async (...asked) => (await looked, real(...asked));"
    )
    page = start(chrome, server, language, held)
    first, call, _ = WORDS[language]
    expect(page.locator("#news")).to_have_text(first)
    expect(page.locator("#more")).to_contain_text(call)
    expect(page.locator("#call .phone")).to_be_visible()
    expect(page.locator("#retry")).to_be_hidden()
    # the box can be used meanwhile
    page.fill("#text", "a first word")
    page.click("#send")
    page.evaluate("goOn()")
    expect(page.locator("#waited")).to_be_visible(timeout=20_000)
    expect(page.locator("#log .own .way")).not_to_be_empty()
    expect(page.locator("#news")).not_to_have_text(first)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_browser_that_cannot_do_the_work_shows_the_phone_and_tries_again(
    chrome: Browser, server: HavreServer, language: str
) -> None:
    page = start(
        chrome, server, language, "Object.defineProperty(Crypto.prototype, 'subtle', { get: () => undefined });"
    )
    _, call, failed = WORDS[language]
    expect(page.locator("#news")).to_have_text(failed)
    expect(page.locator("#more")).to_contain_text(call)
    expect(page.locator("#call .phone")).to_be_visible()
    flood(server)
    page.click("#retry")
    expect(page.locator("#news")).to_have_text(failed)


def test_the_work_takes_a_moment_only(chrome: Browser, server: HavreServer) -> None:
    page = come(chrome, server, "en")
    began = time.monotonic()
    page.click("#start")
    expect(page.locator("#waited")).to_be_visible(timeout=20_000)
    took = time.monotonic() - began
    print(f"from Start to the welcome: {took:.2f} s")
    assert took < 15
