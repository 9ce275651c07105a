"""Accounts come and go by a command: audited, without a secret in any output, and at once."""

import io
import logging
from datetime import timedelta
from unittest import mock

import pytest
from django.contrib.auth import authenticate
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import TestCase
from django.utils import timezone

from audit.models import AuditEvent
from audit.services import find_breaks
from chat.core.conversation import State
from encryption.services import readers
from staff.models import User
from staff.selectors import ready_people, signed_in_user
from tests.support.people import ben, conversation, held_by
from tests.support.vault_keys import CHEAP

GOOD = "nine teal kettles on the stairs"
OTHER = "a copper heron waits outside"
ADD = ("add", "mira", "--name", "Mira", "--role", "advocate")


class Typed(io.StringIO):
    """Be a terminal."""

    def isatty(self) -> bool:
        return True


class StaffCommand(TestCase):
    def setUp(self) -> None:
        self.printed = ""

    def staff(self, *arguments: str, stdin: str = f"{GOOD}\n", fails: bool = False) -> str:
        """Run a step; return what it printed or refused."""
        out, refusal = io.StringIO(), ""
        with mock.patch("sys.stdin", io.StringIO(stdin)):
            try:
                call_command("staff", *arguments, stdout=out, stderr=out)
            except CommandError as error:
                refusal = str(error)
        said = out.getvalue() + refusal
        self.printed += said
        assert bool(refusal) is fails, said
        return said

    def signs_in(self, password: str = GOOD) -> bool:
        """Tell whether mira's name and this password open a session."""
        return authenticate(None, username="mira", password=password) is not None

    def actions(self) -> list[str]:
        """Return what the trail tells of accounts."""
        return list(AuditEvent.objects.filter(action__startswith="account.").values_list("action", flat=True))

    def test_an_account_that_was_added_signs_in_and_only_with_its_password(self) -> None:
        self.staff(*ADD, "--language", "fr", "--capacity", "3")
        user = User.objects.get(username="mira")
        assert (user.work_name, user.role, user.language, user.capacity) == ("Mira", "advocate", "fr", 3)
        assert self.signs_in()
        assert not self.signs_in(OTHER)
        (event,) = AuditEvent.objects.filter(action="account.added")
        assert (event.actor, event.subject, event.data) == ("command", f"staff:{user.pk}", {"role": "advocate"})

    def test_no_password_is_printed_listed_logged_or_told_to_the_trail(self) -> None:
        with self.assertLogs() as logs:
            logging.getLogger("tests").warning("there is at least a line")
            self.staff(*ADD)
            self.staff("password", "mira", stdin=f"{OTHER}\n")
            self.staff("password", "mira", stdin="kettle\n", fails=True)
            self.staff("list")
        hashed = User.objects.get(username="mira").password
        trail = "".join(f"{one.action}{one.subject}{one.data}" for one in AuditEvent.objects.all())
        everything = self.printed + trail + "".join(logs.output)
        for secret in (GOOD, OTHER, hashed, "kettle", "argon2"):
            assert secret not in everything
        assert not find_breaks()

    def test_what_is_wrong_is_refused_in_a_sentence_and_makes_nothing(self) -> None:
        ben()
        refused = [
            (("add", "ben", *ADD[2:]), GOOD, "is taken"),
            (("add", "Ben", *ADD[2:]), GOOD, "is taken"),
            (("add", "mi ra", *ADD[2:]), GOOD, "for signing in"),
            (("add", "mira\n", *ADD[2:]), GOOD, "for signing in"),
            (("add", "mira", "--name", "Mi\u202era", "--role", "advocate"), GOOD, "visitors see"),
            (("add", "mira", "--name", " ", "--role", "advocate"), GOOD, "visitors see"),
            (("add", "mira", "--name", "M", "--role", "root"), GOOD, "invalid choice"),
            ((*ADD, "--capacity", "5"), GOOD, "invalid choice"),
            (ADD, "short", "too short"),
            (ADD, "yfdbufnjh10305070", "too common"),
            (ADD, "", "No password"),
            (("disable", "nobody"), "", "no account nobody"),
            (("role", "nobody", "analyst"), "", "no account nobody"),
            (("password", "nobody"), GOOD, "no account nobody"),
        ]
        for arguments, password, words in refused:
            assert words in self.staff(*arguments, stdin=f"{password}\n", fails=True), arguments
        assert User.objects.count() == 1
        assert self.actions() == []

    def test_two_passwords_that_differ_at_a_terminal_make_nothing(self) -> None:
        out = io.StringIO()
        with mock.patch("sys.stdin", Typed()), mock.patch("getpass.getpass", side_effect=[GOOD, OTHER]):
            with pytest.raises(CommandError, match="not the same"):
                call_command("staff", *ADD, stdout=out)
            assert not User.objects.exists()
        with mock.patch("sys.stdin", Typed()), mock.patch("getpass.getpass", side_effect=[GOOD, GOOD]) as asked:
            call_command("staff", *ADD, stdout=out)
        assert asked.call_count == 2
        assert self.signs_in()

    def test_who_is_disabled_is_out_at_once_and_stays_out_of_old_sessions(self) -> None:
        self.staff(*ADD)
        user = User.objects.get(username="mira")
        self.client.force_login(user)
        stranger = ben()
        self.client_class().force_login(User.objects.get(pk=stranger.id))
        key, now = self.client.session.session_key, timezone.now()
        assert signed_in_user(key, now) == user
        self.staff("disable", "mira")
        assert signed_in_user(key, now) is None
        assert not self.signs_in()
        assert Session.objects.count() == 1, "of somebody else"
        assert "disabled" in self.staff("list")
        self.staff("disable", "mira")
        self.staff("enable", "mira")
        assert self.signs_in()
        assert signed_in_user(key, now) is None
        assert "disabled" not in self.staff("list")
        assert self.actions() == ["account.added", "account.disabled", "account.enabled"]

    def test_conversations_of_who_is_disabled_go_back_to_the_queue(self) -> None:
        now = timezone.now()
        pk, _ = held_by(ben(), now)
        assert "head of the queue: 1." in self.staff("disable", "ben")
        assert conversation(pk).state == State.WAITING
        self.staff("enable", "ben")
        assert not ready_people(now).exists(), "who comes back says so themselves"

    def test_a_role_that_holds_no_conversations_gives_them_back(self) -> None:
        pk, _ = held_by(ben(), timezone.now())
        self.staff("role", "ben", "supervisor")
        assert conversation(pk).state == State.ACTIVE
        self.staff("role", "ben", "analyst")
        assert conversation(pk).state == State.WAITING
        self.staff("role", "ben", "analyst")
        told = list(AuditEvent.objects.filter(action="account.role").values_list("data", flat=True))
        assert told == [{"from": "advocate", "to": "supervisor"}, {"from": "supervisor", "to": "analyst"}]

    def test_a_new_password_ends_the_sessions_of_the_old_one(self) -> None:
        self.staff(*ADD)
        self.client.force_login(User.objects.get(username="mira"))
        key = self.client.session.session_key
        self.staff("password", "mira", stdin="too short\n", fails=True)
        assert signed_in_user(key, timezone.now()) is not None
        self.staff("password", "mira", stdin=f"{OTHER}\n")
        assert signed_in_user(key, timezone.now()) is None
        assert (self.signs_in(GOOD), self.signs_in(OTHER)) == (False, True)

    def test_disabling_a_reader_says_that_the_archive_is_another_step(self) -> None:
        readers.enrol(user_id=ben().id, language="en", now=timezone.now() - timedelta(days=1), cost=CHEAP)
        assert "archive revoke ben" in self.staff("disable", "ben")
        self.staff(*ADD)
        assert "archive revoke" not in self.staff("disable", "mira")

    def test_djangos_own_command_makes_nothing_and_says_what_does(self) -> None:
        for given in ({"username": "root", "interactive": False}, {"username": "root", "stdin": Typed()}):
            with (
                mock.patch("getpass.getpass", return_value=GOOD),
                pytest.raises(CommandError, match=r"manage\.py staff add"),
            ):
                call_command("createsuperuser", **given)
        assert not User.objects.exists()
