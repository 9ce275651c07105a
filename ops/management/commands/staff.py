"""Make and change the accounts of staff; docs/operations.md says in which order."""

import getpass
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from chat.services import hand_back_all
from encryption.services import readers
from ops.selectors import account_of_anybody
from staff import services
from staff.services import BadAccount

Options = dict[str, Any]


class Command(BaseCommand):
    """Make, list, change and disable accounts; exit status 1 and a sentence when a step is refused."""

    help = "Accounts of staff: add, list, disable, enable, role, languages, password"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the step and what it needs; a password is never an argument, which others could list."""
        step = parser.add_subparsers(dest="step", metavar="STEP", required=True)
        add = step.add_parser("add", help="make an account; asks for its password")
        step.add_parser("list", help="show all accounts")
        disable = step.add_parser("disable", help="let somebody sign in no more, at once")
        enable = step.add_parser("enable", help="let somebody sign in again")
        role = step.add_parser("role", help="give somebody another role")
        languages = step.add_parser("languages", help="say in which languages somebody writes with visitors")
        password = step.add_parser("password", help="give somebody a new password; asks for it")
        for one in (add, disable, enable, role, languages, password):
            one.add_argument("username", metavar="USERNAME")
        add.add_argument("--name", required=True, help="name that visitors see; need not be the real one")
        add.add_argument("--role", required=True, choices=services.ROLES)
        add.add_argument("--language", default="en", choices=services.LANGUAGES, help="of their pages; default en")
        seats = range(services.MOST_SEATS + 1)
        add.add_argument("--capacity", type=int, default=2, choices=seats, help="conversations at once; default 2")
        role.add_argument("role", choices=services.ROLES)
        languages.add_argument("spoken", nargs="+", choices=services.LANGUAGES)

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the step."""
        step: Callable[[Options, datetime], None] = getattr(self, f"_{options['step']}")
        try:
            step(options, timezone.now())
        except BadAccount as bad:
            raise CommandError(str(bad)) from None

    def _add(self, options: Options, now: datetime) -> None:
        username = options["username"]
        if account_of_anybody(username) is not None:
            raise CommandError(f"The name {username} is taken.")
        services.add_account(
            username=username,
            work_name=options["name"],
            role=options["role"],
            language=options["language"],
            capacity=options["capacity"],
            password=_password(username),
            now=now,
        )
        self.stdout.write(f"{username} ({options['role']}) can sign in. Visitors see the name {options['name']}.")

    def _list(self, options: Options, now: datetime) -> None:
        for one in services.accounts():
            marks = f"{'' if one.active else '  disabled'}{'  sample' if one.sample else ''}"
            seats = f"{one.capacity} at once"
            self.stdout.write(f"{one.username:<20} {one.role:<14} {one.language}  {seats}  {one.work_name}{marks}")
        if not services.accounts():
            self.stdout.write("There are no accounts. Next: staff add.")

    def _disable(self, options: Options, now: datetime) -> None:
        username = options["username"]
        changed = services.set_active(username=username, active=False, now=now)
        self.stdout.write(f"{username} cannot sign in{' any more, and is signed out' if changed else ' already'}.")
        self._take_conversations(username, now)
        reader = readers.reader_view(account_of_anybody(username) or 0)
        if reader is not None:
            self.stdout.write(f"! {username} was a reader of the archive. Next, on this day: archive revoke {username}")

    def _enable(self, options: Options, now: datetime) -> None:
        changed = services.set_active(username=options["username"], active=True, now=now)
        self.stdout.write(f"{options['username']} can sign in {'again' if changed else 'already'}.")

    def _role(self, options: Options, now: datetime) -> None:
        username, role = options["username"], options["role"]
        changed = services.set_role(username=username, role=role, now=now)
        self.stdout.write(f"{username} is {role} {'now' if changed else 'already'}.")
        if role not in services.HOLD_CONVERSATIONS:
            self._take_conversations(username, now)

    def _languages(self, options: Options, now: datetime) -> None:
        username, spoken = options["username"], options["spoken"]
        changed = services.set_spoken(username=username, languages=spoken, now=now)
        when = "now" if changed else "already"
        self.stdout.write(f"{username} writes with visitors in {', '.join(sorted(set(spoken)))} {when}.")

    def _password(self, options: Options, now: datetime) -> None:
        username = options["username"]
        if account_of_anybody(username) is None:
            raise CommandError(f"There is no account {username}.")
        services.set_password(username=username, password=_password(username), now=now)
        self.stdout.write(f"{username} has a new password, and is signed out everywhere.")

    def _take_conversations(self, username: str, now: datetime) -> None:
        # pages that are open learn of it by their next heartbeat
        taken = hand_back_all(user_id=account_of_anybody(username) or 0, now=now).result
        if taken:
            self.stdout.write(f"Conversations back at the head of the queue: {taken}.")


def _password(username: str) -> str:
    """Return a password that is typed twice unseen, or a line of a program that calls."""
    if not sys.stdin.isatty():
        typed = sys.stdin.readline().rstrip("\r\n")
    else:
        typed = getpass.getpass(f"Password of {username}: ")
        if typed != getpass.getpass("Once more: "):
            raise CommandError("The two are not the same. Nothing was changed.")
    if not typed:
        raise CommandError("No password was given. Nothing was changed.")
    return typed
