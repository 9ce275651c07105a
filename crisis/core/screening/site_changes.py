"""What was changed between two versions of a site's rules, rule by rule."""

from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from crisis.core.screening.signals import Points
from crisis.core.screening.site_rules import Shipped, SiteRules
from crisis.core.screening.site_writing import rule_text


class Changed(StrEnum):
    """Name what became of a rule between two versions."""

    ADDED = "added"  # a rule of the site's own
    REMOVED = "removed"
    CHANGED = "changed"
    BACK = "back"  # as shipped again
    POINTS = "points"
    OFF = "off"
    ON = "on"


@dataclass(frozen=True, slots=True)
class Change:
    """Show one change of a rule, with its text before and after; empty where there was none."""

    rule: str
    what: Changed
    before: str = ""
    after: str = ""


def changes(before: SiteRules, after: SiteRules, shipped: Shipped) -> list[Change]:
    """Return what was changed, by rule."""
    found = []
    for name in sorted({*chain(before.rules, after.rules, before.off, after.off, before.points, after.points)}):
        found.extend(_changes_of(name, before, after, shipped))
    return found


def _changes_of(name: str, before: SiteRules, after: SiteRules, shipped: Shipped) -> list[Change]:
    found = []
    theirs = shipped.rules.get(name)
    old, new = (site.rules.get(name, theirs) for site in (before, after))
    if old != new:
        what = Changed.CHANGED if old and new else Changed.ADDED if new else Changed.REMOVED
        if theirs is not None and new == theirs:
            what = Changed.BACK
        found.append(Change(name, what, *(rule_text(one) if one else "" for one in (old, new))))
    worths = [site.points.get(name, shipped.points.get(name)) for site in (before, after)]
    if old and new and worths[0] != worths[1]:
        texts = [_shown(one) for one in worths]
        found.append(Change(name, Changed.POINTS, *texts))
    if (name in before.off) != (name in after.off):
        found.append(Change(name, Changed.OFF if name in after.off else Changed.ON))
    return found


def _shown(worth: Points | None) -> str:
    return f"{worth.danger}, {worth.now}, {worth.threat}" if worth else ""
