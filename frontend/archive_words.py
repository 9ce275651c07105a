"""Words of the archive's pages that no template holds."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from chat.core.errors import ErrorCode
from chat.services.archive import Line
from frontend.case_words import timeline_words
from frontend.selectors import Kept
from frontend.staff_words import error_words, fact_words

_OF_TIMELINE = {"flag_raised": "escalation_raised", "flag_climbed": "escalation_climbed"}
"""Facts whose words on the console need a level, which a closed conversation's line does not carry."""


def why(code: ErrorCode, at: str = "") -> str:
    """Return why something in the archive was refused; `at` names the form that asked for it."""
    if code is ErrorCode.WRONG_STATE and at in _moved_on():
        return _moved_on()[at]
    here = {
        ErrorCode.WRONG_STATE: _("It is still running, so it is not in the archive yet."),
        ErrorCode.SECOND_PERSON: second_person(),
        ErrorCode.OURS: _("The keys cannot be reached right now. Nothing is lost. Try again in some minutes."),
    }
    return here.get(code) or error_words()[f"error_{code.value}"]


def _moved_on() -> Mapping[str, str]:
    """Return why what a form asks about a hold is no longer possible, by the form's name."""
    return {
        "hold": _("Its erasure was asked for, so it can no longer be kept."),
        "confirm": _(
            "It was not confirmed within 24 hours, was taken back, or its erasure was asked for. Nothing was kept."
        ),
        "withdraw": _("A colleague has confirmed it. Two people have to decide now that it be let go."),
        "end": _("It is not kept any more, so there is nothing to let go."),
        "end-confirm": _("It was not confirmed within 24 hours, or was taken back. Nothing has changed."),
        "end-withdraw": _("A colleague has confirmed it. It is no longer kept."),
    }


def second_person() -> str:
    """Return who has to confirm what somebody asked for."""
    return _("You asked for this. Another supervisor who is a reader has to confirm it within 24 hours.")


def readable_anyway(until: date) -> str:
    """Return why a day is too early to keep something until."""
    return _("It is readable until the end of {day} anyway. Choose a later day.").replace("{day}", day(until))


def day(of: date) -> str:
    """Return a day as a sentence names it."""
    words = date_format(of, "j F Y")
    return f"1er {words[2:]}" if of.day == 1 and get_language() == "fr" else words


def last_day(until: datetime | None) -> str:
    """Return the last whole day before a midnight, as a sentence names it."""
    return "" if until is None else day(until.date() - timedelta(days=1))


def done_words(view: Kept) -> Mapping[str, str]:
    """Return what to say of what was just done, as far as it still is so."""
    hold = view.row.hold
    end = hold and hold.end
    said = {
        "asked": _("You asked that it be kept.") if hold and not hold.confirmed else "",
        "confirmed": _("It is kept now.") if hold and hold.confirmed else "",
        "withdrawn": "" if hold else _("You took it back. It is not kept."),
        "end_asked": _("You asked that it be let go. Until a colleague confirms, it is kept.") if end else "",
        "end_withdrawn": _("It stays kept.") if hold and hold.confirmed and not end else "",
        "let_go": "" if hold else _("It is no longer kept."),
        "erased": _("Erasure asked for.") if view.erase_asked or view.erased else "",
    }
    return {what: words for what, words in said.items() if words}


def not_proved() -> str:
    """Return what to say when the password was asked again and does not fit."""
    return _("That is not your password. Type the one you sign in with.")


def not_opened() -> str:
    """Return what to say to a wrong phrase, code or passkey: not how wrong it was."""
    return _("This does not unlock your key. Check it and try again.")


def shown_once() -> str:
    """Return what to say when a form that made something comes again, as by a reload."""
    return _("These words were shown once. Make new ones if you did not write them down.")


def too_often(minutes: int) -> str:
    """Return what to say after too many tries."""
    return _("Too many tries. Wait {n} minutes, then try again.").replace("{n}", str(minutes))


def minutes_left(ends: datetime, now: datetime) -> int:
    """Return whole minutes until a moment, at least one."""
    return max(1, ceil((ends - now).total_seconds() / 60))


def ended_words() -> Mapping[str, str]:
    """Return how a conversation can end."""
    return {
        "visitor": _("the visitor ended it"),
        "advocate": _("the advocate ended it"),
        "left_quickly": _("the visitor left quickly"),
        "faded": _("the visitor was not seen for a long time"),
    }


def language_words() -> Mapping[str, str]:
    """Return the languages of conversations."""
    return {"en": _("English"), "fr": _("French")}


def lines_shown(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return an opened conversation as the page shows it; the day is said where it is another one."""
    days = [None, *(line.at.date() for line in lines)]
    return [_line_shown(line) | {"new_day": line.at.date() != day} for line, day in zip(lines, days, strict=False)]


def _line_shown(line: Line) -> dict[str, Any]:
    if line.text is None:
        return {"kind": "fact", "at": line.at, "words": _fact(line)}
    name = line.author or _("a colleague")
    who = _("Visitor") if line.author_role == "visitor" else name
    if line.kind == "note":
        who = _("Note by {name}, only staff see this").replace("{name}", name)
    side = "note" if line.kind == "note" else "theirs" if line.author_role == "visitor" else "ours"
    return {"kind": side, "at": line.at, "who": who, "text": line.text.reveal()}


def _fact(line: Line) -> str:
    if line.code in _OF_TIMELINE:
        words = timeline_words()[_OF_TIMELINE[line.code]]
        return words.replace("{name}", line.author or _("a rule"))
    facts = fact_words()
    alone = facts.get(f"fact_{line.code}_alone") if line.author is None else None
    words = alone or facts.get(f"fact_{line.code}", line.code)
    return words.replace("{name}", line.author or _("a colleague"))


def script_words() -> Mapping[str, Any]:
    """Return what the archive's script says."""
    return {
        "passkey_asks": _("Follow what your device asks."),
        "passkey_none": _("This browser or this device cannot make a passkey that unlocks keys. Nothing was stored."),
        "passkey_left": _(
            "This passkey cannot unlock keys, so nothing was stored here. You may delete it in your device’s settings."
        ),
        "passkey_stopped": _("The passkey was not used. Nothing has changed."),
        "passkey_known": _("This device already has a passkey for the archive."),
        "show": _("Show what I type"),
        "hide": _("Hide what I type"),
        "locks_in": {"one": _("It locks itself in {n} minute."), "other": _("It locks itself in {n} minutes.")},
        "locks_soon": _("The archive locks itself within two minutes."),
        "locked_now": _("The archive has locked itself. What it showed is gone from this page."),
        "error_locked": not_opened(),
        "error_proof": not_proved(),
        "error_slow_down": too_often(15),
        "error_sign_in_again": error_words()["error_sign_in_again"],
        "error_unreachable": _("The server could not be reached. Try again."),
        "error_ours": _("The archive cannot be unlocked right now. Try again in some minutes."),
        "error_bad_frame": _("The archive cannot be unlocked right now. Try again in some minutes."),
    }
