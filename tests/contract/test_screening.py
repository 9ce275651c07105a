"""The screening does no worse on the held-out messages than `docs/screening.md` says. Prints counts only."""

import pytest

from crisis.rules import shipped
from tests.screening.measure import BEGIN, END, PAGE, at_once, false_alarms, in_danger, judged

FLOORS = {"en": (0.91, 0.885, 0.06), "fr": (0.9, 0.855, 0.04)}
"""What has been reached, not the aims (0.95, 0.90, 0.03): it may only get better. See `docs/screening.md`.

They are lower than they were since the held-out messages are new: nobody had chosen anything by those."""


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
