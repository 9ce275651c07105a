"""Be a shift in a browser: who writes, who answers, who watches, who has no business here, and what each of them hears.

Staff read their pages in the language of the shift; what a page says is taken from the words that it carries.
"""

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page, WebSocket, expect

from tests.support import browsers
from tests.support.journeys import begin, record_contact, say, sign_in

STAFF = {"ben": "/staff/console", "cleo": "/staff/console", "dana": "/staff/board"}
OF_STAFF = re.compile(
    r'escalat|escalad|flag_|cue_|external_|screening|imminent|unreadable|"level"|superv', re.IGNORECASE
)
"""What neither a visitor's page nor anything that is sent to it ever holds."""
ARRIVED = re.compile("^(Sent|Delivered|Seen|Envoyé|Reçu|Vu)")
LISTEN = """
window.told = [];
window.sounds = 0;
const Silent = window.AudioContext;
window.AudioContext = class extends Silent {
  createOscillator() { window.sounds += 1; return super.createOscillator(); }
};
document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll("[role=alert]")) {
    const heard = () => place.textContent.trim() !== "" && !place.hidden && window.told.push(place.textContent);
    const all = { childList: true, characterData: true, subtree: true, attributeFilter: ["hidden"] };
    new MutationObserver(heard).observe(place, all);
  }
});
"""
"""Count what a screen reader is told at once, and what could sound."""


@dataclass
class Far:
    """Be the far end of a webhook: what it was sent, each answered as received."""

    address: str
    heard: list[bytes] = field(default_factory=list)


@contextmanager
def webhook() -> Iterator[Far]:
    """Give a far end on this machine."""

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            far.heard.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *about: Any) -> None:
            """Stay silent: what a run prints is read."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hook) as server:
        far = Far(f"http://127.0.0.1:{server.server_address[1]}/hook")
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield far
        server.shutdown()


def listen(page: Page) -> None:
    """Count from the next load on what a page announces at once."""
    page.add_init_script(LISTEN)


def told(page: Page) -> list[str]:
    """Return what was announced at once since the page was loaded."""
    heard: list[str] = page.evaluate("window.told")
    return heard


def word(page: Page, key: str, **about: object) -> str:
    """Return a text as the page would say it."""
    text = page.evaluate("key => JSON.parse(document.getElementById('words').textContent)[key]", key)
    for name, value in about.items():
        text = text.replace(f"{{{name}}}", str(value))
    return str(text)


@dataclass
class Visitor:
    """Be somebody who writes, and all that their page was ever sent."""

    page: Page
    frames: list[str]

    def says(self, text: str) -> None:
        """Write something that arrives."""
        say(self.page, text)
        expect(self.page.locator("#lines li.own .way").last).to_have_text(ARRIVED)

    def sees_nothing_of_it(self) -> None:
        """Hold that no level, no call and no name of a step has come to this page."""
        shown = self.page.locator("body").inner_text()
        assert [found[0] for text in (shown, *self.frames) if (found := OF_STAFF.search(text))] == []

    def ends(self) -> None:
        """End the chat."""
        self.page.click("#end")
        self.page.click("#end-yes")
        expect(self.page.locator("#ended-title")).to_be_visible()
        self.page.context.close()


@dataclass
class Shift:
    """Hold everybody who is signed in, each with one page that stays open."""

    chrome: Browser
    url: str
    data: Path
    far: Far
    pages: dict[str, Page] = field(default_factory=dict)
    lists: list[str] = field(default_factory=list)
    """What Cleo's page was sent."""
    language: str = "en"

    def begin(self) -> None:
        """Sign everybody in, and let Alix say who is paged."""
        for name, path in STAFF.items():
            self.pages[name] = sign_in(self.chrome, self.url, self.data, name, "/staff/cases")
            listen(self.pages[name])
            if name == "cleo":
                keep_frames(self.pages[name], self.lists)
            self.pages[name].goto(self.url + path)
        alix = self.pages["alix"] = sign_in(self.chrome, self.url, self.data, "alix", "/staff/on-call")
        alix.fill("#new-name", "Night pager")
        alix.fill("#new-address", self.far.address)
        alix.locator("form[action$='/on-call/add'] button.main").click()
        expect(alix.locator("#secret-title")).to_be_visible()

    @property
    def ben(self) -> Page:
        """Return the console of the advocate."""
        return self.pages["ben"]

    @property
    def cleo(self) -> Page:
        """Return the console of the other advocate."""
        return self.pages["cleo"]

    @property
    def board(self) -> Page:
        """Return Dana's board."""
        return self.pages["dana"]

    def speak(self, language: str) -> None:
        """Let staff read their pages in a language, each page fresh."""
        self.language = language
        for name, path in STAFF.items():
            page = self.pages[name]
            if page.locator("html").get_attribute("lang") == language:
                page.goto(self.url + path)
            else:
                page.click("button[name=language]")
            expect(page.locator("html")).to_have_attribute("lang", language)
            expect(page.locator("#line")).to_be_hidden()
        self.lists.clear()

    def visitor(self, text: str) -> Visitor:
        """Return somebody who has begun and written."""
        page = browsers.phone(self.chrome, f"{self.language}-CA").new_page()
        frames: list[str] = []
        keep_frames(page, frames)
        begin(page, self.url)
        visitor = Visitor(page, frames)
        visitor.says(text)
        return visitor

    def row(self) -> Locator:
        """Return the one escalation on the board."""
        row = self.board.locator("#escalations > li")
        expect(row).to_have_count(1)
        return row

    def name(self) -> str:
        """Return how staff speak of whom the one escalation is about."""
        return self.row().locator(".handle").inner_text()

    def step(self, name: str, reason: str = "") -> None:
        """Let Dana take a step, with a reason where one is owed."""
        self.row().locator(f".step-{name}").click()
        if reason:
            self.board.fill("#ask-reason", reason)
            self.board.click("#ask-yes")

    def settle(self, how: str, reason: str) -> None:
        """Let Dana settle the one escalation."""
        self.step(how, reason)
        leave_list(self.board)
        expect(self.board.locator("#escalations > li")).to_have_count(0)
        expect(self.board.locator("#alarm")).to_be_empty()

    def let_clocks_run_out(self) -> None:
        """Turn the clocks that run to when they began: the worker finds them with its next look."""
        self._do("UPDATE crisis_escalation SET due_at = raised_at WHERE due_at IS NOT NULL")

    def clocks(self) -> int:
        """Return how many clocks run."""
        return int(self._do("SELECT count(*) FROM crisis_escalation WHERE due_at IS NOT NULL")[0][0])

    def cleo_hears_of_none(self) -> None:
        """Hold that no list of Cleo's ever had an escalation in it."""
        assert [text for text in self.lists if '"escalations":[{' in text] == []

    def close(self, console: Page) -> None:
        """Record what has ended, so that the seat is free."""
        console.locator("#mine button.row").first.click()
        expect(console.locator("form.contact:visible")).to_be_visible()
        record_contact(console, "victim_survivor", "support_given")
        expect(console.locator("#mine > li")).to_have_count(0)

    def _do(self, statement: str) -> list[Any]:
        with closing(sqlite3.connect(self.data / "havre.sqlite3", timeout=10)) as database, database:
            return database.execute(statement).fetchall()


def leave_list(board: Page) -> None:
    """Take the hand from the list of escalations, which stands still for some seconds after one was on it."""
    board.locator("#escalations").dispatch_event("pointerleave")


def keep_frames(page: Page, frames: list[str]) -> None:
    """Keep what a page's sockets receive."""

    def opened(socket: WebSocket) -> None:
        socket.on("framereceived", lambda payload: frames.append(str(payload)))

    page.on("websocket", opened)
