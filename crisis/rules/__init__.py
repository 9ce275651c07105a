"""The shipped rules, as data: concepts, short forms, guards and rules in TOML files beside this one."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from crisis.core.screening import Screener, build

FOLDER = Path(__file__).resolve().parent


@cache
def files() -> tuple[Mapping[str, Any], ...]:
    """Return the shipped files as they are read; nobody changes what is in them."""
    return tuple(tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.toml")))


@cache
def shipped() -> Screener:
    """Return the screener of the shipped rules, built once. Raises `BadRule` when an example of theirs fails."""
    return build(files(), everyday())


@cache
def everyday() -> Mapping[str, int]:
    """Return how often words stand in ordinary messages: once for the words of each line, ten times more a line up."""
    lines = (FOLDER / "everyday.txt").read_text(encoding="utf-8").splitlines()
    return {word: 10**power for power, line in enumerate(reversed(lines)) for word in line.split()}
