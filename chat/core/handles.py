"""Names under which staff speak of a conversation: a bird and a number, never anything of the visitor's."""

import secrets

BIRDS: tuple[tuple[str, str, str], ...] = (
    ("heron", "Heron", "Héron"),
    ("robin", "Robin", "Merle"),
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
    ("martin", "Martin", "Hirondelle"),
    ("egret", "Egret", "Aigrette"),
    ("falcon", "Falcon", "Faucon"),
    ("puffin", "Puffin", "Macareux"),
    ("grebe", "Grebe", "Grèbe"),
    ("thrush", "Thrush", "Grive"),
    ("teal", "Teal", "Sarcelle"),
    ("kestrel", "Kestrel", "Crécerelle"),
)
"""Key, English, French. A site's other languages fall back to English."""

_WORDS = {key: {"en": english, "fr": french} for key, english, french in BIRDS}


def new_handle() -> str:
    """Return a handle such as `heron-417`, chosen at random; two open conversations hardly ever share one."""
    return f"{secrets.choice(BIRDS)[0]}-{100 + secrets.randbelow(900)}"


def spoken(handle: str, language: str) -> str:
    """Return the handle for people: `Heron 417`, « Héron 417 »."""
    key, _, number = handle.partition("-")
    words = _WORDS.get(key, {})
    return f"{words.get(language) or words.get('en') or key} {number}"
