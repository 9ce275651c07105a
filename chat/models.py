"""Rows of conversations. Columns and constraints only; no text of anybody in clear."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from chat.core.conversation import State
from chat.core.handles import new_handle

_STATES = [state.value for state in State]


class Site(models.Model):
    """Hold what a site sets for its visitors; one row."""

    name = models.CharField(max_length=80)
    phone = models.CharField(max_length=40)
    emergency = models.CharField(max_length=20)
    exit_url_en = models.URLField()
    exit_url_fr = models.URLField()
    page_title_en = models.CharField(max_length=40)
    page_title_fr = models.CharField(max_length=40)
    open = models.BooleanField(default=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_site")]

    def __str__(self) -> str:
        return f"site {self.pk}"


class Conversation(models.Model):
    """Be one live conversation; `staff_head` and `visitor_head` are the newest numbers of its two numberings."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # SHA-256 of 256 random bits: no slow hash is needed for what cannot be guessed
    token_digest = models.BinaryField(max_length=32, unique=True)
    state = models.CharField(max_length=10, default=State.WAITING)
    door = models.CharField(max_length=12, default="not_said")
    language = models.CharField(max_length=5)
    handle = models.CharField(max_length=24, default=new_handle)
    level = models.PositiveSmallIntegerField(default=0)
    advocate = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="conversations"
    )
    offer_until = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    waiting_since = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=12, default="", blank=True)
    visitor_seen_at = models.DateTimeField()
    last_visitor_at = models.DateTimeField(null=True)
    last_staff_at = models.DateTimeField(null=True)
    staff_head = models.PositiveBigIntegerField(default=0)
    visitor_head = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=_STATES), name="known_state"),
            models.CheckConstraint(condition=Q(level__lte=4), name="known_level"),
            models.CheckConstraint(condition=Q(visitor_head__lte=F("staff_head")), name="staff_see_all"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "abandoned"]) | Q(advocate__isnull=False), name="held_by_somebody"
            ),
        ]
        indexes = [models.Index(fields=["state", "waiting_since"])]

    def __str__(self) -> str:
        return f"conversation {self.pk}"


class Event(models.Model):
    """Be one line of a conversation's append-only log: a message, a note, or a fact that pages put into words.

    `staff_seq` counts every line, `visitor_seq` only those that the visitor may see, so that a note leaves no gap.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="events")
    staff_seq = models.PositiveBigIntegerField()
    visitor_seq = models.PositiveBigIntegerField(null=True)
    kind = models.CharField(max_length=8)
    code = models.CharField(max_length=24, default="", blank=True)
    level = models.PositiveSmallIntegerField(null=True)
    author_role = models.CharField(max_length=8)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    sender = models.CharField(max_length=24)
    client_id = models.CharField(max_length=32, null=True)  # noqa: DJ001 - NULLs do not collide, blanks would
    sealed_body = models.BinaryField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "staff_seq"], name="staff_numbers_are_unique"),
            models.UniqueConstraint(fields=["conversation", "visitor_seq"], name="visitor_numbers_are_unique"),
            models.UniqueConstraint(fields=["conversation", "sender", "client_id"], name="a_repeat_is_harmless"),
            models.CheckConstraint(condition=Q(kind__in=["message", "note", "fact"]), name="known_kind"),
            models.CheckConstraint(
                condition=Q(kind="note", visitor_seq__isnull=True)
                | Q(kind="message", visitor_seq__isnull=False)
                | Q(kind="fact"),
                name="notes_are_for_staff",
            ),
            models.CheckConstraint(
                condition=Q(kind="fact", sealed_body__isnull=True) | ~Q(kind="fact") & Q(sealed_body__isnull=False),
                name="texts_are_sealed",
            ),
        ]

    def __str__(self) -> str:
        return f"event {self.pk}"


class Assignment(models.Model):
    """Record an offer and what came of it; history only, capacity is counted from conversations."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="assignments")
    advocate = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()
    offered = models.BooleanField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, default="", blank=True)

    def __str__(self) -> str:
        return f"assignment {self.pk}"


class ReadMark(models.Model):
    """Hold how far somebody has read; moves forward only, and unread is what lies beyond."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="read_marks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    up_to = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "user"], name="one_mark_each")]

    def __str__(self) -> str:
        return f"read mark {self.pk}"


class OutboxItem(models.Model):
    """Hold what must cross to another room exactly once: codes and ids, never a text."""

    topic = models.CharField(max_length=40)
    conversation_id = models.UUIDField()
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    dead = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["delivered_at", "dead", "due_at"])]

    def __str__(self) -> str:
        return f"outbox item {self.pk}"
