"""Accounts of staff. A visitor is never one."""

import uuid
from typing import ClassVar, NoReturn

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.management.base import CommandError
from django.db import models


class UserManager(BaseUserManager["User"]):
    """Make accounts."""

    def create_user(self, username: str, password: str, *, work_name: str, role: str, **fields: object) -> "User":
        """Return a new account with a hashed password."""
        user = self.model(username=username, work_name=work_name, role=role, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, *_: object, **fields: object) -> NoReturn:
        """Say how accounts are made: Havre knows no superuser, and Django's command leaves no trail."""
        raise CommandError("Havre has no superuser, and nothing was made. Use: manage.py staff add")


class User(AbstractBaseUser):
    """Be a member of staff; `work_name` is chosen and is what visitors see."""

    username = models.CharField(max_length=64, unique=True)
    work_name = models.CharField(max_length=40)
    role = models.CharField(
        max_length=16,
        choices=[(role, role) for role in ("advocate", "supervisor", "administrator", "analyst")],
    )
    language = models.CharField(max_length=5, default="en")
    # languages they read and write with visitors, codes with a space between; none said means that of their pages
    speaks = models.CharField(max_length=40, default="", blank=True)
    capacity = models.PositiveSmallIntegerField(default=2)
    is_active = models.BooleanField(default=True)
    sample = models.BooleanField(default=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    """Django's own command asks for nothing more before the manager sends people to `staff add`."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=["advocate", "supervisor", "administrator", "analyst"]), name="known_role"
            ),
            models.CheckConstraint(condition=models.Q(capacity__lte=4), name="capacity_at_most_four"),
        ]

    def __str__(self) -> str:
        return f"user {self.pk}"

    @property
    def languages(self) -> frozenset[str]:
        """Return in which languages they read and write with visitors."""
        return frozenset(self.speaks.split()) or frozenset({self.language})


class Availability(models.Model):
    """Say whether somebody takes conversations; `seen_at` is renewed by their console's heartbeat."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="availability")
    state = models.CharField(max_length=8, default="away")
    changed_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=["ready", "busy", "away"]), name="known_readiness")
        ]

    def __str__(self) -> str:
        return f"availability of user {self.pk}"


class Display(models.Model):
    """Be a screen on a wall: the digest of the secret that it shows, who let it in and until when."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # SHA-256 of 256 random bits: no slow hash is needed for what cannot be guessed
    digest = models.BinaryField(max_length=32, unique=True)
    language = models.CharField(max_length=5)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    opened_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, ended_by__isnull=True)
                | models.Q(ended_at__isnull=False, ended_by__isnull=False),
                name="ended_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"display {self.pk}"
