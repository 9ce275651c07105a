"""What rules and signals mean, in the reader's language: their categories and notes; and why a message called."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from crisis.core.screening.result import WORDS
from crisis.core.screening.signals import SEVERAL_WORDS

LINE = re.compile(r"(?:“(?P<words>[^\n”]*)” · )?(?P<meaning>[^\n]+) \[(?P<rule>[a-z0-9_.]+)\]")
"""A line of what `crisis.cues.because` says."""


@dataclass(frozen=True, slots=True)
class Told:
    """Be why a message called for help, in words, and the ids of the rules and signals behind it."""

    text: str
    rules: tuple[str, ...] = ()


def told(reason: str) -> Told:
    """Return what the screener's reason says, without ids; one of an older kind as it is."""
    lines = [LINE.fullmatch(line) for line in reason.split("\n")]
    found = [line for line in lines if line is not None]
    if len(found) != len(lines):
        return Told(reason)
    last = len(found) > 1
    text = "\n".join(_in_words(line, last=last) for line in found)
    return Told(text, tuple(line["rule"] for line in found if line["rule"] != WORDS))


def _in_words(line: re.Match[str], *, last: bool) -> str:
    if line["rule"] == WORDS:
        return _("and the words in general") if last else _("the words in general")
    category = line["meaning"].replace(" ", "_")
    names = category_names()
    meaning = names[category] if category in names else note_name(line["meaning"])
    return f"“{line['words']}” · {meaning}" if line["words"] else meaning


def note_name(note: str) -> str:
    """Return a note in the reader's language where it is one that came with Havre, else as the site wrote it."""
    if not note:
        return ""
    single = note.removesuffix(SEVERAL_WORDS) + "." if note.endswith(SEVERAL_WORDS) else ""
    if single and _(single) != single:
        return _(single).rstrip(".") + _(", in several words.")
    return _(note)


def category_name(category: str) -> str:
    """Return a category in words; one that a site made up as it is written, with spaces."""
    return category_names().get(category, category.replace("_", " "))


def category_names() -> Mapping[str, str]:
    """Return the categories of the shipped rules and signals."""
    return {**danger_names(), **_of_signals()}


def danger_names() -> Mapping[str, str]:
    """Return the categories of danger that rules may be of."""
    return {
        "abduction": _("taken away"),
        "arrival": _("somebody is coming"),
        "assault": _("violence"),
        "client_expected": _("a client is expected"),
        "confined": _("locked in"),
        "control": _("control"),
        "cry_for_help": _("cry for help"),
        "debt_bondage": _("debt bondage"),
        "documents_held": _("papers are held"),
        "emergency_asked": _("asks for police or an ambulance"),
        "labour_exploitation": _("forced work"),
        "listening": _("somebody reads along"),
        "medical": _("medical emergency"),
        "minor_at_risk": _("a minor at risk"),
        "minor_exploited": _("a minor is exploited"),
        "overdose": _("overdose"),
        "possible": _("possible situation"),
        "sexual_exploitation": _("sexual exploitation"),
        "suicide": _("suicide"),
        "threat": _("threat"),
        "threat_to_family": _("threat to the family"),
        "threat_to_life": _("threat to life"),
        "weapon": _("weapon"),
    }


def _of_signals() -> Mapping[str, str]:
    return {
        "denied": _("denied"),
        "everyday": _("everyday things"),
        "family": _("family"),
        "imagined": _("imagined"),
        "over": _("long ago or over"),
        "people": _("who acts"),
        "time": _("when it happens"),
        "told": _("told for work or study"),
        "unopposed": _("nothing speaks against it"),
        WORDS: _("the words in general"),
    }
