"""Fit the points: `python -m tests.screening.fit`. Plain Python, half a minute; prints counts, never a message.

A message is a row of names: rules and signals, and words and pairs of words that stand in at least `SEEN` messages.
Two logistic fits weigh them: danger (labelled 2 or 3) against ordinary (0), and danger now (3) against other danger.
Weights of rules and signals keep their sign, all are kept small by a penalty on their squares, and become whole points.
What is learned from: the development messages, `sentences.*.jsonl`, and the rules' own examples, which count more
until each comes out right. The held-out messages are never opened.

The limits come from messages judged by weights that were fitted without their whole block of a file, which is mostly
without their writer. `--counted` keeps every third newer message out of it all, to count on; `--write` writes
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

BLOCKS = (0, 315, 760, 1205, 1700, 10**6)
"""Lines where another writer's part of a development file begins, more or less."""
SCALE, SWEEPS, PENALTY = 6.0, 25, 1.4
"""Points of one unit of log odds; rounds of a fit; how dear large weights are."""
SEEN, LEAST, MOST = 3, 0.2, 0.7
"""How many messages a word must stand in, below which weight it is dropped, and what it may weigh."""
KEPT = 0.96
"""Which share of the messages of danger now, of those raised, the limit `now` must keep."""
WEAK = {
    *("people.third", "people.third_acts_on_me", "people.third_first", "people.witness", "people.perpetrator"),
    *("family.words", "time.now", "time.often", "time.since_yesterday"),
}
"""What says only who acts and when counts little for danger."""
POSSIBLE = "possible documents_held debt_bondage control labour_exploitation papers debt people time family unopposed"

DEAR, HARDLY = 1.5, 0.01
"""How much worse a false alarm is than a miss, as shares of theirs, since it takes somebody from a true one; and how
much more of both together hardly matters."""
WORDS_HEAD = """# Words and pairs of words with the points that each counts once a message, for danger and for now.
# Written by tests/screening/fit.py, as the texts are read: small letters, no accents, short forms in full.

[words]"""

Weights = dict[str, float]
Made = dict[str, tuple[int, int]]
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
        return self.line >= BLOCKS[1] and self.line % 3 == 2

    @property
    def block(self) -> tuple[str, int]:
        """Return which part of which file it is from."""
        return self.language, sum(self.line >= first for first in BLOCKS)


def rows(screener: Screener) -> list[Row]:
    """Return all that is learned from; examples of rules are of the category `example`."""

    def row(text: str, level: int, weight: float, category: str, place: tuple[str, int] = ("", -1)) -> Row:
        names = [cue.rule for cue in screener.evidence(text) if cue.rule != WORDS]
        said = named(screener.read(text))
        return Row(names, level, weight * (1.4 if level == 0 else 1.0), *place, category=category, said=said)

    found = []
    for language in LANGUAGES:
        for line, one in enumerate(_lines(f"development.{language}")):
            weight = 0.5 if line < BLOCKS[1] else 1.0
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
    having: dict[str, list[tuple[int, float, float]]] = {"": []}
    for index, row in enumerate(learn):
        for name in ("", *row.names):
            having.setdefault(name, []).append((index, 1.0 if is_so(row) else -1.0, row.weight))
    weights, scores = dict.fromkeys(having, 0.0), [0.0] * len(learn)
    for _ in range(SWEEPS):
        moved = 0.0
        for name, members in having.items():
            low, high = between(name)
            penalty = PENALTY if name else 1e-6
            slope, bend = penalty * weights[name], penalty
            for index, sign, weight in members:
                wrong = 1.0 / (1.0 + math.exp(sign * scores[index]))
                slope -= sign * weight * wrong
                bend += weight * wrong * (1.0 - wrong)
            step = min(high, max(low, weights[name] - max(-1.0, min(1.0, slope / bend)))) - weights[name]
            if abs(step) > 1e-4:
                weights[name] += step
                moved = max(moved, abs(step))
                for index, _, _ in members:
                    scores[index] += step
        if moved < 0.01:
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


def points(learn: Sequence[Row], screener: Screener) -> tuple[Made, int]:
    """Return the points of names, those of words with a blank before, and the limit that the constant asks for."""
    danger, now = bounds(screener)
    times = Counter(name for row in learn for name in row.said if row.category != "example")
    known = {name for name, often in times.items() if often >= SEEN}
    rules = {name for row in learn for name in row.names}
    for _ in range(2):
        fit_on = [
            replace(row, names=[*row.names, *(" " + name for name in row.said if name in known)])
            for row in learn
            if row.level != 1
        ]
        first = fitted(fit_on, lambda row: row.level >= 2, danger)
        known = {name for name in known if abs(first.get(" " + name, 0.0)) >= LEAST}
    dangers = [row for row in fit_on if row.level >= 2 and row.category not in ("example", "sentence")]
    second = fitted(dangers, lambda row: row.level == 3, now)
    made = {
        name: (round(SCALE * first.get(name, 0.0)), round(SCALE * second.get(name, 0.0)))
        for name in {*rules, *(" " + name for name in known)}
    }
    return made, round(-SCALE * first[""])


def total(row: Row, made: Made) -> tuple[int, int]:
    """Return what a row counts for danger and for now."""
    both = [made[name] for name in (*row.names, *(" " + name for name in row.said)) if name in made]
    return sum(danger for danger, _ in both), sum(now for _, now in both)


def with_examples(learn: Sequence[Row], screener: Screener, limit: int | None = None) -> tuple[Made, int]:
    """Return points by which the rules' own examples come out right, and the limit that the constant asks for."""
    for _ in range(8):
        made, constant = points(learn, screener)
        at = constant if limit is None else constant + limit
        wrong = [row for row in learn if row.category == "example" and (total(row, made)[0] >= at) != (row.level >= 2)]
        if not wrong:
            break
        for row in wrong:
            row.weight *= 2.0
    return made, constant


def limits(learn: Sequence[Row], screener: Screener) -> tuple[int, int]:
    """Return the limit for danger, as so much above what the constant asks for, and the one for now.

    The first is where the share missed and `DEAR` times that of false alarms make least together; of those limits that
    are hardly worse, the one with fewest false alarms.
    """
    judged: list[tuple[Row, int, int]] = []
    for block in sorted({row.block for row in learn if row.line >= BLOCKS[1]}):
        made, constant = points([row for row in learn if row.block != block], screener)
        for row in learn:
            if row.block == block:
                danger, now = total(row, made)
                judged.append((row, danger - constant, now))
    dangers = [danger for row, danger, _ in judged if row.level >= 2]
    ordinary = [danger for row, danger, _ in judged if row.level == 0]

    def missed(limit: int) -> float:
        return sum(danger < limit for danger in dangers) / len(dangers)

    def alarms(limit: int) -> float:
        return sum(danger >= limit for danger in ordinary) / len(ordinary)

    tried = range(-20, 40)
    least = min(missed(limit) + DEAR * alarms(limit) for limit in tried)
    chosen = max(limit for limit in tried if missed(limit) + DEAR * alarms(limit) <= least + HARDLY)
    print(f"other writers' messages, limit {chosen:+}: {missed(chosen):.1%} missed, {alarms(chosen):.1%} false alarms")
    nows = sorted(now for row, danger, now in judged if row.level == 3 and danger >= chosen)
    return chosen, nows[int((1.0 - KEPT) * len(nows))]


def report(those: Iterable[Row], made: Made, danger: int, now: int) -> None:
    """Print how points and limits do on some messages; the guards' further say is left out."""
    for language in LANGUAGES:
        found = [(row.level, *total(row, made)) for row in those if row.language == language]
        two = [points >= danger for level, points, _ in found if level >= 2]
        three = [points >= danger and moment >= now for level, points, moment in found if level == 3]
        none = [points >= danger for level, points, _ in found if level == 0]
        shares = [f"{sum(said)} of {len(said)} ({sum(said) / len(said):.1%})" for said in (two, three, none)]
        print(f"counted {language}: danger {shares[0]}, now {shares[1]}, ordinary {shares[2]}")


def write(made: Made, danger: int, now: int) -> None:
    """Write the files of points."""
    head = (RULES / "points.toml").read_text(encoding="utf-8").partition("[limits]")[0]
    lines = [f'"{name}" = [{both[0]}, {both[1]}]' for name, both in sorted(made.items()) if not name.startswith(" ")]
    limits = f'[limits]\ndanger = {danger}\nnow = {now}\npossible = "{POSSIBLE}"\n\n[points]\n'
    (RULES / "points.toml").write_text(head + limits + "\n".join(lines) + "\n", encoding="utf-8")
    groups: dict[tuple[int, int], list[str]] = {}
    for name, both in made.items():
        if name.startswith(" ") and any(both):
            groups.setdefault(both, []).append(name.strip())
    parts = [WORDS_HEAD]
    for both in sorted(groups, reverse=True):
        text = textwrap.fill(", ".join(sorted(groups[both])), 118, break_on_hyphens=False)
        parts.append(f"\"{both[0]} {both[1]}\" = '''\n{text}\n'''")
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
    above, now = limits(learn, screener)
    made, constant = with_examples(learn, screener, above)
    if options.counted:
        report([row for row in everything if row.counted], made, constant + above, now)
    if options.write:
        write(made, constant + above, now)


def _lines(name: str) -> list[dict[str, Any]]:
    path = FOLDER / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


if __name__ == "__main__":
    main()
