"""Measure how long visitors wait for the first answer."""

import logging
from collections import OrderedDict
from uuid import UUID

from chat import measures
from chat.db import in_db
from chat.log import StoredEvent
from chat.selectors.shift_counts import first_reply_after

logger = logging.getLogger(__name__)

MOST_ANSWERED = 10_000
_answered: OrderedDict[UUID, None] = OrderedDict()
"""Conversations that need not be asked for again: their first answer is behind them."""


async def note_reply(event: StoredEvent) -> None:
    """Observe an advocate's message if it is the first; asks the database once for each conversation."""
    if event.kind != "message" or event.conversation in _answered:
        return
    _answered[event.conversation] = None
    if len(_answered) > MOST_ANSWERED:
        _answered.popitem(last=False)
    try:
        waited = await in_db(first_reply_after, event.conversation, event.staff_seq)
    except Exception as error:
        logger.error("a first reply was not measured", exc_info=error)
        return
    if waited is not None:
        measures.first_reply_seconds.observe(waited)
