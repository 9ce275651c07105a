"""Words of the screen on a wall, and of the page on which it is made."""

from collections.abc import Mapping

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from frontend.drill_words import drills_run
from frontend.staff_words import ages, level_names
from staff.core import HOURS

Words = Mapping[str, str | Mapping[str, str]]


def wall_words() -> Words:
    """Return what a screen says; it has no word for a name, since it shows none."""
    language = "fr" if get_language() == "fr" else "en"
    return {
        "language": language,
        "locale": f"{language}-CA",
        **ages(),
        **{f"level_{level}": word for level, word in enumerate(level_names())},
        "as_at": _("As at {at}"),
        "no_news_yet": _("No news yet"),
        "wall_stale": _("STALE: this is from {at} and may be wrong. Look at the board."),
        "longest": _("longest: {age}"),
        "free": {"one": _("{n} with a free place"), "other": _("{n} with free places")},
        "wall_new": _("New: {name}, {level}"),
        "wall_climbed": _("Nobody answered: {name}, {level}"),
        "wall_new_many": {"one": _("{n} new escalation"), "other": _("{n} new escalations")},
        "wall_raised": _("not acknowledged"),
        "wall_unreached": _("nobody on call was reached"),
        "wall_acknowledged": _("acknowledged"),
        "wall_in_progress": _("being worked on"),
        "wall_over_visitor": _("conversation over"),
        "wall_over_advocate": _("conversation over"),
        "wall_over_left_quickly": _("the visitor left"),
        "wall_over_faded": _("the visitor left"),
        **drills_run(),
        "wall_next": _("Go to the board: the oldest comes first."),
        "wall_more": {"one": _("and {n} more"), "other": _("and {n} more")},
    }


def hours_offered() -> list[tuple[int, str]]:
    """Return for how long a display may stand, with the words for it."""
    return [(hours, ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}) for hours in HOURS]
