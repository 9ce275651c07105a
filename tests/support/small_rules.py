"""A few rules in the place of the shipped ones: they are built in a thousandth of the time."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest import mock

from crisis import in_force, proving
from crisis.core.screening import Screener, build
from crisis.core.screening.site_rules import Shipped

FILES: tuple[dict[str, Any], ...] = (
    {
        "concepts": {
            "NOT": "not, no", "PAS": "pas", "SUBJECT": "i, he", "BREAK": "and", "TURN": "but", "FIRST_PERSON": "i, me",
            "RIGHT_NOW": "right now", "GUN": "gun~s",
        },
        "limits": {"danger": 8, "now": -13, "threat": -14},
        "points": {"weapon.gun": [10, 0, 0], "weapon.rope": [10, -30, 0], "guard.film": [-20, 0, 0]},
    },
    {
        "rule": [
            {
                "id": "weapon.gun", "level": 3, "category": "weapon", "note": "Somebody has a gun.",
                "patterns": "he GUN", "must_match": ["he has a gun"], "must_not_match": ["a gun"],
            },
            {
                "id": "weapon.rope", "level": 2, "category": "weapon", "note": "Somebody has a rope.",
                "patterns": "he rope", "must_match": ["he has rope"], "must_not_match": ["rope"],
            },
            {
                "id": "guard.film", "kind": "guard", "note": "A film.", "patterns": "film",
                "must_match": ["in the film he has a gun"], "must_not_match": ["he has a gun"],
            },
        ],
        "signal": [{"id": "calm", "words": "thanks", "against": True}],
    },
)  # fmt: skip
SHIPPED = Shipped(FILES)


@cache
def small() -> Screener:
    """Return the screener of these rules."""
    return build(FILES, {})


@contextmanager
def instead_of_the_shipped_ones() -> Iterator[None]:
    """Ship these, with nothing in force yet, and leave nothing of it behind."""
    with (
        mock.patch("crisis.rules.files", return_value=FILES),
        mock.patch("crisis.rules.everyday", return_value={}),
        mock.patch("crisis.rules.shipped", small),
        mock.patch.object(in_force.rules, "force", None),
    ):
        proving._built.cache_clear()
        yield
    proving._built.cache_clear()
