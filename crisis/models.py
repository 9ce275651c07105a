"""Rows of escalations. Their reasons are sealed under a key of their own."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from chat.models import Conversation
from crisis.core.ladder import State


class Rung(models.Model):
    """Be what a site has set for one level of the ladder; a level without a row has the shipped times."""

    level = models.PositiveSmallIntegerField(primary_key=True)
    seconds = models.PositiveIntegerField()
    climbs = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=3), name="known_rung"),
            models.CheckConstraint(condition=Q(seconds__gte=15, seconds__lte=1800), name="a_clock_that_can_be_met"),
        ]

    def __str__(self) -> str:
        return f"level {self.level}"


class Escalation(models.Model):
    """Be one call for urgent help; `due_at` is its clock, and a column so that it survives a restart."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="escalations")
    level = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, default=State.RAISED.value)
    source = models.CharField(max_length=12, default="person")
    # null means that a rule raised it
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    client_id = models.CharField(max_length=32)
    sealed_reason = models.BinaryField()
    raised_level = models.PositiveSmallIntegerField()
    raised_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    climbs = models.PositiveIntegerField(default=0)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    acknowledged_at = models.DateTimeField(null=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    settled_at = models.DateTimeField(null=True)
    sealed_settlement = models.BinaryField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "client_id"], name="a_repeated_flag_is_harmless"),
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=4), name="known_escalation_level"),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in State]), name="known_escalation_state"
            ),
            models.CheckConstraint(
                condition=Q(source="person", raised_by__isnull=False) | Q(source="screening", raised_by__isnull=True),
                name="raised_by_a_person_or_a_rule",
            ),
            models.CheckConstraint(condition=~Q(source="screening") | Q(level__lte=3), name="no_rule_reaches_level_4"),
            # what nobody has acknowledged has a clock, whatever a service forgets
            models.CheckConstraint(
                condition=Q(state="raised", due_at__isnull=False) | ~Q(state="raised") & Q(due_at__isnull=True),
                name="raised_means_a_clock_runs",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["resolved", "stood_down"])
                | Q(settled_by__isnull=False, settled_at__isnull=False, sealed_settlement__isnull=False),
                name="settled_by_somebody_with_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"])]

    def __str__(self) -> str:
        return f"escalation {self.pk}"
