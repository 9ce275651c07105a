"""Set the clocks of the ladder: one command, on the trail."""

from datetime import datetime, timedelta

from django.db import transaction

from audit.services import record
from chat.services import Done
from crisis.core.ladder import Rung, rung_for
from crisis.models import Rung as RungRow
from crisis.selectors import ladder


def set_rung(*, actor: str, level: int, seconds: int, climbs: bool, now: datetime) -> Done[Rung]:
    """Set how long an escalation of a level may wait, and whether it then climbs; the same again changes nothing.

    Clocks that run keep their time until they act next. Raises `ValueError` with a sentence for what may not be set.
    """
    rung = rung_for(level, timedelta(seconds=seconds), climbs=climbs)
    with transaction.atomic():
        if ladder()[level] != rung:
            RungRow.objects.update_or_create(level=level, defaults={"seconds": seconds, "climbs": climbs})
            record(
                actor=actor,
                action="ladder.set",
                subject="ladder",
                data={"level": level, "seconds": seconds, "climbs": climbs},
                now=now,
            )
    return Done(rung)
