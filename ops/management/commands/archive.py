"""The server's steps of the key ceremony; docs/key-ceremony.md says who does what when."""

import getpass
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console
from rich.progress import Progress as Bar

from encryption.core import papers
from encryption.core.archive import NotOurs
from encryption.core.envelope import NotAuthentic
from encryption.core.papers import BadPaper
from encryption.offline import files
from encryption.providers import ProviderDown
from encryption.services import KeyGone, ceremony, key_folder, lifecycle, readers, rotation, rounds
from encryption.services.ceremony import WrongAnswer
from encryption.services.key_folder import NoFolder, NoKeyInIt
from encryption.services.readers import NotReader, NotReady
from encryption.services.rotation import Progress
from encryption.services.standing import KeyView, standing
from ops import archive_words
from ops.selectors import account, account_of_anybody, work_names

Options = dict[str, Any]
WITHOUT_ROOT = {"status", "rotate-standing", "make-key-folder", "clock-is-right"}
MOST_LINES = 3
"""Thirteen keys mostly lack the same."""


class Command(BaseCommand):
    """Show and change who can open closed conversations; exit status 1 and a sentence when a step is refused."""

    help = "The key ceremony: keys of the archive, who has them, and their rotation"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the step and what it needs."""
        step = parser.add_subparsers(dest="step", metavar="STEP", required=True)
        step.add_parser("status", help="show how the archive stands, and what comes next")
        folder = step.add_parser("make-key-folder", help="once: make the folder of the keys, while its disk is there")
        folder.add_argument("--although-empty", action="store_true", help="although keys that are needed are not in it")
        step.add_parser("clock-is-right", help="let keys be destroyed again after the clock jumped")
        step.add_parser("export-readers", help="write readers' keys to be signed").add_argument("out", type=Path)
        drill = step.add_parser("export-drill", help="write a challenge with all recovery grants")
        drill.add_argument("out", type=Path)
        drill.add_argument("--recovery", default="", help="name of the recovery key; default: the newest")
        step.add_parser("drill", help="give the answer of a drill").add_argument("code")
        take = step.add_parser("import", help="take in what the offline machine made")
        take.add_argument("files", type=Path, nargs="+", metavar="FILE")
        names = step.add_parser("activate", help="let conversations be sealed to keys")
        names.add_argument("names", nargs="*", metavar="NAME")
        names.add_argument("--new", action="store_true", help="all keys that are here and not active yet")
        grant = step.add_parser("grant", help="give a signed reader the keys that another one has")
        grant.add_argument("--to", required=True, metavar="USERNAME")
        step.add_parser("revoke", help="take the archive from a reader").add_argument("username")
        standing_keys = step.add_parser("rotate-standing", help="wrap the keys of files under this month's key")
        rekey = step.add_parser("rekey", help="seal everything from one archive key to another")
        rekey.add_argument("old")
        rekey.add_argument("new")
        for one in (grant, rekey):
            one.add_argument("--by", required=True, metavar="USERNAME", help="reader who types their phrase")
        for one in (standing_keys, rekey):
            one.add_argument("--dry-run", action="store_true", help="open and count, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the step."""
        step: Callable[[Options, datetime], None] = getattr(self, f"_{options['step'].replace('-', '_')}")
        if options["step"] not in WITHOUT_ROOT and not settings.ARCHIVE_ROOT:
            raise CommandError("No root is pinned. Next: the offline step root, then set HAVRE_ARCHIVE_ROOT.")
        try:
            step(options, timezone.now())
        except BadPaper as bad:
            raise CommandError(str(bad)) from None
        except NotOurs as stranger:
            raise CommandError(
                f"{stranger} is not signed by the pinned root. Do not go on: ask who changed it."
            ) from None
        except ProviderDown:
            raise CommandError("The key provider cannot be reached. Next: look after it, then begin again.") from None

    def _status(self, options: Options, now: datetime) -> None:
        for line in archive_words.lines(standing(now), work_names()):
            self.stdout.write(line)

    def _make_key_folder(self, options: Options, now: datetime) -> None:
        try:
            key_folder.make(although_empty=options["although_empty"], now=now)
        except NoFolder:
            raise CommandError("The keys of this site are with Vault; there is no folder to make.") from None
        except NoKeyInIt:
            raise CommandError(
                f"{settings.KEYS_DIR} has none of the keys that the database needs. Is its disk mounted? Next: mount "
                "it; or, if those keys are lost for good, the same with --although-empty."
            ) from None
        self.stdout.write(f"{settings.KEYS_DIR} is the folder of the keys.")

    def _clock_is_right(self, options: Options, now: datetime) -> None:
        rounds.confirm(now)
        self.stdout.write(f"It is {now:%Y-%m-%d %H:%M} UTC. Keys whose time is over are destroyed within a minute.")

    def _export_readers(self, options: Options, now: datetime) -> None:
        files.must_be_new(options["out"])
        paper = ceremony.readers_paper(work_names(), now)
        files.write(options["out"], paper)
        for one in paper.readers:
            self.stdout.write(f"  {one.name} ({one.user_id})  {one.fingerprint()}")
        self.stdout.write(f"{len(paper.readers)} keys are in {options['out']}. Next: the offline step sign.")

    def _export_drill(self, options: Options, now: datetime) -> None:
        files.must_be_new(options["out"])
        paper = ceremony.begin_drill(options["recovery"], now)
        files.write(options["out"], paper)
        self.stdout.write(
            f"A challenge to recovery key {paper.needed_recovery().name} and {len(paper.grants)} grants are in"
            f" {options['out']}. Next: the offline step drill with two shares."
        )

    def _drill(self, options: Options, now: datetime) -> None:
        try:
            name = ceremony.finish_drill(options["code"], now)
        except WrongAnswer:
            raise CommandError(
                "This answers no drill. Type it again; or: archive export-drill, and begin anew."
            ) from None
        self.stdout.write(f"Recovery key {name} is tested. Next: archive activate --new, if keys wait for it.")

    def _import(self, options: Options, now: datetime) -> None:
        taken = ceremony.take_in([files.read(path, *papers.FROM_OFFLINE) for path in options["files"]], now)
        said = {
            "signed reader": taken.readers,
            "recovery key": taken.recovery_keys,
            "archive key": taken.archive_keys,
            "grant": taken.grants,
        }
        new = ", ".join(archive_words.counted(count, what) for what, count in said.items() if count)
        self.stdout.write(f"Taken in: {new}." if new else "All of this was here already; nothing changed.")
        for line in archive_words.warnings(standing(now), work_names()):
            self.stdout.write(line)

    def _activate(self, options: Options, now: datetime) -> None:
        before = standing(now)
        names = [*options["names"], *(key.name for key in archive_words.waiting(before) if options["new"])]
        if not names:
            raise CommandError("No key waits to be activated. Next: archive status.")
        try:
            ceremony.activate(names, now)
        except NotReady:
            views = {key.name: key for key in before.keys}
            lacking = {name: _lacking(views.get(name)) for name in names}
            lines = [f"{name}: {line}" for name, line in lacking.items() if line]
            raise CommandError("\n".join(["Nothing was activated.", *lines[:MOST_LINES]])) from None
        self.stdout.write(f"Active: {', '.join(names)}.")

    def _grant(self, options: Options, now: datetime) -> None:
        to, by = _account(options["to"]), _account(options["by"])
        if not _is_signed(to):
            raise CommandError(
                f"{options['to']} is no signed reader. Next: Archive, Become a reader; then have it signed."
            )
        secret = _secret(by, options["by"], now)
        names = readers.grant_all(to_user=to, by_user=by, secret=secret, now=now)
        self.stdout.write(f"{options['to']} has {archive_words.counted(len(names), 'key')} of {options['by']}'s.")

    def _revoke(self, options: Options, now: datetime) -> None:
        user_id = account_of_anybody(options["username"])
        try:
            readers.revoke(user_id=user_id or 0, actor="command", now=now)
        except NotReader:
            raise CommandError(f"{options['username']} is no reader.") from None
        lifecycle.clear_remains()
        self.stdout.write(f"{options['username']} is no reader any more, and what was unlocked is locked.")
        state = standing(now)
        for line in archive_words.warnings(state, work_names()):
            self.stdout.write(line)

    def _rotate_standing(self, options: Options, now: datetime) -> None:
        dry = options["dry_run"]
        self._run("Standing keys", rotation.rotate_standing(now=now, dry=dry), dry)

    def _rekey(self, options: Options, now: datetime) -> None:
        by, old, new, dry = _account(options["by"]), options["old"], options["new"], options["dry_run"]
        secrets = readers.secrets_of(by, _secret(by, options["by"], now))
        try:
            steps = rotation.rekey(old=old, new=new, secrets=secrets, actor=f"staff:{by}", now=now, dry=dry)
            self._run(f"{old} to {new}", steps, dry)
        except ObjectDoesNotExist:
            raise CommandError(
                f"There is no active archive key {new}. Next: archive import, archive activate."
            ) from None
        except KeyGone:
            raise CommandError(f"{options['by']} has no key {old}. Next: ask a reader who has it.") from None

    def _run(self, what: str, steps: Iterator[Progress], dry: bool) -> None:
        console = Console(stderr=True)
        last = Progress(0, 0, 0)
        with Bar(console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task(what, total=None)
            for last in steps:
                bar.update(task, total=last.total, completed=last.done + last.failed)
        did = "would be made anew" if dry else "were made anew"
        self.stdout.write(f"{what}: {last.done} of {last.total} {did}, {last.failed} could not be opened.")
        if last.failed:
            raise CommandError(
                "What could not be opened was left as it was. Look at the key provider, then run it again."
            )


def _account(username: str) -> int:
    found = account(username)
    if found is None:
        raise CommandError(f"There is no account {username} in use.")
    return found[0]


def _lacking(key: KeyView | None) -> str:
    codes, held = (key.missing, len(key.readers)) if key else (("unknown_key",), 0)
    return " ".join(archive_words.missing(codes, held))


def _is_signed(user_id: int) -> bool:
    try:
        readers.signed_reader(user_id)
    except NotReader:
        return False
    return True


def _secret(user_id: int, username: str, now: datetime) -> bytes:
    """Return a reader's secret from the phrase that they type; it is never an argument, which others could list."""
    if not _is_signed(user_id):
        raise CommandError(f"{username} is no signed reader.")
    asked = f"Phrase of {username}: "
    phrase = getpass.getpass(asked) if sys.stdin.isatty() else sys.stdin.readline()
    try:
        return ceremony.secret_by_phrase(user_id=user_id, phrase=phrase.strip(), now=now)
    except NotAuthentic:
        raise CommandError(f"That is not the phrase of {username}.") from None
