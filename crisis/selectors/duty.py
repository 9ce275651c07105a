"""Reads of the table that says when the law asks for a report: one table, for the card and for who calls."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from crisis.core.duty import SHIPPED, Duty, Province
from crisis.models import DutyRow
from staff.core import Staff
from staff.permissions import Action, allowed_at_all

FIELDS = tuple(Duty.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class DutyVersion:
    """Show one version of a row; version 0 is what is shipped."""

    version: int
    duty: Duty
    set_by: str
    set_at: datetime | None


def duties() -> dict[Province, Duty]:
    """Return what the site says about each province, and what is shipped where it has said nothing."""
    newest: dict[str, DutyRow] = {}
    for row in DutyRow.objects.order_by("version"):
        newest[row.province] = row
    return {
        province: duty_of(newest[province]) if province in newest else SHIPPED.get(province, Duty())
        for province in Province
    }


def newest_version(province: Province) -> int:
    """Return the number of the newest version of a row, 0 while nobody has kept one."""
    return DutyRow.objects.filter(province=province).aggregate(newest=Max("version"))["newest"] or 0


def versions_for(actor: Staff, province: Province) -> tuple[DutyVersion, ...]:
    """Return every version of a row to who may change it, the newest first; nothing for anybody else."""
    if not allowed_at_all(actor.role, Action.EDIT_DUTY):
        return ()
    rows = DutyRow.objects.select_related("set_by").filter(province=province).order_by("-version")
    kept = tuple(DutyVersion(row.version, duty_of(row), row.set_by.work_name, row.set_at) for row in rows)
    return (*kept, DutyVersion(0, SHIPPED.get(province, Duty()), "", None))


def duty_of(row: DutyRow) -> Duty:
    """Return what a row says."""
    return Duty(**{field: getattr(row, field) for field in FIELDS})
