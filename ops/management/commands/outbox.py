"""List what could not be carried into contacts and cases, and have it tried again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from cases.delivery import given_up, revive


class Command(BaseCommand):
    """Print topic, age and attempts of each given-up item; no id of a conversation and no content."""

    help = "List outbox items that were given up; --revive has them tried again"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whether to try again."""
        parser.add_argument("--revive", action="store_true", help="try all of them again")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, and revive if asked."""
        now = timezone.now()
        items = given_up()
        for item in items:
            minutes = int((now - item.created_at).total_seconds() // 60)
            self.stdout.write(f"{item.id}\t{item.topic}\t{minutes} min old\t{item.attempts} attempts")
        if not items:
            self.stdout.write("nothing was given up")
        elif options["revive"]:
            self.stdout.write(f"{revive(now=now)} items will be tried again")
