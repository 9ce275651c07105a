"""Speak to a staff page as the server does, in the order and at the moment that the test chooses."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from playwright.sync_api import Page, WebSocketRoute

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
