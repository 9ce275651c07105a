"""Rows of conversations. Columns and constraints only; no text of anybody in clear."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from chat.core.conversation import State
from chat.core.drills import MARKED
from chat.core.handles import new_handle
from chat.core.survey import WORST, Again, Helpful, Survey
from chat.row_id import RowId

_STATES = [state.value for state in State]
_SURVEYS = [survey.value for survey in Survey]
_HELPFUL, _AGAIN = ["", *(one.value for one in Helpful)], ["", *(one.value for one in Again)]


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
    # how long a transcript stays readable by readers after its close; `encryption.core.life` lists the choices
    keep_hours = models.PositiveSmallIntegerField(default=72)
    visitor_may_erase = models.BooleanField(default=True)
    # how many may wait at once; who comes then is told before anything is asked
    most_waiting = models.PositiveSmallIntegerField(default=500)
    interpreters_phone = models.CharField(max_length=40, default="", blank=True)
    # what people read who come for their work: a line each, "words | https://address" is a link
    for_work_en = models.TextField(default="", blank=True)
    for_work_fr = models.TextField(default="", blank=True)
    survey = models.CharField(max_length=12, default=Survey.OFF.value)
    # minutes for which a conversation may be paused, between which staff choose: "15,60"
    pause_minutes = models.CharField(max_length=24, default="15,60")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="one_site"),
            models.CheckConstraint(condition=Q(survey__in=_SURVEYS), name="known_survey"),
            models.CheckConstraint(condition=Q(keep_hours__in=[0, 24, 72, 720]), name="known_retention"),
        ]

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
    # no index of its own: the one with the state begins with it
    advocate = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="conversations", db_index=False
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
    # up to which of their own numbers the visitor's page holds the log, and up to which they looked at it
    visitor_delivered = models.PositiveBigIntegerField(default=0)
    visitor_read = models.PositiveBigIntegerField(default=0)
    # the visitor's number of the newest return by words, and whether nobody has said yet that it is the same person:
    # until then the visitor is shown nothing that stands before it
    return_seq = models.PositiveBigIntegerField(default=0)
    return_open = models.BooleanField(default=False)
    # how many returns there were since one was accepted: a second one means that two people may have the words
    return_times = models.PositiveIntegerField(default=0)
    # until when the visitor cannot write, and how long that was when it began, for clocks that are set back
    paused_until = models.DateTimeField(null=True)
    pause_minutes = models.PositiveSmallIntegerField(null=True)
    sealed_footer = models.BinaryField(null=True)
    erase_asked_at = models.DateTimeField(null=True)
    # when the sealed texts were removed, after nobody could open them any more
    purged_at = models.DateTimeField(null=True)
    # its mark if it is a drill, and who practises; a trigger refuses to change either
    drill = models.CharField(max_length=8, default="", db_default="", blank=True, editable=False)
    drill_for = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False, editable=False
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(drill="", drill_for__isnull=True) | Q(drill__in=MARKED, drill_for__isnull=False),
                name="a_drill_is_somebody_s",
            ),
            models.CheckConstraint(condition=Q(state__in=_STATES), name="known_state"),
            models.CheckConstraint(condition=Q(level__lte=4), name="known_level"),
            models.CheckConstraint(condition=Q(visitor_head__lte=F("staff_head")), name="staff_see_all"),
            models.CheckConstraint(condition=Q(return_seq__lte=F("visitor_head")), name="returns_are_in_the_log"),
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "abandoned"]) | Q(advocate__isnull=False), name="held_by_somebody"
            ),
            models.CheckConstraint(
                condition=Q(paused_until__isnull=True, pause_minutes__isnull=True)
                | Q(
                    paused_until__isnull=False,
                    pause_minutes__isnull=False,
                    pause_minutes__gte=1,
                    pause_minutes__lte=24 * 60,
                ),
                name="a_pause_ends_within_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "waiting_since"]),
            # what somebody holds, read for every list: not all that they ever held
            models.Index(fields=["advocate", "state"], name="held_by_somebody_now"),
        ]

    def __str__(self) -> str:
        return f"conversation {self.pk}"


class Event(models.Model):
    """Be one line of a conversation's append-only log: a message, a note, or a fact that pages put into words.

    `staff_seq` counts every line, `visitor_seq` only those that the visitor may see, so that a note leaves no gap.
    """

    id = RowId(primary_key=True)
    # no index of its own: both numberings begin with it, and each index is a page more that every text writes
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="events", db_index=False)
    staff_seq = models.PositiveBigIntegerField()
    visitor_seq = models.PositiveBigIntegerField(null=True)
    kind = models.CharField(max_length=8)
    code = models.CharField(max_length=24, default="", blank=True)
    level = models.PositiveSmallIntegerField(null=True)
    author_role = models.CharField(max_length=8)
    # nor has this: nobody looks for the lines of one person
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
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


class ReturnWords(models.Model):
    """Hold what the six words of a conversation are found and checked by; the words themselves stand nowhere."""

    conversation = models.OneToOneField(
        Conversation, primary_key=True, on_delete=models.CASCADE, related_name="return_words"
    )
    lookup = models.BinaryField(max_length=32, unique=True)
    salt = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=32)
    # in how many lanes they were hashed; the first were in four
    lanes = models.PositiveSmallIntegerField(default=4)
    tries = models.PositiveSmallIntegerField(default=0)
    given_at = models.DateTimeField()
    # set when the visitor left quickly; while the conversation runs they have no end
    until = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "return words"
        constraints = [models.CheckConstraint(condition=Q(tries__lt=5), name="five_wrong_tries_end_it")]

    def __str__(self) -> str:
        return f"return words of {self.pk}"


class CodeWord(models.Model):
    """Hold what visitor and advocate agreed on, so that either is known again; sealed with the conversation's key."""

    conversation = models.OneToOneField(
        Conversation, primary_key=True, on_delete=models.CASCADE, related_name="code_word"
    )
    sealed_text = models.BinaryField()
    author_role = models.CharField(max_length=8)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"code word of {self.pk}"


class Assignment(models.Model):
    """Record an offer and what came of it; history only, capacity is counted from conversations."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="assignments")
    advocate = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()
    offered = models.BooleanField()
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, default="", blank=True)

    class Meta:
        # of the last minutes and not of all years: lists and offers look for these each second
        indexes = [models.Index(fields=["outcome", "ended_at"], name="came_to_an_end_lately")]

    def __str__(self) -> str:
        return f"assignment {self.pk}"


class ReadMark(models.Model):
    """Hold how far somebody's pages have got, and how far they have read; unread is what lies beyond.

    Both move forward only.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="read_marks")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    up_to = models.PositiveBigIntegerField(default=0)
    delivered = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "user"], name="one_mark_each")]

    def __str__(self) -> str:
        return f"read mark {self.pk}"


class Reading(models.Model):
    """Record that a closed conversation was opened, and why; the reason is sealed under a key of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="readings")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    sealed_reason = models.BinaryField()

    def __str__(self) -> str:
        return f"reading {self.pk}"


class Hold(models.Model):
    """Keep a closed conversation readable through the day `until`: asked by one person, confirmed by another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="holds")
    until = models.DateField()
    sealed_reason = models.BinaryField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("asked_by")), name="two_people_hold"
            ),
            models.UniqueConstraint(fields=["conversation"], condition=Q(ended_at=None), name="one_hold_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"


class HoldEnd(models.Model):
    """Ask that a hold end before its day: by one person with a reason, done when another confirms.

    `closed_at` is when it was confirmed, withdrawn or lapsed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    hold = models.ForeignKey(Hold, on_delete=models.CASCADE, related_name="ends")
    sealed_reason = models.BinaryField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    withdrawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("asked_by")), name="two_people_end_a_hold"
            ),
            models.UniqueConstraint(fields=["hold"], condition=Q(closed_at=None), name="one_end_asked_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"hold end {self.pk}"


class Erasure(models.Model):
    """Record that somebody of staff had a conversation erased, and why; the reason outlives what was erased."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="erasures")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    sealed_reason = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation"], name="erased_once")]

    def __str__(self) -> str:
        return f"erasure {self.pk}"


class SurveyAnswer(models.Model):
    """Hold what one visitor answered when a chat was over: choices and numbers, no text, and no way back to the chat.

    `once` comes from the visitor's token, which no row holds; it keeps the same ticket from counting twice.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    once = models.BinaryField(max_length=32, unique=True)
    month = models.DateField()
    door = models.CharField(max_length=12)
    language = models.CharField(max_length=5)
    helpful = models.CharField(max_length=8, default="", blank=True)
    again = models.CharField(max_length=8, default="", blank=True)
    before = models.PositiveSmallIntegerField(null=True)
    after = models.PositiveSmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(month__day=1), name="a_month_and_no_day"),
            models.CheckConstraint(condition=Q(helpful__in=_HELPFUL), name="known_helpful"),
            models.CheckConstraint(condition=Q(again__in=_AGAIN), name="known_again"),
            models.CheckConstraint(condition=Q(before__isnull=True) | Q(before__lte=WORST), name="known_before"),
            models.CheckConstraint(condition=Q(after__isnull=True) | Q(after__lte=WORST), name="known_after"),
        ]

    def __str__(self) -> str:
        return f"survey answer {self.pk}"


class Watch(models.Model):
    """Hold since when rescues were looked for without a longer break, and when that was done last; one row."""

    since = models.DateTimeField()
    last = models.DateTimeField()

    class Meta:
        verbose_name_plural = "watches"
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="one_watch")]

    def __str__(self) -> str:
        return f"watch {self.pk}"


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
