"""A scripted visitor goes on by what the advocate does, once whoever moves it, and the summary tells what happened."""

import tempfile
from datetime import timedelta
from pathlib import Path
from unittest import mock
from uuid import UUID

import pytest
from django.test import TestCase, override_settings
from django.utils import timezone

from audit.models import AuditEvent
from chat import hooks
from chat import services as chat
from chat.core.actors import Staff
from chat.core.drills import Drill as Mark
from chat.core.errors import Refused
from chat.core.pausing import Why
from chat.models import Conversation, Event
from crisis import services as crisis
from crisis.core.screening import Screening
from crisis.cues import Cues
from crisis.models import Escalation
from crisis.selectors import settlement_of
from drills import selectors, services
from drills.core.ending import LEASE, TAKEN_WITHIN, CannotStart, Flaw
from drills.models import Drill
from drills.scripts import SHIPPED, scripts
from drills.services import running
from staff.models import User
from staff.services import set_availability
from tests.support.people import NOON, alix, ben, cleo, conversation, dana, eve, open_site, recorded, waiting


class Danger(Cues):
    """Find danger in whatever is written."""

    def found(self, text: str) -> Screening:
        return Screening(level=3, cues=())


class DrillCase(TestCase):
    """Have two advocates and a supervisor on shift, and a clock that the test moves."""

    def setUp(self) -> None:
        open_site()
        self.now = NOON
        for person in (ben(), cleo(), dana()):
            set_availability(user_id=person.id, state="ready", now=NOON)

    def begin(
        self, actor: Staff, trainee: Staff, name: str = "motel", mark: Mark = Mark.DRILL, language: str = "en"
    ) -> UUID:
        done = services.start_drill(
            actor=actor, language=language, name=name, trainee_id=trainee.id, mark=mark, now=self.now
        )
        return done.result

    def held(self, name: str = "motel") -> UUID:
        """Return a drill that Ben holds, begun by Dana."""
        pk = self.begin(dana(), ben(), name)
        self.join(pk)
        return pk

    def join(self, pk: UUID) -> None:
        chat.take(actor=ben(), conversation_id=pk, now=self.now)

    def go_on(self, times: int, seconds: int = 15) -> None:
        """Let time pass, and the worker look so often."""
        for _ in range(times):
            self.now += timedelta(seconds=seconds)
            services.step_drills(now=self.now)

    def write(self, pk: UUID, text: str) -> None:
        self.now += timedelta(seconds=1)
        client_id = f"{Event.objects.count():032x}"
        chat.post_message(actor=ben(), conversation_id=pk, client_id=client_id, body=text, now=self.now)

    def flag(self, pk: UUID, level: int) -> None:
        crisis.raise_escalation(
            actor=ben(), conversation_id=pk, level=level, reason="he is there", client_id="f" * 32, now=self.now
        )

    def said(self, pk: UUID) -> int:
        return Event.objects.filter(conversation=pk, kind="message", author_role="visitor").count()

    def row(self, pk: UUID) -> Drill:
        return Drill.objects.get(pk=pk)


class StoryOfADrill(DrillCase):
    def test_a_good_practice_reaches_every_goal_and_the_summary_says_when(self) -> None:
        pk = self.held()
        self.go_on(2)
        assert self.said(pk) == 2
        self.write(pk, "Hello. Are you safe to write? It is up to you what we talk about.")
        self.go_on(4)
        assert self.row(pk).step == "alone"
        self.write(pk, "We can make a plan together, and six words to come back.")
        self.go_on(3)
        self.write(pk, "I hear you.")
        self.go_on(4)
        assert self.row(pk).step == "door"
        self.flag(pk, 3)
        self.go_on(4)
        assert conversation(pk).ended_by == "left_quickly"
        self.go_on(1)
        view = selectors.view_of(ben(), selectors.drill_for(ben(), pk))
        assert view.ended_why == "finished"
        assert [one.reached for one in view.goals] == [True] * 6, [(one.words, one.reached) for one in view.goals]
        asked = next(one for one in view.goals if "safe to write" in one.words)
        assert asked.at == NOON + timedelta(seconds=31)
        assert view.first_reply_seconds == 31

    def test_nobody_who_says_nothing_reaches_anything_and_the_visitor_gives_up(self) -> None:
        pk = self.held()
        self.go_on(2)
        self.go_on(2, 100)
        assert self.row(pk).step == "anybody"
        self.go_on(3, 120)
        self.go_on(4)
        view = selectors.view_of(dana(), selectors.drill_for(dana(), pk))
        assert conversation(pk).ended_by == "visitor"
        assert (view.ended_why, view.first_reply_seconds) == ("finished", None)
        assert {one.words: one.reached for one in view.goals} == {
            "You wrote to her within a minute.": False,
            "You asked whether it is safe to write, before anything else.": False,
            "You left the choice to her in words.": False,
            "You offered a safety plan, a signal or a way back.": False,
            "You did not tell her that she has to leave.": True,
        }, "what the visitor never came to was asked of nobody"

    def test_who_leaves_in_a_hurry_comes_back_by_words_like_everybody_else(self) -> None:
        pk = self.held("leaves_and_returns")
        self.go_on(2)
        self.write(pk, "You can get six words to come back.")
        self.go_on(3)
        codes = Event.objects.filter(conversation=pk).values_list("code", flat=True)
        assert "words_given" in codes
        self.go_on(1, 60)
        self.go_on(4)
        assert conversation(pk).ended_by == "left_quickly"
        assert self.row(pk).away
        self.go_on(2, 80)
        row = conversation(pk)
        assert (row.state, row.return_open) == ("active", True)
        crisis.accept_return(actor=ben(), conversation_id=pk, returned=row.return_seq, now=self.now)
        self.go_on(3)
        assert self.row(pk).step == "sick"
        assert Event.objects.filter(conversation=pk).exclude(sealed_body=None).count() == self.said(pk) + 1

    def test_the_contact_is_recorded_like_every_other_one(self) -> None:
        pk = self.held()
        chat.end_conversation(actor=ben(), conversation_id=pk, now=self.now)
        recorded(pk, self.now)
        self.go_on(1)
        assert self.row(pk).ended_why == "ended"
        assert conversation(pk).state == "closed"

    def test_a_record_that_nobody_writes_is_not_waited_for_and_a_visitor_s_is(self) -> None:
        pk, (real, token) = self.held(), waiting()
        chat.take(actor=cleo(), conversation_id=real, now=NOON)
        chat.leave_quickly(token=token, now=NOON)
        services.end_drill(actor=dana(), drill_id=pk, now=NOON)
        assert chat.shelve_drills(now=NOON + timedelta(hours=23)).result == 0
        assert chat.shelve_drills(now=NOON + timedelta(hours=24)).result == 1
        assert (conversation(pk).state, conversation(real).state) == ("closed", "wrap_up")


class WorkerStories(DrillCase):
    def test_two_workers_say_a_line_once(self) -> None:
        pk = self.held()
        script = scripts()["en", "motel"]
        first = running._take(self.row(pk), script, NOON + timedelta(seconds=2))
        assert isinstance(first, running.Errand)
        assert running._take(self.row(pk), script, NOON + timedelta(seconds=2)) is None
        self.go_on(1, 2)
        assert self.said(pk) == 0, "the other one has it"

    def test_a_worker_that_dies_after_writing_leaves_one_line_and_no_gap(self) -> None:
        pk = self.held()
        with mock.patch("drills.services.running._settle", side_effect=SystemError):
            self.go_on(1, 2)
        assert (self.said(pk), self.row(pk).done) == (1, 0)
        self.go_on(1, 5)
        assert self.said(pk) == 1, "its lease runs"
        self.go_on(1, int(LEASE.total_seconds()))
        assert (self.said(pk), self.row(pk).done) == (1, 1)
        self.go_on(1)
        assert self.said(pk) == 2

    def test_a_line_that_meets_a_pause_is_written_when_it_is_over(self) -> None:
        pk = self.held("abusive")
        self.go_on(1)
        chat.pause(actor=ben(), conversation_id=pk, minutes=15, why=Why.ABUSE, now=self.now)
        self.go_on(2)
        assert (self.said(pk), self.row(pk).ended_at) == (1, None)
        chat.lift_pause(actor=ben(), conversation_id=pk, now=self.now)
        self.go_on(1)
        assert self.said(pk) == 2

    def test_the_visitor_s_page_gives_signs_of_life(self) -> None:
        pk = self.held()
        self.go_on(8)
        assert conversation(pk).visitor_seen_at > self.now - timedelta(seconds=30)

    def test_a_drill_that_nobody_takes_and_one_whose_time_is_over_end(self) -> None:
        alone, held = self.begin(dana(), cleo()), self.held()
        self.go_on(1, int(TAKEN_WITHIN.total_seconds()))
        assert (self.row(alone).ended_why, self.row(held).ended_at) == ("nobody", None)
        self.go_on(1, 600)
        assert self.row(held).ended_why == "time"
        assert conversation(held).ended_by == "visitor"
        assert conversation(alone).state == "abandoned"

    def test_what_the_visitor_writes_is_screened_and_calls_marked_as_a_drill(self) -> None:
        pk = self.held()
        with mock.patch.object(hooks, "_screeners", [Danger()]):
            self.now += timedelta(seconds=2)
            done = services.step_drills(now=self.now)
        assert [event.code for event in done.events] == ["", "flag_raised"], "the cue is told of with its message"
        (call,) = hooks.open_escalations()
        assert (call.drill, call.source, call.conversation) == (True, "screening", str(pk))

    def test_a_script_that_went_away_ends_its_drill_and_no_other(self) -> None:
        lost, other = self.begin(dana(), cleo()), self.held()
        Drill.objects.filter(pk=lost).update(script="gone")
        self.go_on(1)
        assert (self.row(lost).ended_why, self.row(other).ended_at) == ("lost", None)


class EndStories(DrillCase):
    def test_whoever_started_it_ends_it_and_its_escalations_are_stood_down(self) -> None:
        pk = self.held()
        self.flag(pk, 3)
        services.end_drill(actor=dana(), drill_id=pk, now=self.now)
        one = Escalation.objects.get()
        assert (one.state, one.settled_by_id) == ("stood_down", dana().id)
        settled = settlement_of(one)
        assert settled is not None
        assert settled.reveal() == "Drill ended.\nExercice terminé."
        assert conversation(pk).level == 0
        assert self.row(pk).ended_why == "stopped"
        assert {"drill.started", "drill.ended", "escalation.stood_down"} <= set(
            AuditEvent.objects.values_list("action", flat=True)
        )
        services.end_drill(actor=dana(), drill_id=pk, now=self.now)
        assert AuditEvent.objects.filter(action="drill.ended").count() == 1

    def test_what_is_raised_after_its_end_is_stood_down_as_well(self) -> None:
        pk = self.held()
        services.end_drill(actor=dana(), drill_id=pk, now=self.now)
        self.flag(pk, 2)
        self.go_on(1)
        assert Escalation.objects.get().state == "stood_down"

    def test_a_visitor_s_escalation_is_never_stood_down_by_it(self) -> None:
        pk, _ = waiting()
        chat.take(actor=cleo(), conversation_id=pk, now=NOON)
        crisis.raise_escalation(actor=cleo(), conversation_id=pk, level=2, reason="real", client_id="f" * 32, now=NOON)
        assert crisis.stand_down_drill(actor=dana(), conversation_id=pk, now=NOON).result == 0
        assert Escalation.objects.get().state == "raised"


class RightStories(DrillCase):
    def test_supervisor_and_administrator_start_for_others_an_advocate_only_in_silence_for_themselves(self) -> None:
        self.begin(dana(), ben(), mark=Mark.PAGING)
        self.begin(alix(), cleo())
        for actor, trainee, mark in (
            (ben(), dana(), Mark.DRILL),
            (ben(), ben(), Mark.DRILL),
            (ben(), ben(), Mark.PAGING),
            (cleo(), dana(), Mark.PRACTICE),
            (eve(), eve(), Mark.PRACTICE),
            (eve(), dana(), Mark.DRILL),
            (dana(), dana(), Mark.NONE),
        ):
            with self.subTest(who=actor.name, mark=mark), pytest.raises(CannotStart) as caught:
                self.begin(actor, trainee, mark=mark)
            assert caught.value.flaw is Flaw.RIGHT
        assert Drill.objects.count() == 2

    def test_one_at_a_time_and_only_for_who_is_on_shift(self) -> None:
        self.begin(ben(), ben(), mark=Mark.PRACTICE)
        for trainee, name, flaw in (
            (ben(), "motel", Flaw.BUSY),
            (alix(), "motel", Flaw.PERSON),
            (cleo(), "x", Flaw.SCRIPT),
        ):
            with self.subTest(flaw=flaw), pytest.raises(CannotStart) as caught:
                self.begin(dana(), trainee, name)
            assert caught.value.flaw is flaw
        set_availability(user_id=cleo().id, state="away", now=NOON)
        with pytest.raises(CannotStart):
            self.begin(dana(), cleo())

    def test_a_stranger_and_a_colleague_see_and_end_nothing_of_it(self) -> None:
        pk = self.begin(ben(), ben(), mark=Mark.PRACTICE)
        for stranger in (cleo(), eve()):
            with self.subTest(who=stranger.name):
                assert selectors.drill_views(stranger) == ()
                with pytest.raises(Refused):
                    services.end_drill(actor=stranger, drill_id=pk, now=NOON)
        for person in (ben(), dana(), alix()):
            assert [one.id for one in selectors.drill_views(person)] == [pk]
        other = self.begin(dana(), cleo())
        with pytest.raises(Refused):
            services.end_drill(actor=cleo(), drill_id=other, now=NOON)
        services.end_drill(actor=ben(), drill_id=pk, now=NOON)


class PageStories(DrillCase):
    def setUp(self) -> None:
        super().setUp()
        for person in (ben(), cleo()):
            # pages go by the clock on the wall
            set_availability(user_id=person.id, state="ready", now=timezone.now())

    def sign_in(self, person: Staff) -> None:
        self.client.force_login(User.objects.get(pk=person.id))

    def test_a_supervisor_starts_one_for_two_people_and_ends_it(self) -> None:
        self.sign_in(dana())
        page = self.client.get("/staff/drills").content.decode()
        assert "A father whose daughter of 15 is gone" in page
        assert "Une mère dont la fille de 14 ans est en fugue" in page
        missing = self.client.post("/staff/drills", {"script": "en/motel", "kind": "drill"})
        assert missing.status_code == 422
        self.client.post(
            "/staff/drills", {"script": "fr/ferme", "kind": "drill", "people": [ben().id, cleo().id], "pages": "1"}
        )
        rows = list(Conversation.objects.exclude(drill=""))
        assert {(row.drill, row.language) for row in rows} == {("paging", "fr")}
        pk = Drill.objects.get(trainee=ben().id).pk
        answer = self.client.post(f"/staff/drills/{pk}/end", follow=True)
        assert "somebody ended the drill" in answer.content.decode()

    def test_an_advocate_practises_and_a_stranger_finds_no_page(self) -> None:
        self.sign_in(ben())
        self.client.post("/staff/drills", {"script": "en/motel", "kind": "drill", "people": [cleo().id], "pages": "1"})
        pk = Drill.objects.get().pk
        assert (conversation(pk).drill, conversation(pk).drill_for_id) == ("practice", ben().id)
        assert "DRILL · " in self.client.get(f"/staff/drills/{pk}").content.decode()
        for person, status in ((cleo(), 404), (eve(), 403)):
            self.sign_in(person)
            assert self.client.get(f"/staff/drills/{pk}").status_code == status
            assert self.client.post(f"/staff/drills/{pk}/end").status_code == status
        self.client.logout()
        assert self.client.get("/staff/drills").status_code == 302


class SiteScripts(TestCase):
    def test_a_site_s_own_folder_adds_and_replaces_and_a_bad_file_is_left_out(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            own = Path(folder) / "en"
            own.mkdir()
            text = (SHIPPED / "en" / "motel.toml").read_text(encoding="utf-8")
            (own / "motel.toml").write_text(text.replace("In a motel room", "In our motel"), encoding="utf-8")
            (own / "ours.toml").write_text(text, encoding="utf-8")
            (own / "bad.toml").write_text("title = 1", encoding="utf-8")
            with override_settings(DRILL_SCRIPTS=Path(folder)), self.assertLogs("drills.scripts", "ERROR") as told:
                found = scripts()
            assert found["en", "motel"].title.startswith("In our motel")
            assert ("en", "ours") in found
            assert ("en", "bad") not in found
            assert "en/bad.toml: step: there are 1 to 60 of them" in told.output[0]
