"""The screening does no worse on the held-out messages than `docs/screening.md` says. Prints counts only."""

import pytest

from crisis.rules import shipped
from tests.screening.measure import BEGIN, END, PAGE, at_once, false_alarms, in_danger, judged

FLOORS = {"en": (0.975, 0.97, 0.015), "fr": (0.97, 0.97, 0.02)}
"""What was reached on messages by which nobody chose anything. The aims are 0.95, 0.90, 0.03.

By the limit that misses less danger, 6 and 5 of 312 more are raised, and in English 2 ordinary ones of 156, not none.
"""


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_held_out_messages_are_judged_no_worse(language: str) -> None:
    rows = judged(f"held_out.{language}", shipped())
    assert rows, "the held-out set is missing"
    danger, now, ordinary = FLOORS[language]
    figures = f"{in_danger(rows)}, {at_once(rows)}, {false_alarms(rows)}"
    assert in_danger(rows).ratio >= danger, figures
    assert at_once(rows).ratio >= now, figures
    assert false_alarms(rows).ratio <= ordinary, figures


def test_the_page_has_the_figures() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"{in_danger(judged('held_out.en', shipped()))}" in page[page.index(BEGIN) : page.index(END)]
