"""Changes to people's own state."""

from datetime import datetime

from django.db import transaction

from audit.services import record
from staff.models import Availability, User


def set_availability(*, user_id: int, state: str, now: datetime) -> None:
    """Declare whether somebody takes conversations; counts as a sign of life."""
    with transaction.atomic():
        Availability.objects.update_or_create(
            user_id=user_id, defaults={"state": state, "changed_at": now, "seen_at": now}
        )
        record(actor=f"staff:{user_id}", action=f"availability.{state}", subject=f"staff:{user_id}", now=now)


def renew_lease(*, user_id: int, now: datetime) -> None:
    """Note that somebody's console is alive."""
    if not Availability.objects.filter(pk=user_id).update(seen_at=now):
        Availability.objects.get_or_create(user_id=user_id, defaults={"changed_at": now, "seen_at": now})


def note_sign_in(*, user_id: int, now: datetime) -> None:
    """Put a sign-in into the trail."""
    record(actor=f"staff:{user_id}", action="signed_in", subject=f"staff:{user_id}", now=now)


def note_refused_sign_in(*, now: datetime) -> None:
    """Put a refused sign-in into the trail, without the name: people type passwords into that field."""
    record(actor="unknown", action="sign_in_refused", subject="site", now=now)


def sign_off(*, user_id: int, now: datetime) -> None:
    """Take somebody off the shift, as signing out does."""
    with transaction.atomic():
        Availability.objects.filter(pk=user_id).update(state="away", changed_at=now)
        record(actor=f"staff:{user_id}", action="signed_out", subject=f"staff:{user_id}", now=now)


def set_language(*, user_id: int, language: str, now: datetime) -> None:
    """Choose the language of somebody's pages."""
    with transaction.atomic():
        User.objects.filter(pk=user_id).update(language=language)
        record(actor=f"staff:{user_id}", action=f"language.{language}", subject=f"staff:{user_id}", now=now)
