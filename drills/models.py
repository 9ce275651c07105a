"""Rows of drills: which script runs in which conversation, how far it is, and what came of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from chat.models import Conversation
from drills.core.ending import Why


class Drill(models.Model):
    """Be one scripted visitor in one conversation. `taken_until` is the lease of the worker that moves it.

    `summary` holds the goals and moments once it is over, in the words of the script: nothing that anybody wrote.
    """

    conversation = models.OneToOneField(Conversation, primary_key=True, on_delete=models.PROTECT, related_name="+")
    script = models.CharField(max_length=40)
    language = models.CharField(max_length=5)
    title = models.CharField(max_length=80)
    trainee = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField()
    ends_by = models.DateTimeField()
    # the visitor's token and, once they have them, their words, under the conversation's key
    sealed_visitor = models.BinaryField()
    step = models.CharField(max_length=40)
    done = models.PositiveSmallIntegerField(default=0)
    since = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()
    # whether the visitor has left quickly and may come back
    away = models.BooleanField(default=False)
    path = models.JSONField(default=list)
    taken_until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_why = models.CharField(max_length=12, default="", blank=True)
    first_reply_seconds = models.PositiveIntegerField(null=True)
    summary = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trainee"], condition=Q(ended_at=None), name="one_drill_at_a_time"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_why="")
                | Q(ended_at__isnull=False, ended_why__in=[why.value for why in Why]),
                name="a_drill_ends_for_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["ended_at", "started_at"], name="drills_by_end")]

    def __str__(self) -> str:
        return f"drill {self.pk}"
