"""Set the clocks of the ladder: one command, on the trail."""

from datetime import datetime, timedelta

from django.db import transaction

from audit.services import record
from chat.services import Done
from crisis.core.ladder import Pages, Rung, rung_for
from crisis.models import Rung as RungRow
from crisis.selectors import ladder


def set_rung(
    *, actor: str, level: int, seconds: int, climbs: bool, aloud: bool = True, pages: Pages, now: datetime
) -> Done[Rung]:
    """Set what a level does: its clock, what happens when that runs out, whether it sounds, when it pages.

    The same again changes nothing. Clocks that run keep their time until they act next. Raises `ValueError` with a
    sentence for what may not be set.
    """
    rung = rung_for(level, timedelta(seconds=seconds), climbs=climbs, aloud=aloud, pages=pages)
    with transaction.atomic():
        if ladder()[level] != rung:
            wanted = {"seconds": seconds, "climbs": climbs, "aloud": aloud, "pages": pages.value}
            RungRow.objects.update_or_create(level=level, defaults=wanted)
            record(
                actor=actor,
                action="ladder.set",
                subject="ladder",
                data={"level": level, "seconds": seconds, "climbs": climbs, "aloud": aloud, "pages": pages.value},
                now=now,
            )
    return Done(rung)
