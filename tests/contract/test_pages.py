"""Check the visitor's page as the server makes it: the way out first, nothing stored, all words at hand, light."""

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import translation

from chat.protocol import VisitorFactCode
from chat.selectors import SiteView
from chat.selectors.outlook import Outlook
from frontend.security_headers import SecurityHeaders
from frontend.views import visitor
from tests.support.needs import need_node
from tests.support.shipped import LOADED_LATER, STYLES, VISITOR_SCRIPTS

MOST_BYTES = {"html": 8_000, "css": 6_000, "js": 15_000}
"""What a visitor's first screen may weigh as brotli sends it."""

PACK = """
const { brotliCompressSync } = require("node:zlib");
console.log(brotliCompressSync(require("node:fs").readFileSync(0)).length);
"""

SITE = SiteView(
    name="Havre",
    phone="1-800-555-0100",
    emergency="911",
    exit_url_en="https://weather.example/",
    exit_url_fr="https://meteo.example/",
    page_title_en="Home",
    page_title_fr="Accueil",
    open=True,
)

Page = Callable[..., HttpResponse]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """Return what renders the visitor's page without a database."""
    monkeypatch.setattr(visitor, "site", lambda: SITE)
    monkeypatch.setattr(visitor, "staffed", lambda now: True)
    monkeypatch.setattr(visitor, "is_full", lambda: False)
    monkeypatch.setattr(visitor, "outlook", lambda now: Outlook({}, 1, frozenset({"en", "fr"}), None))

    def render(query: str = "", accept: str = "en-CA", method: str = "get") -> HttpResponse:
        request = getattr(RequestFactory(), method)(f"/{query}", headers={"accept-language": accept})
        return visitor.home(request)

    return render


def get(page: Page, *args: str) -> str:
    """Return the page's HTML."""
    return page(*args).content.decode()


@pytest.mark.parametrize(
    ("query", "accept", "language", "title"),
    [
        ("", "en-CA", "en", "Home"),
        ("", "fr-CA,fr;q=0.9,en;q=0.5", "fr", "Accueil"),
        ("", "ar", "en", "Home"),
        ("?l=fr", "en-CA", "fr", "Accueil"),
        ("?l=en", "fr-CA", "en", "Home"),
        ("?l=<script>", "fr-CA", "fr", "Accueil"),
        ("?l=fr%00", "en-CA", "en", "Home"),
    ],
)
def test_the_language_is_the_links_or_the_browsers(
    page: Page, query: str, accept: str, language: str, title: str
) -> None:
    html = get(page, query, accept)
    assert f'<html lang="{language}" dir="ltr"' in html
    assert f"<title>{title}</title>" in html
    assert "<script>" not in html


def test_the_page_sets_no_cookie_and_is_kept_by_no_cache(page: Page) -> None:
    covered = SecurityHeaders(lambda request: page())(RequestFactory().get("/"))
    assert isinstance(covered, HttpResponse)
    assert not covered.cookies
    assert covered["Cache-Control"] == "no-store"
    assert covered["Content-Language"] == "en"
    policy = covered["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "trusted-types 'none'" in policy


def test_the_page_is_asked_for_and_opened_by_forms_only(page: Page) -> None:
    assert page(method="put").status_code == 405
    assert page(method="head").status_code == 200


def test_leaving_comes_first_and_needs_no_script(page: Page) -> None:
    html = get(page)
    links = re.findall(r"<(?:a|button|input|textarea|summary)\b[^>]*>", html)
    assert 'href="https://weather.example/"' in links[0]
    assert 'rel="noreferrer noopener nofollow"' in links[0]
    assert 'href="https://meteo.example/"' in get(page, "?l=fr")


@pytest.mark.parametrize("name", ["400", "403", "404", "500"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_leaving_comes_first_on_error_pages_too_without_script(name: str, language: str) -> None:
    from django.template.loader import get_template

    with translation.override(language):
        html = get_template(f"{name}.html").render()
    assert f'href="/leave?l={language}"' in re.findall(r"<a\b[^>]*>", html)[0]
    assert "<script" not in html


def test_the_page_names_the_hotline_nowhere_that_a_history_shows(page: Page) -> None:
    head = get(page).split("</head>")[0]
    assert "Havre" not in head
    assert "icon.svg" in head


def test_the_box_to_write_in_leaves_nothing_on_disk(page: Page) -> None:
    html = get(page)
    # without script there must be one, to begin with: it holds nothing that somebody writes
    plain, rest = html.split('id="plain"')[1].split("</form>")
    assert "<form" not in rest
    assert "<textarea" not in plain
    (area,) = re.findall(r"<textarea[^>]*>", html)
    for wanted in ('autocomplete="off"', 'spellcheck="false"', 'autocorrect="off"', 'writingsuggestions="false"'):
        assert wanted in area
    assert " name=" not in area


def test_scripts_find_every_part_and_every_word(page: Page) -> None:
    html = get(page)
    scripts = "".join(path.read_text(encoding="utf-8") for path in VISITOR_SCRIPTS)
    ids = set(re.findall(r'(?:part|box|getElementById)\("([\w-]+)"', scripts))
    ids |= set(re.findall(r'^  "?([\w-]+)"?: (?:begin|askToEnd|goOn|end|finish|uncover)\b', scripts, re.MULTILINE))
    assert {name for name in ids if f'id="{name}"' not in html} == set()
    found = re.search(r'<script id="words" type="application/json">(.*?)</script>', html)
    assert found is not None
    words = json.loads(found[1])
    keys = set(re.findall(r'words\["(\w+)"\]', scripts)) | set(re.findall(r'"(error_\w+)"', scripts))
    keys |= {f"fact_{code}" for code in get_args(VisitorFactCode)} | {"sending", "sent", "delivered", "seen"}
    keys |= {"unsent", "refused"}
    keys |= {f"{key}{form}" for key in re.findall(r'counted\(words, "(\w+)"', scripts) for form in ("_one", "_many")}
    keys |= set(re.findall(r'named\(words, "(\w+)"', scripts)) | {"waiting_more", "nobody_more", "long_5", "long_10"}
    keys |= {"wait_between", "wait_under", "wait_over", "turn_failed"}
    assert keys - set(words) == set()


def test_a_site_without_phone_or_closed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = SiteView(**{**{f: getattr(SITE, f) for f in SiteView.__dataclass_fields__}, "phone": "", "open": False})
    monkeypatch.setattr(visitor, "site", lambda: closed)
    monkeypatch.setattr(visitor, "staffed", lambda now: False)
    html = visitor.home(RequestFactory().get("/")).content.decode()
    assert "tel:" not in html
    assert 'id="start"' not in html
    with translation.override("en"):
        assert "The chat is closed right now." in html


@pytest.mark.parametrize("offered", [True, False])
def test_the_page_says_beforehand_how_a_chat_is_erased_where_that_is_offered(
    page: Page, monkeypatch: pytest.MonkeyPatch, offered: bool
) -> None:
    monkeypatch.setattr(visitor, "site", lambda: replace(SITE, visitor_may_erase=offered))
    monkeypatch.setattr(visitor, "keep_for", lambda: timedelta(hours=72))
    landing, _, rest = get(page).partition('id="chat"')
    assert ("You can have your chat erased: press “End this chat”" in landing) is offered
    for which in ("end", "over", "ended"):
        block = rest.partition(f'data-erase="{which}"')[2].partition("</div>")[0]
        assert ("A locked backup copy may stay, for 4 days at most." in block) is offered, "beside its own button"


@pytest.mark.parametrize(("ready", "shown"), [(True, "Someone is on shift now."), (False, "Nobody is on shift")])
def test_the_page_says_truly_whether_somebody_is_there(
    page: Page, monkeypatch: pytest.MonkeyPatch, ready: bool, shown: str
) -> None:
    monkeypatch.setattr(visitor, "staffed", lambda now: ready)
    landing = get(page).split('id="chat"')[0]
    assert shown in landing
    assert ("Someone is on shift now." in landing) is ready


@pytest.mark.parametrize("name", ["400", "403", "404", "500"])
@pytest.mark.parametrize("language", ["en", "fr"])
def test_error_pages_are_bland(name: str, language: str) -> None:
    from django.template.loader import get_template

    with translation.override(language):
        html = get_template(f"{name}.html").render({"exception": "canary", "request_path": "canary"})
    assert "canary" not in html
    assert not re.search(r"havre|hotline|traffick|traite|ligne d", html, re.IGNORECASE)


def packed(content: bytes) -> int:
    """Return how many bytes brotli makes of it."""
    done = subprocess.run([need_node(), "-e", PACK], input=content, capture_output=True, timeout=30, check=True)
    return int(done.stdout)


def test_the_page_is_light(page: Page) -> None:
    sizes = {
        "html": packed(get(page, "?l=fr").encode()),
        "css": sum(packed(path.read_bytes()) for path in STYLES if path.name == "visitor.css"),
        "js": sum(packed(path.read_bytes()) for path in VISITOR_SCRIPTS if path not in LOADED_LATER),
    }
    assert {kind: size for kind, size in sizes.items() if size > MOST_BYTES[kind]} == {}
