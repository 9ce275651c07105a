"""A stand-in for a language that is written from right to left: Havre has none yet, and must be ready for one.

Each Latin letter of a text becomes an Arabic one, so words keep their number and about their length.
"""

import json
import re

from playwright.sync_api import Route

_LATIN = "abcdefghijklmnopqrstuvwxyz"
_ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنه"
LETTERS = str.maketrans(_LATIN + _LATIN.upper(), _ARABIC + _ARABIC)

_TEXT = re.compile(r"(?<=>)[^<>]+(?=<)")
_SPOKEN = re.compile(r'(?<=aria-label=")[^"]+|(?<=data-empty=")[^"]+')
_WORDS = re.compile(r'(<script id="words" type="application/json">)(.*?)(</script>)', re.DOTALL)
_NAMES = re.compile(r"\{\w+\}|&\w+;|[^{&]+|.")


def turned(text: str) -> str:
    """Return a text in the other script; what is put in later keeps its name."""
    return "".join(part if part[0] in "{&" else part.translate(LETTERS) for part in _NAMES.findall(text))


def turned_page(html: str) -> str:
    """Return a page of Havre with every text in the other script, and the direction of that."""
    head, body = html.split("<body>", 1)
    before, opening, words, closing = *_WORDS.split(body)[:1], *_WORDS.split(body)[1:4]
    after = _WORDS.split(body)[4]
    said = {key: value if key == "most" else turned(value) for key, value in json.loads(words).items()}
    before, after = (_SPOKEN.sub(_one, _TEXT.sub(_one, part)) for part in (before, after))
    head = head.replace('lang="en" dir="ltr"', 'lang="ar" dir="rtl"')
    packed = json.dumps(said).replace("<", "\\u003C")
    return f"{head}<body>{before}{opening}{packed}{closing}{after}"


def other_way(route: Route) -> None:
    """Answer with the English page, turned."""
    english = route.fetch(url=route.request.url.replace("l=ar", "l=en"))
    route.fulfill(body=turned_page(english.text()), content_type="text/html; charset=utf-8")


def _one(found: re.Match[str]) -> str:
    return turned(found[0])
