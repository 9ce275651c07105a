"""What alix pastes into the rule editor by mistake or malice keeps nobody waiting and comes to lie nowhere."""

import asyncio
import json
from collections.abc import Iterator
from itertools import product
from string import ascii_lowercase
from typing import Any
from unittest import mock

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crisis import proving
from crisis.core.screening.site_rules import drafted
from frontend.views import rule_editor
from tests.app.test_rule_pages import Pages, words
from tests.support.small_rules import instead_of_the_shipped_ones
from tests.unit.test_site_rules import RULE


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with instead_of_the_shipped_ones():
        yield


def crowd(number: int, patterns: str, count: int) -> str:
    """Return a rule whose only example says nothing of the many patterns that it has besides."""
    own = "abcdefghij"[number]
    lines = "\n".join(patterns.format(a + b) for a, b in list(product(ascii_lowercase, repeat=2))[:count])
    rule = RULE.replace("site.shed", f"site.shed_{number}").replace("he shed\nGUN ..shed", f"blorp fnord{own}\n{lines}")
    return rule.replace("he has a shed", f"blorp fnord{own}")


class Slow(Pages):
    def brought(self, text: str) -> str:
        answer = self.post("import_rules", file=SimpleUploadedFile("rules.toml", text.encode()), do="show")
        assert answer.status_code == 422
        return words(answer)

    def test_a_word_at_which_thousands_of_patterns_are_tried_is_refused(self) -> None:
        text = "".join(crowd(number, "zebra {}q", 290) for number in range(2))
        assert f"too many patterns have “zebra” in them: {proving.MOST_SHARED} at most" in self.brought(text)

    def test_what_no_example_says_is_timed_as_well(self) -> None:
        shapes = ("zebra +kick|{}q", "striped_zebra +kick|{}q", "* GUN zebra|{}q -film")
        wide = "|".join(["zebra", *(a + b + "q" for a, b in list(product(ascii_lowercase, repeat=2))[:450])])
        with mock.patch.object(proving, "ROUNDS", 2):
            for patterns in shapes:
                assert "too slow" in self.brought(crowd(0, patterns, 150)), patterns
            assert "too slow" in self.brought(RULE.replace("GUN ..shed", f"{wide}\n" * 9))

    def test_a_rule_of_many_patterns_is_kept(self) -> None:
        self.added(crowd(0, "{0}x{0} {0}q", 120))


class Typed(Pages):
    def test_what_somebody_typed_is_read_beside_the_loop(self) -> None:
        loops = []

        def read_there(*given: Any) -> Any:
            loops.append(asyncio._get_running_loop())
            return drafted(*given)

        draft = {"of": "", "text": RULE, "danger": "", "now": "", "threat": "", "lines": "he has a shed"}
        with mock.patch.object(rule_editor, "drafted", read_there):
            self.alix.post(reverse("try_draft_live"), json.dumps(draft), content_type="application/json")
            self.post("new_rule", **self.typed(do="try"))
            self.added()
        assert loops == [None] * 3

    def test_a_name_or_number_that_is_far_too_long_is_said_with_its_line(self) -> None:
        for text in ("\n" + "a." * 9_990 + "a = 1", "\nlevel = " + "1" * 5_000):
            answer = self.post("new_rule", **self.typed(text))
            assert answer.status_code == 422
            assert "Line 2: no rule needs so long a name or number" in words(answer)
