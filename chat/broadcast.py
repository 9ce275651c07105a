"""Tell sockets what was committed. Called by sockets, views and the worker after a service returned."""

from collections.abc import Iterable

from chat.hub import hub
from chat.log import StoredEvent

_TEXTS = frozenset({"message", "note"})
"""Kinds of event that change nothing of a list but its counts, which may be a second late."""


async def publish(events: Iterable[StoredEvent]) -> None:
    """Tell all followers of these events, in order, and every list that something changed.

    What is only written lets the lists gather; a flag, a take or an end reaches them at once.
    """
    kinds = set()
    for event in events:
        await hub().tell_event(event)
        kinds.add(event.kind)
    if kinds:
        await hub().tell_change(soon=not kinds <= _TEXTS)


async def publish_overview() -> None:
    """Tell every list that something changed."""
    await hub().tell_change(soon=True)


async def publish_revoked(user_id: int) -> None:
    """Tell every process to look again at somebody's session and rights."""
    await hub().tell_revoked(user_id)
