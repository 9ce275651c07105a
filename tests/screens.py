"""Take every state of the visitor's page, in both languages at both sizes, into docs/screens: `make screens`.

With it go the pages without script, on a real server with a real advocate, a busy console, and what staff see of
danger: the board, the screen on a wall, and the pages on which its clocks are set. The pictures are WebP,
which Chromium makes itself; what wants the bytes of a photograph has no place in a repository.
"""

import base64
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import django
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support import browsers
from tests.support.axe import SHAPES
from tests.support.board_states import BOARD, SCREENS, WALL
from tests.support.desk import COLLEAGUE, Desk, Desks, ago, conversation, made_link
from tests.support.journeys import answer, hold_all, open_row, record_contact, sign_in
from tests.support.machine import say
from tests.support.servers import HavreServer, havre_environment, manage, migrate_and_seed
from tests.support.stage import Stage
from tests.support.states import STATES

FOLDER = Path(__file__).resolve().parents[1] / "docs/screens"
QUALITY = 25
LANGUAGES = ("en", "fr")
WROTE = {"en": "Can I write to you here?", "fr": "Est-ce que je peux vous écrire ici?"}
REPLY = {"en": "Yes. You are welcome here.", "fr": "Oui. Vous êtes au bon endroit."}
LINES = {
    "en": ("I do not know if I can leave.", "He has my papers.", "I can write until six."),
    "fr": ("Je ne sais pas si je peux partir.", "C’est lui qui a mes papiers.", "Je peux écrire jusqu’à six heures."),
}


def main(chosen: list[str]) -> int:
    """Take all, or those whose names are given."""
    # a state that only the stage knows says what the server would, in its language
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="havre-screens-") as name:
        folder = Path(name)
        environ = havre_environment(folder)
        migrate_and_seed(environ)
        manage(environ, "site", "set", "survey=distress")
        with (
            HavreServer(folder) as server,
            sync_playwright() as playwright,
            browsers.chromium(playwright, whole=True) as chrome,
        ):
            for language in LANGUAGES:
                for state in [one for one in chosen if one in STATES] or ([] if chosen else STATES):
                    take(chrome, server.base_url, language, state)
                for group, pictured in OTHERS.items():
                    if group in chosen or not chosen:
                        pictured(chrome, server.base_url, folder, language)
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
    for language in LANGUAGES:
        context = browsers.phone(chrome, f"{language}-CA")
        page = context.new_page()
        Stage(page, url, language).open().shows("#landing .box")
        pictures(page, f"landing-closed-{language}")
        context.close()


def plain(chrome: Browser, url: str, data: Path, language: str) -> None:
    """Take the pages without script, from the first one to the end."""
    context = chrome.new_context(viewport=browsers.PHONE, locale=f"{language}-CA", java_script_enabled=False)  # type: ignore[arg-type]
    page = context.new_page()
    log, box = page.frame_locator("iframe[name=log]"), page.frame_locator("iframe[name=write]")

    def press(what: str) -> None:
        # a page whose frame goes on loading is never done
        page.locator(what).click(no_wait_after=True)

    page.goto(f"{url}/?l={language}", wait_until="commit")
    expect(page.locator("#plain button.main")).to_be_visible()
    pictures(page, f"plain-landing-{language}")
    press("#plain button.main")
    box.locator("#text").fill(WROTE[language])
    box.locator("button").click(no_wait_after=True)
    expect(log.locator(".own")).to_be_visible()
    pictures(page, f"plain-waiting-{language}")
    console = sign_in(chrome, url, data, "ben", "/staff/console")
    console.check("input[name=availability][value=ready]")
    hold_all(console, 1)
    open_row(console, WROTE[language])
    answer(console, REPLY[language])
    expect(log.locator(".theirs")).to_be_visible()
    pictures(page, f"plain-chat-{language}")
    press("summary >> nth=-2")
    press("form[action='/plain/words'] button")
    expect(page.locator(".six")).to_be_visible()
    pictures(page, f"plain-words-{language}")
    console.click(".end button")
    console.click(".closing-asked")
    console.click("#ask-yes")
    expect(console.locator("form.contact")).to_be_visible()
    page.goto(f"{url}/plain?l={language}", wait_until="commit")
    expect(page.locator("button[value=again]")).to_be_visible()
    pictures(page, f"plain-ended-{language}")
    press("button[value=end]")
    expect(page.locator("h1")).to_be_visible()
    pictures(page, f"plain-closed-{language}")
    # the next one to be taken is the only one then
    record_contact(console, "victim_survivor", "support_given")
    expect(console.locator("#mine > li")).to_have_count(0)
    console.context.close()
    context.close()


def console(chrome: Browser, url: str, data: Path, language: str) -> None:
    """Take the console of somebody who has much to do, and what a chat that is over asks of them."""
    page = sign_in(chrome, url, data, "cleo", "/staff/cases")
    if page.locator("html").get_attribute("lang") != language:
        page.click("button[name=language]")
    desk = Desk(page)
    desk.open(f"{url}/staff/console")
    expect(page.locator("#line")).to_be_hidden()
    for line in LINES[language]:
        desk.write(1, line)
    desk.own(1, "message", REPLY[language])
    desk.write(2, LINES[language][1])
    held = [
        conversation(1, language=language, last_visitor_at=ago(40)),
        conversation(2, level=2, language=language, last_visitor_at=ago(150), answered=False, head=1),
        conversation(3, state="wrap_up", ended_by="left_quickly", visitor_here=False, language=language),
    ]
    waits = [
        conversation(4, state="waiting", advocate_id=None, waiting_since=ago(400), door="worried", language="fr"),
        conversation(5, state="offered", advocate_id=COLLEAGUE, advocate="Cleo", waiting_since=ago(90)),
        conversation(6, state="offered", offer_until=ago(-30), waiting_since=ago(20), language=language),
    ]
    desk.list(*held, *waits)
    page.locator("#mine button.row").first.click()
    pictures(page, f"console-{language}")
    page.locator("#mine button.row", has_text="3").last.click()
    page.evaluate("document.querySelector('[data-turn=context]').click()")
    pictures(page, f"console-record-{language}")
    page.context.close()


def board(chrome: Browser, url: str, data: Path, language: str) -> None:
    """Take the supervisor's board, from a quiet shift to a server that has fallen silent."""
    served = Desks(chrome, url, data)
    for name, comes_about in BOARD.items():
        desk = served.open("/staff/board", language, lambda page: page.clock.install())
        comes_about(desk, language)
        pictures(desk.page, f"{name}-{language}")
        served.close()


def wall(chrome: Browser, url: str, data: Path, language: str) -> None:
    """Take the screen on a wall."""
    served = Desks(chrome, url, data)
    for name, comes_about in WALL.items():
        screen = served.wall(made_link(served.page("dana", "/staff/displays", language)))
        # whoever closed their console a moment ago counts until their lease has run out
        expect(screen.locator("#tile-ready")).to_have_text("0", timeout=90_000)
        comes_about(screen, language)
        pictures(screen, f"{name}-{language}", SCREENS)
        served.close()


def clocks(chrome: Browser, url: str, data: Path, language: str) -> None:
    """Take the pages on which levels, pages and duties are set, as who may set them sees them."""
    served = Desks(chrome, url, data)
    for name in ("ladder", "on-call", "duty"):
        pictures(served.page("alix", f"/staff/{name}", language), f"{name}-{language}")
        served.close()


OTHERS: dict[str, Callable[[Browser, str, Path, str], None]] = {
    "plain": plain,
    "console": console,
    "board": board,
    "wall": wall,
    "clocks": clocks,
}


def pictures(page: Page, name: str, shapes: Mapping[str, Mapping[str, int]] = SHAPES) -> None:
    """Take the page as it stands."""
    session = page.context.new_cdp_session(page)
    for size, shape in shapes.items():
        page.set_viewport_size(shape)  # type: ignore[arg-type]
        # a phone has no mouse, and the page says other things to a thumb
        session.send("Emulation.setTouchEmulationEnabled", {"enabled": size == "phone"})
        page.wait_for_timeout(150)
        taken = session.send("Page.captureScreenshot", {"format": "webp", "quality": QUALITY})
        (FOLDER / f"{name}-{size}.webp").write_bytes(base64.b64decode(taken["data"]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
