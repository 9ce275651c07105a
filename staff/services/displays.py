"""Screens on a wall: a supervisor makes a link for one that stands where staff work, and ends it again.

The link's secret opens once. What the screen holds from then on is another one, which no person has seen.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q

from audit.services import record
from staff.core import HOURS, LOOKED_EVERY, Staff, display_lives
from staff.models import Display
from staff.permissions import Action, allowed_at_all


class NoDisplay(Exception):
    """Report that a secret shows nothing: unknown, spent, lapsed or ended, or its maker may do this no longer."""


@dataclass(frozen=True, slots=True)
class DisplayView:
    """Show a display without its secret, which nothing keeps."""

    id: UUID
    language: str
    made_by: str
    made_at: datetime
    ends_at: datetime
    opened_at: datetime | None
    seen_at: datetime | None


def make_display(*, actor: Staff, hours: int, now: datetime) -> str:
    """Let one screen show the shift for some hours, and return the secret of its link.

    Raises `PermissionDenied`, and `ValueError` for hours that are not among `HOURS`.
    """
    _check(actor)
    if hours not in HOURS:
        raise ValueError("A display stands for 1, 4, 8 or 12 hours.")
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        display = Display.objects.create(
            digest=_digest(secret),
            language=actor.language,
            made_by_id=actor.id,
            made_at=now,
            ends_at=now + timedelta(hours=hours),
        )
        _tell(str(actor), "display.made", display.pk, now)
    return secret


def open_display(*, secret: str, now: datetime) -> tuple[str, DisplayView]:
    """Let the screen in that brings a link's secret, once: return the secret that it holds from now on.

    Raises `NoDisplay`.
    """
    with transaction.atomic():
        rows = Display.objects.select_for_update(of=("self",)).select_related("made_by")
        display = rows.filter(digest=_digest(secret), opened_at=None).first()
        if display is None or not _lives(display, now):
            raise NoDisplay
        own = secrets.token_urlsafe(32)
        display.digest, display.opened_at, display.seen_at = _digest(own), now, now
        display.save(update_fields=["digest", "opened_at", "seen_at"])
        _tell("display", "display.opened", display.pk, now)
    return own, _view(display)


def display_for(secret: str, now: datetime) -> DisplayView:
    """Return the display that holds a secret: the only way in without a session. Raises `NoDisplay`.

    That it is there is noted once a minute, so that who ends displays sees which of them still hang.
    """
    display = Display.objects.select_related("made_by").filter(digest=_digest(secret)).first()
    if display is None or display.opened_at is None or not _lives(display, now):
        raise NoDisplay
    if display.seen_at is None or now - display.seen_at >= LOOKED_EVERY:
        Display.objects.filter(pk=display.pk).update(seen_at=now)
    return _view(display)


def end_display(*, actor: Staff, display_id: UUID, now: datetime) -> bool:
    """End a display, whoever made it; what it shows goes with its next look. False when there is nothing to end.

    Raises `PermissionDenied`.
    """
    _check(actor)
    with transaction.atomic():
        ended = Display.objects.filter(pk=display_id, ended_at=None).update(ended_at=now, ended_by_id=actor.id)
        if ended:
            _tell(str(actor), "display.ended", display_id, now)
    return bool(ended)


def displays_for(actor: Staff, now: datetime) -> tuple[DisplayView, ...]:
    """Return the displays that may still show something, the newest first, to who may end them.

    Raises `PermissionDenied`.
    """
    _check(actor)
    rows = Display.objects.select_related("made_by").filter(ended_at=None, ends_at__gt=now).order_by("-made_at", "pk")
    return tuple(_view(row) for row in rows if _lives(row, now))


def mend_displays(*, now: datetime) -> int:
    """Let no display stand longer than it was made for, after the machine's clock was set back; return how many did.

    How far it was set back is known by when the screen was there last, or the link was made.
    """
    with transaction.atomic():
        ahead = Display.objects.select_for_update().filter(Q(made_at__gt=now) | Q(seen_at__gt=now))
        for display in ahead:
            back = max(display.made_at, display.seen_at or display.made_at) - now
            display.made_at -= back
            display.ends_at -= back
            if display.opened_at is not None:
                display.opened_at, display.seen_at = display.opened_at - back, now
            display.save(update_fields=["made_at", "ends_at", "opened_at", "seen_at"])
    return len(ahead)


def forget_displays(*, now: datetime) -> int:
    """Remove the displays whose time is over, so that none comes back with a clock set back; the trail stays."""
    over = Display.objects.filter(ends_at__lte=now)
    # an idle worker does not take SQLite's one lock for writing
    return over.delete()[0] if over.exists() else 0


def _check(actor: Staff) -> None:
    if not allowed_at_all(actor.role, Action.SHOW_ON_WALL):
        raise PermissionDenied


def _lives(display: Display, now: datetime) -> bool:
    maker = display.made_by
    # with its maker's right a display ends as well, like a session
    return (
        display.ended_at is None
        and maker.is_active
        and allowed_at_all(maker.role, Action.SHOW_ON_WALL)
        and display_lives(display.made_at, display.opened_at, display.ends_at, now)
    )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _view(display: Display) -> DisplayView:
    return DisplayView(
        id=display.pk,
        language=display.language,
        made_by=display.made_by.work_name,
        made_at=display.made_at,
        ends_at=display.ends_at,
        opened_at=display.opened_at,
        seen_at=display.seen_at,
    )


def _tell(actor: str, action: str, display_id: UUID, now: datetime) -> None:
    record(actor=actor, action=action, subject=f"display:{display_id}", now=now)
