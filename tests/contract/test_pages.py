"""Check the pages as they are shipped: nothing that runs or stores by the back door, no untranslated or hard words.

Each rule is a function that names what is wrong in a text, so that a test can show it a broken one.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_python
from babel.messages.pofile import read_po
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils import translation

from chat.protocol import VisitorFactCode
from chat.selectors import SiteView
from chat.selectors.outlook import Outlook
from frontend.security_headers import SecurityHeaders
from frontend.views import visitor
from ops.messages import extract_template
from tests.support.needs import need_node

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
ROOMS = ("audit", "encryption", "staff", "chat", "crisis", "directory", "cases", "figures", "ops", "frontend")
CATALOGUE = ROOT / "locale/fr/LC_MESSAGES/django.po"
KEYWORDS = DEFAULT_KEYWORDS | {"gettext_lazy": None, "gettext_noop": None, "ngettext_lazy": (1, 2)}

SCRIPTS = sorted((FRONTEND / "static/js").rglob("*.js"))
STYLES = sorted((FRONTEND / "static/css").glob("*.css"))
TEMPLATES = sorted((FRONTEND / "templates").rglob("*.html"))
LOADED_LATER = {
    FRONTEND / "static/js" / name
    for name in (
        *("lib/expected.js", "lib/poll.js", "lib/links.js", "lib/parts.js"),
        *("visitor/back.js", "visitor/ending.js", "visitor/paused.js", "visitor/proof.js", "visitor/texts.js"),
        *("visitor/tongue.js", "visitor/waiting.js"),
    )
}
VISITOR_SCRIPTS = [
    FRONTEND / "static/js/lib" / name
    for name in ("expected.js", "links.js", "parts.js", "poll.js", "socket.js", "visitor_store.js")
] + sorted((FRONTEND / "static/js/visitor").glob("*.js"))
VISITOR_TEMPLATES = [path for path in TEMPLATES if "staff" not in path.parts]
VISITOR_WORDS = [
    FRONTEND / name
    for name in (
        "views/visitor.py",
        "views/plain.py",
        "return_words.py",
        "pause_words.py",
        "limit_lines.py",
        "truth.py",
        "duty_card.py",
    )
]
NAMES = {"Havre", "Français", "English", "UTC"}
"""Words that are the same in each language; so are the names of some keys, which stand in `kbd`."""

MOST_BYTES = {"html": 8_000, "css": 6_000, "js": 15_000}
"""What a visitor's first screen may weigh as brotli sends it (`frontend.md` section 5)."""

PACK = """
const { brotliCompressSync } = require("node:zlib");
console.log(brotliCompressSync(require("node:fs").readFileSync(0)).length);
"""

Problems = Iterator[str]

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


def called(path: Path) -> str:
    """Return the name of a test about a file."""
    return str(path.relative_to(FRONTEND))


# what must not stand in a file


FILLED = """srcdoc="{% filter force_escape %}{% include 'frontend/plain/write.html' %}{% endfilter %}\""""
"""A frame that comes with its page: what stands in it is a template of ours, and its variables are escaped in there."""


def runs_text(text: str) -> Problems:
    """Name what turns text into markup, script or style."""
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|javascript:|srcdoc"
        r"|DOMParser|createContextualFragment|[\s\"']style\s*=|[\s\"']on[a-z]+=|<style"
    )
    yield from re.findall(forbidden, text.replace(FILLED, ""))


def stores(text: str) -> Problems:
    """Name what leaves something behind in the browser."""
    forbidden = (
        r"localStorage|sessionStorage|indexedDB|document\.cookie|cookieStore|serviceWorker|\bcaches\b"
        r"|pushState|replaceState"
    )
    yield from re.findall(forbidden, text)


def goes_elsewhere(text: str) -> Problems:
    """Name addresses of third parties."""
    for address in re.findall(r"(?:https?:|wss?:)?//[\w.-]+\.[a-z]{2,}[^\s\"')]*", text):
        if not address.startswith("http://www.w3.org/"):
            yield address


def physical(text: str) -> Problems:
    """Name style rules that know left and right: a page in Arabic reads the other way."""
    rules = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    yield from re.findall(r"(?<![\w-])(?:[\w-]+-)?(?:left|right)(?:-[\w-]+)?\s*:", rules)
    yield from re.findall(r":\s*(?:[\w-]+\s+)*(?:left|right)\b[^;{}]*", rules)


def bare_words(text: str) -> Problems:
    """Name words of a template that no translation tag holds."""
    text = re.sub(r"{#.*?#}|<!--.*?-->|{% comment.*?endcomment %}", "", text, flags=re.DOTALL)
    text = re.sub(r"{% blocktrans(?:late)?\b.*?{% endblocktrans(?:late)? %}", "", text, flags=re.DOTALL)
    # these blocks fill attributes of the page that is extended
    text = re.sub(r"{% block body %}[a-z -]*{% endblock %}|{% block root %}.*?{% endblock %}", "", text)
    text = re.sub(r"<kbd>(?:Alt|Ctrl|\w)</kbd>", "", text)
    text = re.sub(r"{%.*?%}|{{.*?}}", " ", text, flags=re.DOTALL)
    texts = re.findall(r"(?:aria-label|title|placeholder|alt|aria-description)\s*=\s*\"([^\"]*)\"", text)
    texts.append(re.sub(r"<(?:[^<>\"]|\"[^\"]*\")*>", " ", text))
    for piece in texts:
        for word in re.findall(r"[^\W\d_]+", piece.replace("&nbsp;", " ")):
            if word not in NAMES:
                yield word


@pytest.mark.parametrize("path", SCRIPTS + TEMPLATES, ids=called)
def test_nothing_turns_text_into_markup(path: Path) -> None:
    assert list(runs_text(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", VISITOR_SCRIPTS + VISITOR_TEMPLATES, ids=called)
def test_the_visitors_page_stores_nothing(path: Path) -> None:
    assert list(stores(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", SCRIPTS + STYLES + TEMPLATES, ids=called)
def test_no_third_party(path: Path) -> None:
    assert list(goes_elsewhere(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", STYLES, ids=called)
def test_styles_are_logical(path: Path) -> None:
    assert list(physical(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=called)
def test_every_word_of_a_template_can_be_translated(path: Path) -> None:
    assert list(bare_words(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=called)
def test_scripts_stay_small_enough_to_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        (runs_text, 'row.innerHTML = "x"'),
        (runs_text, '<p style="color: red">'),
        (runs_text, '<a onclick="go()">'),
        (stores, 'sessionStorage.setItem("t", token)'),
        (goes_elsewhere, '<script src="//cdn.example.com/x.js">'),
        (goes_elsewhere, "@import url(https://fonts.example.org/a.css)"),
        (physical, "a { margin-left: 1px }"),
        (physical, "a { text-align: right }"),
        (physical, "a { border-top-left-radius: 1px }"),
        (bare_words, "<p>Hello {{ name }}</p>"),
        (bare_words, '<nav aria-label="Pages">'),
        (bare_words, "<kbd>Enter</kbd>"),
    ],
)
def test_the_rules_find_what_is_broken(rule: Callable[[str], Problems], broken: str) -> None:
    assert list(rule(broken)) != []


def test_edges_stay_where_colours_are_the_readers() -> None:
    rules = (FRONTEND / "static/css/visitor.css").read_text(encoding="utf-8")
    forced = re.search(r"forced-colors: active\) {\n(.*?)\n}", rules, re.DOTALL)
    assert forced is not None
    assert forced[1].strip() == ".leave, button, .button, #log li { border: 2px solid; }"


# translations


@cache
def catalogue() -> dict[str, Message]:
    """Return the French messages by their first text."""
    with CATALOGUE.open("rb") as file:
        return {
            message.id if isinstance(message.id, str) else message.id[0]: message
            for message in read_po(file, locale="fr")
            if message.id
        }


def french(text: str) -> list[str]:
    """Return the French forms of a text; none when there is no translation that somebody vouches for."""
    message = catalogue().get(text)
    if message is None or message.fuzzy:
        return []
    return [message.string or ""] if isinstance(message.string, str) else list(message.string or [])


def texts_of(path: Path) -> Iterator[str]:
    """Yield every text that a file asks to be translated."""
    extract = extract_template if path.suffix == ".html" else extract_python
    with path.open("rb") as file:
        for _line, _function, texts, _comments in extract(file, KEYWORDS, (), {"encoding": "utf-8"}):
            first = texts[0] if isinstance(texts, tuple) else texts
            if first:
                yield first


def sources() -> list[Path]:
    """Return every file that may hold texts for people."""
    python = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts]
    return sorted(python) + TEMPLATES


def marks(text: str) -> list[str]:
    """Return the places of a text that are filled in."""
    return sorted(re.findall(r"%\(\w+\)[sd]|{\w+}", text))


def test_every_text_has_a_french_one() -> None:
    missing = [
        (str(path.relative_to(ROOT)), text)
        for path in sources()
        for text in texts_of(path)
        if not french(text) or not all(french(text))
    ]
    assert missing == []


def test_translations_keep_what_is_filled_in() -> None:
    assert [text for text in catalogue() for form in french(text) if marks(form) != marks(text)] == []


def test_no_text_stands_twice_in_the_catalogue() -> None:
    """Babel takes the last one without a word, and with it somebody else's."""
    heads = re.findall(r'^((?:msgctxt .*\n)?msgid (?:".*"\n)+)', CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)
    twice = {head for head in heads if heads.count(head) > 1}
    assert twice == set()


def test_a_thing_has_one_name() -> None:
    """A visitor's talk with us is a chat; the state between ready and away has one French name."""
    texts = {text for path in [*VISITOR_TEMPLATES, *VISITOR_WORDS] for text in texts_of(path)}
    assert [text for text in texts if "conversation" in text.lower()] == []
    (busy,) = french("Busy")
    for text in catalogue():
        if "“Busy”" in text:
            assert f"« {busy} »".replace(" ", "\xa0") in french(text)[0].replace(" ", "\xa0")


# the page itself


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
