"""Build a screener from rules as data. A rule whose own examples fail is refused."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crisis.core.screening.lexicon import Lexicon
from crisis.core.screening.patterns import parse
from crisis.core.screening.screener import Rule, Screener

LEVELS = (1, 2, 3)
KINDS = frozenset({"danger", "idiom", "guard"})

_FIELDS = {
    "id", "kind", "level", "category", "note", "patterns", "cry", "across", "alone", "before", "commas", "unless",
    "whole", "negatable", "must_match", "must_not_match",
}  # fmt: skip


class BadRule(ValueError):
    """Tell which rule cannot be used, and why."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(f"rule {rule}: {why}")
        self.rule, self.why = rule, why


def build(files: Iterable[Mapping[str, Any]], everyday: Mapping[str, int]) -> Screener:
    """Return a screener for the concepts and rules of parsed files.

    `everyday` says how often ordinary messages have a word. Such a word is nobody's misspelling, and a pattern is
    looked for where the rarest of its concepts stands.

    Raises `BadRule` for a rule that cannot be read, and for one whose own examples fail.
    """
    concepts: dict[str, str] = {}
    expansions: dict[str, str] = {}
    entries: list[Mapping[str, Any]] = []
    for file in files:
        for name, words in file.get("concepts", {}).items():
            concepts[name] = f"{concepts.get(name, '')}\n{words}"
        expansions.update(_pairs(file.get("short", "")))
        entries.extend(file.get("rule", ()))
    try:
        lexicon = Lexicon(concepts, expansions, everyday)
    except (KeyError, ValueError) as error:
        raise BadRule("of words", str(error)) from error
    rules = list(_rules(entries, lexicon))
    screener = Screener(lexicon, rules, everyday)
    for rule in rules:
        check(screener, rule)
    return screener


def check(screener: Screener, rule: Rule) -> None:
    """Raise `BadRule` unless the rule does with its own examples what it says.

    A danger must be found by this rule at its level; what guards and idioms must match has to come out as ordinary.
    """
    for text in rule.must_match:
        screening = screener.screen(text)
        if rule.kind != "danger" and screening.level:
            raise BadRule(rule.id, f"must be ordinary, but {screening.rules} found it: {text!r}")
        if rule.kind == "danger" and rule.id not in screening.rules:
            raise BadRule(rule.id, f"must match: {text!r}")
    for text in rule.must_not_match:
        screening = screener.screen(text)
        if rule.kind == "danger" and rule.id in screening.rules:
            raise BadRule(rule.id, f"must not match: {text!r}")
        if rule.kind != "danger" and not screening.level:
            raise BadRule(rule.id, f"must not silence: {text!r}")


def _pairs(source: str) -> Iterator[tuple[str, str]]:
    """Yield short forms and what they stand for, written as `u = you` line by line."""
    for line in source.strip().splitlines():
        for pair in line.split(","):
            short, _, meant = pair.partition("=")
            if short.strip():
                yield short.strip(), meant.strip()


def _rules(entries: Iterable[Mapping[str, Any]], lexicon: Lexicon) -> Iterator[Rule]:
    seen: set[str] = set()
    for entry in entries:
        name = str(entry.get("id", "without id"))
        unknown = entry.keys() - _FIELDS
        if unknown or name in seen:
            raise BadRule(name, f"unknown fields {sorted(unknown)}" if unknown else "its id is taken")
        seen.add(name)
        yield _rule(name, entry, lexicon)


def _rule(name: str, entry: Mapping[str, Any], lexicon: Lexicon) -> Rule:
    kind = entry.get("kind", "danger")
    level = entry.get("level", 0)
    if kind not in KINDS or (kind == "danger") != (level in LEVELS):
        raise BadRule(name, "its kind and level do not go together")
    sources = [line.strip() for line in entry.get("patterns", "").splitlines() if line.strip()]
    if not sources:
        raise BadRule(name, "it has no pattern")
    try:
        patterns = tuple(parse(source, lexicon.number) for source in sources)
        unless = tuple(lexicon.number(word) for word in entry.get("unless", "").split())
    except (KeyError, ValueError) as error:
        raise BadRule(name, str(error)) from error
    return Rule(
        id=name,
        kind=kind,
        patterns=patterns,
        level=level,
        category=entry.get("category", ""),
        note=entry.get("note", ""),
        negatable=entry.get("negatable", kind == "danger"),
        cry=entry.get("cry", False),
        across=entry.get("across", False),
        alone=entry.get("alone", False),
        before=entry.get("before", False),
        commas=entry.get("commas", False),
        unless=unless,
        whole=entry.get("whole", False),
        must_match=tuple(entry.get("must_match", ())),
        must_not_match=tuple(entry.get("must_not_match", ())),
    )
