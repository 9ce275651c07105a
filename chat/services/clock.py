"""Mend what a clock that was set back leaves behind: times that nobody would live to see."""

from datetime import datetime

from django.db import transaction

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
        Assignment.objects.filter(ended_at__gt=now).update(ended_at=now)
        mend_leases(now=now)
        Watch.objects.update_or_create(pk=1, defaults={"since": now, "last": now})
    return Done(offers)
