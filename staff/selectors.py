"""Reads about people."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare

from staff.models import Availability, User

LEASE = timedelta(seconds=60)
"""A console that was not heard of for this long is gone; heartbeats come every 20 to 25 seconds."""


def signed_in_user(session_key: str | None, now: datetime) -> User | None:
    """Return the active user of a living session, else None; a changed password ends older sessions."""
    return signed_in_users([session_key], now).get(session_key) if session_key else None


def signed_in_users(session_keys: Collection[str], now: datetime) -> dict[str, User]:
    """Return the active user of each session that lives, in two queries however many there are."""
    sessions = Session.objects.filter(session_key__in=session_keys, expire_date__gt=now)
    held = {session.session_key: session.get_decoded() for session in sessions}
    ids = {data[SESSION_KEY] for data in held.values() if SESSION_KEY in data}
    users = {str(user.pk): user for user in User.objects.filter(pk__in=ids, is_active=True)}
    return {
        key: users[data[SESSION_KEY]]
        for key, data in held.items()
        if data.get(SESSION_KEY) in users and _same_password(users[data[SESSION_KEY]], data)
    }


def _same_password(user: User, held: dict[str, str]) -> bool:
    return constant_time_compare(held.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def ready_people(now: datetime) -> QuerySet[Availability]:
    """Return the availabilities of people who take conversations and whose console is alive."""
    return Availability.objects.select_related("user").filter(
        state="ready", seen_at__gt=now - LEASE, user__is_active=True, user__role__in=["advocate", "supervisor"]
    )


People = QuerySet[User]


def on_shift(now: datetime) -> People:
    """Return the people who hold conversations, are not away and whose console is alive."""
    return User.objects.filter(
        availability__state__in=["ready", "busy"],
        availability__seen_at__gt=now - LEASE,
        is_active=True,
        role__in=["advocate", "supervisor"],
    ).order_by("work_name", "pk")


def vanished_people(now: datetime, grace: timedelta) -> QuerySet[Availability]:
    """Return the availabilities of people whose console was not heard of for longer than `grace`."""
    return Availability.objects.select_related("user").filter(seen_at__lte=now - grace)


def readiness_of(user_id: int) -> str:
    """Return the declared readiness, `away` for somebody who never said."""
    row = Availability.objects.filter(pk=user_id).first()
    return row.state if row else "away"


def readiness() -> dict[int, str]:
    """Return what everybody declared, by account."""
    return dict(Availability.objects.values_list("user_id", "state"))


def work_names(ids: Collection[int]) -> dict[int, str]:
    """Return the work names of some accounts, in use or not."""
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "work_name"))
