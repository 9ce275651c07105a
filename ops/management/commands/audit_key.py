"""Show the key that signs the audit trail's heads, or let a new one sign from now on."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit import signing
from audit.heads import HeadsUnusable
from audit.services import KeyChanged


class Command(BaseCommand):
    """Give the trail's heads another signing key while everything runs."""

    help = "Show the public half of the key that signs the audit trail's heads, or change the key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to do."""
        steps = parser.add_subparsers(dest="step", required=True)
        steps.add_parser("show", help="print the public half, to be written down")
        rotate = steps.add_parser("rotate", help="let a new key sign from the next event on; the old secret is removed")
        rotate.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one step, or say in a sentence why not."""
        try:
            public = signing.current_public(settings.KEYS_DIR)
            if public is None:
                raise CommandError("no head was signed yet, so there is no key: the worker makes it")
            if options["step"] == "show":
                self.stdout.write(public.hex())
            elif options["dry_run"]:
                self.stdout.write(
                    f"A new key would take over from {public.hex()} with the next event. Nothing changed."
                )
            else:
                self._rotate()
        except HeadsUnusable as error:
            raise CommandError(f"{error} cannot be used, in the key folder or the folder of heads") from None
        except KeyChanged:
            raise CommandError("somebody else changed the key at the same moment; look with audit_key show") from None

    def _rotate(self) -> None:
        done = signing.change_key(
            keys=settings.KEYS_DIR, folder=settings.AUDIT_DIR, actor="command", now=timezone.now()
        )
        self.stdout.write(f"From event {done.event} on heads are signed by {done.new.hex()}. Write that down.")
        self.stdout.write(f"Heads before it stay signed by {done.old.hex()}, whose secret is gone.")
