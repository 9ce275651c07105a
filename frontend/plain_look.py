"""How a visitor without script looks at the page: in which language, and how new messages come.

Both travel in addresses and forms, since the one cookie holds the token and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from django.http import HttpRequest
from django.utils.translation import get_language_from_request

LANGUAGES = {"en": "English", "fr": "Français"}
LIVE, OFTEN, ASK = MODES = ("live", "often", "ask")


@dataclass(frozen=True, slots=True)
class Look:
    """Hold what an address says."""

    language: str
    mode: str

    @property
    def query(self) -> str:
        """Return it as it stands in an address."""
        return f"?l={self.language}&m={self.mode}"

    def with_mode(self, mode: str) -> "Look":
        """Return the same with new messages coming otherwise."""
        return replace(self, mode=mode)

    def in_language(self, language: str) -> "Look":
        """Return the same in another language."""
        return replace(self, language=language)


def look_of(request: HttpRequest, given: Mapping[str, str] | None = None) -> Look:
    """Return how a request looks at the page; what it does not say is the browser's language and the stream."""
    asked = request.GET if given is None else given
    language, mode = asked.get("l", ""), asked.get("m", "")
    if language not in LANGUAGES:
        language = "fr" if get_language_from_request(request) == "fr" else "en"
    return Look(language, mode if mode in MODES else LIVE)
