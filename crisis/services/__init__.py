"""Commands about danger: one transaction each."""

from crisis.services.deliveries import claim_deliveries, settle_delivery, settle_errand
from crisis.services.drills import stand_down_drill
from crisis.services.duty import card_was_sent, restore_duty, send_duty_card, set_duty
from crisis.services.escalations import (
    CLIMBS_AT_ONCE,
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
from crisis.services.external import (
    confirm_external,
    note_contact,
    note_told,
    propose_external,
    read_external,
)
from crisis.services.on_call import (
    add_target,
    change_target,
    page_earlier,
    remove_target,
    renew_secret,
    try_target,
)
from crisis.services.paging import forget_pagings, mend_pagings, step_pagings
from crisis.services.returns import accept_return
from crisis.services.rules import keep_rules, note_export, roll_back, switch_screening
from crisis.services.rungs import set_rung, set_silence
from crisis.services.unspoken import mark_changed_voice, raise_unspoken

__all__ = [
    "CLIMBS_AT_ONCE",
    "accept_return",
    "acknowledge",
    "add_target",
    "card_was_sent",
    "change_target",
    "claim_deliveries",
    "climb_due",
    "confirm_external",
    "forget_pagings",
    "keep_rules",
    "mark_changed_voice",
    "mend_clocks",
    "mend_pagings",
    "note_contact",
    "note_export",
    "note_told",
    "page_earlier",
    "propose_external",
    "raise_cue",
    "raise_escalation",
    "raise_unspoken",
    "read_external",
    "read_reason",
    "remove_target",
    "renew_secret",
    "resolve",
    "restore_duty",
    "roll_back",
    "send_duty_card",
    "set_duty",
    "set_rung",
    "set_silence",
    "settle_delivery",
    "settle_errand",
    "stand_down",
    "stand_down_drill",
    "start_work",
    "step_pagings",
    "switch_screening",
    "try_target",
]
