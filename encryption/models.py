"""Wrapped data keys. The key of a row is useless without the provider's key of its epoch."""

from django.db import models


class DataKey(models.Model):
    """Stand for one subject's data key; the commitment tells whether an unwrapped key is the right one."""

    subject_kind = models.CharField(max_length=20)
    subject_id = models.UUIDField()
    commitment = models.BinaryField(max_length=32)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject_kind", "subject_id"], name="one_key_per_subject")]

    def __str__(self) -> str:
        return f"data key {self.pk}"


class Wrap(models.Model):
    """Hold a data key wrapped for one recipient: today the operational key of a day."""

    data_key = models.ForeignKey(DataKey, on_delete=models.CASCADE, related_name="wraps")
    kind = models.CharField(max_length=12)
    epoch = models.CharField(max_length=40)
    blob = models.BinaryField(max_length=4_096)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["data_key", "kind"], name="one_wrap_per_kind")]

    def __str__(self) -> str:
        return f"wrap {self.pk}"
