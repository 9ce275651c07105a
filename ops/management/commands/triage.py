"""Screen messages from standard input, one a line, and print one JSON object a line."""

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandParser

from crisis.core.screening import Screening
from crisis.proving import built
from crisis.rules import shipped
from crisis.selectors.rules import newest_rules

LONGEST = 64 * 1024
"""Bytes of a line that are screened; sixteen times what a message may have."""


class Command(BaseCommand):
    """Print level, categories and matched rules of each line. Keeps and logs nothing of what it reads."""

    help = "Screen messages from standard input, one a line; prints one JSON object a line"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--site", action="store_true", help="by the site's own rules; else by the shipped ones")

    def handle(self, *args: Any, **options: Any) -> None:
        """Answer each line with one line, at once, so that a program can ask line by line."""
        screener = built(newest_rules().text) if options["site"] else shipped()
        for line in lines(sys.stdin.buffer):
            self.stdout.write(as_json(screener.screen(line.decode("utf-8", "replace"))))
            self.stdout.flush()


def lines(source: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of `source` without their ends, each cut to `LONGEST`: one however long, one for an empty one."""
    while part := source.readline(LONGEST):
        rest = part
        while rest and not rest.endswith(b"\n"):
            rest = source.readline(LONGEST)
        yield part.rstrip(b"\r\n")


def as_json(screening: Screening) -> str:
    """Return a screening as one line of JSON."""
    found = {"level": screening.level, "categories": screening.categories, "rules": screening.rules}
    return json.dumps(found, ensure_ascii=False)
