"""Names under which staff speak of a conversation: a bird and a number, never anything of the visitor's."""

import secrets
from collections import Counter
from collections.abc import Iterable

BIRDS: tuple[tuple[str, str, str], ...] = (
    ("heron", "Heron", "Héron"),
    ("siskin", "Siskin", "Tarin"),
    ("swan", "Swan", "Cygne"),
    ("owl", "Owl", "Hibou"),
    ("crane", "Crane", "Grue"),
    ("finch", "Finch", "Pinson"),
    ("gull", "Gull", "Goéland"),
    ("loon", "Loon", "Huard"),
    ("wren", "Wren", "Troglodyte"),
    ("lark", "Lark", "Alouette"),
    ("plover", "Plover", "Pluvier"),
    ("osprey", "Osprey", "Balbuzard"),
    ("swallow", "Swallow", "Hirondelle"),
    ("egret", "Egret", "Aigrette"),
    ("falcon", "Falcon", "Faucon"),
    ("puffin", "Puffin", "Macareux"),
    ("grebe", "Grebe", "Grèbe"),
    ("thrush", "Thrush", "Grive"),
    ("teal", "Teal", "Sarcelle"),
    ("kestrel", "Kestrel", "Crécerelle"),
)
"""Key, English, French. A site's other languages fall back to English."""

_FORMER = (("robin", "Robin", "Merle"), ("martin", "Martin", "Hirondelle"))
"""Given to nobody any more, since people bear these names too; what was archived under them keeps them."""

_DRILL = {"en": "DRILL", "fr": "EXERCICE"}
_IS_DRILL = "-drill"

_WORDS = {key: {"en": english, "fr": french} for key, english, french in (*BIRDS, *_FORMER)}


def new_handle(borne: Iterable[str] = (), *, drill: bool = False) -> str:
    """Return a handle such as `heron-417`, chosen at random among the birds that the fewest of `borne` handles have.

    That of a drill says so wherever it is spoken, and is kept as `heron-417-drill`.
    """
    times = Counter(handle.partition("-")[0] for handle in borne)
    fewest = min(times[key] for key, _, _ in BIRDS)
    bird = secrets.choice([key for key, _, _ in BIRDS if times[key] == fewest])
    return f"{bird}-{100 + secrets.randbelow(900)}{_IS_DRILL if drill else ''}"


def spoken(handle: str, language: str) -> str:
    """Return the handle for people: `Heron 417`, « Héron 417 », and of a drill `DRILL · Heron 417`."""
    key, _, number = handle.removesuffix(_IS_DRILL).partition("-")
    words = _WORDS.get(key, {})
    name = f"{words.get(language) or words.get('en') or key} {number}"
    return f"{_DRILL.get(language) or _DRILL['en']} · {name}" if handle.endswith(_IS_DRILL) else name
