"""Speak to a staff page as the server does, in the order and at the moment that the test chooses."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, BrowserContext, Locator, Page, StorageState, WebSocketRoute, expect

from tests.support import browsers
from tests.support.journeys import sign_in
from tests.support.servers import HavreServer, havre_environment, migrate_and_seed

Frame = dict[str, Any]

ME = {"id": 7, "name": "Sam", "role": "advocate", "capacity": 4, "availability": "ready"}
COLLEAGUE = 9


def key(number: int) -> str:
    """Return the id of a conversation."""
    return f"{number:08d}-1111-4111-8111-111111111111"


def ago(seconds: float = 0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def conversation(number: int, **about: object) -> Frame:
    """Return the row of one that this person holds, called Heron and its number."""
    plain: Frame = {
        "id": key(number),
        "handle": f"Heron {number}",
        "state": "active",
        "door": "help",
        "language": "en",
        "level": 0,
        "opened_at": ago(600),
        "waiting_since": None,
        "advocate_id": ME["id"],
        "advocate": ME["name"],
        "offer_until": None,
        "head": 0,
        "read": 0,
        "last_visitor_at": None,
        "answered": True,
        "visitor_here": True,
        "ended_by": None,
        "returned": None,
        "paused_until": None,
    }
    return plain | about


def escalation(number: int, **about: object) -> Frame:
    """Return an escalation of that conversation, which nobody has acknowledged."""
    plain: Frame = {
        "id": key(number),
        "conversation": key(number),
        "handle": f"Heron {number}",
        "level": 3,
        "state": "raised",
        "raised_at": ago(90),
        "raised_by": "Ben",
        "due_at": ago(-30),
        "climbs": 1,
        "acknowledged_by": None,
        "aloud": True,
        "paged": "none",
    }
    return plain | about


@dataclass
class Desk:
    """Be the server of one staff page: what it shows is what the test put here."""

    page: Page
    shown: list[Frame] = field(default_factory=list)
    raised: list[Frame] = field(default_factory=list)
    logs: dict[str, list[Frame]] = field(default_factory=dict)
    holds: set[str] = field(default_factory=set)
    """Kinds of commands that wait for the test to answer them."""
    refuses: dict[str, str] = field(default_factory=dict)
    """Kinds of commands that are refused, with the reason."""
    held: list[Frame] = field(default_factory=list)
    heard: list[Frame] = field(default_factory=list)
    down: bool = False
    _socket: WebSocketRoute | None = None
    _hello: bool = False

    def open(self, url: str, wait_until: Literal["load", "commit"] = "load") -> None:
        """Open the page on this server's socket."""
        self.page.route_web_socket("**/ws/s", self._opened)
        self.page.goto(url, wait_until=wait_until)

    def say(self, frame: Frame) -> None:
        assert self._socket is not None
        self._socket.send(json.dumps(frame))

    def list(self, *shown: Frame) -> None:
        """Let the page know what is going on now."""
        self.shown = [*shown]
        self.say(self._overview())

    def call(self, *raised: Frame) -> None:
        """Let the page know which escalations are open now."""
        self.raised = [*raised]
        self.say(self._overview())

    def write(self, number: int, body: str) -> None:
        """Let a visitor write."""
        self._line(number, {"type": "message", "author": "visitor", "author_id": None, "client_id": None, "body": body})

    def own(self, number: int, kind: str, body: str) -> None:
        """Let this person have written a message or a note."""
        about = {"type": kind, "author_id": ME["id"], "name": ME["name"], "client_id": None, "body": body}
        self._line(number, about | ({"author": "advocate"} if kind == "message" else {}))

    def tell(self, number: int, code: str) -> None:
        """Let a fact stand in the log."""
        self._line(number, {"type": "fact", "code": code, "level": None})

    def drop(self) -> None:
        """Take the line away until `back`."""
        assert self._socket is not None
        self.down = True
        self._socket.close(code=1011)

    def back(self) -> None:
        self.down = False
        if self._hello:
            self._welcome()

    def answer(self) -> None:
        """Say yes to every command that is held."""
        for frame in self.held:
            self.say({"type": "ok", "ref": frame["ref"], "seq": None})
        self.held.clear()

    def _line(self, number: int, about: Frame) -> None:
        log = self.logs.setdefault(key(number), [])
        log.append({"conversation": key(number), "seq": len(log) + 1, "name": None, "at": ago()} | about)
        self.say(log[-1])

    def _overview(self) -> Frame:
        return {
            "type": "overview",
            "at": ago(),
            "availability": "ready",
            "ready": 1,
            "free": 1,
            "conversations": self.shown,
            "escalations": self.raised,
        }

    def _opened(self, socket: WebSocketRoute) -> None:
        self._socket, self._hello = socket, False
        socket.on_message(lambda text: self._hears(json.loads(text)))

    def _welcome(self) -> None:
        self.say({"type": "welcome", "version": 1, "you": ME})
        self.say(self._overview())

    def _hears(self, frame: Frame) -> None:
        self.heard.append(frame)
        if frame["type"] == "hello":
            self._hello = True
            if not self.down:
                self._welcome()
        elif frame["type"] == "follow":
            log = self.logs.get(frame["conversation"], [])
            for line in log[frame["after"] :]:
                self.say(line)
            self.say({"type": "followed", "conversation": frame["conversation"], "head": len(log), "older": False})
            self.say({"type": "ok", "ref": frame["ref"], "seq": None})
        elif frame["type"] in self.refuses:
            self.say({"type": "error", "ref": frame["ref"], "code": self.refuses[frame["type"]], "wait_ms": None})
        elif frame["type"] in self.holds:
            self.held.append(frame)
        elif "ref" in frame:
            self.say({"type": "ok", "ref": frame["ref"], "seq": None})


@dataclass
class Desks:
    """Open staff pages of a real server whose sockets the test holds. Everybody signs in once, and reads on afresh."""

    chrome: Browser
    url: str
    data: Path
    _signed_in: dict[str, StorageState] = field(default_factory=dict)
    _open: list[BrowserContext] = field(default_factory=list)

    def blank(self, username: str) -> Page:
        """Return an empty page of somebody who is signed in."""
        if username not in self._signed_in:
            page = sign_in(self.chrome, self.url, self.data, username, "/staff/cases")
            self._signed_in[username] = page.context.storage_state()
            page.context.close()
        state = self._signed_in[username]
        self._open.append(self.chrome.new_context(viewport=browsers.DESK, locale="en-CA", storage_state=state))  # type: ignore[arg-type]
        return self._open[-1].new_page()

    def page(self, username: str, path: str, language: str = "en") -> Page:
        """Return a page of somebody, in a language."""
        page = self.blank(username)
        page.goto(self.url + path)
        if page.locator("html").get_attribute("lang") != language:
            page.click("button[name=language]")
            expect(page.locator("html")).to_have_attribute("lang", language)
            page.goto(self.url + path)
        return page

    def open(self, path: str, language: str = "en", before: Callable[[Page], None] = lambda page: None) -> Desk:
        """Return the console or the board, once its line is there; `before` sees the page first."""
        who = "dana" if path.endswith("board") else "ben"
        page = self.page(who, "/staff/cases", language)
        before(page)
        desk = Desk(page)
        desk.open(f"{self.url}{path}")
        expect(page.locator("#line")).to_be_hidden()
        return desk

    def visitor(self) -> Page:
        """Return an empty page of a visitor."""
        self._open.append(browsers.phone(self.chrome, "en-CA"))
        return self._open[-1].new_page()

    def wall(self, link: str) -> Page:
        """Return the screen on a wall that a link opens; its clock is in the test's hand."""
        self._open.append(self.chrome.new_context(viewport={"width": 1920, "height": 1080}))
        screen = self._open[-1].new_page()
        screen.clock.install()
        screen.goto(link)
        return screen

    def close(self) -> None:
        """Close what the last test opened."""
        while self._open:
            self._open.pop().close()


Opens = Callable[..., Desk]
"""Opens a page of staff by its path, in a language, with its socket in the test's hand."""


def console(opens: Opens, held: int, before: Callable[[Page], None] = lambda page: None) -> Desk:
    """Return a console that holds some conversations, the first of them open; `before` sees the page first."""
    desk = opens("/staff/console", "en", before)
    desk.list(*(conversation(number) for number in range(1, held + 1)))
    row(desk.page, "Heron 1").first.click()
    return desk


def row(page: Page, name: str) -> Locator:
    """Return the row of one that this person holds."""
    return page.locator("#mine button.row", has_text=name)


def reply(page: Page, name: str) -> Locator:
    """Return the box in which a conversation is answered."""
    return page.get_by_label(f"Reply to {name}", exact=True)


def time_stands_still(page: Page) -> None:
    """Let no time pass on a page that is opened from now on but what a test lets run.

    What counts seconds there, and what a person does within them, does not hang on how quick a test is then.
    """
    now = datetime.now(UTC)
    page.clock.install(time=now - timedelta(minutes=1))
    page.clock.pause_at(now)


def made_link(page: Page) -> str:
    """Make a link for a screen on the page where that is done, and return it."""
    page.click("button.main")
    return page.locator("#link").text_content() or ""


@contextmanager
def desks(data: Path, chrome: Browser) -> Iterator[Desks]:
    """Serve a new Havre for staff pages."""
    migrate_and_seed(havre_environment(data))
    with HavreServer(data) as server:
        yield Desks(chrome, server.base_url, data)


def meter(page: Page) -> Callable[[], float]:
    """Return what tells how many milliseconds a page has worked so far."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def work() -> float:
        page.wait_for_timeout(100)
        found = session.send("Performance.getMetrics")["metrics"]
        return next(1000 * float(one["value"]) for one in found if one["name"] == "TaskDuration")

    return work
