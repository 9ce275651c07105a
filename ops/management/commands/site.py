"""Show and set what a site shows its visitors; docs/operations.md says in which order."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from chat.services.site import NAMES, BadSetting, set_site, site_settings


class Command(BaseCommand):
    """Show and set the site's row; exit status 1 and a sentence when something is refused."""

    help = "What the site shows its visitors: show, set"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the step, and names with values."""
        step = parser.add_subparsers(dest="step", metavar="STEP", required=True)
        step.add_parser("show", help="show what is set, and what is missing before the chat may open")
        one = step.add_parser("set", help="set one or several of them, all or nothing")
        one.add_argument("given", nargs="+", metavar="NAME=VALUE", help=f"names: {', '.join(NAMES)}")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the step."""
        if options["step"] == "set":
            try:
                changed = set_site(_pairs(options["given"]), timezone.now())
            except BadSetting as bad:
                raise CommandError(str(bad)) from None
            self.stdout.write(f"Changed: {', '.join(changed)}." if changed else "That was set already.")
        self._show()

    def _show(self) -> None:
        standing = site_settings()
        for name, value in standing.values.items():
            self.stdout.write(f"  {name:<18} {_shown(value)}")
        if standing.missing:
            self.stdout.write(f"! The chat is closed. Missing before it may open: {', '.join(standing.missing)}.")
        elif not standing.values["open"]:
            self.stdout.write("The chat is closed. Nothing is missing. When the site is ready: site set open=yes")
        else:
            self.stdout.write("The chat is open.")


def _pairs(given: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise CommandError(f"{one!r} is not NAME=VALUE.")
        if name in pairs:
            raise CommandError(f"{name} is given twice.")
        pairs[name] = value
    return pairs


def _shown(value: str | int) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)
