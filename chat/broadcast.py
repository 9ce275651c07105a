"""Tell sockets what was committed. Called by sockets, views and the worker after a service returned."""

from collections.abc import Iterable

from chat.hub import hub
from chat.log import StoredEvent


async def publish(events: Iterable[StoredEvent]) -> None:
    """Tell all followers of these events, in order, and every list that something changed."""
    told = False
    for event in events:
        await hub().tell_event(event)
        told = True
    if told:
        await hub().tell_change()


async def publish_overview() -> None:
    """Tell every list that something changed."""
    await hub().tell_change()


async def publish_revoked(user_id: int) -> None:
    """Tell every process to look again at somebody's session and rights."""
    await hub().tell_revoked(user_id)
