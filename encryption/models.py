"""Wrapped keys, public keys and locked slots. Nothing in here opens without something that is kept elsewhere."""

from django.db import models
from django.db.models import Q


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
    """Hold a data key wrapped one way: `op` for daily work, `archive` for readers until `expires`, `hold` beyond it."""

    data_key = models.ForeignKey(DataKey, on_delete=models.CASCADE, related_name="wraps")
    kind = models.CharField(max_length=12)
    epoch = models.CharField(max_length=40, db_index=True)
    recipient = models.CharField(max_length=20, default="", blank=True)
    expires = models.DateField(null=True)
    blob = models.BinaryField(max_length=4_096)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["data_key", "kind"], name="one_wrap_per_kind")]

    def __str__(self) -> str:
        return f"wrap {self.pk}"


class ArchiveKey(models.Model):
    """Hold a month's public archive key, signed by the site's offline root; its secret is only with readers."""

    name = models.CharField(max_length=20, primary_key=True)
    public = models.BinaryField(max_length=1_216)
    signature = models.BinaryField(max_length=64)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"archive key {self.name}"


class RecoveryKey(models.Model):
    """Hold the organisation's public recovery key; its secret is split among three people and lies offline.

    `drill` is the digest of the answer that only two of the three can find; `tested_at` is when it was last found.
    """

    name = models.CharField(max_length=20, primary_key=True)
    public = models.BinaryField(max_length=1_216)
    signature = models.BinaryField(max_length=64)
    created_at = models.DateTimeField()
    drill = models.BinaryField(max_length=32, null=True)
    tested_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"recovery key {self.name}"


class Reader(models.Model):
    """Be a member of staff who can open the archive, once the root has signed their public key.

    `user_id` is no foreign key: this room knows no accounts. A revoked reader's row stays for the trail, without slots.
    """

    user_id = models.BigIntegerField()
    public = models.BinaryField(max_length=1_216)
    signature = models.BinaryField(max_length=64, null=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user_id"], condition=Q(revoked_at__isnull=True), name="one_reader_key_per_person"
            )
        ]

    def __str__(self) -> str:
        return f"reader {self.pk}"


class ReaderSlot(models.Model):
    """Hold a reader's secret locked one way: by phrase, printed code or passkey."""

    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, related_name="slots")
    kind = models.CharField(max_length=8)
    salt = models.BinaryField(max_length=16)
    memory_kib = models.PositiveIntegerField(null=True)
    passes = models.PositiveSmallIntegerField(null=True)
    lanes = models.PositiveSmallIntegerField(null=True)
    credential = models.BinaryField(max_length=1_023, null=True)
    blob = models.BinaryField(max_length=1_024)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=["phrase", "code", "passkey"]), name="known_slot_kind"),
            models.UniqueConstraint(
                fields=["reader", "kind"], condition=~Q(kind="passkey"), name="one_phrase_and_one_code"
            ),
        ]

    def __str__(self) -> str:
        return f"slot {self.pk}"


class Grant(models.Model):
    """Hold the secret of an archive key, sealed to one reader or to the recovery key."""

    archive_key = models.ForeignKey(ArchiveKey, on_delete=models.CASCADE, related_name="grants")
    reader = models.ForeignKey(Reader, null=True, on_delete=models.CASCADE, related_name="grants")
    recovery = models.ForeignKey(RecoveryKey, null=True, on_delete=models.CASCADE, related_name="grants")
    blob = models.BinaryField(max_length=2_048)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(reader__isnull=True, recovery__isnull=False)
                | Q(reader__isnull=False, recovery__isnull=True),
                name="granted_to_one",
            ),
            models.UniqueConstraint(fields=["archive_key", "reader"], name="one_grant_per_reader"),
            models.UniqueConstraint(fields=["archive_key", "recovery"], name="one_grant_per_recovery_key"),
        ]

    def __str__(self) -> str:
        return f"grant {self.pk}"
