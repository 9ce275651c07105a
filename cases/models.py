"""Rows of contacts and cases. They outlive the conversation, so nothing here points to one by a foreign key."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from cases.core.contact import CaseStatus, ContactType, Disposition
from cases.core.timeline import Code


class Case(models.Model):
    """Be the follow-up of one situation, over as many contacts as it takes; `level` is the highest it has seen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    handle = models.CharField(max_length=24)
    status = models.CharField(max_length=16, default=CaseStatus.ACTIVE.value)
    level = models.PositiveSmallIntegerField(default=0)
    opened_at = models.DateTimeField()
    # of a drill: in no figure, and removed after some weeks
    drill = models.BooleanField(default=False, db_default=False, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in CaseStatus]), name="known_case_status"
            ),
            models.CheckConstraint(condition=Q(level__lte=4), name="known_case_level"),
        ]

    def __str__(self) -> str:
        return f"case {self.pk}"


class Contact(models.Model):
    """Be the lasting, minimal record of one conversation; its summary is sealed under a key of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation_id = models.UUIDField(unique=True)
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="contacts")
    door = models.CharField(max_length=12)
    language = models.CharField(max_length=5)
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=12, default="", blank=True)
    contact_type = models.CharField(max_length=24, default="", blank=True)
    disposition = models.CharField(max_length=24, default="", blank=True)
    case_identified = models.BooleanField(default=False)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(null=True)
    sealed_summary = models.BinaryField(null=True)
    drill = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(contact_type__in=["", *(kind.value for kind in ContactType)]), name="known_contact_type"
            ),
            models.CheckConstraint(
                condition=Q(disposition__in=["", *(outcome.value for outcome in Disposition)]),
                name="known_disposition",
            ),
            models.CheckConstraint(
                condition=Q(recorded_at__isnull=True)
                | Q(recorded_by__isnull=False) & ~Q(contact_type="") & ~Q(disposition=""),
                name="recorded_by_somebody_in_full",
            ),
        ]

    def __str__(self) -> str:
        return f"contact {self.pk}"


class Entry(models.Model):
    """Be one dated line about a contact or a case; `source_item` is the outbox item that made it, once."""

    contact = models.ForeignKey(Contact, null=True, on_delete=models.PROTECT, related_name="entries")
    case = models.ForeignKey(Case, null=True, on_delete=models.PROTECT, related_name="entries")
    code = models.CharField(max_length=32)
    at = models.DateTimeField()
    level = models.PositiveSmallIntegerField(null=True)
    author_id = models.BigIntegerField(null=True)
    author_name = models.CharField(max_length=40, default="", blank=True)
    source_item = models.BigIntegerField(null=True, unique=True)
    sealed_body = models.BinaryField(null=True)

    class Meta:
        verbose_name_plural = "entries"
        constraints = [
            models.CheckConstraint(
                condition=Q(contact__isnull=False) | Q(case__isnull=False), name="an_entry_is_about_something"
            ),
            models.CheckConstraint(
                condition=Q(sealed_body__isnull=True) | Q(case__isnull=False), name="texts_are_under_the_case_key"
            ),
            models.CheckConstraint(condition=Q(code__in=sorted(code.value for code in Code)), name="known_entry_code"),
        ]

    def __str__(self) -> str:
        return f"entry {self.pk}"
