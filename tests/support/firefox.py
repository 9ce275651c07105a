"""Firefox as people run it, asked over WebDriver BiDi."""

import base64
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException

from tests.support.daemon import LOOPBACK
from tests.support.engines import KEYS, PATIENCE, WATCH, Engine, Tab, Unanswered, Wire
from tests.support.needs import need_firefox

PREFERENCES: dict[str, bool | int | str] = {
    # the remote agent's own preferences would switch the return after a crash off
    "remote.prefs.recommended": False,
    "browser.sessionstore.resume_from_crash": True,
    "toolkit.startup.max_resumed_crashes": -1,
    # people's browsers write every 15 s; the same, sooner
    "browser.sessionstore.interval": 1000,
    "browser.startup.page": 0,
    "browser.shell.checkDefaultBrowser": False,
    "browser.aboutwelcome.enabled": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "app.update.auto": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "intl.accept_languages": "en-CA,en",
}


class Firefox(Engine):
    """Run Firefox."""

    name_of_engine = "firefox"

    def __init__(self, profile: Path, *extra: str, **preferences: bool | int | str) -> None:
        super().__init__(profile, *extra)
        self.intercepts: list[str] = []
        lines = [f'user_pref("{k}", {json.dumps(v)});' for k, v in (PREFERENCES | preferences).items()]
        (profile / "user.js").write_text("\n".join(lines), encoding="utf-8")

    def command(self) -> list[str]:
        return [
            *(need_firefox(), "--headless", "--no-remote", "--profile", str(self.profile)),
            *(f"--remote-debugging-port={self.port}", "--remote-allow-system-access", *self.extra),
        ]

    def answers(self) -> bool:
        try:
            self.wire = self.dial(f"ws://{LOOPBACK}:{self.port}/session")
            self.wire.ask("session.new", 30, capabilities={})
            self.wire.ask("session.subscribe", events=["network.beforeRequestSent", "log.entryAdded"])
            self.wire.ask("script.addPreloadScript", functionDeclaration=f"() => {{ {WATCH} }}")
        except (OSError, WebSocketException, Unanswered):
            return False
        return True

    def start(self) -> "Firefox":
        super().start()
        self.tab = self.tabs()[0]
        return self

    def tabs(self) -> list[Tab]:
        tree = self.wire.ask("browsingContext.getTree")["contexts"]
        return [FirefoxTab(self, one["context"]) for one in tree]

    def fresh_tab(self) -> Tab:
        for intercept in self.intercepts:
            self.wire.ask("network.removeIntercept", intercept=intercept)
        self.intercepts.clear()
        new = self.wire.ask("browsingContext.create", type="tab")["context"]
        for one in self.wire.ask("browsingContext.getTree")["contexts"]:
            if one["context"] != new:
                self.wire.ask("browsingContext.close", context=one["context"])
        self.tab = FirefoxTab(self, new)
        return self.tab

    def version(self) -> str:
        return str(self.chrome("AppConstants.MOZ_APP_VERSION_DISPLAY"))

    def chrome(self, expression: str) -> Any:
        """Return the value of an expression in the browser's own window."""
        tree = self.wire.ask("browsingContext.getTree", PATIENCE, **{"moz:scope": "chrome"})["contexts"]
        return _value(self.wire, tree[0]["context"], expression)

    def quit(self) -> None:
        with suppress(Unanswered):
            self.wire.ask("browser.close")
        self._ended()

    def history_page(self) -> str:
        return str(self.chrome(_PLACES))


_PLACES = """
(async () => {
  const { PlacesUtils } = ChromeUtils.importESModule("resource://gre/modules/PlacesUtils.sys.mjs");
  const query = PlacesUtils.history.getNewQuery();
  const root = PlacesUtils.history.executeQuery(query, PlacesUtils.history.getNewQueryOptions()).root;
  root.containerOpen = true;
  const rows = [];
  for (let at = 0; at < root.childCount; at++) rows.push(root.getChild(at).uri + " | " + root.getChild(at).title);
  root.containerOpen = false;
  return rows.join("\\n");
})()
"""


def _value(wire: Wire, context: str, expression: str) -> Any:
    """Return the value of an expression, by way of JSON: WebDriver's own form of values is another."""
    answer = wire.ask(
        "script.evaluate",
        expression=f"(async () => JSON.stringify((await ({expression})) ?? null))()",
        target={"context": context},
        awaitPromise=True,
        userActivation=False,
    )
    if answer["type"] == "exception":
        raise Unanswered(answer["exceptionDetails"]["text"])
    return json.loads(answer["result"]["value"])


class FirefoxTab(Tab):
    """Speak WebDriver BiDi to one tab."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self.browser, self.wire, self.context = browser, browser.wire, context

    def js(self, expression: str) -> Any:
        return _value(self.wire, self.context, expression)

    def open(self, address: str) -> None:
        self.wire.ask("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def address(self) -> str:
        tree = self.wire.ask("browsingContext.getTree", root=self.context)["contexts"]
        return str(tree[0]["url"])

    def go(self, address: str) -> None:
        self.wire.ask("browsingContext.navigate", context=self.context, url=address, wait="none")

    def _act(self, kind: str, actions: Sequence[dict[str, Any]], **more: Any) -> None:
        source = {"type": kind, "id": kind, "actions": list(actions), **more}
        self.wire.ask("input.performActions", context=self.context, actions=[source])

    def press_at(self, x: int, y: int) -> None:
        steps = [{"type": "pointerMove", "x": x, "y": y}]
        steps += [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        self._act("pointer", steps, parameters={"pointerType": "mouse"})

    def tap_at(self, x: int, y: int) -> None:
        steps = [{"type": "pointerMove", "x": x, "y": y}]
        steps += [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        self._act("pointer", steps, parameters={"pointerType": "touch"})

    def hold_back(self, address: str) -> None:
        pattern = {"type": "string", "pattern": address}
        made = self.wire.ask("network.addIntercept", phases=["beforeRequestSent"], urlPatterns=[pattern])
        self.browser.intercepts.append(made["intercept"])

    def stop(self) -> None:
        self.browser.chrome("gBrowser.stop()")

    def size(self, width: int, height: int) -> None:
        shape = {"width": width, "height": height}
        self.wire.ask("browsingContext.setViewport", context=self.context, viewport=shape)

    def said(self) -> list[Any]:
        event = self.wire.hear(lambda one: one.get("method") == "log.entryAdded" and one["params"]["type"] == "console")
        words: list[Any] = json.loads(event["params"]["text"])
        return words

    def without_script(self) -> None:
        self.browser.chrome("Services.prefs.setBoolPref('javascript.enabled', false)")

    def keys(self, *names: str, held: str | None = None) -> None:
        order = [("keyDown", held)] if held else []
        for name in names:
            order += [("keyDown", name), ("keyUp", name)]
        order += [("keyUp", held)] if held else []
        self._act("key", [{"type": kind, "value": KEYS[str(name)][4]} for kind, name in order])

    def write(self, text: str) -> None:
        self._act("key", [{"type": kind, "value": sign} for sign in text for kind in ("keyDown", "keyUp")])

    def turn(self, steps: int) -> None:
        with suppress(Unanswered):
            self.wire.ask("browsingContext.traverseHistory", context=self.context, delta=steps)

    def trail(self) -> list[str]:
        found: list[str] = self.browser.chrome(
            "gBrowser.selectedBrowser.browsingContext.sessionHistory"
            " ? Array.from({length: gBrowser.selectedBrowser.browsingContext.sessionHistory.count}, (_, at) =>"
            " gBrowser.selectedBrowser.browsingContext.sessionHistory.getEntryAtIndex(at).URI.spec) : []"
        )
        return found

    def shot(self) -> bytes:
        return base64.b64decode(self.wire.ask("browsingContext.captureScreenshot", context=self.context)["data"])

    def cookies(self) -> list[Any]:
        found: list[Any] = self.wire.ask("storage.getCookies")["cookies"]
        return found
