"""The trail: one row per event, each holding the digest of the one before it. Nothing here is ever changed."""

from django.db import models


class AuditEvent(models.Model):
    """Record that somebody did something; names no visitor and holds no text that anybody wrote."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    action = models.CharField(max_length=80)
    subject = models.CharField(max_length=120)
    data = models.JSONField(default=dict)
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32, unique=True)

    class Meta:
        indexes = [models.Index(fields=["subject", "action"])]

    def __str__(self) -> str:
        return f"audit event {self.pk}"


class AuditHead(models.Model):
    """Hold the newest digest in the one row that a writer locks, so that the chain never forks."""

    digest = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return "audit head"
