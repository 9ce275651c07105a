"""Show what visitors answered when their chat was over: a line a month, and only what many gave."""

from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand

from chat.selectors.survey import FEWEST, survey_months


class Command(BaseCommand):
    """Show the answers of each month, added up."""

    help = f"What visitors answered, added up by month; a question with fewer than {FEWEST} answers is not told"

    def handle(self, *args: Any, **options: Any) -> None:
        """Write a line for each month."""
        months = survey_months()
        if not months:
            self.stdout.write("none: nobody has answered")
        for month in months:
            count = month.answers if month.answers >= FEWEST else f"fewer than {FEWEST}"
            self.stdout.write(f"{month.month:%Y-%m}  answers: {count}")
            self.stdout.write(f"  helpful: {_shown(month.helpful)}")
            self.stdout.write(f"  would come back: {_shown(month.again)}")
            if month.before is not None and month.after is not None:
                self.stdout.write(f"  distress from {month.before:.1f} to {month.after:.1f}, of those who gave both")


def _shown(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{choice} {count}" for choice, count in sorted(counts.items())) or "too few to tell"
