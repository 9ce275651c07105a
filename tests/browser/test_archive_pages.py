"""The archive's story in Chromium: become a reader, unlock, read, keep, lock, a passkey, and a visitor who erases."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, Route, expect, sync_playwright

from tests.support import browsers
from tests.support.axe import problems
from tests.support.journeys import answer, begin, hold_all, open_row, record_contact, say, sign_in
from tests.support.servers import HavreServer, havre_environment, manage, migrate_and_seed
from tests.support.vault_keys import Archive

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

SAID = {"en": "He has my papers. I do not know what to do.", "fr": "Il a mes papiers. Je ne sais pas quoi faire."}
REPLY = {"en": "I am here. Take the time you need.", "fr": "Je suis là. Prenez le temps qu’il vous faut."}
NOTED = {"en": "Speaks of papers that were taken.", "fr": "Parle de papiers confisqués."}
REASON = {"en": "She asked us for a copy.", "fr": "Elle nous en a demandé une copie."}
ORDER = {"en": "Court order 44, Montreal.", "fr": "Ordonnance 44, Montréal."}
LIFTED = {"en": "The court closed the matter.", "fr": "La cour a clos le dossier."}

SETUP = """
from django.utils import timezone
from encryption.models import ArchiveKey
from staff.models import User
keys.publish(timezone.now())
ArchiveKey.objects.update(activated_at=timezone.now())
User.objects.create_user("fay", password, work_name="Fay", role="supervisor")
User.objects.update(language=language)
"""
ENROL = """
from django.utils import timezone
from encryption.services import readers
from staff.models import User
from tests.support.vault_keys import CHEAP
user = User.objects.get(username="fay")
print(readers.enrol(user_id=user.pk, language=language, now=timezone.now(), cost=CHEAP).phrase)
"""
CEREMONY = """
from django.utils import timezone
from encryption.core import archive as hpke
from encryption.models import Reader
from encryption.services import readers
for reader in Reader.objects.filter(signature=None):
    name, public, now = readers.reader_key_id(reader.user_id), bytes(reader.public), timezone.now()
    signature = hpke.sign_public(keys.root, name, public)
    readers.accept_signature(user_id=reader.user_id, public=public, signature=signature, now=now)
    keys.grant(reader, name, public, now)
"""
RETIRE = """
import time
from datetime import timedelta
from django.utils import timezone
from chat import services
from chat.models import Conversation
from encryption.services import lifecycle
Conversation.objects.exclude(ended_at=None).update(ended_at=timezone.now() - timedelta(minutes=15))
# once the worker has carried all of it into its case; it may be the worker that does this, too
over = Conversation.objects.exclude(ended_at=None)
for _ in range(100):
    services.retire_closed(now=timezone.now())
    if not over.filter(pk__in=lifecycle.in_daily_work("conversation")).exists():
        break
    time.sleep(0.2)
else:
    raise SystemExit("one is in daily work still")
"""
ERASED = """
from chat.models import Event
print(Event.objects.filter(code="erased").count(), Event.objects.filter(kind="message").count())
"""
PASSKEYS = """
from encryption.models import ReaderSlot
print(ReaderSlot.objects.filter(kind="passkey").count())
"""


@dataclass(frozen=True)
class Stage:
    """Be a running Havre with an archive, its safe, a browser and the language of everybody in it."""

    url: str
    data: Path
    environ: dict[str, str]
    keys: Archive
    browser: Browser
    language: str

    def run(self, script: str) -> str:
        """Do in the server's place what ceremonies and clocks do."""
        secrets = [self.keys.root.private_bytes_raw().hex()]
        secrets += [half.hex() for pair in (self.keys.month, self.keys.recovery) for half in (pair.secret, pair.public)]
        before = (
            "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey\n"
            "from encryption.core.archive import Pair\nfrom tests.support.vault_keys import Archive\n"
            f"raw = [bytes.fromhex(one) for one in {secrets!r}]\n"
            "keys = Archive(Ed25519PrivateKey.from_private_bytes(raw[0]), Pair(raw[1], raw[2]), Pair(raw[3], raw[4]))\n"
            f"language, password = {self.language!r}, {(self.data / 'sample-password').read_text().strip()!r}\n"
        )
        return manage(self.environ, "shell", "--no-imports", "-c", before + script)

    def staff(self, username: str, path: str) -> Page:
        """Return a page of somebody who has just signed in."""
        page = sign_in(self.browser, self.url, self.data, username, path)
        expect(page.locator("html")).to_have_attribute("lang", self.language)
        return page

    def visitor(self) -> Page:
        """Return a visitor's blank page."""
        return browsers.phone(self.browser, f"{self.language}-CA").new_page()


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def chrome(playwright: Playwright) -> Iterator[Browser]:
    with browsers.chromium(playwright) as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, Path]:
    """Return the safe of a site that nobody has used yet, and its folder to copy: making one takes seconds."""
    keys, folder = Archive.new(), tmp_path_factory.mktemp("site")
    migrate_and_seed(havre_environment(folder, HAVRE_ARCHIVE_ROOT=keys.pinned))
    return keys, folder


@pytest.fixture(params=["en", "fr"])
def stage(
    request: pytest.FixtureRequest, chrome: Browser, site: tuple[Archive, Path], tmp_path: Path
) -> Iterator[Stage]:
    keys, folder = site
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    environ = havre_environment(tmp_path, HAVRE_ARCHIVE_ROOT=keys.pinned)
    with HavreServer(tmp_path, HAVRE_ARCHIVE_ROOT=keys.pinned) as server:
        # by name: an IP address can have no passkeys
        url = server.base_url.replace("127.0.0.1", "localhost")
        made = Stage(url, tmp_path, environ, keys, chrome, request.param)
        made.run(SETUP)
        yield made
    for context in chrome.contexts:
        context.close()


def closed_conversation(stage: Stage) -> None:
    """Have a conversation that is recorded and out of daily work."""
    lang = stage.language
    visitor, console = stage.visitor(), stage.staff("ben", "/staff/console")
    begin(visitor, stage.url)
    say(visitor, SAID[lang])
    console.check("input[name=availability][value=ready]")
    hold_all(console, 1)
    open_row(console, SAID[lang])
    answer(console, REPLY[lang])
    answer(console, NOTED[lang], ".save-note")
    expect(visitor.locator("#log")).to_contain_text(REPLY[lang])
    visitor.click("#end")
    visitor.click("#end-yes")
    expect(console.locator("#pane-context select").first).to_be_visible()
    record_contact(console, "victim_survivor", "support_given")
    expect(console.locator("#mine > li")).to_have_count(0)
    stage.run(RETIRE)
    console.context.close()
    visitor.context.close()


def virtual_authenticator(page: Page, *, prf: bool) -> None:
    """Give the page's browser a device that always says yes."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "ctap2Version": "ctap2_1",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
        "hasPrf": prf,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def unlock(page: Page, phrase: str) -> None:
    page.fill("#phrase", phrase)
    page.click("main form button.main")
    expect(page.locator("#unlocked")).to_be_visible()


def test_the_archive_is_read_kept_and_locked(stage: Stage) -> None:
    lang, found = stage.language, list[str]()

    def look(page: Page, name: str) -> None:
        found.extend(problems(page, f"{name}-{lang}"))

    closed_conversation(stage)
    page = stage.staff("dana", "/staff/archive")
    look(page, "archive-join")
    page.click("main button.main")
    expect(page.locator(".six-words li")).to_have_count(6)
    words = page.locator(".six-words li").all_text_contents()
    expect(page.locator(".code")).to_have_count(2)
    look(page, "archive-secrets")
    fingerprint = page.locator(".code").last.text_content() or "-"
    page.click("main a.button")
    expect(page.locator("main")).to_contain_text(fingerprint)
    assert words[0] not in (page.locator("main").text_content() or "").split()
    look(page, "archive-waits")
    stage.run(CEREMONY)
    page.reload()
    page.fill("#phrase", "these words open nothing")
    page.click("[data-show=phrase]")
    expect(page.locator("#phrase")).to_have_attribute("type", "text")
    page.click("main form button.main")
    expect(page.locator("#problem")).to_be_focused()
    expect(page.locator("#problem")).to_be_in_viewport()
    look(page, "archive-locked-wrong")
    unlock(page, " ".join(words))
    look(page, "archive-list")
    page.click("button[name=kind][value=phrase]")
    look(page, "archive-renew")
    page.click("main a.button")
    page.click("table a")
    look(page, "archived")
    page.fill("#read-reason", REASON[lang])
    page.click("form:has(#read-reason) button")
    for text in (SAID[lang], REPLY[lang], NOTED[lang], REASON[lang]):
        expect(page.locator("main")).to_contain_text(text)
    assert SAID[lang] not in page.url
    look(page, "archived-text")
    page.click("main a >> nth=0")
    until = page.locator("#hold-until").get_attribute("max") or ""
    page.fill("#hold-until", until)
    page.fill("#hold-reason", ORDER[lang])
    page.click("form:has(#hold-reason) button")
    expect(page.locator("#hold-until")).to_have_count(0)
    look(page, "archived-hold-asked")
    expect(page.locator(".notice[role=status]")).to_be_focused()
    address = page.url.partition("?")[0]

    phrase = stage.run(ENROL).strip().splitlines()[-1]
    stage.run(CEREMONY)
    other = stage.staff("fay", address.removeprefix(stage.url))
    look(other, "archive-locked")
    unlock(other, phrase)
    expect(other).to_have_url(address)
    expect(other.locator("main")).to_contain_text(ORDER[lang])
    look(other, "archived-hold-confirm")
    other.click("form[action$=confirm] button")
    expect(other.locator("form[action$=confirm]")).to_have_count(0)
    look(other, "archived-held")
    other.click("main details:has(form) summary")
    other.fill("#end-reason", LIFTED[lang])
    other.click("form[action$=end] button")
    expect(other.locator(".notice[role=status]")).to_be_focused()
    expect(other.locator("form[action$=confirm]")).to_have_count(0)
    look(other, "archived-end-asked")
    page.goto(address)
    expect(page.locator("main")).to_contain_text(LIFTED[lang])
    look(page, "archived-end-confirm")
    page.click("form[action$=confirm] button")
    expect(page.locator("#hold-until")).to_be_visible()
    other.goto(address)
    other.click("main a.danger")
    look(other, "archived-erase")
    other.fill("#erase-reason", REASON[lang])
    other.click("main button.danger")
    expect(other.locator("main .notice, main h1")).not_to_have_count(0)
    look(other, "archived-erase-asked")

    page.goto(f"{stage.url}/staff/archive")
    page.click("#unlocked form button")
    expect(page.locator("#phrase")).to_be_visible()
    assert found == []


@pytest.mark.parametrize("stage", ["en"], indirect=True)
def test_a_passkey_unlocks_and_one_without_secrets_stores_nothing(stage: Stage) -> None:
    phrase = stage.run(ENROL).strip().splitlines()[-1]
    stage.run(CEREMONY)
    page = stage.staff("fay", "/staff/archive")
    posted: list[dict[str, str]] = []
    page.on(
        "request",
        lambda sent: posted.append(json.loads(sent.post_data or "{}")) if "/api/archive" in sent.url else None,
    )
    unlock(page, phrase)
    virtual_authenticator(page, prf=True)
    page.click("#add-passkey")
    expect(page.locator("#by-passkey p").first).to_contain_text("1")
    page.click("#unlocked form button")
    page.click("#use-passkey")
    expect(page.locator("#unlocked")).to_be_visible()
    assert [len(one["output"]) for one in posted] == [43, 43]
    assert posted[0] == posted[1], "the same passkey makes the same secret"
    assert problems(page, f"archive-passkey-{stage.language}") == []

    plain = stage.staff("fay", "/staff/archive")
    unlock(plain, phrase)
    virtual_authenticator(plain, prf=False)
    plain.click("#add-passkey")
    expect(plain.locator("#passkey-news")).not_to_be_empty()
    expect(plain.locator("#add-passkey")).to_be_enabled()
    assert problems(plain, f"archive-passkey-none-{stage.language}") == []
    assert stage.run(PASSKEYS).strip().endswith("1")


@pytest.mark.parametrize("stage", ["fr"], indirect=True)
def test_the_text_leaves_the_screen_when_the_archive_locks_itself(stage: Stage) -> None:
    closed_conversation(stage)
    phrase = stage.run(ENROL).strip().splitlines()[-1]
    stage.run(CEREMONY)
    page = stage.staff("fay", "/staff/archive")
    page.clock.install()
    unlock(page, phrase)
    page.click("table a")
    page.fill("#read-reason", REASON[stage.language])
    page.click("form:has(#read-reason) button")
    expect(page.locator("main")).to_contain_text(SAID[stage.language])
    page.clock.fast_forward("13:30")
    expect(page.locator("#stay")).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 640})
    page.locator("main > form[data-secret] button").scroll_into_view_if_needed()
    expect(page.locator("#stay")).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1280, "height": 800})
    assert problems(page, f"archived-soon-{stage.language}") == []
    page.click("#stay")
    expect(page.locator("#stay")).to_be_hidden()
    page.clock.fast_forward("13:30")
    expect(page.locator("main")).to_contain_text(SAID[stage.language])
    page.clock.fast_forward("02:00")
    expect(page.locator("main")).not_to_contain_text(SAID[stage.language])
    assert problems(page, f"archived-over-{stage.language}") == []


@pytest.mark.parametrize("stage", ["en"], indirect=True)
def test_a_visitor_ends_and_erases(stage: Stage) -> None:
    page = stage.visitor()
    begin(page, stage.url)
    say(page, SAID[stage.language])
    # the text stands in the log before the server knows of it
    expect(page.locator("#log li.own .way")).to_contain_text({"en": "Sent", "fr": "Envoyé"}[stage.language])
    page.click("#end")
    for choice in ("#go-on", "#end-yes", "[data-erase=end]", "#erasing-end"):
        expect(page.locator(choice)).to_be_in_viewport(ratio=1)
    assert problems(page, f"visitor-end-question-{stage.language}") == []
    held: list[Route] = []
    page.route("**/erase", lambda route: held.append(route))
    page.click("[data-erase=end]")
    expect(page.locator("#ended")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text(SAID[stage.language])
    assert browsers.comes(page, lambda: held != [])
    with page.expect_response("**/erase") as heard:
        held[0].continue_()
    assert heard.value.status == 204
    expect(page.locator("[data-erase=ended]")).to_be_hidden()
    expect(page.locator("[data-erase-urgent]")).to_be_visible()
    assert problems(page, f"visitor-erased-{stage.language}") == []
    for _ in range(40):
        if stage.run(ERASED).strip().endswith("1 0"):
            break
        page.wait_for_timeout(500)
    else:
        raise AssertionError("it was not erased")
    with page.expect_request("**/bye") as left:
        page.click("a.leave", no_wait_after=True)
    assert json.loads(left.value.post_data or "") == {"token": None}, "the page has forgotten its token"


@pytest.mark.parametrize("stage", ["fr"], indirect=True)
def test_a_visitor_erases_after_the_end_and_again_when_the_line_was_down(stage: Stage) -> None:
    page = stage.visitor()
    begin(page, stage.url)
    say(page, SAID[stage.language])
    # the text stands in the log before the server knows of it
    expect(page.locator("#log li.own .way")).to_contain_text({"en": "Sent", "fr": "Envoyé"}[stage.language])
    page.click("#end")
    page.click("#end-yes")
    assert problems(page, f"visitor-ended-{stage.language}") == []
    page.route("**/erase", lambda route: route.abort())
    page.click("[data-erase=ended]")
    expect(page.locator("[data-erase=ended]")).to_be_visible()
    assert problems(page, f"visitor-erase-failed-{stage.language}") == []
    page.unroute("**/erase")
    with page.expect_response("**/erase") as heard:
        page.click("[data-erase=ended]")
    assert heard.value.status == 204
    expect(page.locator("[data-erase=ended]")).to_be_hidden()
