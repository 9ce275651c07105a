"""Rows of escalations. Their reasons are sealed under a key of their own."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from chat.models import Conversation
from crisis.core.duty import LONGEST_NAME, LONGEST_NUMBER, LONGEST_WORDS, Province
from crisis.core.external import Agency
from crisis.core.ladder import Pages, State
from crisis.core.notice import Way
from crisis.core.paging import DeliveryState, Kind, PagingState
from crisis.core.unspoken import BY_PEOPLE, Source

_PEOPLE = sorted(source.value for source in BY_PEOPLE)
_RULES = sorted(source.value for source in Source if source not in BY_PEOPLE)


class Rung(models.Model):
    """Be what a site has set for one level of the ladder; a level without a row has the shipped times."""

    level = models.PositiveSmallIntegerField(primary_key=True)
    seconds = models.PositiveIntegerField()
    climbs = models.BooleanField()
    aloud = models.BooleanField(default=True)
    pages = models.CharField(max_length=12)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=3), name="known_rung"),
            models.CheckConstraint(condition=Q(pages__in=[one.value for one in Pages]), name="known_time_to_page"),
            models.CheckConstraint(
                condition=Q(level__lt=3) | Q(aloud=True) & ~Q(pages="never"), name="level_3_is_never_silent"
            ),
            models.CheckConstraint(
                condition=Q(climbs=True) | ~Q(pages="never"), name="what_does_not_climb_pages_somebody"
            ),
            models.CheckConstraint(condition=Q(seconds__gte=15, seconds__lte=1800), name="a_clock_that_can_be_met"),
        ]

    def __str__(self) -> str:
        return f"level {self.level}"


class Silence(models.Model):
    """Be after how many seconds of silence somebody in danger calls for help, as a site has set it; one row."""

    seconds = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="one_silence"),
            models.CheckConstraint(condition=Q(seconds__gte=60, seconds__lte=1800), name="a_silence_that_is_one"),
        ]

    def __str__(self) -> str:
        return f"silence {self.pk}"


class Escalation(models.Model):
    """Be one call for urgent help; `due_at` is its clock, and a column so that it survives a restart."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.PROTECT, related_name="escalations")
    level = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, default=State.RAISED.value)
    source = models.CharField(max_length=12, default=Source.PERSON.value)
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
                condition=Q(source__in=_PEOPLE, raised_by__isnull=False) | Q(source__in=_RULES, raised_by__isnull=True),
                name="raised_by_a_person_or_a_rule",
            ),
            models.CheckConstraint(condition=~Q(source__in=_RULES) | Q(level__lte=3), name="no_rule_reaches_level_4"),
            models.CheckConstraint(condition=Q(level__lte=3) | ~Q(state="raised"), name="no_clock_runs_at_level_4"),
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


class OnCallTarget(models.Model):
    """Be one place where somebody on call is paged. Its address and its secret are sealed under a key of its own."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=40)
    way = models.CharField(max_length=8)
    # the host alone, so that a list needs no key
    shown = models.CharField(max_length=255)
    sealed_address = models.BinaryField()
    sealed_secret = models.BinaryField(null=True)
    wait_seconds = models.PositiveIntegerField()
    place = models.PositiveIntegerField()
    # counts its changes, so that of two people who change it at once the second one is told
    # known to the database, so that a process of the version before can still add one
    version = models.PositiveIntegerField(default=1, db_default=1)

    class Meta:
        ordering = ["place", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(way__in=[way.value for way in Way]), name="known_way_to_page"),
            models.CheckConstraint(
                condition=Q(wait_seconds__gte=15, wait_seconds__lte=1800), name="a_wait_that_can_be_met"
            ),
            models.CheckConstraint(
                condition=Q(way="webhook", sealed_secret__isnull=False) | Q(way="mail", sealed_secret__isnull=True),
                name="a_webhook_is_signed",
            ),
        ]

    def __str__(self) -> str:
        return f"target {self.pk}"


class Paging(models.Model):
    """Be one way through the targets, for an escalation or for a test. Its row lock guards its deliveries as well."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    escalation = models.ForeignKey(Escalation, null=True, on_delete=models.CASCADE, related_name="pagings")
    kind = models.CharField(max_length=12)
    level = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=12, default=PagingState.CALLING.value)
    reached = models.BooleanField(default=False)
    begun_at = models.DateTimeField()
    # when the next target's turn comes; null while a delivery is on its way
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=[kind.value for kind in Kind]), name="known_paging_kind"),
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in PagingState]), name="known_paging_state"
            ),
            models.CheckConstraint(
                condition=Q(kind="test", escalation__isnull=True)
                | Q(kind__in=["escalation", "drill"], escalation__isnull=False),
                name="paged_for_an_escalation_or_a_test",
            ),
            models.UniqueConstraint(
                fields=["escalation"], condition=Q(state="calling"), name="one_paging_at_a_time_for_an_escalation"
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"]), models.Index(fields=["escalation", "-begun_at"])]

    def __str__(self) -> str:
        return f"paging {self.pk}"


class Delivery(models.Model):
    """Be the page to one target; `due_at` is also the lease of the worker that is trying it."""

    paging = models.ForeignKey(Paging, on_delete=models.CASCADE, related_name="deliveries")
    target = models.ForeignKey(OnCallTarget, null=True, on_delete=models.SET_NULL, related_name="+")
    target_name = models.CharField(max_length=40)
    state = models.CharField(max_length=8, default=DeliveryState.DUE.value)
    tries = models.PositiveSmallIntegerField(default=0)
    # the last status or code of an error, and nothing else of what the far end said
    result = models.CharField(max_length=16, default="", blank=True)
    due_at = models.DateTimeField()
    # when its latest try left; those that travel together have the same time
    left_at = models.DateTimeField(null=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=[state.value for state in DeliveryState]), name="known_delivery_state"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_at"]),
            models.Index(fields=["target", "left_at"]),
            models.Index(fields=["at"]),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}"


class ExternalNotification(models.Model):
    """Be the record that somebody outside is told because of an escalation: proposed, confirmed, told, contact made.

    Why stands in the escalation; everything that somebody wrote is sealed under its key, which outlives the
    conversation's. It is a task until contact is confirmed.
    """

    escalation = models.OneToOneField(Escalation, primary_key=True, on_delete=models.PROTECT, related_name="external")
    agency = models.CharField(max_length=16)
    province = models.CharField(max_length=2, default="", blank=True)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    sealed_consulted = models.BinaryField(null=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    sealed_told = models.BinaryField(null=True)
    sealed_worker = models.BinaryField(null=True)
    told_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    # when they were told, which in an emergency is before anybody had the time to confirm
    told_at = models.DateTimeField(null=True)
    contact_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    contact_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(agency__in=[one.value for one in Agency]), name="known_agency"),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_by__isnull=False, confirmed_at__isnull=False) & ~Q(confirmed_by=F("proposed_by")),
                name="two_people_decide",
            ),
            models.CheckConstraint(
                condition=Q(told_by__isnull=True, told_at__isnull=True, sealed_told__isnull=True)
                | Q(told_by__isnull=False, told_at__isnull=False, sealed_told__isnull=False),
                name="told_by_somebody_at_some_time",
            ),
            models.CheckConstraint(
                condition=Q(contact_by__isnull=True, contact_at__isnull=True)
                | Q(contact_by__isnull=False, contact_at__isnull=False, told_at__isnull=False)
                & Q(confirmed_at__isnull=False),
                name="contact_follows_a_call",
            ),
        ]

    def __str__(self) -> str:
        return f"external notification of {self.escalation_id}"


class DutyRow(models.Model):
    """Be one version of what a site says about a province; the newest counts, none is ever changed or removed."""

    province = models.CharField(max_length=2)
    version = models.PositiveIntegerField()
    must_under = models.PositiveSmallIntegerField(null=True)
    may_under = models.PositiveSmallIntegerField(null=True)
    agency_en = models.CharField(max_length=LONGEST_NAME, default="", blank=True)
    agency_fr = models.CharField(max_length=LONGEST_NAME, default="", blank=True)
    phone = models.CharField(max_length=LONGEST_NUMBER, default="", blank=True)
    phone_always = models.CharField(max_length=LONGEST_NUMBER, default="", blank=True)
    words_en = models.CharField(max_length=LONGEST_WORDS, default="", blank=True)
    words_fr = models.CharField(max_length=LONGEST_WORDS, default="", blank=True)
    checked_on = models.DateField(null=True)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(province__in=[one.value for one in Province]), name="known_province"),
            models.UniqueConstraint(fields=["province", "version"], name="one_row_for_each_version"),
        ]

    def __str__(self) -> str:
        return f"duty to report in {self.province}, version {self.version}"


class RuleVersion(models.Model):
    """Be one version of the screening rules that a site has of its own; the newest counts, none is changed or removed.

    Before the first one there are the shipped rules alone, and `HAVRE_SCREENING` says whether they screen.
    """

    number = models.PositiveIntegerField(primary_key=True)
    # the whole file, so that a version stands by itself: no visitor's words belong in it
    rules = models.TextField(blank=True)
    # null: as the environment says
    screens = models.BooleanField(null=True)
    why = models.CharField(max_length=300)
    back_to = models.PositiveIntegerField(null=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(number__gte=1), name="versions_begin_at_1")]

    def __str__(self) -> str:
        return f"version {self.number} of the rules"
