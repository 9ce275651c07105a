"""Mend what a clock that was set back leaves behind: times that nobody would live to see."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F

from chat.core.conversation import OPEN, State
from chat.core.routing import OFFER_LASTS
from chat.models import Assignment, Conversation, Watch
from chat.services.base import Done
from staff.services import mend_leases


def mend_set_back(*, now: datetime) -> Done[int]:
    """Bring every time that lies further ahead than it can back to what it would be if it were noted now.

    Offers then lapse, silence counts from now, and who declined is asked again, as if the clock had only stood still.
    Call it when a clock was seen to go back: to do so whenever times look too late would take conversations from people
    whose machine's clock is fast. Doing it twice changes nothing more.
    """
    until = now + OFFER_LASTS
    with transaction.atomic():
        offers = Conversation.objects.filter(state=State.OFFERED, offer_until__gt=until).update(offer_until=until)
        Conversation.objects.filter(state__in=OPEN, visitor_seen_at__gt=now).update(visitor_seen_at=now)
        _mend_writing(now)
        _mend_pauses(now)
        Assignment.objects.filter(ended_at__gt=now).update(ended_at=now)
        mend_leases(now=now)
        Watch.objects.update_or_create(pk=1, defaults={"since": now, "last": now})
    return Done(offers)


def _mend_writing(now: datetime) -> None:
    """Let silence count from now, and whoever wrote last have written last."""
    rows = Conversation.objects.filter(state__in=OPEN)
    unanswered = rows.filter(last_staff_at__gt=now, last_visitor_at__gt=F("last_staff_at"))
    unanswered.update(last_staff_at=now - timedelta(seconds=1))
    rows.filter(last_visitor_at__gt=now).update(last_visitor_at=now)
    rows.filter(last_staff_at__gt=now).update(last_staff_at=now)


def _mend_pauses(now: datetime) -> None:
    """Let no pause last longer than it was to last when it began."""
    # those that run may be of a length that the site offers no more
    lengths = Conversation.objects.filter(paused_until__gt=now).values_list("pause_minutes", flat=True).distinct()
    for minutes in filter(None, list(lengths)):
        until = now + timedelta(minutes=minutes)
        Conversation.objects.filter(pause_minutes=minutes, paused_until__gt=until).update(paused_until=until)
