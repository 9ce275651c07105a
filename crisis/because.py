"""Why a cue without words calls for help, in both languages at once: it is sealed, and read by whoever is on shift."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import override

from crisis.core.unspoken import Cue, Source

LANGUAGES = ("en", "fr")


def because(cue: Cue, now: datetime) -> str:
    """Return what was noticed: a line in each language."""
    return _each(cue.source, minutes=(now - cue.since) // timedelta(minutes=1), times=cue.times, lost=cue.lost)


def because_of_voice() -> str:
    """Return what an advocate says who marks a changed voice."""
    return _each(Source.VOICE)


def because_known() -> str:
    """Return why the consult about a return is over once its advocate has accepted it."""
    return _each(Source.RETURNED, known=True)


def because_drill_over() -> str:
    """Return why a drill's calls are stood down at its end."""
    return _in_each(lambda: _("Drill ended."))


def _each(source: Source, **about: int) -> str:
    return _in_each(lambda: _why(source, **about))


def _in_each(words: Callable[[], str]) -> str:
    lines = []
    for language in LANGUAGES:
        with override(language):
            lines.append(words())
    return "\n".join(lines)


def _why(source: Source, *, minutes: int = 0, times: int = 0, lost: int = False, known: int = False) -> str:
    match source:
        case Source.LEFT:
            return _("Left quickly after a sign of danger. Do not try to reach them.")
        case Source.SILENCE if lost:
            text = _("Silent after a sign of danger: the line has been lost for {n} minutes.")
        case Source.SILENCE:
            text = _("Silent after a sign of danger: no answer for {n} minutes, and the page is still open.")
        case Source.RETURNED if known:
            return _("The advocate knew them again and accepted the return.")
        case Source.RETURNED if times > 1:
            text = _("Came back by words {n} times, and nobody was accepted: two people may have the words.")
        case Source.RETURNED:
            return _("Came back by words. Is it the same person?")
        case _:
            return _("The voice has changed: somebody else may be writing, or be beside them.")
    return text.replace("{n}", str(times if source is Source.RETURNED else minutes))
