"""What alix pastes into the rule editor by mistake or malice keeps nobody waiting and comes to lie nowhere."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.urls import reverse

from frontend.views import rule_editor
from tests.app.test_rule_pages import Pages, words
from tests.support.small_rules import instead_of_the_shipped_ones
from tests.unit.test_site_rules import RULE


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with instead_of_the_shipped_ones():
        yield


class Typed(Pages):
    def test_what_somebody_typed_is_read_beside_the_loop(self) -> None:
        loops = []
        drafted = rule_editor.drafted

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
