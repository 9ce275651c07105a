"""The pages as they are shipped: which files there are, what must not stand in one, and what is translated.

Each rule is a function that names what is wrong in a text, so that a test can show it a broken one.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po

from ops.messages import KEYWORDS, ROOMS, extract_template

ROOT = Path(__file__).resolve().parents[2]
FRONTEND = ROOT / "frontend"
CATALOGUE = ROOT / "locale/fr/LC_MESSAGES/django.po"

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

Problems = Iterator[str]

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
