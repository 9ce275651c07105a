"""Nobody answers: clocks climb and repeat, whatever fails beside them, and the board shows what is open."""

from datetime import timedelta
from unittest import mock
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from chat import hooks
from chat import services as chat
from chat.core.actors import Actor
from chat.models import Event
from chat.overview import Asked, read
from crisis import services
from crisis.models import Escalation
from crisis.selectors import escalation_for, reason_of
from encryption.providers import ProviderDown
from encryption.services import sealing
from staff.permissions import Action
from tests.app.test_crisis import REASON, CrisisCase, after
from tests.support.people import NOON


class Clocks(CrisisCase):
    def test_nobody_comes(self) -> None:
        """Level 1 climbs after 5 minutes, then after 2, then repeats each minute and is counted."""
        escalation = self.raised(1)
        moments = [(299, 1, 0), (300, 2, 1), (419, 2, 1), (420, 3, 2), (479, 3, 2), (480, 3, 3), (540, 3, 4)]
        for seconds, level, climbs in moments:
            with self.subTest(seconds=seconds):
                services.climb_due(now=NOON + after(seconds))
                row = self.row(escalation.id)
                assert (row.level, row.climbs, row.state) == (level, climbs, "raised")
                assert self.conversation().level == level
        facts = Event.objects.filter(code="flag_climbed").order_by("staff_seq")
        assert [(fact.level, fact.visitor_seq) for fact in facts] == [(2, None), (3, None)]
        assert self.topics().count("escalation.climbed") == 2
        trail = AuditEvent.objects.filter(actor="system").order_by("pk").values_list("action", flat=True)
        assert list(trail) == ["escalation.climbed"] * 2 + ["escalation.repeated"] * 2

    def test_nobody_waits_for_a_clock_that_was_set_back(self) -> None:
        rows = {level: self.raised(level).id for level in (1, 2, 3)}
        back = NOON - after(3_600)
        assert services.mend_clocks(now=back).result == 3
        assert services.mend_clocks(now=back).result == 0
        assert services.climb_due(now=back + after(59)).result == 0
        assert services.climb_due(now=back + after(60)).result == 1
        assert services.climb_due(now=back + after(300)).result == 3
        assert self.row(rows[1]).level == 2

    def test_a_clock_acts_once_however_often_the_worker_looks(self) -> None:
        self.raised(1)
        acted = [services.climb_due(now=NOON + after(300)).result for _ in range(3)]
        assert acted == [1, 0, 0]

    def test_a_worker_that_was_away_climbs_one_step_and_gives_the_whole_time(self) -> None:
        escalation = self.raised(1)
        late = NOON + timedelta(hours=2)
        done = services.climb_due(now=late)
        assert [(event.code, event.level) for event in done.events] == [("flag_climbed", 2)]
        assert self.row(escalation.id).due_at == late + after(120)

    def test_a_conversation_that_ended_and_was_recorded_keeps_its_clock(self) -> None:
        escalation = self.raised(2)
        chat.end_conversation(actor=self.ben, conversation_id=self.pk, now=NOON)
        chat.close_conversation(actor=self.ben, conversation_id=self.pk, now=NOON)
        assert services.climb_due(now=NOON + after(120)).result == 1
        services.resolve(actor=self.dana, escalation_id=escalation.id, reason="reached her", now=NOON + after(130))

    def test_the_limit_leaves_the_rest_for_the_next_look(self) -> None:
        for _ in range(3):
            self.raised(1)
        acted = [services.climb_due(now=NOON + after(300), limit=2).result for _ in range(3)]
        assert acted == [2, 1, 0]

    def test_nobody_waits_for_the_trail_while_keys_are_slow(self) -> None:
        escalation = self.raised(2)
        depths: list[int] = []

        def opened(row: Escalation) -> object:
            depths.append(len(connection.savepoint_ids))
            return reason_of(row)

        with mock.patch("crisis.services.escalations.reason_of", opened):
            services.read_reason(actor=self.dana, escalation_id=escalation.id, now=NOON)
        assert depths == [len(connection.savepoint_ids)]

    def test_no_lock_is_taken_before_the_key_is_there(self) -> None:
        sealing.forget()
        down = mock.MagicMock()
        for word in ("list_epochs", "wrap", "unwrap"):
            getattr(down, word).side_effect = ProviderDown("std")
        broken = mock.patch.object(sealing, "provider", return_value=down)
        with broken, pytest.raises(ProviderDown), CaptureQueriesContext(connection) as asked:
            self.raised()
        assert [one["sql"] for one in asked.captured_queries if not one["sql"].startswith("SELECT")] == []

    def test_one_that_fails_holds_no_other_up(self) -> None:
        broken, sound = self.raised(2), self.raised(1)

        def failing(actor: Actor, escalation_id: UUID, action: Action, *, lock: bool, wait: bool) -> object:
            if escalation_id == broken.id:
                raise ValueError(REASON)
            return escalation_for(actor, escalation_id, action, lock=lock, wait=wait)

        with (
            mock.patch("crisis.services.escalations.escalation_for", failing),
            self.assertLogs("crisis.services") as logs,
        ):
            assert services.climb_due(now=NOON + after(300)).result == 1
        assert self.row(sound.id).level == 2
        assert "ValueError" in logs.output[0]
        assert "kettle" not in logs.output[0]
        assert services.climb_due(now=NOON + after(301)).result == 1
        assert self.row(broken.id).level == 3

    def test_many_that_fail_hold_no_other_up(self) -> None:
        broken, sound = {self.raised(2).id for _ in range(3)}, self.raised(1)

        def failing(actor: Actor, escalation_id: UUID, action: Action, *, lock: bool, wait: bool) -> object:
            if escalation_id in broken:
                raise ValueError
            return escalation_for(actor, escalation_id, action, lock=lock, wait=wait)

        with mock.patch("crisis.services.escalations.escalation_for", failing), self.assertLogs("crisis.services"):
            assert services.climb_due(now=NOON + after(300), limit=2).result == 1
        assert self.row(sound.id).level == 2

    def test_the_database_refuses_a_raised_one_without_a_clock(self) -> None:
        escalation = self.raised(1)
        with pytest.raises(IntegrityError), transaction.atomic():
            Escalation.objects.filter(pk=escalation.id).update(due_at=None)

    def test_the_database_refuses_a_settled_one_without_person_and_reason(self) -> None:
        escalation = self.raised(1)
        with pytest.raises(IntegrityError), transaction.atomic():
            Escalation.objects.filter(pk=escalation.id).update(state="resolved", due_at=None)


class Overview(CrisisCase):
    def test_the_board_gets_open_ones_oldest_first_without_reason(self) -> None:
        first, second, settled = self.raised(1), self.raised(2), self.raised(3)
        services.resolve(actor=self.dana, escalation_id=settled.id, reason="safe", now=NOON)
        services.acknowledge(actor=self.dana, escalation_id=second.id, now=NOON)
        Escalation.objects.filter(pk=first.id).update(raised_at=NOON - after(5))
        shown = hooks.open_escalations()
        assert [one.id for one in shown] == [str(first.id), str(second.id)]
        assert (shown[0].raised_by, shown[0].acknowledged_by) == (self.ben.name, None)
        assert (shown[1].state, shown[1].acknowledged_by, shown[1].due_at) == ("acknowledged", self.dana.name, None)
        assert shown[0].handle == self.conversation().handle

    def test_the_board_and_the_wall_get_what_a_level_was_and_that_the_visitor_is_gone(self) -> None:
        self.raised(1)
        services.climb_due(now=NOON + after(300))
        (shown,) = hooks.open_escalations()
        assert (shown.raised_level, shown.level, shown.ended_by) == (1, 2, None)
        chat.end_conversation(actor=self.ben, conversation_id=self.pk, now=NOON + after(310))
        wall = read(Asked(frozenset(), on_wall=True), NOON).on_wall("en")
        assert (hooks.open_escalations()[0].ended_by, wall.escalations[0].ended_by) == ("advocate", "advocate")
