"""Words of drills: the pages on which they begin and end, their summary, and the sign on the board."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from chat.core.drills import Drill
from drills.core.ending import Flaw, Why
from drills.core.script import Script
from drills.selectors import DrillView, GoalView

Words = Mapping[str, str | Mapping[str, str]]


def drills_run() -> Words:
    """Return how board and wall say that drills run."""
    return {
        "drills_run": {"one": _("{n} drill runs. It is not counted."), "other": _("{n} drills run. None is counted.")}
    }


def mark_names() -> Mapping[str, str]:
    """Return what a drill may set off, by its mark."""
    return {
        Drill.PRACTICE.value: _("practice: no sound, no page"),
        Drill.DRILL.value: _("drill: it sounds on the boards"),
        Drill.PAGING.value: _("drill: it sounds, and pages who is on call"),
    }


def flaw_words(flaw: Flaw) -> str:
    """Return why a drill was not started."""
    return {
        Flaw.SCRIPT: _("Choose a script. This one is not there."),
        Flaw.PERSON: _("Choose who practises. This person is not on shift."),
        Flaw.BUSY: _("Somebody whom you chose is in a drill already."),
        Flaw.RIGHT: _("You may not start this drill."),
    }[flaw]


def nobody_chosen() -> str:
    """Return that nobody was chosen."""
    return _("Choose at least one person who practises.")


def began_words(view_count: int) -> str:
    """Return that drills were begun."""
    return ngettext(
        "%(n)s drill began. It is offered in the console once no visitor waits.",
        "%(n)s drills began. They are offered in the console once no visitor waits.",
        view_count,
    ) % {"n": view_count}


def why_words(why: str) -> str:
    """Return why a drill is over."""
    return {
        Why.FINISHED.value: _("the script came to its end"),
        Why.ENDED.value: _("the conversation was ended"),
        Why.STOPPED.value: _("somebody ended the drill"),
        Why.TIME.value: _("its time was over"),
        Why.NOBODY.value: _("nobody took it"),
        Why.LOST.value: _("its script or key is gone"),
    }.get(why, why)


def scripts_offered(scripts: Mapping[tuple[str, str], Script], first: str) -> list[tuple[str, list[dict[str, str]]]]:
    """Return the scripts to choose from, by language, that of the reader first."""
    names = {"en": _("In English"), "fr": _("In French")}
    order = sorted(names, key=lambda one: one != first)
    return [
        (
            names[language],
            [
                {"value": f"{language}/{one.name}", "title": one.title, "about": one.about, "lang": language}
                for one in sorted(scripts.values(), key=lambda one: one.title)
                if one.language == language
            ],
        )
        for language in order
    ]


def drill_shown(view: DrillView) -> dict[str, Any]:
    """Return a drill as its pages show it."""
    running = {
        "waiting": _("waits to be taken"),
        "offered": _("is offered"),
        "active": _("in conversation"),
    }.get(view.state, _("the visitor has left"))
    return {
        "view": view,
        "mark": mark_names().get(view.mark, ""),
        "state": why_words(view.ended_why) if view.ended_at else running,
        "language": _("English") if view.language == "en" else _("French"),
        "reply": _reply(view),
        "goals": [_goal(one) for one in view.goals],
        "count": _count(view),
    }


def _count(view: DrillView) -> str:
    if not view.taken:
        return _("not judged")
    reached = sum(one.reached for one in view.goals)
    return _("{n} of {all}").replace("{n}", str(reached)).replace("{all}", str(len(view.goals)))


def _reply(view: DrillView) -> str:
    seconds = view.first_reply_seconds
    if seconds is None:
        return _("no answer was written")
    return ngettext("%(n)s second after joining", "%(n)s seconds after joining", seconds) % {"n": seconds}


def _goal(one: GoalView) -> dict[str, Any]:
    missed = _("reached too late") if one.late else _("not reached")
    return {"words": one.words, "word": _("reached") if one.reached else missed, "reached": one.reached, "at": one.at}
