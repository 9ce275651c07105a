"""The main story in real browsers: two visitors, one advocate, a supervisor, a case."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.support import browsers
from tests.support.journeys import answer, begin, hold_all, open_row, raise_flag, record_contact, say, shot, sign_in
from tests.support.needs import need_postgres, need_redis
from tests.support.search import Monitor, postgres_bytes, redis_bytes
from tests.support.servers import (
    HavreServer,
    HavreWorker,
    fresh_database,
    havre_environment,
    manage,
    migrate_and_seed,
)

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

SENTENCES = [f"the teal kettle sings {number} times" for number in range(10)]
PHRASES = [f"le merle bleu chante {number} fois" for number in range(10)]
REPLY = "a copper answer for heron"
NOTE = "an amber note for the team"
REASON = "a violet reason to worry"


@dataclass(frozen=True)
class Stage:
    """Be a running Havre: where visitors and staff reach it, and everything that it wrote."""

    visitor_url: str
    staff_url: str
    data: Path
    written: Callable[[], dict[str, bytes]]


@pytest.fixture(scope="module", params=["embedded", pytest.param("two processes", marks=pytest.mark.servers)])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    data = tmp_path_factory.mktemp("story")
    yield from (embedded(data) if request.param == "embedded" else two_processes(data))


def embedded(data: Path) -> Iterator[Stage]:
    """Serve SQLite from one process, as the demo does."""
    migrate_and_seed(havre_environment(data))
    with HavreServer(data) as server:
        yield Stage(server.base_url, server.base_url, data, lambda: files_in(data))


def two_processes(data: Path) -> Iterator[Stage]:
    """Serve PostgreSQL and Redis: visitors from one web process, staff from another, the worker a third."""
    redis = need_redis()
    with fresh_database(need_postgres()) as database:
        migrate_and_seed(havre_environment(data, database_url=database, redis_url=redis))
        near = HavreServer(data, server="uvicorn", database_url=database, redis_url=redis)
        far = HavreServer(data, server="uvicorn", database_url=database, redis_url=redis)
        with Monitor(redis) as monitor, near, far, HavreWorker(data, database_url=database, redis_url=redis):
            yield Stage(
                near.base_url,
                far.base_url,
                data,
                lambda: (
                    files_in(data) | postgres_bytes(database) | redis_bytes(redis) | {"redis traffic": monitor.heard()}
                ),
            )


def files_in(data: Path) -> dict[str, bytes]:
    """Return every file of the data folder: database, write-ahead log, logs, keys."""
    return {path.name: path.read_bytes() for path in data.rglob("*") if path.is_file()}


def test_two_visitors_one_advocate_a_flag_and_a_case(stage: Stage) -> None:
    base, data, public = stage.staff_url, stage.data, stage.visitor_url
    with sync_playwright() as playwright, browsers.chromium(playwright) as chrome, browsers.firefox(playwright) as fox:
        console = sign_in(chrome, base, data, "ben", "/staff/console")
        console.check("input[name=availability][value=ready]")
        english, french = browsers.phone(chrome, "en-CA").new_page(), browsers.phone(fox, "fr-CA").new_page()
        begin(english, public)
        begin(french, public)
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
        began = time.monotonic()
        raise_flag(console, "2", REASON)
        board.locator("#escalations > li").first.wait_for(timeout=1_000)
        print(f"flag on the board after {time.monotonic() - began:.2f} s, the filling in of the form included")
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
    written = stage.written()
    assert {"havre.sqlite3", "postgres rows"} & set(written)
    assert readable(written) == {}


def expect_in_case(page: Page, base: str, words: list[str]) -> None:
    """Wait for the worker to carry everything over, then look at the timeline."""
    for _ in range(40):
        page.goto(f"{base}/staff/cases")
        link = page.locator("main a[href^='/staff/cases/']").first
        if link.count():
            link.click()
            text = (page.locator("main").text_content() or "").lower()
            if all(word in text for word in words):
                return
        page.wait_for_timeout(500)
    raise AssertionError(f"the timeline lacks one of {words}")


def readable(written: dict[str, bytes]) -> dict[str, list[str]]:
    """Return where which sentence, answer, note or reason of the story can be read."""
    texts = [*SENTENCES, *PHRASES, REPLY, NOTE, REASON]
    return {
        place: found for place, raw in written.items() if (found := [text for text in texts if text.encode() in raw])
    }


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


def test_the_search_finds_the_canary_in_sqlite_when_sealing_is_off(tmp_path: Path) -> None:
    environ = havre_environment(tmp_path)
    migrate_and_seed(environ)
    manage(environ, "shell", "--no-imports", "-c", WITHOUT_SEALING)
    assert any(SENTENCES[3] in found for found in readable(files_in(tmp_path)).values())


@pytest.mark.servers
def test_the_search_finds_the_canary_in_postgres_when_sealing_is_off(tmp_path: Path) -> None:
    with fresh_database(need_postgres()) as database:
        environ = havre_environment(tmp_path, database_url=database)
        migrate_and_seed(environ)
        manage(environ, "shell", "--no-imports", "-c", WITHOUT_SEALING)
        assert readable(postgres_bytes(database)) == {"postgres rows": [SENTENCES[3]]}


@pytest.mark.servers
def test_the_search_finds_the_canary_in_redis() -> None:
    redis = need_redis()
    with Monitor(redis) as monitor:
        monitor.say(f"SET canary '{SENTENCES[3]}'")
        try:
            assert readable(redis_bytes(redis) | {"traffic": monitor.heard()}).keys() == {"redis keys", "traffic"}
        finally:
            monitor.say("DEL canary")
