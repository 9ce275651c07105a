"""Ben holds ada's chat, in which somebody may fall silent, leave or come back, and clocks look twice."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.test import TestCase

from chat import services
from chat.core.actors import Staff
from chat.selectors import visitor_of
from crisis import services as crisis
from crisis.models import Escalation
from tests.support.people import NOON, ben, conversation, dana, held_by


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


class Unspoken(TestCase):
    def setUp(self) -> None:
        self.ben, self.dana = ben(), dana()
        self.pk, self.token = held_by(self.ben)

    def danger(self, level: int = 2, now: datetime = NOON) -> UUID:
        done = crisis.raise_escalation(
            actor=self.ben, conversation_id=self.pk, level=level, reason="he is near", client_id=uuid4().hex, now=now
        )
        return done.result.id

    def writes(self, now: datetime, who: Staff | None = None) -> None:
        actor = who or visitor_of(conversation(self.pk))
        services.post_message(actor=actor, conversation_id=self.pk, client_id=uuid4().hex, body="yes", now=now)

    def here(self, now: datetime) -> None:
        services.note_visitors(here={self.pk: now}, gone={})

    def look(self, now: datetime) -> list[tuple[str, int]]:
        """Let the clock look twice, as two workers do; return what it raised."""
        known = set(Escalation.objects.values_list("pk", flat=True))
        for _ in range(2):
            crisis.raise_unspoken(now=now)
        fresh = Escalation.objects.exclude(pk__in=known).order_by("raised_at")
        return list(fresh.values_list("source", "level"))

    def row(self, source: str) -> Escalation:
        return Escalation.objects.get(source=source)

    def stand_down(self, escalation: Escalation, now: datetime = NOON) -> None:
        crisis.stand_down(actor=self.dana, escalation_id=escalation.pk, reason="she is safe", now=now)
