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

_WORDS = {key: {"en": english, "fr": french} for key, english, french in (*BIRDS, *_FORMER)}


def new_handle(borne: Iterable[str] = ()) -> str:
    """Return a handle such as `heron-417`, chosen at random among the birds that the fewest of `borne` handles have."""
    times = Counter(handle.partition("-")[0] for handle in borne)
    fewest = min(times[key] for key, _, _ in BIRDS)
    bird = secrets.choice([key for key, _, _ in BIRDS if times[key] == fewest])
    return f"{bird}-{100 + secrets.randbelow(900)}"


def spoken(handle: str, language: str) -> str:
    """Return the handle for people: `Heron 417`, « Héron 417 »."""
    key, _, number = handle.partition("-")
    words = _WORDS.get(key, {})
    return f"{words.get(language) or words.get('en') or key} {number}"
