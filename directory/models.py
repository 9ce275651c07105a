"""Rows of the directory, in HSDS 3 names; ids are kept on import and export."""

import uuid

from django.db import models
from django.db.models import Q

from directory.core.visibility import Status, Visibility


class Organization(models.Model):
    """Be who offers services."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    website = models.URLField(default="", blank=True)
    sample = models.BooleanField(default=False)
    last_modified = models.DateTimeField()

    def __str__(self) -> str:
        return f"organization {self.pk}"


class Service(models.Model):
    """Be one service to refer to; `languages` holds codes and `areas` province codes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="services")
    name = models.CharField(max_length=120)
    description_en = models.TextField(default="", blank=True)
    description_fr = models.TextField(default="", blank=True)
    status = models.CharField(max_length=20, default=Status.ACTIVE.value)
    phone = models.CharField(max_length=40, default="", blank=True)
    url = models.URLField(default="", blank=True)
    email = models.EmailField(default="", blank=True)
    languages = models.JSONField(default=list)
    areas = models.JSONField(default=list)
    visibility = models.CharField(max_length=12, default=Visibility.STAFF.value)
    last_modified = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in Status]), name="known_service_status"
            ),
            models.CheckConstraint(
                condition=Q(visibility__in=[one.value for one in Visibility]), name="known_visibility"
            ),
        ]

    def __str__(self) -> str:
        return f"service {self.pk}"
