"""What goes wrong in a drill, or beside it, holds no other one up and loses no word of anybody."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

from django.test import override_settings

from audit.models import AuditEvent
from chat import services as chat
from chat.models import Event, OutboxItem
from crisis import services as crisis
from crisis.models import Escalation
from crisis.selectors import settlement_of
from crisis.services import drills as standing_down
from drills import services
from drills.scripts import SHIPPED, scripts
from drills.services import ending
from tests.app.test_drills import DrillCase
from tests.support.people import cleo, dana


@contextmanager
def just_before_the_lock(act: Callable[[], object]) -> Iterator[None]:
    """Let something happen once between the look at what is open and the lock of the conversation."""
    left, real = [act], standing_down.conversation_for

    def between(*args: Any, **options: Any) -> Any:
        if left:
            left.pop()()
        return real(*args, **options)

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
