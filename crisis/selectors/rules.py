"""Reads of the screening rules that a site has of its own, and of their versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from crisis.core.screening.signals import NO_POINTS, Points
from crisis.core.screening.site_rules import Entry, Shipped, SiteRules
from crisis.models import RuleVersion

Standing = Literal["shipped", "changed", "own"]


@dataclass(frozen=True, slots=True)
class Newest:
    """Be the newest version: its number, whether the site screens (None: as the environment says), and its file."""

    number: int
    screens: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class VersionView:
    """Show a version of the rules; number 0 is what is shipped."""

    number: int
    text: str
    screens: bool | None
    why: str
    back_to: int | None
    made_by: str
    made_at: datetime | None


@dataclass(frozen=True, slots=True)
class RuleView:
    """Show one rule as it counts for the site: `ours` is the shipped one, if there is one."""

    id: str
    entry: Entry
    ours: Entry | None
    points: Points
    standing: Standing
    off: bool

    @property
    def kind(self) -> str:
        """Return what it is."""
        return str(self.entry.get("kind", "danger"))

    @property
    def level(self) -> int:
        """Return its level, 0 for what speaks against danger."""
        return int(self.entry.get("level", 0))

    @property
    def category(self) -> str:
        """Return its category."""
        return str(self.entry.get("category", ""))

    @property
    def note(self) -> str:
        """Return what it is about."""
        return str(self.entry.get("note", ""))


SHIPPED = VersionView(0, "", None, "", None, "", None)


def newest_version() -> tuple[int, bool | None]:
    """Return the number of the newest version and whether it screens; it is asked for every few seconds."""
    row = RuleVersion.objects.order_by("-number").values_list("number", "screens").first()
    return row or (0, None)


def newest_rules() -> Newest:
    """Return the newest version, number 0 before there is one."""
    row = RuleVersion.objects.order_by("-number").values_list("number", "screens", "rules").first()
    return Newest(*row) if row else Newest(0, None, "")


def rule_versions(most: int = 200) -> tuple[VersionView, ...]:
    """Return the versions, the newest first, and what is shipped at the end."""
    rows = RuleVersion.objects.select_related("made_by").order_by("-number")[:most]
    return (*map(_view, rows), SHIPPED)


def rule_version(number: int) -> VersionView | None:
    """Return one version, None where there is none."""
    if number == 0:
        return SHIPPED
    row = RuleVersion.objects.select_related("made_by").filter(number=number).first()
    return None if row is None else _view(row)


def rule_views(site: SiteRules, shipped: Shipped) -> tuple[RuleView, ...]:
    """Return every rule of the site, shipped and own, by id."""
    theirs, points = shipped.rules, shipped.points
    names = sorted({*theirs, *site.rules})
    return tuple(_rule_view(name, site, theirs.get(name), points) for name in names)


def _rule_view(name: str, site: SiteRules, ours: Entry | None, points: Mapping[str, Points]) -> RuleView:
    own = site.rules.get(name)
    standing: Standing = "own" if ours is None else "shipped"
    if ours is not None and ((own is not None and own != ours) or name in site.points):
        standing = "changed"
    worth = site.points.get(name, points.get(name, NO_POINTS))
    return RuleView(name, own or ours or {}, ours, worth, standing, name in site.off)


def _view(row: RuleVersion) -> VersionView:
    return VersionView(row.number, row.rules, row.screens, row.why, row.back_to, row.made_by.work_name, row.made_at)
