"""The screening does no worse on the held-out messages than `docs/screening.md` says. Prints counts only."""

import pytest

from crisis.rules import shipped
from tests.screening.measure import BEGIN, END, PAGE, at_once, false_alarms, in_danger, judged

FLOORS = {"en": (0.97, 0.97, 0.015), "fr": (0.955, 0.94, 0.02)}
"""What was reached on messages by which nobody chose anything. The aims are 0.95, 0.90, 0.03.

Since the rules know short replies such as "maybe", which raised danger before and stand in no held-out set, 4 more of
312 are raised in English and as many in French as before, 3 fewer of 234 as danger now in French, and in English 2
ordinary ones of 156 and not none.
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
