"""Build a screener from rules as data. A rule whose own examples fail is refused."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from crisis.core.screening.lexicon import Lexicon
from crisis.core.screening.patterns import parse
from crisis.core.screening.rule import Rule
from crisis.core.screening.screener import Screener
from crisis.core.screening.signals import Limits, Points, Signal
from crisis.core.screening.words import Words

LEVELS = (1, 2, 3)
KINDS = frozenset({"danger", "idiom", "guard"})

_FIELDS = {
    "id", "kind", "level", "category", "note", "patterns", "cry", "across", "alone", "before", "commas", "unless",
    "whole", "negatable", "must_match", "must_not_match",
}  # fmt: skip


_OF_SIGNALS = {
    "id",
    "against",
    "denied",
    "negatable",
    "note",
    "category",
    "words",
    "patterns",
    "must_match",
    "must_not_match",
}
_WORDS_OF = "WORDS OF "
"""Stands before a signal's id in the name of the concept that its words are."""
DEFAULTS = {"danger": Points(danger=6), "idiom": Points(), "guard": Points(danger=-3)}
"""What a rule counts that the data give no points."""
LIMITS = Limits(danger=6, now=0, threat=0)


class BadRule(ValueError):
    """Tell which rule cannot be used, and why; `example` is the one that fails, and `wanted` what it must do."""

    def __init__(self, rule: str, why: str, *, wanted: str = "", example: str = "") -> None:
        super().__init__(f"rule {rule}: {why}")
        self.rule, self.why, self.wanted, self.example = rule, why, wanted, example


def build(files: Iterable[Mapping[str, Any]], everyday: Mapping[str, int], *, checked: bool = True) -> Screener:
    """Return a screener for the concepts and rules of parsed files.

    `everyday` says how often ordinary messages have a word. Such a word is nobody's misspelling, and a pattern is
    looked for where the rarest of its concepts stands. Only who fits points may leave the examples unchecked.

    Raises `BadRule` for a rule that cannot be read, and for one whose own examples fail.
    """
    concepts: dict[str, str] = {}
    expansions: dict[str, str] = {}
    entries: list[Mapping[str, Any]] = []
    weak: list[Mapping[str, Any]] = []
    points: dict[str, Points] = {}
    limits = LIMITS
    plain_words: dict[str, Points] = {}
    mild: set[str] = set()
    for file in files:
        for name, words in file.get("concepts", {}).items():
            concepts[name] = f"{concepts.get(name, '')}\n{words}"
        expansions.update(_pairs(file.get("short", "")))
        entries.extend(file.get("rule", ()))
        mild.update(file.get("mild", ()))
        weak.extend(file.get("signal", ()))
        points.update({name: Points(*worth) for name, worth in file.get("points", {}).items()})
        for worths, those in file.get("words", {}).items():
            worth = Points(*map(int, worths.split()))
            plain_words.update(dict.fromkeys(map(str.strip, those.replace("\n", " ").split(",")), worth))
        if "limits" in file:
            given = file["limits"]
            limits = Limits(given["danger"], given["now"], given.get("threat", 0))
    for entry in weak:
        concepts[_WORDS_OF + entry["id"]] = entry.get("words", "")
    try:
        against = {_WORDS_OF + entry["id"] for entry in weak if entry.get("against") or entry.get("denied")}
        lexicon = Lexicon(concepts, expansions, everyday, against)
    except (KeyError, ValueError) as error:
        raise BadRule("of words", str(error)) from error
    rules = list(_rules(entries, lexicon, points))
    signals = list(_signals(weak, lexicon, points))
    screener = Screener(lexicon, rules, signals, limits, everyday, Words(plain_words), mild)
    if checked:
        check_all(screener)
    return screener


def check(screener: Screener, rule: Rule) -> None:
    """Raise `BadRule` unless the rule does with its own examples what it says.

    A danger must be found by this rule, and raised; what guards and idioms must match has to come out as ordinary.
    """
    for text in rule.must_match:
        level = screener.screen(text).level
        if rule.kind != "danger" and level:
            why = f"must be ordinary, but {screener.screen(text).rules} found it: {text!r}"
            raise BadRule(rule.id, why, wanted="ordinary", example=text)
        if rule.kind == "danger" and not (level and _finds(screener, rule.id, text)):
            raise _fails(rule.id, "match", text)
    for text in rule.must_not_match:
        if rule.kind == "danger" and _finds(screener, rule.id, text):
            raise _fails(rule.id, "not match", text)
        if rule.kind != "danger" and not screener.screen(text).level:
            raise _fails(rule.id, "not silence", text)


def check_signal(screener: Screener, signal: Signal) -> None:
    """Raise `BadRule` unless the signal is found in its examples, and not in those that it must not match."""
    for text in signal.must_match:
        if not _finds(screener, signal.id, text):
            raise _fails(signal.id, "match", text)
    for text in signal.must_not_match:
        if _finds(screener, signal.id, text):
            raise _fails(signal.id, "not match", text)


def check_all(screener: Screener) -> None:
    """Raise `BadRule` for the first rule or signal whose own examples fail."""
    for rule in screener.rules:
        check(screener, rule)
    for signal in screener.signals:
        check_signal(screener, signal)


def _fails(rule: str, wanted: str, text: str) -> BadRule:
    return BadRule(rule, f"must {wanted}: {text!r}", wanted=wanted, example=text)


def _finds(screener: Screener, name: str, text: str) -> bool:
    return any(cue.rule == name for cue in screener.evidence(text))


def _pairs(source: str) -> Iterator[tuple[str, str]]:
    """Yield short forms and what they stand for, written as `u = you` line by line."""
    for line in source.strip().splitlines():
        for pair in line.split(","):
            short, _, meant = pair.partition("=")
            if short.strip():
                yield short.strip(), meant.strip()


def _signals(entries: Iterable[Mapping[str, Any]], lexicon: Lexicon, points: Mapping[str, Points]) -> Iterator[Signal]:
    for entry in entries:
        name = entry["id"]
        if unknown := entry.keys() - _OF_SIGNALS:
            raise BadRule(name, f"unknown fields {sorted(unknown)}")
        sources = [line.strip() for line in entry.get("patterns", "").splitlines() if line.strip()]
        try:
            patterns = tuple(parse(source, lexicon.number) for source in sources)
        except (KeyError, ValueError) as error:
            raise BadRule(name, str(error)) from error
        yield Signal(
            id=name,
            points=points.get(name, Points()),
            side=-1 if entry.get("against") else int(entry.get("negatable", True)),
            category=entry.get("category", name.partition(".")[0]),
            sense=lexicon.number(_WORDS_OF + name) if entry.get("words") else None,
            patterns=patterns,
            note=entry.get("note", ""),
            must_match=tuple(entry.get("must_match", ())),
            must_not_match=tuple(entry.get("must_not_match", ())),
        )


def _rules(entries: Iterable[Mapping[str, Any]], lexicon: Lexicon, points: Mapping[str, Points]) -> Iterator[Rule]:
    seen: set[str] = set()
    for entry in entries:
        name = str(entry.get("id", "without id"))
        unknown = entry.keys() - _FIELDS
        if unknown or name in seen:
            raise BadRule(name, f"unknown fields {sorted(unknown)}" if unknown else "its id is taken")
        seen.add(name)
        yield _rule(name, entry, lexicon, points)


def _rule(name: str, entry: Mapping[str, Any], lexicon: Lexicon, points: Mapping[str, Points]) -> Rule:
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
        points=points.get(name, DEFAULTS[kind]),
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
