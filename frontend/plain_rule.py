"""A rule that is written without TOML: phrases, a level, a category and messages become a rule of the site's own."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from crisis.core.screening.site_rules import LONGEST_NOTE
from crisis.core.screening.site_writing import rule_text

Reader = Callable[[str], Sequence[Sequence[str]]]
"""Gives the words of a text as rules see them, sentence by sentence."""
_WORD = re.compile(r"[\w']+")
_NO_NAME = re.compile(r"[^a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class PlainRule:
    """Be what stands in the plain form."""

    called: str = ""
    phrases: str = ""
    level: str = "2"
    category: str = "possible"
    """That says least, until somebody chooses."""
    note: str = ""
    must: str = ""
    must_not: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "PlainRule":
        """Return what a form holds."""
        return replace(
            cls(), **{one.name: given[f"plain_{one.name}"] for one in fields(cls) if f"plain_{one.name}" in given}
        )

    @property
    def used(self) -> bool:
        """Tell whether the rule is written here and not as text."""
        return bool(self.phrases.strip())

    def text(self, read: Reader) -> str:
        """Return the rule as the shipped files have it. Whether it is a good one is found out where each rule is."""
        phrases = _lines(self.phrases)
        return rule_text(
            {
                "id": f"site.{_NO_NAME.sub('_', self.called.strip().lower()).strip('_')}",
                "kind": "danger",
                "level": int(self.level) if self.level in ("1", "2", "3") else 0,
                "category": self.category,
                "note": (" ".join(self.note.split()) or " / ".join(phrases))[:LONGEST_NOTE],
                "patterns": "\n".join(_pattern(phrase, read) for phrase in phrases),
                "must_match": _lines(self.must) or phrases,
                "must_not_match": _lines(self.must_not),
            }
        )


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _pattern(phrase: str, read: Reader) -> str:
    """Return a phrase as a pattern: its words in their order, with room for a few others between two of them."""
    return " ".join(word for sentence in read(phrase) for word in sentence if _WORD.fullmatch(word))
