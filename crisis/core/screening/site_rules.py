"""Rules that a site has of its own, beside and instead of the shipped ones: one TOML file in their words.

    off = ["cry.alone"]                 shipped or own rules that are not looked for
    [[rule]] ...                        a rule; one with the id of a shipped rule stands in its place
    [points]                            what rules count, beside the shipped points

What may stand in it is checked here, each flaw with its rule, field and line; what the rules do with their examples is
checked by building them (`loading.check_all`).
"""

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from crisis.core.screening.lexicon import END
from crisis.core.screening.loading import DEFAULTS, KINDS, LEVELS
from crisis.core.screening.patterns import parse
from crisis.core.screening.signals import Limits, Points
from crisis.core.screening.site_toml import tangled_line

Entry = Mapping[str, Any]
File = Mapping[str, Any]

LONGEST_FILE, LONGEST_RULE = 56_000, 20_000
"""Bytes of the whole file, since a form of 64 KB carries it, and signs of one rule."""
MOST_RULES, MOST_PATTERNS, LONGEST_PATTERN, MOST_ELEMENTS = 100, 300, 2_000, 12
MOST_EXAMPLES, LONGEST_EXAMPLE, LONGEST_NOTE = 100, 300, 300
MOST_POINTS = 99
AMPLE = 75
"""How far beyond a limit the points of a rule without points of its own are: more than the words of 98 in 100 ordinary
messages take away."""

FLAGS = ("cry", "across", "alone", "before", "commas", "whole", "negatable")
LISTS = ("must_match", "must_not_match")
FIELDS = ("id", "kind", "unless", "level", "category", "note", *FLAGS, "patterns", *LISTS)
TABLES = ("off", "rule", "points")

_ID = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*")
_LONGEST_ID = 60
_CATEGORY = re.compile(r"[a-z][a-z_]{0,39}")
_NAME = re.compile(r"[\w']+|[?,]")
_LINE = re.compile(r"\(at line (\d+)|\(at end of document\)")


class Flaw(StrEnum):
    """Name what is wrong with a site's rules."""

    TOML = "toml"  # no TOML
    TANGLED = "tangled"  # so long a name or number, or so deep a list, that the parser would be busy with it for long
    TABLE = "table"  # something besides rules, points and what is off
    ONE_RULE = "one_rule"  # no rule, or more than one, where one is asked for
    FIELD = "field"  # no field of a rule
    VALUE = "value"  # of a kind that its field does not have
    ID = "id"
    OTHER_ID = "other_id"  # another one than that of the rule that is changed
    TAKEN = "taken"  # another rule has it
    KIND = "kind"
    LEVEL = "level"
    CATEGORY = "category"
    NOTE = "note"
    NO_PATTERN = "no_pattern"
    PATTERN = "pattern"
    CONCEPT = "concept"  # capitals that name no concept
    NO_EXAMPLE = "no_example"
    EXAMPLE = "example"  # too long, or not of one line
    TOO_MANY = "too_many"
    TOO_LONG = "too_long"
    POINTS = "points"
    UNKNOWN = "unknown"  # what is off, or has points, is no rule
    MATCH = "match"  # an example fails: it must be found
    NOT_MATCH = "not match"
    ORDINARY = "ordinary"
    NOT_SILENCE = "not silence"
    SLOW = "slow"
    SHARED = "shared"  # too many patterns are tried at one word
    BROKEN = "broken"  # the loader refuses it for a reason that has no name here


class BadSiteRules(ValueError):
    """Report the first flaw of a site's rules, and where it is."""

    def __init__(self, flaw: Flaw, *, rule: str = "", field: str = "", line: int = 0, about: str = "") -> None:
        super().__init__(f"{flaw.value}: rule {rule or '-'}, {field or '-'}, line {line}")
        self.flaw, self.rule, self.field, self.line, self.about = flaw, rule, field, line, about


@dataclass(frozen=True, slots=True)
class SiteRules:
    """Be what a site changed: its rules by id, the points that it gave, and what it switched off."""

    rules: Mapping[str, Entry] = field(default_factory=dict)
    points: Mapping[str, Points] = field(default_factory=dict)
    off: tuple[str, ...] = ()

    def with_rule(self, entry: Entry, points: Points | None) -> "SiteRules":
        """Return the same with a rule in the place of the one with its id."""
        name = entry["id"]
        given = {**self.points, name: points} if points else {k: v for k, v in self.points.items() if k != name}
        return SiteRules({**self.rules, name: entry}, given, self.off)

    def without_rule(self, name: str) -> "SiteRules":
        """Return the same without what the site says about a rule: a shipped one is as shipped again."""
        rules = {other: entry for other, entry in self.rules.items() if other != name}
        points = {other: worth for other, worth in self.points.items() if other != name}
        return SiteRules(rules, points, tuple(other for other in self.off if other != name))

    def switched(self, name: str, *, off: bool) -> "SiteRules":
        """Return the same with a rule switched off or on."""
        others = tuple(other for other in self.off if other != name)
        return SiteRules(self.rules, self.points, tuple(sorted((*others, name))) if off else others)


@dataclass(frozen=True, slots=True)
class Shipped:
    """Be the shipped files as a site's rules are checked against them."""

    files: Sequence[File]

    @property
    def rules(self) -> dict[str, Entry]:
        """Return the shipped rules by id."""
        return {entry["id"]: entry for file in self.files for entry in file.get("rule", ())}

    @property
    def concepts(self) -> dict[str, str]:
        """Return the words of each concept."""
        return {name: words for file in self.files for name, words in file.get("concepts", {}).items()}

    @property
    def points(self) -> dict[str, Points]:
        """Return the shipped points."""
        return {name: Points(*worth) for file in self.files for name, worth in file.get("points", {}).items()}

    @property
    def limits(self) -> Limits:
        """Return how many points a message needs."""
        (given,) = [file["limits"] for file in self.files if "limits" in file]
        return Limits(given["danger"], given["now"], given.get("threat", 0))

    @property
    def names(self) -> set[str]:
        """Return every id that is taken: of rules, and of signals."""
        return self.rules.keys() | {entry["id"] for file in self.files for entry in file.get("signal", ())}


def laid_over(shipped: Shipped, site: SiteRules) -> list[File]:
    """Return the files from which a site's screener is built."""
    theirs = shipped.rules.keys()
    files: list[File] = []
    for file in shipped.files:
        kept = [site.rules.get(entry["id"], entry) for entry in file.get("rule", ()) if entry["id"] not in site.off]
        files.append({**file, "rule": kept} if "rule" in file else file)
    own = [entry for name, entry in site.rules.items() if name not in theirs and name not in site.off]
    points = {name: row_of(worth) for name, worth in site.points.items()}
    files.append({"rule": own, "points": points, "mild": [entry["id"] for entry in own]})
    return files


def default_points(entry: Entry, limits: Limits) -> Points:
    """Return what a rule counts that nobody gave points: alone it makes a message as dangerous as its level says."""
    if entry.get("kind", "danger") != "danger":
        return DEFAULTS[entry["kind"]]
    level = entry["level"]
    now = limits.now + AMPLE if level == 3 else limits.now - AMPLE
    threat = limits.threat + AMPLE if level >= 2 else limits.threat - AMPLE
    return Points(limits.danger + AMPLE, now, threat)


def read(text: str, shipped: Shipped, *, strict: bool = True) -> SiteRules:
    """Return what a site's file says. Raises `BadSiteRules` with the first flaw.

    Unless `strict`, what is said of a rule that is no more is left out: an update may have taken it away.
    """
    if len(text.encode()) > LONGEST_FILE:
        raise BadSiteRules(Flaw.TOO_LONG, about=str(LONGEST_FILE))
    parsed = _parsed(text)
    for name in parsed.keys() - set(TABLES):
        raise BadSiteRules(Flaw.TABLE, field=name)
    concepts, limits = shipped.concepts.keys(), shipped.limits
    rules: dict[str, Entry] = {}
    for entry in _tables(parsed.get("rule", []), "rule"):
        fit = checked(entry, concepts)
        if fit["id"] in rules:
            raise BadSiteRules(Flaw.TAKEN, rule=fit["id"], field="id")
        rules[fit["id"]] = fit
    site = SiteRules(rules, _points(parsed.get("points", {})), _off(parsed.get("off", [])))
    known = shipped.rules.keys() | rules.keys()
    if not strict:
        points = {name: worth for name, worth in site.points.items() if name in known}
        site = SiteRules(rules, points, tuple(name for name in site.off if name in known))
    _check_names(site, shipped)
    own = {name: default_points(entry, limits) for name, entry in rules.items() if name not in shipped.rules}
    return _without_shipped(SiteRules(rules, {**own, **site.points}, site.off), shipped)


def _without_shipped(site: SiteRules, shipped: Shipped) -> SiteRules:
    """Return the same without rules that say just what the shipped ones do."""
    theirs = shipped.rules
    rules = {name: one for name, one in site.rules.items() if name not in theirs or one != _tidied(theirs[name])}
    return SiteRules(rules, site.points, site.off)


def _tidied(entry: Entry) -> Entry:
    """Return a rule with its patterns one a line and no blank more."""
    lines = [" ".join(line.split()) for line in entry["patterns"].splitlines() if line.strip()]
    return {**entry, "patterns": "\n".join(lines)}


def read_rule(text: str, concepts: Collection[str]) -> Entry:
    """Return the one rule that a text is. Raises `BadSiteRules`."""
    if len(text) > LONGEST_RULE:
        raise BadSiteRules(Flaw.TOO_LONG, about=str(LONGEST_RULE))
    parsed = _parsed(text)
    # its fields may stand there without `[[rule]]` above them
    tables = [parsed] if "id" in parsed else _tables(parsed.get("rule", []), "rule")
    if len(tables) != 1 or ("rule" in parsed and len(parsed) != 1):
        raise BadSiteRules(Flaw.ONE_RULE)
    return checked(tables[0], concepts)


def drafted(site: SiteRules, text: str, points: list[int] | None, of: str, shipped: Shipped) -> tuple[str, SiteRules]:
    """Return the id of a rule as somebody typed it, and a site's rules with it.

    `of` is the rule that is changed, empty for a new one. Without `points` a shipped rule keeps its own, and another
    one gets those of its level. Raises `BadSiteRules`.
    """
    entry = read_rule(text, shipped.concepts.keys())
    name = str(entry["id"])
    if of and name != of:
        raise BadSiteRules(Flaw.OTHER_ID, rule=of, field="id", about=name)
    if not of and (name in shipped.names or name in site.rules):
        raise BadSiteRules(Flaw.TAKEN, rule=name, field="id")
    worth = None if points is None else points_of(name, points)
    if name in shipped.rules:
        changed = site.with_rule(entry, None if worth == shipped.points.get(name) else worth)
        return name, _without_shipped(changed, shipped)
    return name, site.with_rule(entry, worth or default_points(entry, shipped.limits))


def checked(entry: Entry, concepts: Collection[str]) -> Entry:
    """Return a rule that the loader can read, tidied, or raise `BadSiteRules` with the first flaw."""
    name = entry.get("id")
    if not isinstance(name, str) or len(name) > _LONGEST_ID or not _ID.fullmatch(name):
        raise BadSiteRules(Flaw.ID, field="id")
    for key in entry:
        _check_type(name, key, entry[key])
    kind = entry.get("kind", "danger")
    if kind not in KINDS:
        raise BadSiteRules(Flaw.KIND, rule=name, field="kind")
    if (kind == "danger") != (entry.get("level") in LEVELS) or (kind != "danger" and "level" in entry):
        raise BadSiteRules(Flaw.LEVEL, rule=name, field="level")
    category = entry.get("category", "")
    if not _CATEGORY.fullmatch(category) and (kind == "danger" or category):
        raise BadSiteRules(Flaw.CATEGORY, rule=name, field="category")
    note = entry.get("note", "")
    if not 1 <= len(note) <= LONGEST_NOTE or not note.isprintable() or not note.strip():
        raise BadSiteRules(Flaw.NOTE, rule=name, field="note", about=str(LONGEST_NOTE))
    _check_examples(name, entry)
    _check_patterns(name, entry, concepts)
    return _tidied(entry)


def _check_type(name: str, key: str, value: object) -> None:
    if key not in FIELDS:
        raise BadSiteRules(Flaw.FIELD, rule=name, field=key)
    if key in FLAGS:
        good = isinstance(value, bool)
    elif key == "level":
        good = isinstance(value, int) and not isinstance(value, bool)
    elif key in LISTS:
        good = isinstance(value, list) and all(isinstance(one, str) for one in value)
    else:
        good = isinstance(value, str)
    if not good:
        raise BadSiteRules(Flaw.VALUE, rule=name, field=key)


def _check_examples(name: str, entry: Entry) -> None:
    for key in LISTS:
        given = entry.get(key, [])
        if len(given) > MOST_EXAMPLES:
            raise BadSiteRules(Flaw.TOO_MANY, rule=name, field=key, about=str(MOST_EXAMPLES))
        for number, text in enumerate(given, 1):
            if not text.strip() or len(text) > LONGEST_EXAMPLE or not text.isprintable():
                raise BadSiteRules(Flaw.EXAMPLE, rule=name, field=key, line=number, about=str(LONGEST_EXAMPLE))
    if not entry.get("must_match"):
        raise BadSiteRules(Flaw.NO_EXAMPLE, rule=name, field="must_match")


def _check_patterns(name: str, entry: Entry, concepts: Collection[str]) -> None:
    lines = entry.get("patterns", "").splitlines()
    if not any(line.strip() for line in lines):
        raise BadSiteRules(Flaw.NO_PATTERN, rule=name, field="patterns")
    if len(lines) > MOST_PATTERNS:
        raise BadSiteRules(Flaw.TOO_MANY, rule=name, field="patterns", about=str(MOST_PATTERNS))
    known = {*concepts, END}

    def sense(word: str) -> int:
        if not _NAME.fullmatch(word):
            raise ValueError(word)
        if word.isupper() and word not in known:
            raise KeyError(word)
        return 0

    def check(key: str, number: int, words: Iterable[str], whole: str) -> None:
        try:
            for word in words:
                sense(word)
            if key == "patterns" and whole.strip():
                pattern = parse(whole, sense)
                if len(pattern.elements) > MOST_ELEMENTS or len(whole) > LONGEST_PATTERN:
                    raise ValueError(whole)
        except KeyError as error:
            raise BadSiteRules(
                Flaw.CONCEPT, rule=name, field=key, line=number, about=str(error.args[0])[:LONGEST_NOTE]
            ) from None
        except ValueError:
            raise BadSiteRules(
                Flaw.PATTERN, rule=name, field=key, line=number, about=whole.strip()[:LONGEST_NOTE]
            ) from None

    for number, line in enumerate(lines, 1):
        check("patterns", number, (), line)
    check("unless", 1, entry.get("unless", "").split(), entry.get("unless", ""))


def _parsed(text: str) -> dict[str, Any]:
    if line := tangled_line(text):
        raise BadSiteRules(Flaw.TANGLED, line=line)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = int(found[1]) if found and found[1] else len(text.splitlines())
        raise BadSiteRules(Flaw.TOML, line=line, about=_line(text, line)) from None
    except (RecursionError, ValueError):
        # lists in lists in lists, or digits of which Python makes no number
        raise BadSiteRules(Flaw.TANGLED) from None


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number - 1].strip()[:LONGEST_NOTE] if 0 < number <= len(lines) else ""


def _tables(value: object, name: str) -> list[Entry]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise BadSiteRules(Flaw.VALUE, field=name)
    if len(value) > MOST_RULES:
        raise BadSiteRules(Flaw.TOO_MANY, field=name, about=str(MOST_RULES))
    return value


def _points(value: object) -> dict[str, Points]:
    if not isinstance(value, dict):
        raise BadSiteRules(Flaw.VALUE, field="points")
    return {name: points_of(name, worth) for name, worth in value.items()}


def points_of(name: str, worth: object) -> Points:
    """Return points as a rule has them: three whole numbers. Raises `BadSiteRules`."""
    if not isinstance(worth, list) or len(worth) != 3 or any(type(one) is not int for one in worth):
        raise BadSiteRules(Flaw.POINTS, rule=name, field="points", about=str(MOST_POINTS))
    if any(abs(one) > MOST_POINTS for one in worth):
        raise BadSiteRules(Flaw.POINTS, rule=name, field="points", about=str(MOST_POINTS))
    return Points(*worth)


def row_of(worth: Points) -> list[int]:
    """Return points as a file has them."""
    return [worth.danger, worth.now, worth.threat]


def _off(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadSiteRules(Flaw.VALUE, field="off")
    return tuple(sorted(set(value)))


def _check_names(site: SiteRules, shipped: Shipped) -> None:
    rules = shipped.rules
    for name in site.rules:
        if name not in rules and name in shipped.names:
            raise BadSiteRules(Flaw.TAKEN, rule=name, field="id")
    for where, names in (("off", site.off), ("points", tuple(site.points))):
        for name in names:
            if name not in rules and name not in site.rules:
                raise BadSiteRules(Flaw.UNKNOWN, rule=name[:_LONGEST_ID], field=where)
