"""What goes wrong in a drill, or beside it, holds no other one up and loses no word of anybody."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

from django.db import connection
from django.test import override_settings

from audit.models import AuditEvent
from chat import services as chat
from chat.core.errors import ErrorCode, Refused
from chat.models import Event, OutboxItem
from chat.selectors import conversation_for
from crisis import services as crisis
from crisis.models import Escalation
from crisis.selectors import settlement_of
from crisis.services import drills as standing_down
from drills import services
from drills.core.ending import LEASE
from drills.core.script import Act
from drills.models import Drill
from drills.scripts import SHIPPED, scripts
from drills.selectors import happened_in
from drills.services import ending, running, visitor
from tests.app.test_drills import DrillCase
from tests.support.people import cleo, conversation, dana


@contextmanager
def just_before_the_lock(act: Callable[[], object]) -> Iterator[None]:
    """Let something happen once between the look at what is open and the lock of the conversation."""
    left = [act]

    def between(*args: Any, **options: Any) -> Any:
        if left:
            left.pop()()
        return conversation_for(*args, **options)

    with mock.patch.object(standing_down, "conversation_for", between):
        yield


class RaceStories(DrillCase):
    def test_two_nodes_stand_down_once(self) -> None:
        pk = self.held()
        self.flag(pk, 3)
        with just_before_the_lock(lambda: services.step_drills(now=self.now)):
            services.end_drill(actor=dana(), drill_id=pk, now=self.now)
        assert Event.objects.filter(conversation=pk, code="flag_stood_down").count() == 1
        assert AuditEvent.objects.filter(action="escalation.stood_down").count() == 1
        assert OutboxItem.objects.filter(topic="escalation.stood_down").count() == 1

    def test_what_a_supervisor_resolved_meanwhile_keeps_their_words(self) -> None:
        pk = self.held()
        self.flag(pk, 3)
        one = Escalation.objects.get()
        crisis.acknowledge(actor=dana(), escalation_id=one.pk, now=self.now)

        def resolve() -> None:
            crisis.resolve(actor=dana(), escalation_id=one.pk, reason="she is safe", now=self.now)

        with just_before_the_lock(resolve):
            services.end_drill(actor=dana(), drill_id=pk, now=self.now)
        one.refresh_from_db()
        settled = settlement_of(one)
        assert settled is not None
        assert (one.state, settled.reveal()) == ("resolved", "she is safe")

    def test_what_is_raised_meanwhile_is_left_to_the_next_look(self) -> None:
        pk = self.held()
        with just_before_the_lock(lambda: self.flag(pk, 2)):
            services.end_drill(actor=dana(), drill_id=pk, now=self.now)
        assert Escalation.objects.get().state == "raised"
        self.go_on(1)
        assert Escalation.objects.get().state == "stood_down"


class FaultStories(DrillCase):
    def two(self) -> tuple[UUID, UUID]:
        """Return a drill that has raised something, and another one that is held as well."""
        pk, other = self.held(), self.begin(dana(), cleo())
        self.flag(pk, 2)
        chat.take(actor=cleo(), conversation_id=other, now=self.now)
        return pk, other

    def test_what_cannot_be_stood_down_stops_no_other_drill(self) -> None:
        pk, other = self.two()
        with (
            mock.patch.object(ending, "stand_down_drill", side_effect=RuntimeError("he is there")),
            self.assertLogs("drills.services.ending", "ERROR") as told,
        ):
            services.end_drill(actor=dana(), drill_id=pk, now=self.now)
            self.go_on(2)
        assert (self.row(pk).ended_why, self.said(other)) == ("stopped", 2)
        assert "RuntimeError" in told.output[0]
        assert "he is there" not in "".join(told.output)
        self.go_on(1)
        assert Escalation.objects.get().state == "stood_down"

    def test_a_link_to_nowhere_in_the_site_s_folder_stops_nothing(self) -> None:
        pk = self.held()
        with tempfile.TemporaryDirectory() as folder, override_settings(DRILL_SCRIPTS=Path(folder)):
            own = Path(folder) / "en"
            own.mkdir()
            (own / "gone.toml").symlink_to("nowhere")
            (own / ".#motel.toml").symlink_to("somebody@machine.1")
            (own / ".motel.toml").write_text("title = 1", encoding="utf-8")
            assert ("en", "motel") in scripts()
            self.go_on(2)
            assert self.said(pk) == 2

    def test_a_drill_whose_script_cannot_be_looked_for_ends_in_time(self) -> None:
        pk = self.held()
        with mock.patch("drills.scripts.files", side_effect=RuntimeError), self.assertLogs("drills", "ERROR"):
            self.go_on(2)
            assert self.row(pk).ended_at is None
            self.go_on(1, 30 * 60)
        row = self.row(pk)
        assert (row.ended_why, row.summary) == ("time", [])

    def test_who_ends_a_drill_that_cannot_be_measured_ends_it(self) -> None:
        pk = self.held()
        with mock.patch("drills.scripts.files", side_effect=RuntimeError), self.assertLogs("drills", "ERROR"):
            services.end_drill(actor=dana(), drill_id=pk, now=self.now)
        assert self.row(pk).ended_why == "stopped"


class WorkerFaults(DrillCase):
    def test_a_refusal_that_passes_is_waited_out_and_does_not_end_the_script(self) -> None:
        pk = self.held()
        for code in (ErrorCode.OURS, ErrorCode.SLOW_DOWN):
            with self.subTest(code=code), mock.patch.object(visitor, "post_message", side_effect=Refused(code)):
                self.go_on(1)
                assert (self.said(pk), self.row(pk).ended_at) == (0, None)
        self.go_on(2)
        assert self.said(pk) == 2

    def test_a_return_by_a_worker_that_vanished_is_one_return(self) -> None:
        pk = self.held()
        given = visitor.do(self.row(pk), Act.WORDS, self.now)
        Drill.objects.filter(pk=pk).update(sealed_visitor=given.sealed)
        visitor.do(self.row(pk), Act.LEAVE, self.now)
        for _ in range(2):
            back = visitor.do(self.row(pk), Act.RETURN, self.now)
            assert back.worked
        assert Event.objects.filter(conversation=pk, code="came_back").count() == 1
        assert conversation(pk).return_times == 1
        Drill.objects.filter(pk=pk).update(sealed_visitor=back.sealed)
        assert visitor.do(self.row(pk), Act.END, self.now).worked, "the token that is kept is the one that opens"

    def test_a_worker_that_was_slow_notes_nothing_over_the_one_that_came_after_it(self) -> None:
        pk = self.held()
        script = scripts()["en", "motel"]
        slow = running._take(self.row(pk), script, self.now + timedelta(seconds=2))
        later = self.now + timedelta(seconds=2) + LEASE
        quick = running._take(self.row(pk), script, later)
        assert isinstance(slow, running.Errand)
        assert isinstance(quick, running.Errand)
        running._settle(slow, visitor.Acted(sealed=b"older"), later)
        assert self.row(pk).done == 0
        running._settle(quick, visitor.Acted(sealed=b"newer"), later)
        row = self.row(pk)
        assert (row.done, bytes(row.sealed_visitor)) == (1, b"newer")

    def test_the_log_is_read_before_the_drill_is_locked(self) -> None:
        pk = self.held()
        self.go_on(2)
        depths = []

        def read(*args: Any) -> Any:
            depths.append(len(connection.savepoint_ids))
            # what comes while it is read
            self.write(pk, "Are you safe?")
            return happened_in(*args)

        with mock.patch.object(running, "happened_in", read):
            around = len(connection.savepoint_ids)
            self.go_on(1)
        assert depths == [around]
        row = self.row(pk)
        assert (row.step, row.since) == ("alone", conversation(pk).staff_head), "and it answers no later step as well"

    def test_a_drill_that_moved_while_its_log_was_read_is_left_to_who_moved_it(self) -> None:
        pk = self.held()
        stale = self.row(pk)
        self.go_on(1)
        assert running._take(stale, scripts()["en", "motel"], self.now + timedelta(seconds=30)) is None
        assert self.row(pk).taken_until is None


class FileStories(DrillCase):
    def test_a_file_that_no_reader_gets_through_is_left_out(self) -> None:
        text = (SHIPPED / "en" / "motel.toml").read_text(encoding="utf-8")
        with tempfile.TemporaryDirectory() as folder, override_settings(DRILL_SCRIPTS=Path(folder)):
            own = Path(folder) / "en"
            own.mkdir()
            (own / "deep.toml").write_text("a=" + "[" * 20_000, encoding="utf-8")
            (own / "motel.toml").write_text(f"a = {'1' * 5_000}\n{text}", encoding="utf-8")
            with self.assertLogs("drills.scripts", "ERROR") as told:
                found = scripts()
            assert ("en", "deep") not in found
            assert found["en", "motel"].minutes, "the shipped one stands there"
            assert len(told.output) == 2
