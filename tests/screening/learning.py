"""What the points are fitted to: development messages, made-up ones and the rules' own examples, as rows of names."""

import json
from dataclasses import dataclass, field
from typing import Any

from crisis.core.screening import Screener
from crisis.core.screening.result import WORDS, Cue
from crisis.core.screening.words import SIZES_OF_SENTENCES, SIZES_OF_WORDS, named, sizes
from tests.screening.measure import FOLDER, LANGUAGES

BLOCKS = {
    "en": (0, 315, 760, 1205, 1693, 2640, 3246, 4041, 4839, 5435, 6033, 6630, 7236, 7834, 8425),
    "fr": (0, 315, 760, 1205, 1700, 2200, 3328, 3935, 4731, 5525, 6118, 6715, 7310, 7916, 8508, 9099),
    "": (0, 1),
}
"""Lines where another writer's part of a development file begins, more or less."""
AFTER = "after"
"""The category of what was made up after a look at what went wrong in earlier parts: those are judged without it."""
LOOKED_AT = 13
"""The last of those parts."""
POSSIBLE = 0.3
"""What a message that is only possible counts as danger; whole ones cost false alarms."""
OF_SIZE = frozenset({*SIZES_OF_WORDS, *SIZES_OF_SENTENCES})
STRENGTHS = {
    name: (14 / words) ** 0.25 for name, words in zip(SIZES_OF_WORDS, (4, 4, 6, 10, 16, 25, 37, 60), strict=True)
}
"""What each name counts in messages of about so many words."""


@dataclass(slots=True)
class Row:
    """Be one text with the names found in it."""

    names: list[str]
    level: int
    weight: float
    language: str = ""
    line: int = -1
    category: str = ""
    said: list[str] = field(default_factory=list)

    strength: float = 1.0
    """What each name in it counts, less in a long message."""

    cries: list["Row"] = field(default_factory=list)
    """Its sentences that may be enough by themselves."""

    @property
    def writer(self) -> tuple[str, int, bool]:
        """Return who wrote it, more or less."""
        return self.language, self.block, self.category == "sentence"

    @property
    def block(self) -> int:
        """Return which part of a file it is from, the same for both languages: 0 what is nobody's, the last newest."""
        later = sum(self.line < first for first in BLOCKS[self.language])
        return 0 if self.line < 0 else len(BLOCKS["fr"]) - later


def rows(screener: Screener) -> list[Row]:
    """Return all that is learned from; examples of rules are of the category `example`."""

    def row(text: str, level: int, weight: float, category: str, place: tuple[str, int] = ("", -1)) -> Row:
        names = [cue.rule for cue in screener.evidence(text) if cue.rule != WORDS]
        read = screener.read(text)
        weight *= 1.4 if level == 0 else POSSIBLE if level == 1 else 1.0
        strength = STRENGTHS[sizes(read)[0]]
        return Row(names, level, weight, *place, category=category, said=named(read), strength=strength)

    found = []
    for language in LANGUAGES:
        for line, one in enumerate(_lines(f"development.{language}")):
            weight = 0.5 if line < BLOCKS[language][1] else 1.0
            found.append(row(one["text"], one["level"], weight, one["category"], (language, line)))
            found[-1].cries = [_alone(words, cues) for words, cues in screener.cries(one["text"])]
        for one in _lines(f"sentences.{language}"):
            # those with a level are whole messages
            if "level" in one:
                category = AFTER if one.get("after") else "made_up"
                found.append(row(one["text"], one["level"], 0.5, category, (language, -1)))
            else:
                found.append(row(one["text"], 3 if one["danger"] else 0, 0.8, "sentence", (language, -1)))
    for rule in screener.rules:
        level = 3 if rule.kind == "danger" else 0
        found += [row(text, level, 1.0, "example") for text in rule.must_match]
        found += [row(text, 3, 1.0, "example") for text in rule.must_not_match if rule.kind != "danger"]
    return found


def _alone(words: list[str], cues: list[Cue]) -> Row:
    """Return a sentence as a row of its own."""
    names = [cue.rule for cue in cues if cue.rule != WORDS]
    return Row(names, 0, 0.0, said=named([words]), strength=STRENGTHS[sizes([words])[0]])


def _lines(name: str) -> list[dict[str, Any]]:
    path = FOLDER / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
