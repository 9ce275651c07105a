"""Words of the pages about who is on call and about the ladder."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from crisis.core.ladder import Pages, Rung
from crisis.core.notice import Flaw
from crisis.selectors import LadderChange
from crisis.selectors.on_call import DeliveryView


def way_names() -> Mapping[str, str]:
    """Return the ways to page somebody."""
    return {"webhook": _("signed webhook"), "mail": _("e-mail")}


def flaw(of: Flaw) -> str:
    """Return what is wrong with a target as it was typed."""
    return {
        Flaw.NAME: _("A name has 1 to 40 signs."),
        Flaw.ADDRESS: _("A webhook’s address begins with https:// and has no @ and no #. An e-mail address has one @."),
        Flaw.WAIT: _("The next target is paged after 15 seconds at least and after 1,800 at most."),
        Flaw.NO_MAIL: _("This site has no mail server yet. Whoever runs it can set one."),
        Flaw.TOO_MANY: _("There are ten targets already. Remove one first."),
        Flaw.AGAIN: _("This form was sent before. The target is in the list."),
        Flaw.CHANGED: _("Somebody else changed this target. It stands here as it is now. Nothing of yours was kept."),
    }[of]


def keys_away() -> str:
    """Return why nothing can be sealed now."""
    return _("The keys cannot be reached right now. Nothing was changed. Try again in some minutes.")


def done_words() -> Mapping[str, str]:
    """Return what to say of what was just done."""
    return {
        "added": _("The target is added. Send it a test."),
        "changed": _("The target is changed. Send it a test."),
        "moved": _("The order is changed."),
        "removed": _("The target is removed."),
        "tested": _("The test is on its way. Load this page again in some seconds to see what became of it."),
        "set": _("The level is set. Clocks that run keep their time until they act next."),
    }


def _results() -> Mapping[str, str]:
    return {
        "timeout": _("no answer in time"),
        "tls": _("its certificate was not trusted"),
        "no_such_host": _("its name was not found"),
        "no_connection": _("no connection"),
        "not_allowed": _("its address is in a network that is not allowed"),
        "not_http": _("what answered was no web server"),
        "keys": _("its address could not be opened, the keys were away"),
        "no_mail": _("this site has no mail server"),
        "mail": _("the mail server did not take it"),
        "mail_sign_in": _("the mail server did not know us"),
        "mail_refused": _("the mail server did not take the address"),
        "mail_taken": _("the mail server took it"),
        "removed": _("the target was removed"),
        "lost": _("nobody finished it"),
        "failed": _("it failed"),
        "late": _("it could not leave in time"),
    }


def delivery_shown(one: DeliveryView) -> dict[str, Any]:
    """Return a page to one target as the list shows it."""
    states = {
        "due": _("on its way"),
        "failed": _("failed, is tried again"),
        "sent": _("delivered"),
        "gave_up": _("given up"),
        "dropped": _("no longer needed: somebody came, or its level rose"),
        "held": _("held back: there were many pages in this hour"),
    }
    result = _results().get(one.result, "")
    if one.result.isdigit():
        result = _("its server answered {status}").replace("{status}", one.result)
    return {
        "at": one.at,
        "why": _why(one),
        "name": one.target_name,
        "state": states.get(one.state, one.state),
        "bad": one.state in {"failed", "gave_up", "held"},
        "result": result,
        "tries": one.tries,
    }


def _why(one: DeliveryView) -> str:
    if one.kind == "test":
        return _("test")
    words = _("DRILL, level {n}") if one.kind == "drill" else _("level {n}")
    return words.replace("{n}", str(one.level))


def pages_names() -> Mapping[str, str]:
    """Return when who is on call is paged."""
    return {
        Pages.NEVER.value: _("never"),
        Pages.UNANSWERED.value: _("when nobody came in time"),
        Pages.AT_ONCE.value: _("at once"),
    }


def then_names(level: int) -> Mapping[str, str]:
    """Return what can happen when a level's clock runs out."""
    return {
        "climb": _("it climbs to level {n}").replace("{n}", str(level + 1)),
        "repeat": _("it alerts again"),
    }


def board_names() -> Mapping[str, str]:
    """Return how boards show a level."""
    return {"aloud": _("with sound and a spoken line"), "listed": _("in the list, without sound")}


def rung_facts(level: int, rung: Rung) -> list[tuple[str, str]]:
    """Return a level's settings in words."""
    seconds = int(rung.within.total_seconds())
    return [
        (_("Time to answer"), _("{n} seconds").replace("{n}", str(seconds))),
        (_("Then"), then_names(level)["climb" if rung.climbs else "repeat"]),
        (_("On the boards"), board_names()["aloud" if rung.aloud else "listed"]),
        (_("Page who is on call"), pages_names()[rung.pages.value]),
    ]


def change_shown(one: LadderChange) -> dict[str, Any]:
    """Return one change of the ladder as the history shows it."""
    facts = [
        _("{n} seconds").replace("{n}", str(one.seconds)),
        then_names(one.level)["climb" if one.climbs else "repeat"],
        board_names()["aloud" if one.aloud else "listed"],
    ]
    if one.pages in pages_names():
        facts.append(_("page: {when}").replace("{when}", pages_names()[one.pages]))
    return {"at": one.at, "by": one.name or _("a command"), "level": one.level, "facts": facts}


def not_settable() -> str:
    """Return why a level is not set."""
    return _(
        "A clock runs for 15 seconds at least and for 1,800 at most. Level 3 cannot climb, "
        "sounds on the boards and pages who is on call. A level that does not climb pages too."
    )


def no_silence() -> str:
    """Return why a silence is not set."""
    return _("A silence counts after 60 seconds at the earliest and 1,800 at the latest.")
