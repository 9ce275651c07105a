"""Commands about danger: one transaction each."""

from crisis.services.escalations import (
    acknowledge,
    climb_due,
    mend_clocks,
    raise_cue,
    raise_escalation,
    read_reason,
    resolve,
    stand_down,
    start_work,
)
from crisis.services.rungs import set_rung

__all__ = [
    "acknowledge",
    "climb_due",
    "mend_clocks",
    "raise_cue",
    "raise_escalation",
    "read_reason",
    "resolve",
    "set_rung",
    "stand_down",
    "start_work",
]
