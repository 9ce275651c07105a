"""Words of the pages about the screening rules."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crisis.core.screening.site_changes import Changed
from crisis.core.screening.site_rules import BadSiteRules, Flaw


def kind_names() -> Mapping[str, str]:
    """Return the kinds of rules."""
    return {"danger": _("danger"), "idiom": _("figure of speech"), "guard": _("guard")}


def standing_names() -> Mapping[str, str]:
    """Return how a rule stands to the shipped ones."""
    return {
        "shipped": _("as shipped"),
        "changed": _("changed by the site"),
        "own": _("the site’s own"),
        "off": _("switched off"),
    }


def done_words() -> Mapping[str, str]:
    """Return what to say of what was just done."""
    return {
        "kept": _("It is kept as a new version. It counts everywhere within some seconds."),
        "same": _("Nothing was changed: the rules say this already."),
        "back": _("The earlier version counts again, as a new one, within some seconds."),
        "rule_off": _("It is switched off. Within some seconds nothing looks for it."),
        "rule_on": _("It is switched on. It counts everywhere within some seconds."),
        "on": _("Screening is switched on. It begins within some seconds."),
        "off": _("Screening is switched off. It ends within some seconds."),
    }


def points(number: int) -> str:
    """Return how much something counts for danger."""
    return ngettext("{n} point", "{n} points", number).replace("{n}", str(number))


def change_names() -> Mapping[str, str]:
    """Return what became of a rule between two versions."""
    return {
        Changed.ADDED.value: _("added"),
        Changed.REMOVED.value: _("removed"),
        Changed.CHANGED.value: _("changed"),
        Changed.BACK.value: _("as shipped again"),
        Changed.POINTS.value: _("other points"),
        Changed.OFF.value: _("switched off"),
        Changed.ON.value: _("switched on"),
    }


def pattern_help() -> list[tuple[str, str]]:
    """Return how patterns are written, each with what it means."""
    return [
        ("he HAVE WEAPON", _("in this order, at most three other words between two of them")),
        ("he +HAVE", _("right after one another")),
        ("he =HAVE", _("at most one other word between")),
        ("he ..WEAPON", _("at most nine other words between")),
        ("knife|gun", _("one or the other")),
        ("right_now", _("two words that belong together")),
        ("* he LOCKED ME", _("in any order, close together")),
        ("he COMES -JOKE", _("and the sentence has no joke")),
        ("^ he COMES", _("and it begins the sentence")),
    ]


def switched(before: bool | None, after: bool | None) -> str:
    """Return what became of the switch between two versions, nothing where nothing did."""
    if before == after:
        return ""
    if after is None:
        return _("Screening: as the site’s settings say")
    return _("Screening: switched on") if after else _("Screening: switched off")


def moved_on() -> str:
    """Return why nothing was kept, although it was good."""
    return _("Somebody else made a version meanwhile. Look at it, then do yours again. Nothing was kept.")


def no_reason() -> str:
    """Return what is wrong with a reason."""
    return _("Say why, in one line of at most 300 signs.")


def too_many_lines() -> str:
    """Return what is wrong with the lines to try."""
    return _("At most 50 lines and 8,000 signs at a time.")


def unreadable() -> str:
    """Return why nothing can be changed now."""
    return _("The newest version cannot be read. Go back to an earlier one first.")


def problem(bad: BadSiteRules) -> str:
    """Return what is wrong with rules, with the rule, the field, the line and the words that it is about."""
    said = _flaws()[bad.flaw] if bad.rule or bad.flaw is not Flaw.BROKEN else _not_built()
    return " ".join(part for part in (_place(bad), said.replace("{about}", bad.about)) if part)


def _not_built() -> str:
    return _("They could not be built: {about}. This is tried again once a minute.")


def problem_of_file(bad: BadSiteRules) -> str:
    """Return what is wrong with a file that was brought; the line of one that is of another kind only if it has one."""
    if bad.flaw not in (Flaw.TOML, Flaw.TABLE, Flaw.TANGLED):
        return problem(bad)
    other = _("This file is not a rules file from Havre.")
    return f"{other} {problem(bad)}" if bad.line else other


def _place(bad: BadSiteRules) -> str:
    """Return where it is: as much of rule, field and line as is known."""
    if bad.rule and bad.field and bad.line:
        text = _("Rule {rule}, field {field}, line {line}:")
    elif bad.rule and bad.field:
        text = _("Rule {rule}, field {field}:")
    elif bad.rule:
        text = _("Rule {rule}:")
    elif bad.field:
        text = _("Field {field}:")
    elif bad.line:
        text = _("Line {line}:")
    else:
        return ""
    return text.replace("{rule}", bad.rule).replace("{field}", bad.field).replace("{line}", str(bad.line))


def _flaws() -> Mapping[Flaw, str]:
    return {**_flaws_of_files(), **_flaws_of_rules(), **_flaws_of_examples()}


def _flaws_of_files() -> Mapping[Flaw, str]:
    return {
        Flaw.TOML: _("this is no TOML: {about}"),
        Flaw.TANGLED: _("no rule needs so long a name or number, or so many lists within lists."),
        Flaw.TABLE: _("the file may hold rules, points and what is off, and nothing else."),
        Flaw.ONE_RULE: _("One rule is asked for here: [[rule]] and its fields."),
        Flaw.TOO_LONG: _("It is too long: {about} signs at most."),
        Flaw.TOO_MANY: _("there are too many: {about} at most."),
        Flaw.UNKNOWN: _("there is no such rule."),
        Flaw.BROKEN: _("it does not go together with what is shipped."),
        Flaw.SHARED: _("too many patterns have “{about}” in them: 300 at most, in all rules together."),
        Flaw.SLOW: _("These rules are too slow: messages would take more than twice as long. Tried on: {about}"),
    }


def _flaws_of_rules() -> Mapping[Flaw, str]:
    return {
        Flaw.FIELD: _("a rule has no such field."),
        Flaw.VALUE: _("this field holds another kind of value: text, yes or no (true, false), a number, or a list."),
        Flaw.ID: _("an id has small letters, digits, _ and dots, and at most 60 signs."),
        Flaw.OTHER_ID: _("the id cannot change here. For another rule, add a new one."),
        Flaw.TAKEN: _("this id is taken."),
        Flaw.KIND: _("a kind is danger, idiom or guard."),
        Flaw.LEVEL: _("danger has a level of 1, 2 or 3; idiom and guard have none."),
        Flaw.CATEGORY: _("a category is one word of small letters and _."),
        Flaw.NOTE: _("a note says what the rule is for, in one line of at most {about} signs."),
        Flaw.NO_PATTERN: _("there is no pattern."),
        Flaw.PATTERN: _("this pattern cannot be read: {about}"),
        Flaw.CONCEPT: _("there is no concept {about}."),
        Flaw.POINTS: _("points are three whole numbers from -{about} to {about}."),
    }


def _flaws_of_examples() -> Mapping[Flaw, str]:
    return {
        Flaw.NO_EXAMPLE: _("give at least one example that must match."),
        Flaw.EXAMPLE: _("an example is one line of at most {about} signs."),
        Flaw.MATCH: _("its example must be found, and is not: “{about}”"),
        Flaw.NOT_MATCH: _("its example must not be found, and is: “{about}”"),
        Flaw.ORDINARY: _("its example must be ordinary, and is raised: “{about}”"),
        Flaw.NOT_SILENCE: _("its example must still be raised, and is not: “{about}”"),
    }
