"""The samples of docs/embedding.md on a foreign site, pressed in both browsers; and what a foreign site cannot do."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.support import browsers
from tests.support.servers import HavreServer, havre_environment, migrate_and_seed

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

GUIDE = Path(__file__).resolve().parents[2] / "docs/embedding.md"
ADDRESS = "https://chat.example.org"
SEEN = {"Chat with us": ("en", None), "Clavardez avec nous": ("fr", None), "Je m’inquiète": ("fr", "worried")}


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data = tmp_path_factory.mktemp("embedding")
    migrate_and_seed(havre_environment(data))
    with HavreServer(data) as server:
        yield server.base_url


def samples(chat: str) -> list[str]:
    """Return the samples of the guide with the address of a running chat."""
    found = re.findall(r"```html\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 4
    return [sample.replace(ADDRESS, chat) for sample in found]


@contextmanager
def foreign(browser: Browser, body: str) -> Iterator[Page]:
    """Show a page of another site, from this machine: browsers keep pages of the open net away from it altogether."""
    html = f'<!doctype html><html lang="en"><title>Shelter</title>{body}'.encode()

    class Shelter(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(html)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Shelter) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        page = browsers.desk(browser).new_page()
        page.goto(f"http://localhost:{server.server_port}/help")
        yield page
        page.context.close()
        server.shutdown()


def heard(asked: list[Request]) -> Callable[[Request], None]:
    """Return what notes requests."""
    return lambda request: asked.append(request)


@pytest.mark.parametrize("engine", ["chromium", "firefox"])
def test_each_sample_leads_to_the_page_and_tells_it_nothing(engine: str, chat: str) -> None:
    with sync_playwright() as playwright, getattr(browsers, engine)(playwright) as browser:
        for sample in samples(chat):
            with foreign(browser, sample) as page:
                press(page, sample, engine)


def press(page: Page, sample: str, engine: str) -> None:
    """Press what a sample offers, and look at where it leads."""
    asked: list[Request] = []
    page.on("request", heard(asked))
    site = page.evaluate("location.origin + '/'")
    label = page.locator("a, button").inner_text()
    page.locator("a, button").click()
    expect(page.locator("#start")).to_be_visible()
    language, door = next(seen for start, seen in SEEN.items() if label.startswith(start))
    if "?l=" in sample or "<form" in sample:
        expect(page.locator("html")).to_have_attribute("lang", language)
    chosen = [one.get_attribute("value") for one in page.locator("input[name=door]:checked").all()]
    assert chosen == ([door] if door else [])
    # Chromium takes no notice of rel on a form: it names the site, and not the page
    named = {site} if engine == "chromium" and "<form" in sample else set()
    assert {asked[0].headers.get("referer", ""), page.evaluate("document.referrer")} <= {"", *named}
    assert page.context.cookies() == []
    page.click("#start")
    expect(page.locator("#text")).to_be_visible()


def test_a_foreign_page_can_neither_frame_nor_read_nor_hold_it(chat: str) -> None:
    body = f'<iframe src="{chat}/"></iframe><a target="_blank" rel="opener" href="{chat}/">open</a>'
    with sync_playwright() as playwright, browsers.chromium(playwright) as browser, foreign(browser, body) as page:
        frame = page.frames[1]
        frame.wait_for_load_state()
        # Chromium puts an error page of its own in the place of what refuses to be framed
        assert browsers.comes(page, lambda: frame.evaluate("location.protocol") == "chrome-error:")
        assert page.evaluate(f"fetch('{chat}/').then(() => 'read', () => 'refused')") == "refused"
        assert page.evaluate(f"fetch('{chat}/', {{mode: 'no-cors'}}).then(() => 'read', () => 'refused')") == "refused"
        with page.expect_popup() as opened:
            page.click("a")
        expect(opened.value.locator("#landing")).to_be_visible()
        assert opened.value.evaluate("window.opener") is None
