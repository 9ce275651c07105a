"""What a visitor reads whose chat is paused: fetched with the script that shows it, or put into the page."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from chat.core.pausing import is_paused

_MINUTES_OF_AN_HOUR = 60


def pause_words() -> Mapping[str, str]:
    """Return every text of that script; the numbers to call stand in the page."""
    return {
        "title": _("This chat is paused for a while."),
        "until": _("From {time} you can write again."),
        "may": _("You can still read it. You can end it, or leave, at any time."),
        "kept": _("What you type stays in the box. You can send it then."),
    }


def for_how_long(until: datetime | None, now: datetime) -> str:
    """Return when somebody can write again whose clock is not known, nothing without a pause; never too early."""
    if until is None or not is_paused(until, now):
        return ""
    minutes = -((now - until) // timedelta(minutes=1))
    if minutes <= 1:
        return _("You can write again in one minute.")
    if minutes <= _MINUTES_OF_AN_HOUR:
        return _("You can write again in {n} minutes.").replace("{n}", str(minutes))
    return _("You can write again in {n} hours.").replace("{n}", str(-(-minutes // _MINUTES_OF_AN_HOUR)))
