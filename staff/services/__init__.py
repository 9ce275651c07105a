"""Changes to accounts, and to people's own state."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation

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


def mend_leases(*, now: datetime) -> None:
    """Count the silence of every console from now on that was last heard later: the clock was set back."""
    Availability.objects.filter(seen_at__gt=now).update(seen_at=now)


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


def set_spoken(*, username: str, languages: Sequence[str], now: datetime) -> bool:
    """Say in which languages somebody reads and writes with visitors; return whether that was news.

    Raises `BadAccount`.
    """
    if not languages or set(languages) - set(LANGUAGES):
        raise BadAccount(f"The languages are one or several of {', '.join(LANGUAGES)}.")
    speaks = " ".join(sorted(set(languages)))
    with transaction.atomic():
        user = _locked(username)
        if user.speaks == speaks:
            return False
        User.objects.filter(pk=user.pk).update(speaks=speaks)
        record(actor="command", action="account.languages", subject=f"staff:{user.pk}", now=now)
    return True


class BadAccount(Exception):
    """Report in one plain sentence why an account is not made or changed."""


@dataclass(frozen=True, slots=True)
class AccountView:
    """Show an account without anything secret."""

    username: str
    work_name: str
    role: str
    language: str
    capacity: int
    active: bool
    sample: bool


class Role(StrEnum):
    """Name what somebody may be; `staff/permissions.py` says what each may do."""

    ADVOCATE = "advocate"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    ANALYST = "analyst"


ROLES = tuple(role.value for role in Role)
HOLD_CONVERSATIONS = (Role.ADVOCATE, Role.SUPERVISOR)
LANGUAGES = ("en", "fr")
MOST_SEATS = 4
_USERNAME = re.compile(r"[\w.@-]{1,64}", re.ASCII)
_LONGEST_NAME = 40


def accounts() -> tuple[AccountView, ...]:
    """Return every account, in use or not."""
    fields = ("username", "work_name", "role", "language", "capacity", "is_active", "sample")
    return tuple(AccountView(*row) for row in User.objects.order_by("username").values_list(*fields))


def add_account(
    *, username: str, work_name: str, role: str, language: str, capacity: int, password: str, now: datetime
) -> int:
    """Make an account and return its id. Raises `BadAccount`."""
    _check_words(username, work_name)
    if role not in ROLES or language not in LANGUAGES or not 0 <= capacity <= MOST_SEATS:
        raise BadAccount("The role, the language or the number of conversations is none that Havre knows.")
    if User.objects.filter(username__iexact=username).exists():
        raise BadAccount(f"The name {username} is taken.")
    given = {"work_name": work_name, "role": role, "language": language, "capacity": capacity}
    _check_password(password, User(username=username, work_name=work_name))
    try:
        with transaction.atomic():
            user_id = User.objects.create_user(username, password, **given).pk  # type: ignore[arg-type]
            told = {"role": Role(role).value}
            record(actor="command", action="account.added", subject=f"staff:{user_id}", data=told, now=now)
    except IntegrityError:
        raise BadAccount(f"The name {username} is taken.") from None
    return user_id


def set_active(*, username: str, active: bool, now: datetime) -> bool:
    """Let somebody sign in, or not any more; what was signed in ends for good. False when it was so already."""
    with transaction.atomic():
        user = _locked(username)
        if user.is_active == active:
            return False
        user.is_active = active
        user.save(update_fields=["is_active"])
        if not active:
            _off_the_shift(user.pk, now)
            _end_sessions(user.pk)
        done = "account.enabled" if active else "account.disabled"
        record(actor="command", action=done, subject=f"staff:{user.pk}", now=now)
    return True


def set_role(*, username: str, role: str, now: datetime) -> bool:
    """Give somebody another role; False when it is theirs already. Raises `BadAccount`."""
    if role not in ROLES:
        raise BadAccount(f"A role is one of {', '.join(ROLES)}.")
    with transaction.atomic():
        user = _locked(username)
        before, user.role = user.role, role
        if before == role:
            return False
        user.save(update_fields=["role"])
        if role not in HOLD_CONVERSATIONS:
            _off_the_shift(user.pk, now)
        changed = {"from": Role(before).value, "to": Role(role).value}
        record(actor="command", action="account.role", subject=f"staff:{user.pk}", data=changed, now=now)
    return True


def set_password(*, username: str, password: str, now: datetime) -> None:
    """Give somebody a new password; who is signed in with the old one is signed out. Raises `BadAccount`."""
    with transaction.atomic():
        user = _locked(username)
        _check_password(password, user)
        user.set_password(password)
        user.save(update_fields=["password"])
        record(actor="command", action="account.password", subject=f"staff:{user.pk}", now=now)


def _check_words(username: str, work_name: str) -> None:
    if not _USERNAME.fullmatch(username):
        raise BadAccount("A name for signing in is 1 to 64 letters without accents, digits, or the signs . _ @ -")
    if not (work_name.strip() == work_name and 1 <= len(work_name) <= _LONGEST_NAME and work_name.isprintable()):
        raise BadAccount(f"The name that visitors see is 1 to {_LONGEST_NAME} signs that can be seen.")


def _check_password(password: str, user: User) -> None:
    try:
        with translation.override("en"):
            validate_password(password, user)
    except ValidationError as weak:
        raise BadAccount(" ".join(weak.messages)) from None


def _locked(username: str) -> User:
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        raise BadAccount(f"There is no account {username}.")
    return user


def _off_the_shift(user_id: int, now: datetime) -> None:
    Availability.objects.filter(pk=user_id).update(state="away", changed_at=now)


def _end_sessions(user_id: int) -> None:
    """Remove the sessions, which would live again with the account."""
    for session in Session.objects.all().iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user_id):
            session.delete()
