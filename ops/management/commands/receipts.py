"""Print what was destroyed, a receipt a line."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand

from encryption.services.receipts import receipts


class Command(BaseCommand):
    """Print receipts as lines of JSON, for an auditor or a court; they name no person who wrote."""

    help = "Print the receipts of destroyed keys, one JSON object a line"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the days of interest."""
        parser.add_argument("--since", type=date.fromisoformat, default=date.min, help="first day, as 2026-11-23")
        parser.add_argument("--until", type=date.fromisoformat, default=date.max, help="last day")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print them, oldest first."""
        none = True
        for one in receipts():
            if options["since"] <= one.at.date() <= options["until"]:
                self.stdout.write(json.dumps(asdict(one) | {"at": one.at.isoformat()}))
                none = False
        if none:
            # beside the lines, which a program may read
            self.stderr.write("none: no key was destroyed in that time")
