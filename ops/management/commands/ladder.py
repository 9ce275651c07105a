"""Show and set the clocks of the ladder of escalations, and of silence in danger."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from crisis.core.ladder import HIGHEST, LEVELS, Pages, Rung
from crisis.selectors import ladder, silent_after
from crisis.services import set_rung, set_silence


class Command(BaseCommand):
    """Show and set the rungs; exit status 1 and a sentence when something is refused."""

    help = "How long an escalation may wait for a person, and silence in danger be silent: show, set, silence"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the step, and for `set` a level with its time."""
        step = parser.add_subparsers(dest="step", metavar="STEP", required=True)
        step.add_parser("show", help="show each level's clock, and what happens when it runs out")
        one = step.add_parser("set", help="set one level")
        one.add_argument("level", type=int, choices=LEVELS)
        one.add_argument("seconds", type=int, help="15 to 1800")
        one.add_argument("--then", choices=["climb", "repeat"], help="what happens then; as it was when left out")
        one.add_argument("--page", choices=[one.value for one in Pages], help="when who is on call is paged; as it was")
        one.add_argument("--board", choices=["aloud", "listed"], help="whether boards sound and speak; as it was")

        silence = step.add_parser("silence", help="set after how long a silence in danger calls for help")
        silence.add_argument("seconds", type=int, help="60 to 1800")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do the step."""
        if options["step"] == "set":
            self._set(**{name: options[name] for name in ("level", "seconds", "then", "page", "board")})
        if options["step"] == "silence":
            try:
                set_silence(actor="command", seconds=options["seconds"], now=timezone.now())
            except ValueError as refused:
                raise CommandError(str(refused)) from None
        for level, rung in sorted(ladder().items()):
            then = f"climbs to level {level + 1}" if rung.climbs and level < HIGHEST else "calls again"
            self.stdout.write(f"  level {level}   {int(rung.within.total_seconds()):>4} s, then {then}{_more(rung)}")
        self.stdout.write(f"  silence   {int(silent_after().total_seconds()):>4} s in danger, then it calls for help")

    def _set(self, level: int, seconds: int, then: str | None, page: str | None, board: str | None) -> None:
        before = ladder()[level]
        try:
            set_rung(
                actor="command",
                level=level,
                seconds=seconds,
                climbs=before.climbs if then is None else then == "climb",
                aloud=before.aloud if board is None else board == "aloud",
                pages=before.pages if page is None else Pages(page),
                now=timezone.now(),
            )
        except ValueError as refused:
            raise CommandError(str(refused)) from None


_PAGES = {Pages.NEVER: "no page", Pages.UNANSWERED: "a page when nobody came", Pages.AT_ONCE: "a page at once"}


def _more(rung: Rung) -> str:
    return f"; {_PAGES[rung.pages]}; {'boards sound' if rung.aloud else 'boards list it'}"
