"""How long each wrapping key lives; the days are UTC days. Design: `docs/encryption.md`.

op-2026-11-23                wraps the keys of conversations that run that day; destroyed 48 hours after the day began
ret-2026-11-27               wraps the archive wraps that expire that day; destroyed when the day begins
hold-2027-06-30-1f2e3d4c     wraps what a legal hold keeps through that day; destroyed when the day is over
std-2026-11                  wraps the keys of case files begun that month; kept as long as the files are
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

OPERATIONAL, RETENTION, HOLD, STANDING = "op", "ret", "hold", "std"
KEEP_CHOICES = (timedelta(0), timedelta(hours=24), timedelta(hours=72), timedelta(days=30))
KEEP = timedelta(hours=72)
"""How long a transcript stays readable after its close, unless the site chose otherwise."""

_DAY = timedelta(days=1)
_DIES_AFTER = {OPERATIONAL: 2 * _DAY, RETENTION: timedelta(0), HOLD: _DAY}
"""How long after the beginning of its day each dated key is destroyed."""
_ISO = len("2026-11-23")


@dataclass(frozen=True, slots=True)
class Life:
    """Say how the key of a subject lives: in daily work, or as a file; and until when in the archive."""

    standing: bool
    keep: timedelta = timedelta(0)


FILE = Life(standing=True)


def day_epoch(kind: str, day: date) -> str:
    """Return the name of a day's epoch, such as `op-2026-11-23`."""
    return f"{kind}-{day.isoformat()}"


def working_epoch(life: Life, now: datetime) -> str:
    """Return the epoch under which a key made now is wrapped for daily work."""
    today = now.astimezone(UTC).date()
    return f"{STANDING}-{today:%Y-%m}" if life.standing else day_epoch(OPERATIONAL, today)


def hold_epoch(hold: UUID, until: date) -> str:
    """Return the name of a hold's own epoch: one hold is lifted without another."""
    return f"{day_epoch(HOLD, until)}-{hold.hex[:8]}"


def expiry_day(now: datetime, keep: timedelta) -> date:
    """Return the day whose beginning ends the archive of what begins or is renewed now: a day to talk, then `keep`."""
    return now.astimezone(UTC).date() + _DAY + timedelta(days=-(-keep // _DAY))


def dies_at(epoch: str) -> datetime | None:
    """Return when an epoch's key is to be destroyed, None for one without a date."""
    kind, _, rest = epoch.partition("-")
    if kind not in _DIES_AFTER:
        return None
    try:
        begins = datetime.combine(date.fromisoformat(rest[:_ISO]), time(), UTC)
    except ValueError:
        return None
    return begins + _DIES_AFTER[kind]


def is_over(epoch: str, now: datetime) -> bool:
    """Tell whether an epoch's key is to be destroyed by now; what has no date never is."""
    end = dies_at(epoch)
    return end is not None and now >= end
