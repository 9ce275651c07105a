"""List the scripts for drills, and say what is wrong with those that cannot be read."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from drills.core.loading import BadScript
from drills.scripts import files, folders, read


class Command(BaseCommand):
    """Read every script, or those of one folder, and name each that is wrong."""

    help = "Read the scripts for drills: the shipped ones and the site's, or those of one folder"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take a folder."""
        parser.add_argument("folder", nargs="?", type=Path, help="with en/*.toml and fr/*.toml in it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write a line for each script; fail when one of them is wrong."""
        folder: Path | None = options["folder"]
        bad = 0
        for path in [path for one in ([folder] if folder else folders()) for path in files(one)]:
            try:
                script = read(path)
            except BadScript as wrong:
                bad += 1
                self.stderr.write(str(wrong))
            else:
                self.stdout.write(f"{script.language}/{script.name}: {script.title} ({len(script.goals)} goals)")
        if bad:
            raise CommandError(f"{bad} of the scripts cannot be used.")
