"""Chromium as people run it, asked over the protocol of its developer tools."""

import base64
import json
import time
from contextlib import suppress
from typing import Any

import httpx

from tests.support.daemon import LOOPBACK
from tests.support.engines import KEYS, PATIENCE, WATCH, Engine, Tab, Unanswered, Wire
from tests.support.needs import need_chromium


class Chromium(Engine):
    """Run Chromium."""

    name_of_engine = "chromium"

    def command(self) -> list[str]:
        return [
            *(need_chromium(), "--headless=new", f"--user-data-dir={self.profile}", "--lang=en-CA"),
            *(f"--remote-debugging-port={self.port}", "--remote-allow-origins=*", "--no-sandbox", "--no-first-run"),
            *("--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--window-size=1000,800", "--password-store=basic", *self.extra),
        ]

    def answers(self) -> bool:
        try:
            return bool(self._targets())
        except (httpx.HTTPError, ValueError):
            return False

    def start(self) -> "Chromium":
        super().start()
        self.tab = self.tabs()[0]
        return self

    def _targets(self) -> list[dict[str, Any]]:
        listed = httpx.get(f"http://{LOOPBACK}:{self.port}/json/list", timeout=5).json()
        return [one for one in listed if one["type"] == "page"]

    def tabs(self) -> list[Tab]:
        return [ChromiumTab(self.dial(one["webSocketDebuggerUrl"])) for one in self._targets()]

    def fresh_tab(self) -> Tab:
        old = self._targets()
        httpx.put(f"http://{LOOPBACK}:{self.port}/json/new?about:blank", timeout=5)
        for one in old:
            httpx.get(f"http://{LOOPBACK}:{self.port}/json/close/{one['id']}", timeout=5)
        self.wait_until(lambda: len(self._targets()) == 1, "close the old tabs")
        self.hang_up()
        self.tab = self.tabs()[0]
        return self.tab

    def version(self) -> str:
        whole: str = httpx.get(f"http://{LOOPBACK}:{self.port}/json/version", timeout=5).json()["Browser"]
        return whole.partition("/")[2]

    def quit(self) -> None:
        whole = httpx.get(f"http://{LOOPBACK}:{self.port}/json/version", timeout=5).json()
        with suppress(Unanswered):
            self.dial(whole["webSocketDebuggerUrl"]).ask("Browser.close")
        self._ended()

    def history_page(self) -> str:
        self.tab.go("chrome://history/")
        self.tab.until(_DEEP_TEXT + ".includes('History')")
        time.sleep(1)
        return str(self.tab.js(_DEEP_TEXT))


_DEEP_TEXT = """
(() => {
  const read = (root) => [...root.querySelectorAll("*")].map((e) => (e.href ?? "") + " " +
    [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join(" ") +
    (e.shadowRoot ? read(e.shadowRoot) : "")).join(" ");
  return read(document);
})()
"""


class ChromiumTab(Tab):
    """Speak the developer tools' protocol to one tab."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.wire.ask("Page.enable")
        self.wire.ask("Runtime.enable")
        self.wire.ask("Page.addScriptToEvaluateOnNewDocument", source=WATCH)

    def js(self, expression: str) -> Any:
        answer = self.wire.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Unanswered(str(answer["exceptionDetails"].get("exception", {}).get("description", "exception")))
        return answer["result"].get("value")

    def go(self, address: str) -> None:
        # without waiting for an answer: a slow page would hold it back
        self.wire.tell("Page.navigate", url=address)

    def press_at(self, x: int, y: int) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            self.wire.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def tap_at(self, x: int, y: int) -> None:
        self.wire.ask("Emulation.setTouchEmulationEnabled", enabled=True)
        self.wire.ask("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.wire.ask("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.wire.ask("Emulation.setTouchEmulationEnabled", enabled=False)

    def hold_back(self, address: str) -> None:
        self.wire.ask("Fetch.enable", patterns=[{"urlPattern": address}])

    def stop(self) -> None:
        self.wire.ask("Page.stopLoading")

    def size(self, width: int, height: int) -> None:
        shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.wire.ask("Emulation.setDeviceMetricsOverride", PATIENCE, **shape)

    def said(self) -> list[Any]:
        event = self.wire.hear(lambda one: one.get("method") == "Runtime.consoleAPICalled")
        words: list[Any] = json.loads(event["params"]["args"][0]["value"])
        return words

    def without_script(self) -> None:
        self.wire.ask("Emulation.setScriptExecutionDisabled", value=True)

    def keys(self, *names: str, held: str | None = None) -> None:
        if held:
            self._key("rawKeyDown", held)
        for name in names:
            self._key("rawKeyDown", name)
            self._key("keyUp", name)
        if held:
            self._key("keyUp", held)

    def _key(self, kind: str, name: str) -> None:
        key, code, side, number, _ = KEYS[name]
        more = {"text": "\r"} if name == "Enter" and kind == "rawKeyDown" else {}
        kind = "keyDown" if more else kind
        self.wire.ask(
            "Input.dispatchKeyEvent",
            PATIENCE,
            type=kind,
            key=key,
            code=code,
            location=side,
            windowsVirtualKeyCode=number,
            **more,
        )

    def write(self, text: str) -> None:
        self.wire.ask("Input.insertText", text=text)

    def turn(self, steps: int) -> None:
        known = self.wire.ask("Page.getNavigationHistory")
        wanted = known["currentIndex"] + steps
        if 0 <= wanted < len(known["entries"]):
            self.wire.ask("Page.navigateToHistoryEntry", entryId=known["entries"][wanted]["id"])

    def trail(self) -> list[str]:
        return [one["url"] for one in self.wire.ask("Page.getNavigationHistory")["entries"]]

    def shot(self) -> bytes:
        return base64.b64decode(self.wire.ask("Page.captureScreenshot")["data"])

    def cookies(self) -> list[Any]:
        found: list[Any] = self.wire.ask("Storage.getCookies")["cookies"]
        return found
