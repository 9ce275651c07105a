"""Tell how a visitor in danger waits neither for who is not at the desk nor behind a calm offer."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.test import TestCase

from audit.models import AuditEvent
from chat import services
from chat.core.actors import Staff
from chat.core.drills import Drill as Mark
from chat.core.errors import ErrorCode, Refused
from chat.core.routing import OFFER_LASTS
from chat.frames import moment
from chat.models import Assignment, Conversation, Event
from chat.overview import OVERTAKEN_FOR, Asked, Shift, read
from chat.selectors import conversation_for
from chat.selectors.shift_counts import shift_counts
from crisis import services as crisis
from drills.services import start_drill, step_drills
from staff.permissions import Action
from staff.selectors import LEASE
from staff.services import renew_lease, set_availability
from tests.support.people import NOON, alix, ben, cleo, conversation, dana, eve, held_by, open_site, waiting

MOMENT = timedelta(seconds=1)
SOON = NOON + MOMENT


def refusal(command: Callable[[], object]) -> ErrorCode:
    with pytest.raises(Refused) as caught:
        command()
    return caught.value.code


def take(who: Staff, pk: UUID) -> ErrorCode:
    return refusal(lambda: services.take(actor=who, conversation_id=pk, now=SOON))


def decline(who: Staff, pk: UUID) -> ErrorCode:
    return refusal(lambda: services.decline(actor=who, conversation_id=pk, now=SOON))


def ready(*people: Staff) -> None:
    for person in people:
        set_availability(user_id=person.id, state="ready", now=NOON)


def in_danger(level: int = 2) -> UUID:
    pk, _ = waiting()
    Conversation.objects.filter(pk=pk).update(level=level)
    return pk


def drill_for(person: Staff, level: int = 0) -> UUID:
    """Return a drill that waits for somebody, in which a supervisor has raised an escalation."""
    about = {"language": "en", "name": "motel", "mark": Mark.DRILL, "trainee_id": person.id, "now": NOON}
    pk = start_drill(actor=dana(), **about).result  # type: ignore[arg-type]
    if level:
        crisis.raise_escalation(
            actor=dana(), conversation_id=pk, level=level, reason="to try it", client_id="e" * 32, now=NOON
        )
    return pk


def ends(pk: UUID) -> list[tuple[int, str]]:
    return list(Assignment.objects.filter(conversation=pk).order_by("pk").values_list("advocate_id", "outcome"))


def shift(who: Staff, now: datetime = SOON) -> Shift:
    return read(Asked(frozenset({who})), now)


class OvertakingStories(TestCase):
    """Ben is asked and is not at the desk."""

    def setUp(self) -> None:
        ready(ben())
        self.pk = in_danger()
        assert services.offer_waiting(now=NOON).result == 1
        ready(cleo(), dana())

    def offer_to_ben_stands(self) -> None:
        assert (conversation(self.pk).state, conversation(self.pk).advocate_id) == ("offered", ben().id)
        assert ends(self.pk) == [(ben().id, "")]

    def test_a_colleague_or_a_supervisor_takes_them_at_once(self) -> None:
        for taker in (cleo(), dana()):
            with self.subTest(taker=taker.name):
                services.take(actor=taker, conversation_id=self.pk, now=SOON)
                row = conversation(self.pk)
                assert (row.state, row.advocate_id, row.offer_until) == ("active", taker.id, None)
                assert ends(self.pk) == [(ben().id, "overtaken"), (taker.id, "")]
                trail = AuditEvent.objects.filter(action="conversation.taken").latest("pk")
                assert (trail.actor, trail.data) == (f"staff:{taker.id}", {"offered_to": f"staff:{ben().id}"})
                assert take(ben(), self.pk) == decline(ben(), self.pk) == ErrorCode.ALREADY_TAKEN
                assert services.lapse_offers(now=NOON + OFFER_LASTS).result == 0
            Assignment.objects.exclude(advocate_id=ben().id).delete()
            Assignment.objects.update(outcome="", ended_at=None)
            until = NOON + OFFER_LASTS
            Conversation.objects.update(state="offered", advocate_id=ben().id, offer_until=until)

    def test_it_is_not_counted_against_who_was_asked(self) -> None:
        services.take(actor=cleo(), conversation_id=self.pk, now=SOON)
        services.hand_back_all(user_id=cleo().id, now=SOON)
        set_availability(user_id=cleo().id, state="away", now=SOON)
        assert services.offer_waiting(now=SOON).result == 1
        assert conversation(self.pk).advocate_id == ben().id, "asked again without a pause"

    def test_who_was_asked_hears_that_a_colleague_has_them_and_nobody_else_does(self) -> None:
        assert shift(ben()).seen_by(ben()).overtaken == ()
        services.take(actor=cleo(), conversation_id=self.pk, now=SOON)
        assert self.told(ben()) == [(str(self.pk), moment(SOON))]
        assert shift(ben()).visible_to(ben()) == []
        for other in (cleo(), dana(), eve()):
            assert self.told(other) == []
        assert shift(ben(), SOON + OVERTAKEN_FOR).seen_by(ben()).overtaken == ()

    def told(self, who: Staff) -> list[tuple[str, str]]:
        return sorted((one.conversation, one.at) for one in shift(who).seen_by(who).overtaken)

    def test_a_second_time_within_a_minute_is_told_apart_from_the_first(self) -> None:
        services.take(actor=cleo(), conversation_id=self.pk, now=SOON)
        services.hand_back_all(user_id=cleo().id, now=SOON)
        set_availability(user_id=cleo().id, state="away", now=SOON)
        assert services.offer_waiting(now=SOON).result == 1
        services.take(actor=dana(), conversation_id=self.pk, now=SOON + MOMENT)
        assert self.told(ben()) == [(str(self.pk), moment(at)) for at in (SOON, SOON + MOMENT)]

    def test_whose_console_is_closed_takes_nobody_whatever_they_declared(self) -> None:
        """Nobody would notice that they are gone, and what a visitor in danger writes would be read by nobody."""
        for state in ("busy", "ready"):
            set_availability(user_id=dana().id, state=state, now=SOON - LEASE)
            assert take(dana(), self.pk) == ErrorCode.NOT_AVAILABLE
        self.offer_to_ben_stands()
        renew_lease(user_id=dana().id, now=SOON)
        services.take(actor=dana(), conversation_id=self.pk, now=SOON)
        assert conversation(self.pk).advocate_id == dana().id

    def test_every_advocate_sees_that_somebody_in_danger_waits_and_reads_nothing(self) -> None:
        assert [one.pk for one in shift(cleo()).visible_to(cleo())] == [self.pk]
        assert [one.pk for one in shift(ben()).visible_to(ben())] == [self.pk]
        assert shift(eve()).visible_to(eve()) == []
        for action in set(Action) - {Action.SEE_CONVERSATION, Action.TAKE}:
            if action not in {Action.USE_CONSOLE, Action.SET_AVAILABILITY, Action.LIST_CASES}:
                with self.subTest(action=action):
                    refusal(lambda action=action: conversation_for(cleo(), self.pk, action))  # type: ignore[misc]
        assert not shift(cleo()).readable_by(cleo(), self.pk)
        services.take(actor=dana(), conversation_id=self.pk, now=SOON)
        assert shift(cleo()).visible_to(cleo()) == []

    def test_the_stranger_who_is_away_and_who_is_full_take_nobody(self) -> None:
        events = Event.objects.count()
        for stranger in (eve(), alix()):
            ready(stranger)
            assert take(stranger, self.pk) in {ErrorCode.NOT_FOUND, ErrorCode.FORBIDDEN}
        set_availability(user_id=dana().id, state="away", now=NOON)
        assert take(dana(), self.pk) == ErrorCode.NOT_AVAILABLE
        for _ in range(2):
            held_by(cleo())
        assert take(cleo(), self.pk) == ErrorCode.AT_CAPACITY
        for who, code in ((cleo(), ErrorCode.FORBIDDEN), (dana(), ErrorCode.FORBIDDEN), (eve(), ErrorCode.NOT_FOUND)):
            assert decline(who, self.pk) == code
        self.offer_to_ben_stands()
        assert Event.objects.filter(conversation=self.pk).count() == events

    def test_who_is_in_no_danger_waits_for_the_answer(self) -> None:
        for level in (0, 1):
            Conversation.objects.filter(pk=self.pk).update(level=level)
            for person in (cleo(), dana()):
                assert take(person, self.pk) == ErrorCode.BEING_ASKED, "nobody has taken them"
            assert take(eve(), self.pk) == ErrorCode.NOT_FOUND
            assert shift(cleo()).visible_to(cleo()) == []
        self.offer_to_ben_stands()

    def test_whoever_comes_into_danger_while_a_colleague_is_asked_need_not_wait_either(self) -> None:
        Conversation.objects.filter(pk=self.pk).update(level=0)
        assert take(cleo(), self.pk) == ErrorCode.BEING_ASKED
        crisis.raise_cue(conversation_id=self.pk, level=3, reason="he has a knife", client_id="a" * 32, now=SOON)
        services.take(actor=cleo(), conversation_id=self.pk, now=SOON)
        assert ends(self.pk) == [(ben().id, "overtaken"), (cleo().id, "")]


class DrillStories(TestCase):
    """A drill is for one person, whatever danger it plays, and no visitor waits longer for it."""

    def setUp(self) -> None:
        open_site()
        ready(ben(), cleo(), dana())

    def test_it_is_for_its_person_alone(self) -> None:
        pk = drill_for(ben(), 3)
        assert services.offer_drills(now=NOON).result == 1
        assert conversation(pk).level == 3
        for person in (cleo(), dana(), eve()):
            assert take(person, pk) in {ErrorCode.FOR_ANOTHER, ErrorCode.NOT_FOUND}
        assert pk not in {one.pk for one in shift(cleo()).visible_to(cleo())}
        assert ends(pk) == [(ben().id, "")]
        services.take(actor=ben(), conversation_id=pk, now=SOON)
        step_drills(now=SOON + 15 * MOMENT)
        assert Event.objects.filter(conversation=pk, kind="message").exists(), "its visitor writes to who took it"

    def test_a_supervisor_accepts_the_one_that_is_for_them(self) -> None:
        pk = drill_for(dana())
        assert services.offer_drills(now=NOON).result == 1
        assert take(ben(), pk) == ErrorCode.FOR_ANOTHER
        services.take(actor=dana(), conversation_id=pk, now=SOON)
        assert (conversation(pk).state, ends(pk)) == ("active", [(dana().id, "")])

    def test_one_that_is_offered_makes_no_room_and_needs_none(self) -> None:
        pk, danger = drill_for(cleo()), in_danger()
        assert services.offer_drills(now=NOON).result == 0, "a visitor waits"
        services.take(actor=ben(), conversation_id=danger, now=NOON)
        services.offer_drills(now=NOON)
        other = in_danger()
        services.take(actor=cleo(), conversation_id=other, now=SOON)
        assert (conversation(pk).state, ends(pk)) == ("offered", [(cleo().id, "")])

    def test_one_that_plays_danger_sends_no_visitor_back(self) -> None:
        set_availability(user_id=cleo().id, state="away", now=NOON)
        calm, pk = waiting()[0], drill_for(ben(), 3)
        assert services.offer_waiting(now=NOON).result == 1
        services.take(actor=ben(), conversation_id=pk, now=SOON)
        assert (conversation(calm).state, ends(calm)) == ("offered", [(ben().id, "")])

    def test_one_that_plays_danger_takes_no_place_that_a_visitor_is_offered(self) -> None:
        held_by(ben())
        set_availability(user_id=cleo().id, state="away", now=NOON)
        calm, pk = waiting()[0], drill_for(ben(), 3)
        assert services.offer_waiting(now=NOON).result == 1
        assert services.offer_drills(now=SOON).result == 0
        assert take(ben(), pk) == ErrorCode.AT_CAPACITY
        assert ends(calm) == [(ben().id, "")]


class GivingWayStories(TestCase):
    """Ben holds one conversation, and his second seat is full of an offer that he has not answered."""

    def setUp(self) -> None:
        self.running, _ = held_by(ben())
        self.calm, _ = waiting()
        assert services.offer_waiting(now=NOON).result == 1
        self.danger = in_danger(3)

    def states(self) -> list[str]:
        return [conversation(pk).state for pk in (self.running, self.calm, self.danger)]

    def test_a_calm_offer_gives_way_in_the_take_and_bars_nobody(self) -> None:
        done = services.take(actor=ben(), conversation_id=self.danger, now=SOON)
        assert self.states() == ["active", "waiting", "active"]
        assert ends(self.calm) == [(ben().id, "gave_way")]
        assert [(one.conversation, one.code) for one in done.events] == [
            (self.danger, "joined"),
            (self.calm, "returned_to_queue"),
        ]
        assert done.events[1].visitor_seq is None, "an offer was never said to a visitor, so neither is its end"
        assert conversation(self.calm).waiting_since == NOON, "it keeps its place"
        assert shift_counts(SOON).handed_back == {"gave_way": 1}
        Conversation.objects.filter(pk=self.danger).update(state="closed", level=0)
        assert services.offer_waiting(now=SOON + MOMENT).result == 1
        assert conversation(self.calm).advocate_id == ben().id, "asked again at once"

    def test_a_calm_offer_gives_way_to_what_the_worker_offers(self) -> None:
        done = services.offer_waiting(now=SOON)
        assert done.result == 1
        assert self.states() == ["active", "waiting", "offered"]
        assert ends(self.calm) == [(ben().id, "gave_way")]
        assert {one.code for one in done.events} == {"offered", "returned_to_queue"}
        assert services.offer_waiting(now=SOON + MOMENT).result == 0, "nothing calm comes beside it"

    def test_a_take_that_fails_sends_nobody_back(self) -> None:
        ready(cleo())
        services.take(actor=cleo(), conversation_id=self.danger, now=SOON)
        assert take(ben(), self.danger) == ErrorCode.ALREADY_TAKEN
        other = in_danger()
        Conversation.objects.filter(pk=self.running).update(level=2)
        assert take(ben(), other) == ErrorCode.AT_CAPACITY
        assert conversation(self.calm).state == "offered"
        assert ends(self.calm) == [(ben().id, "")]

    def test_all_give_way_also_where_there_is_a_seat_since_nobody_could_accept_them_any_more(self) -> None:
        Conversation.objects.filter(pk=self.running).update(state="closed")
        Conversation.objects.filter(pk=self.danger).update(state="abandoned")
        later, _ = waiting(SOON)
        assert services.offer_waiting(now=SOON).result == 1
        Conversation.objects.filter(pk=self.danger).update(state="waiting")
        done = services.take(actor=ben(), conversation_id=self.danger, now=SOON)
        assert [conversation(pk).state for pk in (self.calm, later)] == ["waiting", "waiting"]
        assert len(done.events) == 3
        assert take(ben(), later) == ErrorCode.AT_CAPACITY

    def test_who_accepts_what_gave_way_a_moment_ago_is_told_that_the_danger_fills_their_place(self) -> None:
        assert services.offer_waiting(now=SOON).result == 1
        assert take(ben(), self.calm) == ErrorCode.AT_CAPACITY
        assert self.states() == ["active", "waiting", "offered"]

    def test_what_is_in_hand_turns_dangerous_and_the_calm_offer_beside_it_does_not_wait_for_its_time(self) -> None:
        Conversation.objects.filter(pk=self.danger).update(state="abandoned")
        ready(cleo())
        other, _ = waiting()
        assert services.offer_waiting(now=NOON).result == 1
        assert services.clear_offers(now=SOON).result == 0, "nobody holds a danger"
        Conversation.objects.filter(pk=self.running).update(level=2)
        done = services.clear_offers(now=SOON)
        assert (done.result, [one.code for one in done.events]) == (1, ["returned_to_queue"])
        assert ends(self.calm) == [(ben().id, "gave_way")]
        assert conversation(other).state == "offered", "whom it is offered to holds none"

    def test_an_offer_in_danger_stays_beside_one(self) -> None:
        Conversation.objects.filter(pk=self.running).update(level=2)
        Conversation.objects.filter(pk=self.calm).update(level=3)
        assert services.clear_offers(now=SOON).result == 0
        assert conversation(self.calm).state == "offered"

    def test_a_drill_in_danger_sends_no_visitor_back(self) -> None:
        Conversation.objects.filter(pk=self.danger).update(state="abandoned")
        Conversation.objects.filter(pk=self.running).update(state="closed")
        drill = drill_for(ben(), 3)
        services.take(actor=ben(), conversation_id=drill, now=NOON)
        assert conversation(self.calm).state == "offered"
        assert services.clear_offers(now=SOON).result == 0

    def test_nothing_gives_way_to_who_is_in_no_danger(self) -> None:
        Conversation.objects.filter(pk=self.danger).update(level=1)
        assert take(ben(), self.danger) == ErrorCode.AT_CAPACITY
        assert services.offer_waiting(now=SOON).result == 0
        assert self.states() == ["active", "offered", "waiting"]

    def test_an_offer_in_danger_gives_way_to_no_other(self) -> None:
        Conversation.objects.filter(pk=self.calm).update(level=2)
        assert take(ben(), self.danger) == ErrorCode.AT_CAPACITY
        assert self.states() == ["active", "offered", "waiting"]


class TwoOffersStories(TestCase):
    """Ben is offered two calm visitors, and does not answer until there is danger."""

    def setUp(self) -> None:
        ready(ben())
        self.first, self.second = waiting()[0], waiting()[0]
        assert services.offer_waiting(now=NOON).result == 2

    def flag(self, *pks: UUID) -> None:
        Conversation.objects.filter(pk__in=pks).update(level=2)

    def test_both_turn_dangerous_and_the_one_that_is_not_accepted_goes_to_a_colleague(self) -> None:
        self.flag(self.first, self.second)
        done = services.take(actor=ben(), conversation_id=self.first, now=SOON)
        assert [(one.conversation, one.code) for one in done.events] == [
            (self.first, "joined"),
            (self.second, "returned_to_queue"),
        ]
        assert (conversation(self.first).state, ends(self.first)) == ("active", [(ben().id, "")])
        assert (conversation(self.second).state, ends(self.second)) == ("waiting", [(ben().id, "gave_way")])
        assert services.offer_waiting(now=SOON).result == 0, "Ben has one already"
        ready(cleo())
        assert services.offer_waiting(now=SOON).result == 1
        assert conversation(self.second).advocate_id == cleo().id

    def test_who_is_in_no_danger_is_not_accepted_before_who_is(self) -> None:
        self.flag(self.second)
        assert take(ben(), self.first) == ErrorCode.AT_CAPACITY
        services.take(actor=ben(), conversation_id=self.second, now=SOON)
        assert (conversation(self.first).state, ends(self.first)) == ("waiting", [(ben().id, "gave_way")])

    def test_a_danger_that_is_not_offered_to_them_sends_no_other_danger_back(self) -> None:
        self.flag(self.first, self.second)
        assert take(ben(), in_danger(3)) == ErrorCode.AT_CAPACITY
        assert ends(self.first) == ends(self.second) == [(ben().id, "")]

    def test_an_accepted_danger_needs_a_place_beside_what_is_in_hand(self) -> None:
        Conversation.objects.filter(pk=self.second).update(state="active", level=3)
        self.flag(self.first)
        assert take(ben(), self.first) == ErrorCode.AT_CAPACITY
