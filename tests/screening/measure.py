"""Measure the screening on labelled messages: `python -m tests.screening.measure`. Prints counts, never a message.

`--write` puts the table into `docs/screening.md`. `--show development.en` prints which messages of a development set
come out wrong; it refuses the held-out sets, which nobody who writes rules may read.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from crisis.core.screening import Screener
from crisis.rules import shipped

FOLDER = Path(__file__).resolve().parent
PAGE = FOLDER.parents[1] / "docs/screening.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
LANGUAGES = ("en", "fr")


@dataclass(frozen=True, slots=True)
class Judged:
    """Be one labelled message with the level that the rules gave it."""

    category: str
    level: int
    found: int


@dataclass(frozen=True, slots=True)
class Share:
    """Be so many of so many."""

    part: int
    whole: int

    @property
    def ratio(self) -> float:
        """Return the share, 1 of nothing."""
        return self.part / self.whole if self.whole else 1.0

    def __str__(self) -> str:
        return f"{self.part} of {self.whole} ({self.ratio:.1%})"


def judged(name: str, screener: Screener) -> list[Judged]:
    """Return how the rules judge each message of the set `name`, such as `held_out.en`; nothing without one."""
    path = FOLDER / f"{name}.jsonl"
    if not path.exists():
        return []
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    return [Judged(row["category"], row["level"], screener.screen(row["text"]).level) for row in rows]


def raised(rows: Iterable[Judged], least: int) -> Share:
    """Return how many rows were raised to `least` or more."""
    rows = list(rows)
    return Share(sum(row.found >= least for row in rows), len(rows))


def in_danger(rows: Iterable[Judged]) -> Share:
    """Return how many messages of danger (labelled 2 or 3) were raised to 2 or more."""
    return raised((row for row in rows if row.level >= 2), 2)


def at_once(rows: Iterable[Judged]) -> Share:
    """Return how many messages of danger now (labelled 3) were raised to 3."""
    return raised((row for row in rows if row.level == 3), 3)


def false_alarms(rows: Iterable[Judged]) -> Share:
    """Return how many ordinary messages (labelled 0) were raised at all."""
    return raised((row for row in rows if row.level == 0), 1)


def table(sets: dict[str, list[Judged]]) -> str:
    """Return the figures as tables: aims, precision and recall a level, recall a category."""
    lines = ["| set | messages | danger raised to 2 or more | danger now raised to 3 | ordinary raised at all |"]
    lines.append("|---|---|---|---|---|")
    lines += [
        f"| {name} | {len(rows)} | {in_danger(rows)} | {at_once(rows)} | {false_alarms(rows)} |"
        for name, rows in sets.items()
    ]
    lines += ["", "| set | level | precision | recall |", "|---|---|---|---|"]
    for name, rows in sets.items():
        for level in (1, 2, 3):
            right = raised((row for row in rows if row.level >= level), level)
            said = Share(right.part, sum(row.found >= level for row in rows))
            lines.append(f"| {name} | {level} or more | {said} | {right} |")
    lines += ["", "| set | category | messages | labelled level or more | raised at all |", "|---|---|---|---|---|"]
    for name, rows in sets.items():
        by_category = defaultdict(list)
        for row in rows:
            by_category[row.category].append(row)
        for category, those in sorted(by_category.items()):
            enough = sum(row.found >= row.level for row in those)
            lines.append(f"| {name} | {category} | {len(those)} | {enough} | {raised(those, 1).part} |")
    return "\n".join(lines)


def show(name: str, screener: Screener) -> None:
    """Print the messages of a development set that are judged too low, and ordinary ones that are raised."""
    if not name.startswith("development."):
        raise SystemExit("the held-out messages are not for reading")
    for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        screening = screener.screen(row["text"])
        if screening.level < row["level"] or (screening.level and not row["level"]):
            found = "; ".join(f"{cue.rule}: {cue.words}" for cue in screening.cues[:3])
            print(f"{row['level']} -> {screening.level} {row['category']}: {row['text'][:300]}\n      {found}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the sets that there are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--show", metavar="SET")
    options = parser.parse_args(arguments)
    screener = shipped()
    if options.show:
        show(options.show, screener)
        return
    names = [f"{kind}.{language}" for kind in ("held_out", "development") for language in LANGUAGES]
    sets = {name: rows for name in names if (rows := judged(name, screener))}
    figures = table(sets)
    print(figures)
    if options.write:
        head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        tail = rest.partition(END)[2]
        PAGE.write_text(f"{head}{BEGIN}\n{figures}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
