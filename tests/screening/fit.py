"""Fit the points: `python -m tests.screening.fit`. Plain Python, some minutes; prints counts, never a message.

A message is a row of names: rules and signals, and words, pairs of words and beginnings of words that stand in at
least `SEEN` messages of two writers. Three logistic fits weigh them: danger (labelled 2 or 3, and a little of what is
labelled 1) against ordinary (0), danger now (3) against other danger, and a threat (2 or 3) against what is only
possible (1).
Weights of rules and signals keep their sign, all are kept small by a penalty on their squares, the more the commoner a
word is, and become whole points. A long message has more of everything; so what it has counts a little less.
What is learned from: the development messages, `sentences.*.jsonl`, and the rules' own examples, which count more
until each comes out right. The held-out messages are never opened.

The limits come from messages of the last `JUDGED` writers, each judged by weights that were fitted without any message
of that writer's part of both files. `--write` writes `points.toml` and `words.toml`.
"""

import argparse
import math
import textwrap
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from crisis.core.screening import Screener, build
from crisis.core.screening.screener import SURELY
from crisis.rules import FOLDER as RULES
from crisis.rules import everyday
from tests.screening.learning import AFTER, BLOCKS, LOOKED_AT, OF_SIZE, STRENGTHS, Row, rows
from tests.screening.measure import LANGUAGES

JUDGED = 3
"""How many writers' parts, the last ones, are judged unseen: no way to weigh was chosen by them."""
SCALE, SWEEPS = 12.0, 24
"""Points of one unit of log odds; rounds of a fit."""
PENALTY, PENALTY_OF_NOW = 30.0, 10.0
"""How dear large weights of rules and signals are, for danger and for its moment; many were written after a look."""
PENALTY_OF_WORDS, PENALTY_OF_SIZES = 3.0, 0.1
"""How dear those of words are, and of the size of a message."""
COMMON, RARE, RARE_NOW = 30.0, 0.45, 0.3
"""A word in so many messages costs just that penalty, commoner ones more and rarer ones less, by this power."""
SEEN, WRITERS, MOST = 2, 2, 2.0
"""How many messages and writers a word must stand with, and what it may weigh."""
STILL = 0.004
"""A change of a weight that is not worth while."""
KEPT, KEPT_AS_THREATS = 0.98, 0.995
"""Which share of the messages of danger now that are raised the limit `now` must keep, and of all danger `threat`."""
WEAK = {
    *("people.third", "people.third_acts_on_me", "people.third_first", "people.witness", "people.perpetrator"),
    *("family.words", "time.now", "time.often", "time.since_yesterday"),
}
"""What says only who acts and when counts little for danger."""
MISSED = 0.05
"""The aim: which share of danger may be missed."""
WORDS_HEAD = """# Words and pairs of words with the points that each counts once a message: danger, now, a threat.
# A full stop is where a sentence begins or ends, `_` any one word, `frap-` any longer word that begins so.
# Written by tests/screening/fit.py, as the texts are read: small letters, no accents, short forms in full.

[words]"""

Weights = dict[str, float]
Made = dict[str, tuple[int, int, int]]
NONE = (0, 0, 0)
Bounds = Callable[[str], tuple[float, float]]


class _Sums:
    """Keep, while weights move, what each row counts by now and how hard it pulls at the weights of its names."""

    def __init__(self, learn: Sequence[Row], is_so: Callable[[Row], bool], start: Weights) -> None:
        self.having: dict[str, list[int]] = {"": list(range(len(learn)))}
        """Which rows have each name; every one has "", the constant."""
        for index, row in enumerate(learn):
            for name in row.names:
                self.having.setdefault(name, []).append(index)
        self.weights = {name: start.get(name, 0.0) for name in self.having}
        self._signs = [1.0 if is_so(row) else -1.0 for row in learn]
        self._strengths = [row.strength for row in learn]
        self._weighing = [row.weight for row in learn]
        constant = self.weights[""]
        self._scores = [constant + row.strength * sum(self.weights[name] for name in row.names) for row in learn]
        self._pull, self._bend = [0.0] * len(learn), [0.0] * len(learn)
        self._weigh(self.having[""])

    def step(self, name: str, penalty: float, low: float, high: float) -> float:
        """Return by how much the weight of a name is to change, to stay between two bounds."""
        members, weight, pull = self.having[name], self.weights[name], self._pull
        if name == "":
            gain = sum(pull[index] / self._strengths[index] for index in members)
        else:
            gain = sum(map(pull.__getitem__, members))
        slope, curve = penalty * weight - gain, penalty + sum(map(self._bend.__getitem__, members))
        return min(high, max(low, weight - max(-1.0, min(1.0, slope / curve)))) - weight

    def move(self, name: str, step: float) -> None:
        """Change the weight of a name."""
        self.weights[name] += step
        members, scores, strengths, constant = self.having[name], self._scores, self._strengths, name == ""
        for index in members:
            scores[index] += step if constant else step * strengths[index]
        self._weigh(members)

    def _weigh(self, members: Iterable[int]) -> None:
        pull, bend, signs, scores = self._pull, self._bend, self._signs, self._scores
        strengths, weighing = self._strengths, self._weighing
        for index in members:
            wrong = 1.0 / (1.0 + math.exp(min(50.0, signs[index] * scores[index])))
            strength = strengths[index]
            pull[index] = strength * signs[index] * weighing[index] * wrong
            bend[index] = strength * strength * weighing[index] * wrong * (1.0 - wrong)


def fitted(
    learn: Sequence[Row],
    is_so: Callable[[Row], bool],
    between: Bounds,
    dear: Callable[[str, int], float],
    start: Weights,
) -> Weights:
    """Return the weight of each name, and of "" the constant: logistic regression, one weight after another.

    `dear` says how dear a name in so many rows is; the weights begin at `start`, which changes only how long it takes.
    """
    sums = _Sums(learn, is_so, start)
    penalties = {name: dear(name, len(members)) for name, members in sums.having.items()}
    moving = list(sums.having)
    for sweep in range(SWEEPS):
        moved = []
        for name in sums.having if sweep % 4 == 0 else moving:
            step = sums.step(name, penalties[name], *between(name))
            if abs(step) >= STILL:
                sums.move(name, step)
                moved.append(name)
        if sweep % 4 == 0 and len(moved) < len(sums.having) / 200:
            break
        moving = moved
    return sums.weights


def dearness(penalty: float, power: float) -> Callable[[str, int], float]:
    """Return how dear the weight of a name is that stands in so many rows."""

    def dear(name: str, times: int) -> float:
        if not name:
            return 1e-6
        if not name.startswith(" "):
            return penalty
        scale = min(4.0, max(0.1, math.pow(times / COMMON, -power)))
        return (PENALTY_OF_SIZES if name.strip() in OF_SIZE else PENALTY_OF_WORDS) / (scale * scale)

    return dear


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


@dataclass(slots=True)
class Fit:
    """Be three fits, for danger, for now and for a threat, and the words that they know."""

    weights: tuple[Weights, Weights, Weights]
    known: set[str]

    def points(self) -> Made:
        """Return whole points, those of words with a blank before; a word that counts hardly anything is left out."""
        names = set().union(*self.weights) - {""}
        made: Made = {name: tuple(round(SCALE * fit.get(name, 0.0)) for fit in self.weights) for name in names}  # type: ignore[misc]
        return {name: worth for name, worth in made.items() if not name.startswith(" ") or _counts(worth)}

    @property
    def constant(self) -> int:
        """Return the limit that the constant asks for."""
        return round(-SCALE * self.weights[0][""])


def _counts(worth: tuple[int, int, int]) -> bool:
    """Tell whether points are worth their place: any for danger, more than one for what is now or a threat."""
    danger, now, threat = worth
    return danger != 0 or abs(now) > 1 or abs(threat) > 1


def fit(learn: Sequence[Row], screener: Screener, before: Fit | None = None) -> Fit:
    """Return what is fitted to some rows. It is found sooner `before` something alike, which knows the words then."""
    danger, now = bounds(screener)
    known = before.known if before else _known(learn)
    starts = before.weights if before else ({}, {}, {})
    fit_on = _with_words(learn, known)
    dear, dear_now = dearness(PENALTY, RARE), dearness(PENALTY_OF_NOW, RARE_NOW)
    weights = fitted(fit_on, lambda row: row.level >= 1, danger, dear, starts[0])
    if before:
        return Fit((weights, *starts[1:]), known)
    written = [row for row in fit_on if row.category not in ("example", "sentence")]
    half = ("made_up", AFTER)
    whole = [replace(row, weight=0.5 if row.category in half else 1.0) for row in written if row.level >= 1]
    of_now = fitted([row for row in whole if row.level >= 2], lambda row: row.level == 3, now, dear_now, {})
    return Fit((weights, of_now, fitted(whole, lambda row: row.level >= 2, now, dear_now, {})), known)


def _known(learn: Sequence[Row]) -> set[str]:
    """Return the words that stand in enough messages, and with more than one writer: no word is to be a fingerprint."""
    times: Counter[str] = Counter()
    writers: dict[str, set[tuple[str, int, bool]]] = defaultdict(set)
    for row in learn:
        if row.category != "example":
            times.update(row.said)
            for name in row.said:
                writers[name].add(row.writer)
    return {name for name, seen in times.items() if seen >= SEEN and len(writers[name]) >= WRITERS}


def _with_words(learn: Sequence[Row], known: set[str]) -> list[Row]:
    return [replace(row, names=[*row.names, *(" " + name for name in row.said if name in known)]) for row in learn]


def total(row: Row, made: Made) -> tuple[int, int, int]:
    """Return what a row counts for danger, for now and for a threat."""
    found = [made.get(name, NONE) for name in (*row.names, *(" " + name for name in row.said))]
    danger, now, threat = zip(*found, strict=True) if found else ((), (), ())
    return round(row.strength * sum(danger)), round(row.strength * sum(now)), round(row.strength * sum(threat))


def with_examples(learn: Sequence[Row], screener: Screener, limit: int) -> Fit:
    """Return a fit by which the rules' own examples come out right, with that limit above the constant."""
    made = fit(learn, screener)
    for _ in range(12):
        points, at = made.points(), made.constant + limit
        wrong = [row for row in learn if row.category == "example" and _is_wrong(row, points, at)]
        if not wrong:
            break
        for row in wrong:
            row.weight *= 2.0
        made = fit(learn, screener, made)
    return made


def _is_wrong(row: Row, points: Made, at: int) -> bool:
    """Tell whether an example comes out wrong, or so barely right that rounding may turn it."""
    danger = total(row, points)[0]
    return danger < at + 2 if row.level >= 1 else danger > at - 2


Worth = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Judged:
    """Be a message with the points, above the constant, that it and its cries get without the writer of its part."""

    row: Row
    whole: Worth
    cries: tuple[Worth, ...]

    def raised_by(self, limit: int) -> Worth | None:
        """Return what raises it by that limit for danger: all that it has, or else a sentence by itself."""
        if self.whole[0] >= limit:
            return self.whole
        return next((one for one in self.cries if one[0] >= limit + SURELY), None)


def judged(learn: Sequence[Row], screener: Screener) -> list[Judged]:
    """Return messages of the last writers with the points, above the constant, that they get without that writer."""
    found: list[Judged] = []
    for block in range(len(BLOCKS["fr"]) - JUDGED + 1, len(BLOCKS["fr"]) + 1):
        looked_at = block <= LOOKED_AT
        made = fit([row for row in learn if row.block != block and not (looked_at and row.category == AFTER)], screener)
        points = made.points()

        def above(row: Row, points: Made = points, constant: int = made.constant) -> Worth:
            danger, now, threat = total(row, points)
            return danger - constant, now, threat

        found += [Judged(row, above(row), tuple(map(above, row.cries))) for row in learn if row.block == block]
    return found


def limits(found: Sequence[Judged]) -> Worth:
    """Return the limits for danger, as so much above what the constant asks for, for now and for a threat.

    The first is the highest by which no more danger than the aim allows is missed, in either language: the aim for
    false alarms cannot be met together with it yet, and of the two a miss is what costs a life. The others keep nearly
    all of those that are raised and deserve it.
    """
    dangers = [one for one in found if one.row.level >= 2]

    def missed(language: str, at: Worth) -> float:
        levels = [level(one, at) for one in dangers if one.row.language == language]
        return sum(given < 2 for given in levels) / len(levels)

    tried = (_with(dangers, limit) for limit in range(60, -30, -1))
    return next(at for at in tried if all(missed(one, at) <= MISSED for one in LANGUAGES))


def _with(dangers: Sequence[Judged], limit: int) -> Worth:
    """Return a limit for danger, and those for now and for a threat that go with it."""
    spoke = [(one.row.level, worth) for one in dangers if (worth := one.raised_by(limit))]
    nows = sorted(now for meant, (_, now, _) in spoke if meant == 3)
    threats = sorted(threat for _, (_, _, threat) in spoke)
    if not nows:
        return limit, 0, 0
    return limit, nows[int((1.0 - KEPT) * len(nows))], threats[int((1.0 - KEPT_AS_THREATS) * len(threats))]


def level(one: Judged, at: Worth) -> int:
    """Return the level that a message gets by those limits."""
    worth = one.raised_by(at[0])
    if worth is None:
        return 0
    _, now, threat = worth
    return 1 if threat < at[2] else 3 if now >= at[1] else 2


def report(name: str, found: Iterable[Judged], at: tuple[int, int, int]) -> None:
    """Print how points and limits do on some messages."""
    found = list(found)
    for language in LANGUAGES:
        levels = [(one.row.level, level(one, at)) for one in found if one.row.language == language]
        two = [given >= 2 for meant, given in levels if meant >= 2]
        three = [given == 3 for meant, given in levels if meant == 3]
        none = [given >= 1 for meant, given in levels if meant == 0]
        haste = [given == 3 for meant, given in levels if meant == 2]
        one = Counter(given for meant, given in levels if meant == 1)
        shares = [f"{sum(said)} of {len(said)} ({sum(said) / len(said):.1%})" for said in (two, three, none, haste)]
        print(f"{name} {language}: danger {shares[0]}, now {shares[1]}, ordinary {shares[2]}")
        print(f"    threats and the like as 3: {shares[3]}")
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


def with_limits(made: Made, at: tuple[int, int, int]) -> Made:
    """Return points that ask for the same limits of every message: those of its size make up for its strength."""
    found = dict(made)
    for name, strength in STRENGTHS.items():
        worth = made.get(f" {name}", NONE)
        more = [round(points + limit - limit / strength) for points, limit in zip(worth, at, strict=True)]
        found[f" {name}"] = (more[0], more[1], more[2])
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, choose limits, print counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(RULES.glob("*.toml"))]
    screener = build(files, everyday(), checked=False)
    learn = rows(screener)
    others = judged(learn, screener)
    above, now, threat = limits(others)
    report("other writers'", others, (above, now, threat))
    if options.write:
        made = with_examples(learn, screener, above)
        at = made.constant + above, now, threat
        write(with_limits(made.points(), at), at)


if __name__ == "__main__":
    main()
