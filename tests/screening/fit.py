"""Fit the points: `python -m tests.screening.fit`. Plain Python, a minute or two; prints counts, never a message.

A message is a row of names: rules and signals, and words, pairs of words and beginnings of words that stand in at least
`SEEN` messages. Three logistic fits weigh them: danger (labelled 2 or 3, and a little of what is labelled 1) against
ordinary (0), danger now (3) against other danger, and a threat (2 or 3) against what is only possible (1).
Weights of rules and signals keep their sign, all are kept small by a penalty on their squares, and become whole points.
What is learned from: the development messages, `sentences.*.jsonl`, and the rules' own examples, which count more
until each comes out right. The held-out messages are never opened.

The limits come from messages judged by weights that were fitted without their whole block of both files, which is
mostly without their writer. `--counted` keeps every third newer message out of it all, to count on; `--write` writes
`points.toml` and `words.toml`.
"""

import argparse
import json
import math
import textwrap
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from crisis.core.screening import Screener, build
from crisis.core.screening.screener import WORDS
from crisis.core.screening.words import named
from crisis.rules import FOLDER as RULES
from crisis.rules import everyday
from tests.screening.measure import FOLDER, LANGUAGES

BLOCKS = {"en": (0, 315, 760, 1205, 1693), "fr": (0, 315, 760, 1205, 1700, 2200), "": (0, 1)}
"""Lines where another writer's part of a development file begins, more or less."""
SCALE, SWEEPS = 10.0, 25
"""Points of one unit of log odds; rounds of a fit."""
PENALTY, PENALTY_OF_WORDS = 3.0, 1.4
"""How dear large weights are, of rules and signals and of words."""
SEEN, LEAST, MOST = 3, 0.12, 1.0
"""How many messages a word must stand in, below which weight it is dropped, and what it may weigh."""
POSSIBLE = 0.3
"""What a message that is only possible counts as danger; whole ones cost false alarms."""
STILL = 0.002
"""A change of a weight that is not worth while."""
KEPT, KEPT_AS_THREATS = 0.96, 0.99
"""Which share of the messages of danger now that are raised the limit `now` must keep, and of all danger `threat`."""
WEAK = {
    *("people.third", "people.third_acts_on_me", "people.third_first", "people.witness", "people.perpetrator"),
    *("family.words", "time.now", "time.often", "time.since_yesterday"),
}
"""What says only who acts and when counts little for danger."""
MISSED, ALARMS = 0.05, 0.03
"""The aims: which share of danger may be missed, and which share of ordinary messages raised."""
WORDS_HEAD = """# Words and pairs of words with the points that each counts once a message: danger, now, a threat.
# A full stop is where a sentence begins or ends, `frapp-` any longer word that begins so.
# Written by tests/screening/fit.py, as the texts are read: small letters, no accents, short forms in full.

[words]"""

Weights = dict[str, float]
Made = dict[str, tuple[int, int, int]]
NONE = (0, 0, 0)
Bounds = Callable[[str], tuple[float, float]]


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

    @property
    def counted(self) -> bool:
        """Tell whether it is of the third that nobody reads."""
        return self.line >= BLOCKS[self.language][1] and self.line % 3 == 2

    @property
    def newer(self) -> bool:
        """Tell whether it was written after the first rules."""
        return self.line >= BLOCKS[self.language][1]

    @property
    def block(self) -> int:
        """Return which part of a file it is from, the same for both languages: 0 what is nobody's, the last newest."""
        later = sum(self.line < first for first in BLOCKS[self.language])
        return 0 if self.line < 0 else len(BLOCKS["fr"]) - later


def rows(screener: Screener) -> list[Row]:
    """Return all that is learned from; examples of rules are of the category `example`."""

    def row(text: str, level: int, weight: float, category: str, place: tuple[str, int] = ("", -1)) -> Row:
        names = [cue.rule for cue in screener.evidence(text) if cue.rule != WORDS]
        said = named(screener.read(text))
        weight *= 1.4 if level == 0 else POSSIBLE if level == 1 else 1.0
        return Row(names, level, weight, *place, category=category, said=said)

    found = []
    for language in LANGUAGES:
        for line, one in enumerate(_lines(f"development.{language}")):
            weight = 0.5 if line < BLOCKS[language][1] else 1.0
            found.append(row(one["text"], one["level"], weight, one["category"], (language, line)))
        for one in _lines(f"sentences.{language}"):
            found.append(row(one["text"], 3 if one["danger"] else 0, 0.8, "sentence", (language, -1)))
    for rule in screener.rules:
        level = 3 if rule.kind == "danger" else 0
        found += [row(text, level, 1.0, "example") for text in rule.must_match]
        found += [row(text, 3, 1.0, "example") for text in rule.must_not_match if rule.kind != "danger"]
    return found


def fitted(learn: Sequence[Row], is_so: Callable[[Row], bool], between: Bounds) -> Weights:
    """Return the weight of each name, and of "" the constant: logistic regression, one weight after another."""
    having: dict[str, list[int]] = {"": []}
    for index, row in enumerate(learn):
        for name in ("", *row.names):
            having.setdefault(name, []).append(index)
    penalties = {name: PENALTY_OF_WORDS if name.startswith(" ") else PENALTY for name in having} | {"": 1e-6}
    signs = [1.0 if is_so(row) else -1.0 for row in learn]
    weights, scores = dict.fromkeys(having, 0.0), [0.0] * len(learn)
    pull = [sign * row.weight * 0.5 for sign, row in zip(signs, learn, strict=True)]
    bend = [row.weight * 0.25 for row in learn]
    for _ in range(SWEEPS):
        moved = 0.0
        for name, members in having.items():
            low, high = between(name)
            slope = penalties[name] * weights[name] - sum(map(pull.__getitem__, members))
            curve = penalties[name] + sum(map(bend.__getitem__, members))
            step = min(high, max(low, weights[name] - max(-1.0, min(1.0, slope / curve)))) - weights[name]
            if abs(step) < STILL:
                continue
            weights[name] += step
            moved = max(moved, abs(step))
            for index in members:
                scores[index] += step
                wrong = 1.0 / (1.0 + math.exp(signs[index] * scores[index]))
                pull[index] = signs[index] * learn[index].weight * wrong
                bend[index] = learn[index].weight * wrong * (1.0 - wrong)
        if moved < 10 * STILL:
            break
    return weights


def bounds(screener: Screener) -> tuple[Bounds, Bounds]:
    """Return between what the weights of names must stay, for danger and for now."""
    sides = {rule.id: rule.side for rule in screener.rules} | {one.id: one.side for one in screener.signals}
    special = {"": (-20.0, 20.0), "text.nothing_against": (0.0, 0.5), "time.but_now": (0.5, 2.5)}

    def danger(name: str) -> tuple[float, float]:
        if name not in sides:
            return special.get(name, (-MOST, MOST))
        weak = name.removesuffix("_phrase") in WEAK
        return special.get(name) or ((-3.0, 0.0) if sides[name] < 0 else (0.0, 0.35 if weak else 4.0))

    def now(name: str) -> tuple[float, float]:
        if name == "":
            return special[name]
        return (0.0, 0.0) if sides.get(name, 0) < 0 else (-2.0, 2.0) if name in sides else (-MOST, MOST)

    return danger, now


def points(learn: Sequence[Row], screener: Screener, known: set[str] | None = None) -> tuple[Made, int, set[str]]:
    """Return the points of names, those of words with a blank before, the limit that the constant asks for, and words.

    The words that are worth keeping are found first, unless they are `known`.
    """
    danger, now = bounds(screener)
    rules = {name for row in learn for name in row.names}
    if known is None:
        times = Counter(name for row in learn for name in row.said if row.category != "example")
        often = {name for name, those in times.items() if those >= SEEN}
        first = fitted(_with_words(learn, often), lambda row: row.level >= 1, danger)
        known = {name for name in often if abs(first.get(" " + name, 0.0)) >= LEAST}
    fit_on = _with_words(learn, known)
    fits = [fitted(fit_on, lambda row: row.level >= 1, danger)]
    written = [row for row in fit_on if row.category not in ("example", "sentence")]
    fits.append(fitted([row for row in written if row.level >= 2], lambda row: row.level == 3, now))
    possible = [replace(row, weight=1.0) for row in written if row.level >= 1]
    fits.append(fitted(possible, lambda row: row.level >= 2, now))
    made = {}
    for name in {*rules, *(" " + name for name in known)}:
        danger_now_threat = [round(SCALE * fit.get(name, 0.0)) for fit in fits]
        made[name] = (danger_now_threat[0], danger_now_threat[1], danger_now_threat[2])
    return made, round(-SCALE * fits[0][""]), known


def _with_words(learn: Sequence[Row], known: set[str]) -> list[Row]:
    return [replace(row, names=[*row.names, *(" " + name for name in row.said if name in known)]) for row in learn]


def total(row: Row, made: Made) -> tuple[int, int, int]:
    """Return what a row counts for danger, for now and for a threat."""
    found = [made.get(name, NONE) for name in (*row.names, *(" " + name for name in row.said))]
    danger, now, threat = zip(*found, strict=True) if found else ((), (), ())
    return sum(danger), sum(now), sum(threat)


def with_examples(learn: Sequence[Row], screener: Screener, limit: int) -> tuple[Made, int]:
    """Return points by which the rules' own examples come out right, and the limit that the constant asks for."""
    known = None
    for _ in range(8):
        made, constant, known = points(learn, screener, known)
        at = constant + limit
        wrong = [row for row in learn if row.category == "example" and (total(row, made)[0] >= at) != (row.level >= 1)]
        if not wrong:
            break
        for row in wrong:
            row.weight *= 2.0
    return made, constant


Judged = tuple[Row, tuple[int, int, int]]


def judged(learn: Sequence[Row], screener: Screener) -> list[Judged]:
    """Return newer messages with the points, above the constant, that they get without their whole block."""
    found: list[Judged] = []
    for block in sorted({row.block for row in learn if row.newer}):
        made, constant, _ = points([row for row in learn if row.block != block], screener)
        for row in learn:
            if row.block == block:
                danger, now, threat = total(row, made)
                found.append((row, (danger - constant, now, threat)))
    return found


def limits(found: Sequence[Judged]) -> tuple[int, int, int]:
    """Return the limits for danger, as so much above what the constant asks for, for now and for a threat.

    The first is where the worse of the two shares, missed and false alarms, each beside its aim, is least: neither is
    to be bought with the other. The others keep nearly all of those that are raised and deserve it.
    """
    dangers = [danger for row, (danger, _, _) in found if row.level >= 2]
    ordinary = [danger for row, (danger, _, _) in found if row.level == 0]

    def missed(limit: int) -> float:
        return sum(danger < limit for danger in dangers) / len(dangers)

    def alarms(limit: int) -> float:
        return sum(danger >= limit for danger in ordinary) / len(ordinary)

    chosen = min(range(-20, 40), key=lambda limit: max(missed(limit) / MISSED, alarms(limit) / ALARMS))
    nows = sorted(now for row, (danger, now, _) in found if row.level == 3 and danger >= chosen)
    threats = sorted(threat for row, (danger, _, threat) in found if row.level >= 2 and danger >= chosen)
    return chosen, nows[int((1.0 - KEPT) * len(nows))], threats[int((1.0 - KEPT_AS_THREATS) * len(threats))]


def level(worth: tuple[int, int, int], at: tuple[int, int, int]) -> int:
    """Return the level that points ask for; what rules do besides is left out."""
    danger, now, threat = worth
    return 0 if danger < at[0] else 1 if threat < at[2] else 3 if now >= at[1] else 2


def report(name: str, found: Iterable[Judged], at: tuple[int, int, int]) -> None:
    """Print how points and limits do on some messages."""
    found = list(found)
    for language in LANGUAGES:
        levels = [(row.level, level(worth, at)) for row, worth in found if row.language == language]
        two = [given >= 2 for meant, given in levels if meant >= 2]
        three = [given == 3 for meant, given in levels if meant == 3]
        none = [given >= 1 for meant, given in levels if meant == 0]
        one = Counter(given for meant, given in levels if meant == 1)
        shares = [f"{sum(said)} of {len(said)} ({sum(said) / len(said):.1%})" for said in (two, three, none)]
        print(f"{name} {language}: danger {shares[0]}, now {shares[1]}, ordinary {shares[2]}")
        print(f"    possible ones as 0, 1, 2, 3: {', '.join(str(one[given]) for given in range(4))}")


def write(made: Made, at: tuple[int, int, int]) -> None:
    """Write the files of points."""
    head = (RULES / "points.toml").read_text(encoding="utf-8").partition("[limits]")[0]
    lines = [f'"{name}" = {list(worth)}' for name, worth in sorted(made.items()) if not name.startswith(" ")]
    limits = f"[limits]\ndanger = {at[0]}\nnow = {at[1]}\nthreat = {at[2]}\n\n[points]\n"
    (RULES / "points.toml").write_text(head + limits + "\n".join(lines) + "\n", encoding="utf-8")
    groups: dict[tuple[int, int, int], list[str]] = {}
    for name, worth in made.items():
        if name.startswith(" ") and any(worth):
            groups.setdefault(worth, []).append(name.strip())
    parts = [WORDS_HEAD]
    for worth in sorted(groups, reverse=True):
        text = ", ".join(sorted(groups[worth]))
        if len(text) > 100:
            text = f"\n{textwrap.fill(text, 118, break_on_hyphens=False)}\n"
        parts.append(f"\"{' '.join(map(str, worth))}\" = '''{text}'''")
    (RULES / "words.toml").write_text("\n".join(parts) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, choose limits, print counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--counted", action="store_true")
    options = parser.parse_args(arguments)
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(RULES.glob("*.toml"))]
    screener = build(files, everyday(), checked=False)
    everything = rows(screener)
    learn = [row for row in everything if not (options.counted and row.counted)]
    others = judged(learn, screener)
    above, now, threat = limits(others)
    report("other writers'", others, (above, now, threat))
    made, constant = with_examples(learn, screener, above)
    at = constant + above, now, threat
    if options.counted:
        report("counted", [(row, total(row, made)) for row in everything if row.counted], at)
        newest = len(BLOCKS["fr"])
        report("newest", [(row, total(row, made)) for row in everything if row.counted and row.block == newest], at)
    if options.write:
        write(made, at)


def _lines(name: str) -> list[dict[str, Any]]:
    path = FOLDER / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


if __name__ == "__main__":
    main()
