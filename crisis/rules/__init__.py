"""The shipped rules, as data: concepts, short forms, guards and rules in TOML files beside this one."""

import tomllib
from functools import cache
from pathlib import Path

from crisis.core.screening import Screener, build

FOLDER = Path(__file__).resolve().parent


@cache
def shipped() -> Screener:
    """Return the screener of the shipped rules, built once. Raises `BadRule` when an example of theirs fails."""
    files = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml"))]
    return build(files, everyday())


def everyday() -> dict[str, int]:
    """Return how often words stand in ordinary messages: once for the words of each line, ten times more a line up."""
    lines = (FOLDER / "everyday.txt").read_text(encoding="utf-8").splitlines()
    return {word: 10**power for power, line in enumerate(reversed(lines)) for word in line.split()}
