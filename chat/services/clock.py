"""Mend what a clock that was set back leaves behind: times that nobody would live to see."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, QuerySet

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
        _lock(Conversation.objects.filter(state__in=OPEN))
        # before the times that show what the clock has seen are brought back
        mend_pauses(now=now)
        offers = Conversation.objects.filter(state=State.OFFERED, offer_until__gt=until).update(offer_until=until)
        Conversation.objects.filter(state__in=OPEN, visitor_seen_at__gt=now).update(visitor_seen_at=now)
        _mend_writing(now)
        Assignment.objects.filter(ended_at__gt=now).update(ended_at=now)
        mend_leases(now=now)
        Watch.objects.update_or_create(pk=1, defaults={"since": now, "last": now})
    return Done(offers)


def mend_pauses(*, now: datetime) -> Done[int]:
    """Let no pause last longer than it was to last when it began, and none come back that had ended by the clock.

    That it had ended is known where the visitor's page was there after its end. It makes pauses shorter and nothing
    longer, so a worker also does it as it begins.
    """
    running = Conversation.objects.filter(state__in=OPEN, paused_until__gt=now)
    with transaction.atomic():
        _lock(running)
        # `end_pauses` tells both sides of them
        mended = running.filter(visitor_seen_at__gte=F("paused_until")).update(paused_until=now)
        # what was read once says nothing about an end that is brought back now
        running.filter(visitor_seen_at__gt=now).update(visitor_seen_at=now)
        # those that run may be of a length that the site offers no more
        for minutes in filter(None, list(running.values_list("pause_minutes", flat=True).distinct())):
            until = now + timedelta(minutes=minutes)
            mended += running.filter(pause_minutes=minutes, paused_until__gt=until).update(paused_until=until)
    return Done(mended)


def _lock(rows: QuerySet[Conversation]) -> None:
    """Lock rows in the order in which everybody does who holds several: one statement takes them in any order."""
    list(rows.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _mend_writing(now: datetime) -> None:
    """Let silence count from now, and whoever wrote last have written last."""
    rows = Conversation.objects.filter(state__in=OPEN)
    unanswered = rows.filter(last_staff_at__gt=now, last_visitor_at__gt=F("last_staff_at"))
    unanswered.update(last_staff_at=now - timedelta(seconds=1))
    rows.filter(last_visitor_at__gt=now).update(last_visitor_at=now)
    rows.filter(last_staff_at__gt=now).update(last_staff_at=now)
