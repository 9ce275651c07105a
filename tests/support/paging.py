"""Ben holds ada's chat, alix says who is on call, and pages are carried as a test says."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.test import TestCase

from audit.models import AuditEvent
from chat import hooks
from chat.core.actors import Staff
from crisis import services
from crisis.models import Delivery
from crisis.transport import Errand
from tests.support.people import NOON, alix, ben, dana, held_by

HOOK = "https://pager.example.org/hook?token=teal-kettle"
REASON = "she hears the amber lantern man on the stairs"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def works(errand: Errand) -> str:
    return "204"


def fails(errand: Errand) -> str:
    return "timeout"


class PagingCase(TestCase):
    """Have somebody to page and something to page for."""

    def setUp(self) -> None:
        self.ben, self.dana, self.alix = ben(), dana(), alix()
        self.pk, _ = held_by(self.ben)

    def target(self, name: str = "Night pager", *, wait: int = 90, address: str = HOOK) -> UUID:
        pk = uuid4()
        services.add_target(
            actor=self.alix, target_id=pk, name=name, way="webhook", address=address, wait_seconds=wait, now=NOON
        )
        return pk

    def raised(self, level: int, *, by: Staff | None = None, at: datetime = NOON) -> UUID:
        done = services.raise_escalation(
            actor=by or self.ben,
            conversation_id=self.pk,
            level=level,
            reason=REASON,
            client_id=uuid4().hex,
            now=at,
        )
        return done.result.id

    def told(self) -> str:
        (shown,) = hooks.open_escalations()
        return shown.paged

    def trail(self) -> list[str]:
        rows = AuditEvent.objects.filter(action__startswith="paging.").order_by("pk")
        return [row.action.partition(".")[2] for row in rows]

    def states(self) -> list[tuple[str, str, int, str]]:
        rows = Delivery.objects.order_by("pk")
        return [(row.target_name, row.state, row.tries, row.result) for row in rows]
