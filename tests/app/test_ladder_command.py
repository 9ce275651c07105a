"""A site sets how long an escalation may wait; no setting lets one go quiet."""

from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import TestCase

from audit.models import AuditEvent
from crisis import services
from crisis.core.ladder import SHIPPED, Pages
from crisis.models import Escalation, Rung
from crisis.selectors import ladder
from crisis.services import set_rung
from tests.support.people import NOON, ben, held_by


def told(*arguments: Any, **options: Any) -> str:
    """Run the command and return what it printed."""
    out = StringIO()
    call_command("ladder", *arguments, stdout=out, **options)
    return out.getvalue()


class LadderStories(TestCase):
    def raised(self, level: int) -> Escalation:
        conversation, _ = held_by(ben())
        services.raise_escalation(
            actor=ben(), conversation_id=conversation, level=level, reason="he is near", client_id="a" * 32, now=NOON
        )
        return Escalation.objects.get()

    def test_what_is_set_is_shown_kept_and_on_the_trail_once(self) -> None:
        assert told("show").splitlines()[0].split()[:9] == [
            "level",
            "1",
            "300",
            "s,",
            "then",
            "climbs",
            "to",
            "level",
            "2;",
        ]
        told("set", 2, 90)
        told("set", 2, 90)
        assert "level 2     90 s, then climbs to level 3" in told("show")
        assert ladder() == {**SHIPPED, 2: replace(SHIPPED[2], within=timedelta(seconds=90))}
        assert [event.data for event in AuditEvent.objects.filter(action="ladder.set")] == [
            {"level": 2, "seconds": 90, "climbs": 1, "aloud": 1, "pages": "unanswered"}
        ]
        told("set", 2, 90, "--page", "at_once", "--board", "listed")
        assert "level 2     90 s, then climbs to level 3; a page at once; boards list it" in told("show")

    def test_a_flag_runs_on_the_site_s_clock_and_calls_again_where_it_may_not_climb(self) -> None:
        told("set", 2, 30, "--then", "repeat")
        escalation = self.raised(2)
        assert escalation.due_at == NOON + timedelta(seconds=30)
        assert services.climb_due(now=NOON + timedelta(seconds=29)).result == 0
        assert services.climb_due(now=NOON + timedelta(seconds=30)).result == 1
        escalation.refresh_from_db()
        assert (escalation.level, escalation.climbs) == (2, 1)
        assert escalation.due_at == NOON + timedelta(seconds=60)
        assert AuditEvent.objects.filter(action="escalation.repeated").count() == 1

    def test_a_clock_that_nobody_could_meet_or_that_lets_one_wait_for_ever_is_refused(self) -> None:
        for level, seconds, climbs in ((1, 14, True), (1, 1801, True), (4, 60, False), (0, 60, False), (3, 60, True)):
            with self.subTest(level=level, seconds=seconds), pytest.raises(ValueError, match=r"\.$"):
                set_rung(actor="command", level=level, seconds=seconds, climbs=climbs, pages=Pages.AT_ONCE, now=NOON)
        with pytest.raises(CommandError, match="the top"):
            told("set", 3, 60, "--then", "climb")
        with pytest.raises(CommandError, match="does not climb pages"):
            told("set", 1, 60, "--then", "repeat")
        with pytest.raises(CommandError, match="does not climb pages"):
            told("set", 2, 60, "--then", "repeat", "--page", "never")
        assert ladder() == SHIPPED
        assert not AuditEvent.objects.filter(action="ladder.set").exists()

    def test_the_database_refuses_a_level_that_neither_climbs_nor_pages(self) -> None:
        for level in (1, 2):
            with self.subTest(level=level), pytest.raises(IntegrityError), transaction.atomic():
                Rung.objects.create(level=level, seconds=60, climbs=False, pages=Pages.NEVER)
