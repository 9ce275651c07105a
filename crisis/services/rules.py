"""Keep a new version of the screening rules: one command each, on the trail. What is kept was tried before."""

from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from audit.services import record
from chat.services import Done
from crisis.models import RuleVersion
from crisis.proving import Proved
from staff.core import Staff
from staff.permissions import Action, allowed_at_all

LONGEST_WHY = 300


class MovedOn(Exception):
    """Report that another version was made meanwhile; nothing was kept."""


class NoReason(ValueError):
    """Report that nobody said why, in one line of at most 300 signs."""


def keep_rules(*, actor: Staff, proved: Proved, why: str, after: int, now: datetime) -> Done[int]:
    """Make what was tried the version after `after`; the same rules again change nothing.

    Raises `PermissionDenied`, `NoReason`, and `MovedOn` when `after` is no longer the newest.
    """
    reason = _allowed(actor, why)
    with transaction.atomic():
        newest = _newest(after)
        if (newest.rules if newest else "") == proved.text:
            return Done(after)
        kept = _appended(newest, RuleVersion(rules=proved.text, why=reason, made_by_id=actor.id, made_at=now))
        data = {"after": after, "count": len(proved.site.rules)}
        record(actor=str(actor), action="rules.kept", subject=f"rules:{kept.pk}", data=data, now=now)
    return Done(kept.pk)


def roll_back(*, actor: Staff, proved: Proved, to: int, why: str, after: int, now: datetime) -> Done[int]:
    """Make the rules of an earlier version, which were tried anew, the newest; whether the site screens stays as it is.

    Raises what `keep_rules` raises.
    """
    reason = _allowed(actor, why)
    with transaction.atomic():
        newest = _newest(after)
        row = RuleVersion(rules=proved.text, why=reason, back_to=to, made_by_id=actor.id, made_at=now)
        kept = _appended(newest, row)
        record(actor=str(actor), action="rules.back", subject=f"rules:{kept.pk}", data={"to": to}, now=now)
    return Done(kept.pk)


def switch_screening(*, actor: Staff, on: bool, why: str, after: int, now: datetime) -> Done[int]:
    """Let the rules screen what visitors write, or not; a version of its own with the same rules.

    Raises what `keep_rules` raises.
    """
    reason = _allowed(actor, why)
    with transaction.atomic():
        newest = _newest(after)
        if newest and newest.screens is on:
            return Done(after)
        rules = newest.rules if newest else ""
        row = RuleVersion(rules=rules, screens=on, why=reason, made_by_id=actor.id, made_at=now)
        kept = _appended(newest, row)
        record(actor=str(actor), action="rules.switched", subject=f"rules:{kept.pk}", data={"on": on}, now=now)
    return Done(kept.pk)


def note_export(*, actor: Staff, number: int, now: datetime) -> None:
    """Put into the trail that somebody takes the site's rules along. Raises `PermissionDenied`."""
    if not allowed_at_all(actor.role, Action.SET_RULES):
        raise PermissionDenied
    record(actor=str(actor), action="rules.exported", subject=f"rules:{number}", now=now)


def _allowed(actor: Staff, why: str) -> str:
    if not allowed_at_all(actor.role, Action.SET_RULES):
        raise PermissionDenied
    reason = why.strip()
    if not reason or len(reason) > LONGEST_WHY or not reason.isprintable():
        raise NoReason
    return reason


def _newest(after: int) -> RuleVersion | None:
    row = RuleVersion.objects.order_by("-number").first()
    if (row.number if row else 0) != after:
        raise MovedOn
    return row


def _appended(newest: RuleVersion | None, row: RuleVersion) -> RuleVersion:
    row.number = newest.number + 1 if newest else 1
    if row.screens is None and newest:
        row.screens = newest.screens
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise MovedOn from None
    return row
