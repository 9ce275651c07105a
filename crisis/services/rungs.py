"""Set the clocks of the ladder and of silence: one command each, on the trail."""

from datetime import datetime, timedelta

from django.db import transaction

from audit.services import record
from chat.services import Done
from crisis.core.ladder import Pages, Rung, rung_for
from crisis.core.unspoken import silence_for
from crisis.models import Rung as RungRow
from crisis.models import Silence
from crisis.selectors import ladder, silent_after


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


def set_silence(*, actor: str, seconds: int, now: datetime) -> Done[timedelta]:
    """Set after how long a silence in danger calls for help; the same again changes nothing.

    Raises `ValueError` with a sentence for what may not be set.
    """
    silence = silence_for(seconds)
    with transaction.atomic():
        if silent_after() != silence:
            Silence.objects.update_or_create(pk=1, defaults={"seconds": seconds})
            record(actor=actor, action="ladder.silence", subject="ladder", data={"seconds": seconds}, now=now)
    return Done(silence)
