"""A drill is born as one and stays one: marked wherever a person meets it, counted nowhere, and nobody's turn."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.test import TestCase

from audit.models import AuditEvent
from cases import services as cases
from cases.delivery import deliver_due
from cases.models import Case, Contact
from cases.selectors import case_list
from chat import overview, services
from chat.core.actors import Staff
from chat.core.drills import Drill
from chat.core.errors import ErrorCode, Refused
from chat.core.expectation import FEWEST_ENDS
from chat.core.pausing import Why
from chat.core.routing import NOT_AGAIN_WITHIN
from chat.models import Assignment, Conversation, Event, OutboxItem, Site
from chat.selectors import is_full, keep_of
from chat.selectors.outlook import forget, outlook
from chat.selectors.shift_counts import first_reply_after, shift_counts
from crisis import services as crisis
from crisis.core.notice import body_of, mail_of
from crisis.models import Delivery, OnCallTarget, Paging
from crisis.selectors.on_call import page_counts
from crisis.services.deliveries import _notice
from crisis.services.paging import step_pagings
from encryption.models import DataKey
from ops.worker import STEPS
from staff.services import set_availability
from tests.support.people import (
    NOON,
    ben,
    cleo,
    conversation,
    dana,
    eve,
    held_by,
    new_token,
    open_site,
    recorded,
    waiting,
)

MINUTE = timedelta(minutes=1)


def drill_for(person: Staff, mark: Drill = Drill.DRILL, language: str = "en") -> UUID:
    """Return a drill that waits for somebody."""
    open_site()
    done = services.open_drill(
        token=new_token(), language=language, door="help", mark=mark, trainee_id=person.id, now=NOON
    )
    return done.result.conversation


def ready(*people: Staff) -> None:
    for person in people:
        set_availability(user_id=person.id, state="ready", now=NOON)


def taken(person: Staff, mark: Drill = Drill.DRILL) -> UUID:
    """Return a drill that its person has taken."""
    pk = drill_for(person, mark)
    ready(person)
    services.take(actor=person, conversation_id=pk, now=NOON)
    return pk


def flag(actor: Staff, pk: UUID, level: int) -> UUID:
    done = crisis.raise_escalation(
        actor=actor, conversation_id=pk, level=level, reason="as the script says", client_id="e" * 32, now=NOON
    )
    return done.result.id


def shift(*who: Staff) -> overview.Shift:
    return overview.read(overview.Asked(frozenset(who), on_wall=not who), NOON)


class MarkStories(TestCase):
    def test_the_mark_is_for_life_in_the_database_itself(self) -> None:
        pk, (real, _) = drill_for(ben()), waiting()
        for row, changed in (
            (pk, {"drill": "", "drill_for": None}),
            (pk, {"drill_for": cleo().id}),
            (pk, {"drill": "paging"}),
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                Conversation.objects.filter(pk=row).update(**changed)
        with pytest.raises(IntegrityError), transaction.atomic():
            Conversation.objects.filter(pk=real).update(drill="drill", drill_for=ben().id)
        with pytest.raises(IntegrityError), transaction.atomic():
            Conversation.objects.create(
                token_digest=b"x", language="en", opened_at=NOON, visitor_seen_at=NOON, drill="practice"
            )
        ready(ben())
        services.take(actor=ben(), conversation_id=pk, now=NOON)
        assert conversation(pk).drill == "drill", "what is saved whole keeps it"

    def test_its_log_name_trail_and_outbox_say_what_it_is(self) -> None:
        pk = taken(ben())
        flag(ben(), pk, 2)
        codes = list(Event.objects.filter(conversation=pk).order_by("staff_seq").values_list("code", flat=True))
        assert codes[:2] == ["opened", "drill"]
        mine, theirs = shift(ben()).seen_by(ben()), shift(dana()).seen_by(dana())
        assert [one.drill for one in mine.conversations] == [one.drill for one in mine.escalations] == [True]
        assert theirs.escalations[0].handle.startswith("DRILL · ")
        french = Staff(dana().id, "supervisor", "Dana", "fr")
        assert shift(french).seen_by(french).conversations[0].handle.startswith("EXERCICE · ")
        assert shift().on_wall("fr").escalations[0].handle.startswith("EXERCICE · ")
        trail = AuditEvent.objects.filter(action__in=["conversation.taken", "escalation.raised"])
        assert {one.data["drill"] for one in trail} == {"drill"}
        assert set(OutboxItem.objects.values_list("data__kind", flat=True)) == {"drill"}

    def test_every_line_of_the_trail_about_it_says_so(self) -> None:
        pk = taken(ben())
        raised = flag(ben(), pk, 2)
        services.read_conversation(actor=dana(), conversation_id=pk, after=0, now=NOON)
        crisis.read_reason(actor=dana(), escalation_id=raised, now=NOON)
        services.agree(actor=ben(), conversation_id=pk, text="teal", now=NOON)
        services.read_code_word(actor=ben(), conversation_id=pk, now=NOON)
        crisis.acknowledge(actor=dana(), escalation_id=raised, now=NOON)
        crisis.stand_down(actor=dana(), escalation_id=raised, reason="it was a drill", now=NOON)
        services.pause(actor=ben(), conversation_id=pk, minutes=15, why=Why.ABUSE, now=NOON)
        services.lift_pause(actor=ben(), conversation_id=pk, now=NOON)
        services.end_conversation(actor=ben(), conversation_id=pk, now=NOON)
        recorded(pk, NOON)
        lines = AuditEvent.objects.filter(subject__regex=r"^(conversation|escalation|contact|case):")
        assert lines.count() > 10
        said = {line.action for line in lines if "drill" in line.data}
        assert {line.action for line in lines} - said == set()

    def test_a_visitor_is_not_marked_anywhere(self) -> None:
        pk, _ = held_by(ben())
        flag(ben(), pk, 2)
        seen = shift(dana()).seen_by(dana())
        assert [one.drill for one in seen.conversations] == [one.drill for one in seen.escalations] == [False]
        assert "DRILL" not in seen.conversations[0].handle
        assert not OutboxItem.objects.filter(data__has_key="kind").exists()
        assert not AuditEvent.objects.filter(data__has_key="drill").exists()

    def test_its_case_is_marked_told_apart_and_removed_after_some_weeks(self) -> None:
        pk, (real, _) = taken(ben()), held_by(cleo())
        flag(ben(), pk, 2)
        flag(cleo(), real, 2)
        deliver_due(now=NOON)
        assert {one.drill for one in case_list(dana())} == {True, False}
        drill = Case.objects.get(drill=True)
        view = cases.read_case(actor=dana(), case_id=drill.pk, now=NOON).result
        assert {line.kind for line in view.timeline} == {"drill"}
        assert view.handle.startswith("DRILL · ")
        keys = DataKey.objects.filter(subject_id=drill.pk)
        assert keys.exists()
        assert cases.forget_drills(now=NOON + timedelta(days=29)).result == 0
        assert cases.forget_drills(now=NOON + timedelta(days=31)).result == 1
        assert not keys.exists()
        assert (Case.objects.count(), Contact.objects.count()) == (1, 1), "the visitor's stays"

    def test_its_transcript_is_kept_for_a_day_at_most(self) -> None:
        open_site()
        for site, drill in ((720, 24), (24, 24), (0, 0)):
            Site.objects.update(keep_hours=site)
            assert keep_of("drill") == timedelta(hours=drill)
            assert keep_of("") == timedelta(hours=site)


class NowhereStories(TestCase):
    def test_every_count_is_the_same_with_drills_as_without(self) -> None:
        held_by(ben())
        waiting()
        ready(cleo(), dana())
        Site.objects.update(most_waiting=2)
        before = self.counts()
        flag(ben(), taken(ben()), 3)
        taken(cleo())
        late = drill_for(dana())
        services.decline(actor=cleo(), conversation_id=self.offered(), now=NOON)
        assert self.counts() == before
        assert not is_full()
        assert shift().on_wall("en").drills == 3
        assert late not in outlook(NOON).places

    def offered(self) -> UUID:
        """Give Cléo's drill back and offer it anew, so that a decline of it could be counted."""
        pk = Conversation.objects.get(drill_for=cleo().id).pk
        Conversation.objects.filter(pk=pk).update(state="offered", offer_until=NOON + MINUTE)
        return pk

    def counts(self) -> dict[str, Any]:
        """Return every number that a visitor, a figure, a metric or a board is told."""
        forget()
        seen, wall, seats = outlook(NOON), shift().on_wall("en"), shift()
        return {
            "metrics": shift_counts(NOON + MINUTE),
            "queue": dict(seen.places),
            "speed": seen.minutes_each,
            "ready": seen.ready,
            "wall": (wall.waiting, wall.waiting_since, wall.running),
            "full": is_full(),
            "free": (seats.ready, seats.free),
            "pages": dict(page_counts(NOON + MINUTE)),
            "contacts": Contact.objects.filter(drill=False).count(),
        }

    def test_the_first_answer_in_a_drill_is_not_measured(self) -> None:
        pk, (real, _) = taken(ben()), held_by(cleo())
        for actor, where in ((ben(), pk), (cleo(), real)):
            done = services.post_message(
                actor=actor, conversation_id=where, client_id="a" * 32, body="hello", now=NOON + MINUTE
            )
            measured = first_reply_after(where, done.result.staff_seq)
            assert measured == (None if where == pk else 60.0)

    def test_a_wait_that_a_drill_ended_tells_no_visitor_anything(self) -> None:
        for number in range(FEWEST_ENDS):
            pk, _ = waiting(NOON + number * MINUTE)
            Assignment.objects.create(conversation_id=pk, advocate_id=ben().id, begun_at=NOON, offered=False)
            Conversation.objects.filter(pk=pk).update(
                state="active", advocate=ben().id, accepted_at=NOON + (number + 3) * MINUTE
            )
        now = NOON + 20 * MINUTE
        forget()
        alone = outlook(now).minutes_each
        assert alone is not None
        for person in (cleo(), dana()):
            taken(person)
        forget()
        assert outlook(now).minutes_each == alone


class TurnStories(TestCase):
    def test_it_is_offered_to_its_person_alone_and_only_when_no_visitor_waits(self) -> None:
        pk = drill_for(cleo())
        ready(ben())
        assert services.offer_waiting(now=NOON).result == 0
        assert services.offer_drills(now=NOON).result == 0, "Ben was not named"
        ready(cleo())
        real, _ = waiting()
        assert services.offer_drills(now=NOON).result == 0, "a visitor waits"
        assert services.offer_waiting(now=NOON).result == 1
        assert services.offer_drills(now=NOON).result == 1
        assert (conversation(pk).state, conversation(pk).advocate_id) == ("offered", cleo().id)
        assert conversation(real).state == "offered"
        services.decline(actor=cleo(), conversation_id=pk, now=NOON)
        assert services.offer_drills(now=NOON + MINUTE).result == 0, "not again at once"
        assert services.offer_drills in STEPS
        assert NOT_AGAIN_WITHIN > MINUTE

    def test_nobody_else_sees_or_takes_it_while_it_waits(self) -> None:
        pk = drill_for(cleo())
        ready(ben(), cleo(), dana())
        assert [one.pk for one in shift(ben()).visible_to(ben())] == []
        assert [one.pk for one in shift(cleo()).visible_to(cleo())] == [pk]
        assert [one.pk for one in shift(dana()).visible_to(dana())] == [pk], "a supervisor sees every one"
        self.refused_to_others(pk)
        services.offer_drills(now=NOON)
        self.refused_to_others(pk)
        services.take(actor=cleo(), conversation_id=pk, now=NOON)
        self.refused_to_others(pk)

    def refused_to_others(self, pk: UUID) -> None:
        """Check that others read whose drill it is, not that it was taken, and the stranger not that it is there."""
        for other, code in (
            (ben(), ErrorCode.FOR_ANOTHER),
            (dana(), ErrorCode.FOR_ANOTHER),
            (eve(), ErrorCode.NOT_FOUND),
        ):
            for service in (services.take, services.decline):
                with self.subTest(who=other.name, service=service.__name__), pytest.raises(Refused) as caught:
                    service(actor=other, conversation_id=pk, now=NOON)
                assert caught.value.code == code

    def test_who_is_in_a_drill_is_offered_visitors_as_if_it_were_not_there(self) -> None:
        pk = taken(ben())
        flag(ben(), pk, 3)
        for _ in range(2):
            waiting()
        services.offer_waiting(now=NOON)
        services.offer_waiting(now=NOON)
        assert Conversation.objects.filter(advocate_id=ben().id, drill="").count() == 2, "its level lowers no capacity"
        assert shift().free == 0
        for row in Conversation.objects.filter(state="offered"):
            services.take(actor=ben(), conversation_id=row.pk, now=NOON)

    def test_a_drill_needs_a_free_seat_and_comes_one_at_a_time(self) -> None:
        taken(ben())
        second = drill_for(ben())
        with pytest.raises(Refused) as caught:
            services.take(actor=ben(), conversation_id=second, now=NOON)
        assert caught.value.code == ErrorCode.AT_CAPACITY
        for _ in range(2):
            held_by(cleo())
        third = drill_for(cleo())
        with pytest.raises(Refused) as caught:
            services.take(actor=cleo(), conversation_id=third, now=NOON)
        assert caught.value.code == ErrorCode.AT_CAPACITY

    def test_a_drill_whose_record_is_still_to_be_written_keeps_nobody_from_the_next(self) -> None:
        services.end_conversation(actor=ben(), conversation_id=taken(ben()), now=NOON)
        second = drill_for(ben())
        assert services.offer_drills(now=NOON).result == 1
        services.take(actor=ben(), conversation_id=second, now=NOON)

    def test_a_closed_and_full_site_has_drills_and_stays_closed_and_full(self) -> None:
        waiting()
        Site.objects.update(most_waiting=1, open=False)
        pk = drill_for(ben())
        assert conversation(pk).state == "waiting"
        assert is_full()


class PageStories(TestCase):
    def setUp(self) -> None:
        OnCallTarget.objects.create(
            name="Night", way="mail", shown="…@example.org", sealed_address=b"x", wait_seconds=60, place=1
        )

    def test_a_drill_pages_nobody_unless_it_was_begun_so(self) -> None:
        for person, mark, kinds in (
            (ben(), Drill.PRACTICE, []),
            (cleo(), Drill.DRILL, []),
            (dana(), Drill.PAGING, ["drill"]),
        ):
            flag(person, taken(person, mark), 3)
            assert list(Paging.objects.values_list("kind", flat=True)) == kinds, mark
        assert page_counts(NOON + MINUTE)["unreached"] == 0
        trail = AuditEvent.objects.get(action="paging.begun")
        assert trail.data["drill"] == "paging"

    def test_nobody_is_paged_for_a_drill_that_is_over(self) -> None:
        pk = taken(dana(), Drill.PAGING)
        services.end_conversation(actor=dana(), conversation_id=pk, now=NOON)
        flag(dana(), pk, 3)
        step_pagings(now=NOON)
        assert not Paging.objects.exists()
        real, _ = held_by(ben())
        services.end_conversation(actor=ben(), conversation_id=real, now=NOON)
        flag(ben(), real, 3)
        assert Paging.objects.get().kind == "escalation", "of a visitor somebody is told whenever it is raised"

    def test_a_drill_that_ends_calls_no_further_target(self) -> None:
        pk = taken(dana(), Drill.PAGING)
        flag(dana(), pk, 3)
        services.end_conversation(actor=dana(), conversation_id=pk, now=NOON)
        step_pagings(now=NOON)
        assert not Delivery.objects.exists()

    def test_a_page_says_so_in_kind_subject_and_text(self) -> None:
        flag(dana(), taken(dana(), Drill.PAGING), 3)
        notice = _notice(Paging.objects.get(), more=0, holds_back=False)
        assert b'"kind":"drill"' in body_of(notice)
        subject, text = mail_of(notice)
        assert "DRILL" in subject
        assert "EXERCICE" in subject
        assert "Nobody is in danger." in text
        assert "Personne n’est en danger." in text

    def test_a_practice_of_one_s_own_sounds_on_no_board(self) -> None:
        flag(ben(), taken(ben(), Drill.PRACTICE), 3)
        flag(cleo(), taken(cleo(), Drill.DRILL), 3)
        sounds = {one.conversation: one.aloud for one in shift().escalations}
        assert [sounds[str(row.pk)] for row in Conversation.objects.order_by("drill_for__username")] == [False, True]
