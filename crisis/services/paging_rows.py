"""What every step of a paging shares: its lock, its line on the trail, its word to the case, and its end."""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.db import connection

from audit.services import record
from chat import outbox
from chat.core.drills import marked
from crisis.core.ladder import Told
from crisis.core.paging import OPEN, DeliveryState, Kind, PagingState
from crisis.models import Delivery, Paging

logger = logging.getLogger(__name__)


def quietly(work: Callable[[], bool]) -> bool:
    """Do one thing; one that fails is logged, tried again with the next look and holds no other one up."""
    try:
        return work()
    except Exception as error:
        logger.error("a page could not go on: %s", type(error).__name__)
        return False


def can_skip() -> bool:
    """Tell whether the database leaves out rows that another worker has locked."""
    return connection.features.has_select_for_update_skip_locked


def locked(paging_id: UUID, *, wait: bool = True) -> Paging | None:
    """Return a paging under its lock; None, rather than to wait, for one that another worker holds just now."""
    skip = not wait and can_skip()
    return Paging.objects.select_for_update(no_key=True, skip_locked=skip).filter(pk=paging_id).first()


def has_risen(paging: Paging) -> bool:
    """Tell whether the escalation stands higher than this paging says."""
    return paging.escalation is not None and paging.escalation.level > paging.level


def goes_on(paging: Paging, at: datetime) -> None:
    """Let the next target have its turn at this time, if anybody still pages."""
    if paging.state == PagingState.CALLING:
        paging.due_at = at
        paging.save(update_fields=["due_at"])


def end(paging: Paging, state: PagingState, now: datetime) -> None:
    """End a paging: what has not arrived is dropped, and where nothing did, the case and the log hear of it."""
    paging.state, paging.due_at = state, None
    paging.save(update_fields=["state", "due_at"])
    paging.deliveries.filter(state__in=OPEN).update(state=DeliveryState.DROPPED, at=now)
    tell(state, paging, now)
    if state is PagingState.UNREACHED and paging.kind != Kind.TEST:
        logger.error("nobody on call was reached%s", " in a drill" if paging.kind == Kind.DRILL else "")
        into_case_once(Told.UNREACHED, paging, now, state=PagingState.UNREACHED)


def into_case_once(word: Told, paging: Paging, now: datetime, **like: object) -> None:
    """Tell the case, unless it was so with another paging of the same escalation: it hears of each thing once."""
    if paging.escalation is None:
        return
    if Paging.objects.filter(escalation=paging.escalation, **like).exclude(pk=paging.pk).exists():
        return
    data: dict[str, str | int] = {
        "escalation": str(paging.escalation_id),
        "level": paging.level,
        "at": now.isoformat(),
    }
    outbox.put(f"escalation.{word.value}", paging.escalation.conversation_id, data, now)


def tell(step: PagingState | DeliveryState, paging: Paging, now: datetime, delivery: Delivery | None = None) -> None:
    """Put a step on the trail: ids and a level only."""
    data = marked("paging" if paging.kind == Kind.DRILL else "", {"level": paging.level})
    if paging.escalation_id is not None:
        data["escalation"] = str(paging.escalation_id)
    if delivery is not None:
        data["target"] = str(delivery.target_id)
    record(actor="system", action=f"paging.{step.value}", subject=f"paging:{paging.pk}", data=data, now=now)
