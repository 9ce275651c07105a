"""An outage is nobody's fault: nothing is given up because of it. What is given up is said until somebody acts."""

from datetime import timedelta
from io import StringIO
from unittest import mock
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.test import TestCase

from audit.models import AuditEvent
from cases import delivery
from cases.models import Entry
from chat import outbox
from chat.models import OutboxItem
from crisis.services import raise_escalation
from encryption.providers import EpochGone, ProviderDown
from encryption.services import sealing
from ops import worker
from tests.support.people import NOON, ben, held_by, waiting

REASON = "she hears the teal kettle man on the stairs"
HOURS = [NOON + timedelta(minutes=5 * number) for number in range(60)]


class OutageStories(TestCase):
    def setUp(self) -> None:
        self.ben = ben()
        self.pk, _ = held_by(self.ben)
        self.raised()

    def raised(self) -> None:
        raise_escalation(
            actor=self.ben, conversation_id=self.pk, level=2, reason=REASON, client_id=uuid4().hex, now=NOON
        )

    def through(self, error: Exception) -> OutboxItem:
        """Let five hours pass with a failure at every try."""
        with mock.patch("cases.delivery.reason_of", side_effect=error), self.assertLogs("cases.delivery"):
            assert [delivery.deliver_due(now=now) for now in HOURS] == [0] * len(HOURS)
        return OutboxItem.objects.get(topic="escalation.raised")

    def test_keys_that_are_down_for_hours_lose_no_escalation(self) -> None:
        item = self.through(ProviderDown("op"))
        assert (item.dead, item.attempts) == (False, 0)
        assert delivery.deliver_due(now=HOURS[-1] + timedelta(seconds=1)) == 1

    def test_nor_does_a_row_that_somebody_holds(self) -> None:
        item = self.through(OperationalError("canceling statement due to lock timeout"))
        assert (item.dead, item.attempts) == (False, 0)

    def test_a_key_that_is_gone_for_good_is_given_up(self) -> None:
        assert self.through(EpochGone("op-2026-11-22")).dead

    def test_a_provider_that_is_down_is_asked_once_before_any_row_is_locked(self) -> None:
        for _ in range(5):
            self.raised()
        outbox.put("conversation.left_quickly", self.pk, {"at": NOON.isoformat()}, NOON)
        down = mock.Mock(list_epochs=mock.Mock(side_effect=ProviderDown("op")))
        real = delivery._claim
        with (
            mock.patch.object(sealing, "provider", return_value=down),
            mock.patch.object(delivery, "_claim", side_effect=real) as claimed,
            self.assertLogs("cases.delivery"),
        ):
            assert delivery.deliver_due(now=NOON) == 1, "what needs no key arrives"
        assert (down.list_epochs.call_count, claimed.call_count) == (1, 1)
        assert list(Entry.objects.values_list("code", flat=True)) == ["left_quickly"]

    def test_one_that_goes_down_meanwhile_stops_what_needs_it(self) -> None:
        for _ in range(5):
            self.raised()
        with (
            mock.patch("cases.services.create_data_key", side_effect=ProviderDown("op")) as asked,
            self.assertLogs("cases.delivery"),
        ):
            assert delivery.deliver_due(now=NOON) == 0
        assert asked.call_count == 1


class GivenUpStories(TestCase):
    def setUp(self) -> None:
        pk, _ = waiting()
        outbox.put("conversation.left_quickly", pk, {"at": NOON.isoformat()}, NOON)
        OutboxItem.objects.update(dead=True, attempts=20)
        self.pk = pk

    def told(self, *words: str) -> str:
        paper = StringIO()
        call_command("outbox", *words, stdout=paper)
        return paper.getvalue()

    def test_it_is_listed_without_content_and_can_be_revived(self) -> None:
        listed = self.told()
        assert "conversation.left_quickly" in listed
        assert "20 attempts" in listed
        assert str(self.pk) not in listed
        assert delivery.deliver_due(now=NOON) == 0
        assert "1 items will be tried again" in self.told("--revive")
        assert AuditEvent.objects.get(action="outbox.revived").data == {"items": 1}
        due = OutboxItem.objects.get().due_at
        assert delivery.deliver_due(now=due) == 1
        assert self.told("--revive") == "nothing was given up\n"

    async def test_the_worker_says_so_each_minute(self) -> None:
        for _ in range(2):
            with self.assertLogs("ops.worker", "ERROR") as logs:
                await worker._report(NOON)
            assert "1 outbox items were given up" in logs.output[0]
        assert worker.HEADS == 60


def test_what_failed_for_want_of_a_lock_is_an_outage_and_a_defect_is_not() -> None:
    assert delivery.is_outage(OperationalError())
    assert not delivery.is_outage(ValueError())


@pytest.mark.parametrize("topic", sorted(delivery.HANDLERS))
def test_what_needs_keys_is_known(topic: str) -> None:
    assert (topic in delivery.NEED_KEYS) == topic.startswith("escalation.")
