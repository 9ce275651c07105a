"""Take every state of the visitor's page, in both languages at both sizes, into docs/screens: `make screens`.

The pictures are WebP, which Chromium makes itself; what wants the bytes of a photograph has no place in a repository.
"""

import base64
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support import browsers
from tests.support.axe import SHAPES
from tests.support.machine import say
from tests.support.servers import HavreServer, havre_environment, manage, migrate_and_seed
from tests.support.stage import Stage
from tests.support.states import STATES

FOLDER = Path(__file__).resolve().parents[1] / "docs/screens"
QUALITY = 25


def main(chosen: list[str]) -> int:
    """Take all, or those whose names are given."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="havre-screens-") as name:
        folder = Path(name)
        environ = havre_environment(folder)
        migrate_and_seed(environ)
        manage(environ, "site", "set", "survey=distress")
        with HavreServer(folder) as server, sync_playwright() as playwright, browsers.chromium(playwright) as chrome:
            for language in ("en", "fr"):
                for state in chosen or STATES:
                    take(chrome, server.base_url, language, state)
            if not chosen:
                manage(environ, "site", "set", "open=no")
                closed(chrome, server.base_url)
    say(f"the pictures are in {FOLDER}")
    return 0


def take(chrome: Browser, url: str, language: str, state: str) -> None:
    """Put a page into a state and take it at both sizes."""
    context = browsers.phone(chrome, f"{language}-CA")
    page = context.new_page()
    STATES[state](Stage(page, url, language))
    if language == "fr" and not page.get_by_text("Quitter ce site").count():
        raise SystemExit("the French texts are not compiled: make setup")
    pictures(page, f"{state}-{language}")
    context.close()


def closed(chrome: Browser, url: str) -> None:
    """Take what a site that is closed says first."""
    for language in ("en", "fr"):
        context = browsers.phone(chrome, f"{language}-CA")
        page = context.new_page()
        Stage(page, url, language).open().shows("#landing .box")
        pictures(page, f"landing-closed-{language}")
        context.close()


def pictures(page: Page, name: str) -> None:
    """Take the page as it stands."""
    session = page.context.new_cdp_session(page)
    for size, shape in SHAPES.items():
        page.set_viewport_size(shape)  # type: ignore[arg-type]
        # a phone has no mouse, and the page says other things to a thumb
        session.send("Emulation.setTouchEmulationEnabled", {"enabled": size == "phone"})
        page.wait_for_timeout(150)
        taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
        (FOLDER / f"{name}-{size}.webp").write_bytes(base64.b64decode(taken["data"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
