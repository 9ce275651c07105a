"""Who may see an entry, and what matches a search."""

import unicodedata
from collections.abc import Iterable
from enum import StrEnum


class Visibility(StrEnum):
    """For whom an entry is; HSDS has no such field."""

    PUBLIC = "public"
    STAFF = "staff"
    SUPERVISOR = "supervisor"
    NEVER = "never"  # kept, but shown on no list and never sent


class Status(StrEnum):
    """Whether a service is there: HSDS 3 `service.status`."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    DEFUNCT = "defunct"
    TEMPORARILY_CLOSED = "temporarily closed"


SEES: dict[str, frozenset[Visibility]] = {
    "advocate": frozenset({Visibility.PUBLIC, Visibility.STAFF}),
    "supervisor": frozenset({Visibility.PUBLIC, Visibility.STAFF, Visibility.SUPERVISOR}),
}
"""What a role sees; a role that is not here sees nothing of the staff's directory."""


def folded(text: str) -> str:
    """Return the text without case and accents: people in a hurry write neither."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def matches(search: str, texts: Iterable[str]) -> bool:
    """Tell whether every word of the search stands somewhere in the texts; an empty search matches all."""
    haystack = folded(" ".join(texts))
    return all(word in haystack for word in folded(search).split())
