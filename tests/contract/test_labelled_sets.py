"""The labelled messages that measure the screening: their form, their size, and that none stands twice."""

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "screening"
LANGUAGES = ("en", "fr")
LEAST = {"held_out": 500, "development": 4_500}
SHARES = {"held_out": {3: 45, 2: 15, 1: 10, 0: 30}, "development": {3: 40, 2: 15, 1: 10, 0: 36}}
SLACK = 2
"""By how many per cent a level's share may miss."""
CATEGORIES = {
    "weapon": {3, 2},
    "attack_under_way": {3, 2},
    "threat_to_life": {3, 2},
    "someone_near": {3},
    "moved": {3, 2},
    "locked_in": {3, 2},
    "suicide_thought": {2},
    "suicide_intent": {3},
    "suicide_means": {3},
    "suicide_attempt": {3},
    "overdose": {3},
    "medical": {3},
    "minor_exploited": {3, 2},
    "minor_missing": {3, 2},
    "threat_to_family": {3, 2},
    "documents_held": {2, 1},
    "debt_bondage": {2, 1},
    "control": {2, 1},
    "client_expected": {3, 2},
    "help_asked": {3},
    "cry_for_help": {3},
    "possible": {1},
    "ordinary": {0},
    "idiom": {0},
    "professional": {0},
    "study": {0},
    "media": {0},
    "past_safe": {0},
    "negated": {0},
    "hypothetical": {0},
}
"""Every category with the levels it can have."""
FILES = [(name, language) for name in LEAST for language in LANGUAGES]

Message = dict[str, Any]


def messages(name: str, language: str) -> list[Message]:
    """Return the messages of one file."""
    path = FOLDER / f"{name}.{language}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def normalised(text: str) -> str:
    """Return a text without case, accents, punctuation and double spaces; of a text that is only signs, the signs."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"\w+", bare)) or text


def faults(message: Message) -> list[str]:
    """Return what is wrong with a message."""
    if set(message) != {"text", "level", "category"}:
        return ["fields"]
    text, level, category = message["text"], message["level"], message["category"]
    found = [] if isinstance(text, str) and text == text.strip() and 1 <= len(text.split()) <= 100 else ["text"]
    return found if level in CATEGORIES.get(category, set()) else [*found, "label"]


@pytest.mark.parametrize(("name", "language"), FILES)
def test_every_message_has_a_text_and_a_known_label(name: str, language: str) -> None:
    assert [(one, wrong) for one in messages(name, language) if (wrong := faults(one))] == []


def test_a_wrong_message_is_seen() -> None:
    assert faults({"text": "hi", "level": 0}) == ["fields"]
    assert faults({"text": " hi", "level": 0, "category": "ordinary"}) == ["text"]
    assert faults({"text": "hi", "level": 3, "category": "ordinary"}) == ["label"]
    assert faults({"text": "hi", "level": 0, "category": "greeting"}) == ["label"]


@pytest.mark.parametrize(("name", "language"), FILES)
def test_a_set_has_its_size_its_shares_and_every_category(name: str, language: str) -> None:
    of_set = messages(name, language)
    assert len(of_set) >= LEAST[name]
    levels = Counter(one["level"] for one in of_set)
    shares = SHARES[name]
    assert {level: levels[level] * 100 / len(of_set) for level in shares} == pytest.approx(shares, abs=SLACK)
    assert {one["category"] for one in of_set} == CATEGORIES.keys()


def test_no_message_stands_twice_in_a_set_or_in_two() -> None:
    seen = Counter(normalised(one["text"]) for name, language in FILES for one in messages(name, language))
    assert [text for text, times in seen.items() if times > 1] == []


def test_messages_that_differ_in_case_accents_or_signs_are_the_same() -> None:
    assert normalised("AIDEZ-MOI,  je suis enfermée!") == normalised("aidez moi je suis enfermee")
    assert normalised("??") != normalised("!!")


def test_the_readme_names_every_category_with_its_levels() -> None:
    rows = re.findall(r"\| `(\w+)` \| .* \| ([\d, ]+) \|", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert {category: {int(level) for level in levels.split(",")} for category, levels in rows} == CATEGORIES
