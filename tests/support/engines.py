"""Real browsers as people run them: a process of their own, a profile on disk, no switch of an automation tool.

Such tools start a browser with the back/forward cache and the return after a crash switched off; with those off, a
quick exit proves nothing. So each browser is started plainly and asked over its own remote protocol.
"""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.support.daemon import Daemon, clean_environment, free_port

LOOK_SECONDS = 0.02
PATIENCE = 15.0
KEYS = {
    # name: key, code, side, number in Chromium, sign in WebDriver
    "ShiftLeft": ("Shift", "ShiftLeft", 1, 16, "\ue008"),
    "ShiftRight": ("Shift", "ShiftRight", 2, 16, "\ue050"),
    "Escape": ("Escape", "Escape", 0, 27, "\ue00c"),
    "Tab": ("Tab", "Tab", 0, 9, "\ue004"),
    "Enter": ("Enter", "Enter", 0, 13, "\ue007"),
    "a": ("a", "KeyA", 0, 65, "a"),
}
_CENTRE = """
(() => {
  const e = document.querySelector(%s);
  e.scrollIntoView({block: "nearest"});
  const r = e.getBoundingClientRect();
  return [Math.round(r.x + r.width / 2), Math.round(r.y + r.height / 2)];
})()
"""


class Unanswered(Exception):
    """Say that a browser refused a command or did not come to what was waited for."""


class Wire:
    """Ask one socket of a browser, question by question."""

    def __init__(self, address: str) -> None:
        self._held = ExitStack()
        self._line: ClientConnection = self._held.enter_context(connect(address, max_size=None, compression=None))
        self._asked = 0
        self.events: list[dict[str, Any]] = []

    def ask(self, method: str, within: float = PATIENCE, **about: Any) -> dict[str, Any]:
        """Return the answer to a command; `Unanswered` when there is none."""
        self._asked += 1
        self._line.send(json.dumps({"id": self._asked, "method": method, "params": about}))
        while True:
            try:
                heard: dict[str, Any] = json.loads(self._line.recv(timeout=within))
            except (TimeoutError, WebSocketException) as error:
                raise Unanswered(f"{method}: {type(error).__name__}") from error
            if heard.get("id") != self._asked:
                self.events.append(heard)
            elif "error" in heard:
                raise Unanswered(f"{method}: {heard.get('message', heard['error'])}")
            else:
                result: dict[str, Any] = heard["result"]
                return result

    def hear(self, wanted: Callable[[dict[str, Any]], bool], within: float = PATIENCE) -> dict[str, Any]:
        """Return the next event that fits; events of before count too."""
        while True:
            for at, event in enumerate(self.events):
                if wanted(event):
                    del self.events[: at + 1]
                    return event
            try:
                self.events.append(json.loads(self._line.recv(timeout=within)))
            except (TimeoutError, WebSocketException) as error:
                raise Unanswered(f"no such event: {type(error).__name__}") from error

    def tell(self, method: str, **about: Any) -> None:
        """Send a command and go on; its answer is passed over."""
        self._asked += 1
        self._line.send(json.dumps({"id": self._asked, "method": method, "params": about}))

    def close(self) -> None:
        """Let go of the socket."""
        with suppress(WebSocketException, OSError):
            self._held.close()


class Tab:
    """Be the tab that a person looks at."""

    def js(self, expression: str) -> Any:
        """Return the value of an expression in the page."""
        raise NotImplementedError

    def go(self, address: str) -> None:
        """Go to an address as if it had been typed; does not wait."""
        raise NotImplementedError

    def open(self, address: str) -> None:
        """Go to an address and wait until its page is loaded."""
        self.go(address)
        self.at(address)

    def press_at(self, x: int, y: int) -> None:
        """Press and release the mouse."""
        raise NotImplementedError

    def tap_at(self, x: int, y: int) -> None:
        """Tap with a finger."""
        raise NotImplementedError

    def hold_back(self, address: str) -> None:
        """Let what is asked for at an address never come."""
        raise NotImplementedError

    def stop(self) -> None:
        """Press the browser's own button that stops a load."""
        raise NotImplementedError

    def size(self, width: int, height: int) -> None:
        """Make the window so large."""
        raise NotImplementedError

    def said(self) -> list[Any]:
        """Return what the page next writes to its console, as JSON.

        A page that is on its way out can be asked nothing, and can still speak.
        """
        raise NotImplementedError

    def without_script(self) -> None:
        """Switch scripts off, for the pages to come."""
        raise NotImplementedError

    def keys(self, *names: str, held: str | None = None) -> None:
        """Press keys one after the other, each while another one is held."""
        raise NotImplementedError

    def write(self, text: str) -> None:
        """Write into what has the focus."""
        raise NotImplementedError

    def turn(self, steps: int) -> None:
        """Press Back (below zero) or Forward; nothing happens at an end."""
        raise NotImplementedError

    def trail(self) -> list[str]:
        """Return the addresses of this tab's history, oldest first."""
        raise NotImplementedError

    def shot(self) -> bytes:
        """Return a picture of the page."""
        raise NotImplementedError

    def cookies(self) -> list[Any]:
        """Return every cookie of the profile."""
        raise NotImplementedError

    def address(self) -> str:
        """Return where the tab is; empty while it is between two pages."""
        try:
            return str(self.js("location.href"))
        except Unanswered:
            return ""

    def text(self) -> str:
        """Return all that the page holds, hidden or not, what is written in boxes included."""
        return str(
            self.js(
                "document.documentElement.textContent + [...document.querySelectorAll('textarea, input')]"
                ".map((e) => e.value).join(' ')"
            )
        )

    def click(self, selector: str) -> None:
        """Press the middle of an element with the mouse, once it stands still: parts that come later move others."""
        self.press_at(*self.centre(selector))

    def centre(self, selector: str) -> tuple[int, int]:
        """Return where the middle of an element is, once that does not change any more."""
        places: list[Any] = []

        def still() -> bool:
            time.sleep(LOOK_SECONDS * 3)
            places.append(self.js(_CENTRE % json.dumps(selector)))
            return places[-1] in places[-2:-1]

        self.wait(still, f"{selector} stands still")
        x, y = places[-1]
        return x, y

    def until(self, expression: str, within: float = PATIENCE) -> Any:
        """Wait until an expression is true in the page, and return its value."""
        return self.wait(lambda: self.js(expression), expression, within)

    def at(self, address: str, within: float = PATIENCE) -> None:
        """Wait until the tab is at an address and has loaded it."""
        whole = f"location.href.startsWith({json.dumps(address)}) && document.readyState == 'complete'"
        self.until(whole, within)

    def wait(self, holds: Callable[[], Any], what: str, within: float = PATIENCE) -> Any:
        """Wait until something is true."""
        end, late = time.monotonic() + within, False
        while not late:
            # it is looked at once more when the time is up: a machine that stood still may have used all of it
            late = time.monotonic() > end
            with suppress(Unanswered):
                if value := holds():
                    return value
            time.sleep(LOOK_SECONDS)
        raise Unanswered(f"never came: {what}; at {self.address()!r}")


class Engine(Daemon):
    """Run one browser on one profile."""

    name_of_engine = ""
    tab: Tab

    def __init__(self, profile: Path, *extra: str) -> None:
        self.profile = profile
        self.extra = extra
        profile.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._wires: list[Wire] = []
        environ = clean_environment() | {"HOME": str(profile), "MOZ_DISABLE_AUTO_SAFE_MODE": "1"}
        super().__init__(self.name_of_engine, profile.parent / f"{profile.name}.log", environ=environ)

    def dial(self, address: str) -> Wire:
        """Return a socket to this browser, which ends with it."""
        self._wires.append(Wire(address))
        return self._wires[-1]

    def hang_up(self) -> None:
        """Let go of every socket."""
        while self._wires:
            self._wires.pop().close()

    def kill9(self) -> None:
        """End the browser as a dead battery does."""
        super().kill9()
        self.hang_up()

    def quit(self) -> None:
        """End the browser as a person does, so that it writes what it keeps."""
        raise NotImplementedError

    def _ended(self) -> None:
        assert self.process is not None
        self.process.wait(20)
        self.hang_up()

    def tabs(self) -> list[Tab]:
        """Return every tab, as far as the browser has loaded it."""
        raise NotImplementedError

    def fresh_tab(self) -> Tab:
        """Return a new tab without a past, instead of the one that was there."""
        raise NotImplementedError

    def history_page(self) -> str:
        """Return what the browser's own history shows of addresses and titles."""
        raise NotImplementedError

    def version(self) -> str:
        """Return the browser's version."""
        raise NotImplementedError


WATCH = """
globalThis.violations = [];
addEventListener("securitypolicyviolation", (e) => violations.push(`${e.violatedDirective} ${e.blockedURI}`));
"""
"""Runs in each page before its own scripts, and notes whatever the page's policy stopped."""
