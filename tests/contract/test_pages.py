"""Check the pages as they are shipped: nothing that runs or stores by the back door, no untranslated or hard words.

Each rule is a function that names what is wrong in a text, so that a test can show it a broken one.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator
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
from frontend.security_headers import SecurityHeaders
from frontend.views import visitor
from ops.messages import extract_template

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
ROOMS = ("audit", "encryption", "staff", "chat", "crisis", "directory", "cases", "figures", "ops", "frontend")
CATALOGUE = ROOT / "locale/fr/LC_MESSAGES/django.po"
KEYWORDS = DEFAULT_KEYWORDS | {"gettext_lazy": None, "gettext_noop": None, "ngettext_lazy": (1, 2)}

SCRIPTS = sorted((FRONTEND / "static/js").rglob("*.js"))
STYLES = sorted((FRONTEND / "static/css").glob("*.css"))
TEMPLATES = sorted((FRONTEND / "templates").rglob("*.html"))
VISITOR_SCRIPTS = [FRONTEND / "static/js/lib" / name for name in ("socket.js", "visitor_store.js")] + sorted(
    (FRONTEND / "static/js/visitor").glob("*.js")
)
VISITOR_TEMPLATES = [path for path in TEMPLATES if "staff" not in path.parts]
NAMES = {"Havre", "Français", "English", "UTC"}
"""Words that are the same in each language; names of keys stand in `kbd`."""

MOST_MEAN_WORDS, MOST_WORDS, MOST_LIX = 12, 20, 30
MOST_BYTES = {"html": 8_000, "css": 6_000, "js": 15_000}
"""`frontend.md` section 5 gives these for brotli; gzip, measured here, is always larger."""

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


def runs_text(text: str) -> Problems:
    """Name what turns text into markup, script or style."""
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|javascript:|srcdoc"
        r"|DOMParser|createContextualFragment|[\s\"']style\s*=|[\s\"']on[a-z]+=|<style"
    )
    yield from re.findall(forbidden, text)


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
    text = re.sub(r"<kbd>.*?</kbd>", "", text)
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
    ],
)
def test_the_rules_find_what_is_broken(rule: Callable[[str], Problems], broken: str) -> None:
    assert list(rule(broken)) != []


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


# plain words


def visitor_texts(language: str) -> list[str]:
    """Return what a visitor may read, with its places filled in."""
    texts = {text for path in [*VISITOR_TEMPLATES, Path(visitor.__file__)] for text in texts_of(path)}
    if language == "fr":
        texts = {french(text)[0] for text in texts}
    fill = {"%(emergency)s": "911", "%(phone)s": "911", "{n}": "7", "{name}": "Sam"}
    for mark, value in fill.items():
        texts = {text.replace(mark, value) for text in texts}
    return sorted(texts)


def sentences(text: str) -> list[list[str]]:
    """Return the words of each sentence."""
    pieces = re.split(r"[.!?:…]+(?:\s|$)", text)
    return [words for piece in pieces if (words := re.findall(r"[\w’'-]*\w", piece))]


def lix(words: list[str], count: int) -> float:
    """Return the reading index: words a sentence, and the share of words of more than six letters."""
    long = [word for word in words if len(re.sub(r"[^\w]|\d", "", re.split(r"[’']", word)[-1])) > 6]
    return len(words) / count + 100 * len(long) / len(words)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_visitor_texts_are_plain(language: str) -> None:
    found = [words for text in visitor_texts(language) for words in sentences(text)]
    assert [" ".join(words) for words in found if len(words) > MOST_WORDS] == []
    # labels of one to three words say nothing about sentences, and would flatter the mean
    whole = [words for words in found if len(words) > 3]
    words = [word for sentence in whole for word in sentence]
    assert len(words) / len(whole) <= MOST_MEAN_WORDS
    assert lix(words, len(whole)) <= MOST_LIX


def test_the_reading_index_knows_hard_words() -> None:
    text = "Notwithstanding aforementioned provisions, confidentiality considerations necessitate disclosure."
    (words,) = sentences(text)
    assert lix(words, 1) > 60


# the page itself


Page = Callable[..., HttpResponse]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    """Return what renders the visitor's page without a database."""
    monkeypatch.setattr(visitor, "site", lambda: SITE)
    monkeypatch.setattr(visitor, "staffed", lambda now: True)

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


def test_the_page_only_reads(page: Page) -> None:
    assert page(method="post").status_code == 405
    assert page(method="head").status_code == 200


def test_leaving_comes_first_and_needs_no_script(page: Page) -> None:
    html = get(page)
    links = re.findall(r"<(?:a|button|input|textarea|summary)\b[^>]*>", html)
    assert 'href="https://weather.example/"' in links[0]
    assert 'rel="noreferrer noopener nofollow"' in links[0]
    assert 'href="https://meteo.example/"' in get(page, "?l=fr")


def test_the_page_names_the_hotline_nowhere_that_a_history_shows(page: Page) -> None:
    head = get(page).split("</head>")[0]
    assert "Havre" not in head
    assert "icon.svg" in head


def test_the_box_to_write_in_leaves_nothing_on_disk(page: Page) -> None:
    html = get(page)
    assert "<form" not in html
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
    keys |= {f"fact_{code}" for code in get_args(VisitorFactCode)} | {"sending", "sent", "unsent", "refused"}
    keys |= {f"{key}{form}" for key in re.findall(r'counted\(words, "(\w+)"', scripts) for form in ("_one", "_many")}
    keys |= set(re.findall(r'named\(words, "(\w+)"', scripts)) | {"waiting_more", "nobody_more", "long_5", "long_10"}
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


def test_the_page_is_light(page: Page) -> None:
    sizes = {
        "html": len(gzip.compress(get(page, "?l=fr").encode())),
        "css": sum(len(gzip.compress(path.read_bytes())) for path in STYLES if path.name == "visitor.css"),
        "js": sum(len(gzip.compress(path.read_bytes())) for path in VISITOR_SCRIPTS),
    }
    assert {kind: size for kind, size in sizes.items() if size > MOST_BYTES[kind]} == {}
