"""Put the visitor's page into any of its states: the real page, and a far end of its line that obeys a test.

Every frame is the one of `tests/golden/frames.json` with what a state needs changed in it, so no frame here can be of
another shape than the server's.
"""

import json
from typing import Any, Self

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.support.browsers import comes
from tests.support.needs import ROOT
from tests.support.other_way import other_way

GOLDEN: dict[str, dict[str, Any]] = json.loads((ROOT / "tests/golden/frames.json").read_text())["visitor_events"]

WAITING = {
    "state": "waiting",
    "advocate": None,
    "staffed": True,
    "wait": {"at_least": 5, "at_most": 10},
    "language_read": True,
}
NOTHING_YET = {"head": 0, "after": 0, "older": False, "hidden": False}

HOLDS = """() => {
  const kind = Object.getPrototypeOf(WebSocket.prototype);
  const was = Object.getOwnPropertyDescriptor(kind, "onmessage");
  const set = function (heard) {
    was.set.call(this, heard && ((event) => window.held ? window.held.push(() => heard(event)) : heard(event)));
  };
  Object.defineProperty(kind, "onmessage", { get: was.get, set });
}"""
HOLD = "() => { window.held = []; }"
HELD = "count => window.held.length === count"
LET_GO = "() => { const all = window.held; window.held = null; for (const one of all) one(); }"

SHIFT = "ms => { const was = Date.now; Date.now = () => was() + ms; }"


class FarEnd:
    """Be the server's end of a page's line."""

    def __init__(self, page: Page) -> None:
        self.silent = False
        self.welcome: dict[str, Any] = {}
        self.refusal: dict[str, Any] | None = None
        self.head = 0
        self.wants_proof: dict[str, Any] | None = None
        self.heard: list[str] = []
        """The kinds of frames that came, in their order."""
        self._line: WebSocketRoute | None = None
        page.route_web_socket("**/ws/v", self._opened)

    def tell(self, kind: str, **about: Any) -> None:
        """Send a frame to the page."""
        assert self._line is not None
        if kind in ("message", "fact"):
            self.head += 1
            about = {"seq": self.head, **about}
        self._line.send(json.dumps(GOLDEN[kind] | about))

    def hang_up(self, code: int) -> None:
        """Close the line, and be silent on the next one."""
        assert self._line is not None
        self.silent = True
        self._line.close(code=code)

    def _opened(self, line: WebSocketRoute) -> None:
        self._line = line
        line.on_message(self._heard)

    def _heard(self, text: str | bytes) -> None:
        frame = json.loads(text)
        self.heard.append(frame["type"])
        if self.silent:
            return
        if frame["type"] == "hello" and self.wants_proof is not None:
            self.tell("proof_wanted", challenge=GOLDEN["proof_wanted"]["challenge"] | self.wants_proof)
        elif frame["type"] == "hello":
            self.tell("welcome", **(NOTHING_YET | WAITING | {"language": frame["language"]} | self.welcome))
        elif frame["type"] == "post" and self.refusal is not None:
            self.tell("error", ref=frame["ref"], **self.refusal)
        elif "ref" in frame:
            self.head += frame["type"] == "post"
            self.tell("ok", ref=frame["ref"], seq=self.head if frame["type"] == "post" else None)


class Stage:
    """Be a visitor's page in one language, and the far end of its line."""

    def __init__(self, page: Page, url: str, language: str) -> None:
        self.page, self.url, self.language = page, url, language
        self.far = FarEnd(page)
        page.route("**/?l=ar", other_way)
        # asked only where a state is about it
        page.route("**/survey/questions", lambda route: route.fulfill(status=204))

    def open(self) -> Self:
        """Ask for the page."""
        self.page.goto(f"{self.url}/?l={self.language}")
        return self

    def land(self) -> Self:
        """Show the page as it first appears, ready to begin."""
        self.open()
        expect(self.page.locator("#start")).to_be_visible()
        self.page.evaluate(HOLDS)
        return self

    def begin(self, **welcome: Any) -> Self:
        """Press Start, and wait until the page says how it stands."""
        self.far.welcome = welcome
        self.land().page.click("#start")
        expect(
            self.page.locator("#waited" if welcome.get("state", "waiting") == "waiting" else "#news")
        ).to_be_visible()
        return self

    def talk(self) -> Self:
        """Come to where an advocate is there and both have written."""
        self.begin().say("I am not sure if I can talk here.")
        self.far.tell("standing", **WAITING | {"state": "active", "advocate": "Sam"})
        self.far.tell("fact", code="joined", name="Sam")
        self.far.tell(
            "message", author="advocate", name="Sam", client_id=None, body="You are welcome here. Take your time."
        )
        expect(self.page.locator("li.theirs")).to_be_visible()
        return self

    def say(self, text: str) -> Self:
        """Write and send."""
        self.page.fill("#text", text)
        self.page.click("#send")
        expect(self.page.locator("#lines")).to_contain_text(text)
        return self

    def press(self, what: str) -> Self:
        """Press something."""
        self.page.click(what)
        return self

    def hears(self, kind: str, **about: Any) -> Self:
        """Let a frame come."""
        self.far.tell(kind, **about)
        return self

    def sees_typing(self, words: str = "") -> Self:
        """Let somebody type until the page says so, which it does for seconds only."""
        typing = self.page.locator("#typing:not(:empty)", has_text=words)
        assert comes(self.page, lambda: self.hears("typing") is self and typing.is_visible())
        return self

    def hears_at_once(self, *frames: tuple[str, dict[str, Any]]) -> Self:
        """Let frames come in one turn of the page, which then draws none of them before it has all."""
        self.page.evaluate(HOLD)
        for kind, about in frames:
            self.far.tell(kind, **about)
        self.page.wait_for_function(HELD, arg=len(frames))
        self.page.evaluate(LET_GO)
        return self

    def greets(self) -> Self:
        """Wait until the page has said hello: what it shows when it begins stands there before it has a line."""
        assert comes(self.page, lambda: "hello" in self.far.heard)
        return self

    def loses(self, code: int) -> Self:
        """Let the line be closed."""
        self.far.hang_up(code)
        return self

    def later(self, seconds: float) -> Self:
        """Let that much time pass on the page's clock."""
        self.page.evaluate(SHIFT, seconds * 1_000)
        return self

    def shows(self, what: str) -> Self:
        """Wait until something is seen."""
        expect(self.page.locator(what).first).to_be_visible()
        return self
