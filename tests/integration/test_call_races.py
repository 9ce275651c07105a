"""Several hands at the same call for help, page or drill on real PostgreSQL: it is made, moved and ended once."""

from datetime import timedelta
from threading import Event as Signal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, transaction

from audit.models import AuditEvent
from audit.services import record
from chat import services
from chat.core.actors import Staff
from chat.core.drills import Drill as Mark
from chat.models import Conversation, Event
from crisis.core.ladder import Pages
from crisis.models import Delivery, Escalation, Paging
from crisis.services import (
    acknowledge,
    add_target,
    claim_deliveries,
    climb_due,
    mark_changed_voice,
    raise_cue,
    raise_escalation,
    raise_unspoken,
    set_rung,
    settle_delivery,
    step_pagings,
)
from crisis.transport import Outcome
from drills.services import end_drill, start_drill, step_drills
from staff.services import set_availability
from tests.support.people import NOON, alix, ben, cleo, dana, held_by
from tests.support.races import Races, Work, at_once

pytestmark = pytest.mark.servers


class CallRaces(Races):
    def setUp(self) -> None:
        super().setUp()
        self.ben, self.cleo, self.dana = ben(), cleo(), dana()
        for person in (self.ben, self.cleo, self.dana):
            set_availability(user_id=person.id, state="ready", now=NOON)

    def test_two_workers_climb_once_and_an_acknowledgement_wins_or_loses_whole(self) -> None:
        pk, _ = held_by(self.ben)
        raise_escalation(actor=self.ben, conversation_id=pk, level=2, reason="a reason", client_id="f" * 32, now=NOON)
        due = Escalation.objects.get().due_at
        assert due is not None
        later = due + timedelta(seconds=1)
        at_once([lambda: climb_due(now=later)] * 3)
        assert Escalation.objects.get().climbs == 1
        escalation = Escalation.objects.get()
        answers = at_once(
            [lambda: acknowledge(actor=self.dana, escalation_id=escalation.pk, now=later) for _ in range(3)]
        )
        assert Escalation.objects.get().state == "acknowledged"
        codes = [event.code for event in Event.objects.filter(conversation=pk)]
        assert sum("acknowledg" in code for code in codes) == 1, answers

    def test_three_workers_move_a_scripted_visitor_once_and_the_database_keeps_the_mark(self) -> None:
        pk = start_drill(
            actor=self.dana, language="en", name="motel", trainee_id=self.ben.id, mark=Mark.DRILL, now=NOON
        ).result
        services.take(actor=self.ben, conversation_id=pk, now=NOON)
        for seconds in (2, 10):
            later = NOON + timedelta(seconds=seconds)
            at_once([lambda now=later: step_drills(now=now)] * 3)  # type: ignore[misc]
        texts = Event.objects.filter(conversation=pk, kind="message")
        assert texts.count() == 2
        at_once([lambda: end_drill(actor=self.dana, drill_id=pk, now=NOON + timedelta(minutes=1))] * 3)
        assert AuditEvent.objects.filter(action="drill.ended").count() == 1
        with pytest.raises(DatabaseError, match="stays one"), transaction.atomic():
            Conversation.objects.filter(pk=pk).update(drill="", drill_for=None)

    def test_three_workers_page_once_and_an_acknowledgement_ends_it_for_all(self) -> None:
        for number in range(2):
            add_target(
                actor=alix(),
                target_id=uuid4(),
                name=f"Pager {number}",
                way="webhook",
                address="https://pager.example.org/",
                wait_seconds=60,
                now=NOON,
            )
        pk, _ = held_by(self.ben)
        raise_escalation(actor=self.ben, conversation_id=pk, level=3, reason="a reason", client_id="f" * 32, now=NOON)
        escalation = Escalation.objects.get()
        steps = at_once([lambda: step_pagings(now=NOON)] * 3)
        assert sum(done.result for done in steps) == 1
        claims = at_once([lambda: claim_deliveries(now=NOON, limit=9)] * 3)
        (errand,) = [one for done in claims for one in done.result]
        later = NOON + timedelta(seconds=70)

        def settle() -> Any:
            return settle_delivery(
                delivery_id=errand.delivery, tries=errand.tries, outcome=Outcome(True, "204"), now=NOON
            )

        assert sum(done.result for done in at_once([settle] * 3)) == 1
        at_once(
            [lambda: acknowledge(actor=self.dana, escalation_id=escalation.pk, now=later)]
            + [lambda: step_pagings(now=later)] * 2
        )
        assert Paging.objects.get().state == "answered"
        assert claim_deliveries(now=later, limit=9).result == ()
        assert Delivery.objects.filter(state="sent").count() == 1

    def test_two_calls_in_one_batch_and_a_page_that_is_noted_meanwhile_wait_for_each_other_never(self) -> None:
        """The batch holds the trail when it comes to a paging whose holder wants the trail."""
        target: dict[str, Any] = {"name": "Pager", "way": "webhook", "address": "https://pager.example.org/"}
        add_target(actor=alix(), target_id=uuid4(), wait_seconds=60, now=NOON, **target)
        set_rung(actor="command", level=2, seconds=60, climbs=False, pages=Pages.AT_ONCE, now=NOON)
        (ada, _), (zoe, _) = held_by(self.ben), held_by(self.cleo)
        self.cue(zoe, 2)
        paging, holds, told = Paging.objects.get().pk, Signal(), Signal()

        def noted() -> None:
            with transaction.atomic():
                Paging.objects.select_for_update(no_key=True).get(pk=paging)
                holds.set()
                told.wait(10)
                record(actor="system", action="paging.sent", subject=f"paging:{paging}", now=NOON)

        def batch() -> None:
            holds.wait(10)
            with transaction.atomic():
                self.cue(ada, 2)
                told.set()
                self.cue(zoe, 3)

        at_once([noted, batch])
        found = Escalation.objects.order_by("level").values_list("conversation", "level")
        assert list(found) == [(ada, 2), (zoe, 3)]
        step_pagings(now=NOON)
        pages = [(one.notice.level, one.notice.more) for one in claim_deliveries(now=NOON, limit=9).result]
        # the level rose while the paging was held, so it began anew; both go to one pager, as one page
        assert pages == [(3, 1)]

    def cue(self, pk: UUID, level: int) -> None:
        raise_cue(conversation_id=pk, level=level, reason="because", client_id=f"{level:032x}", now=NOON)

    def mark(self, who: Staff, pk: UUID) -> Work:
        return lambda: mark_changed_voice(actor=who, conversation_id=pk, now=NOON)

    def test_four_workers_call_once_for_an_exit_a_silence_and_a_voice(self) -> None:
        for number in range(4):
            (left, token), (silent, _) = held_by(self.ben), held_by(self.cleo)
            for pk, who in ((left, self.ben), (silent, self.cleo)):
                raise_escalation(
                    actor=who, conversation_id=pk, level=2, reason="now", client_id=f"{number:032x}", now=NOON
                )
            services.leave_quickly(token=token, now=NOON)
            works: list[Work] = [lambda: raise_unspoken(now=NOON + timedelta(minutes=6))] * 4
            works += [self.mark(who, silent) for who in (self.cleo, self.dana)]
            at_once(works)
            # who met a row that was held looks again in a second
            raise_unspoken(now=NOON + timedelta(minutes=6))
            for pk, sources in ((left, ["left", "person"]), (silent, ["person", "silence", "voice"])):
                found = Escalation.objects.filter(conversation=pk).order_by("source").values_list("source", flat=True)
                assert list(found) == sources
            Conversation.objects.filter(pk__in=[left, silent]).update(state="closed")
            Escalation.objects.update(state="in_progress", due_at=None, level=1)
