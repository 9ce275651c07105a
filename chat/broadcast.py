"""Tell sockets what was committed. Called by sockets, views and the worker after a service returned."""

from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from chat.frames import Rendered
from chat.hub import hub
from chat.log import StoredEvent
from chat.services.base import Done
from chat.under_way import under_way

T = TypeVar("T")

_TEXTS = frozenset({"message", "note"})
"""Kinds of event that change nothing of a list but its counts, which may be two seconds late."""


async def publish(events: Iterable[StoredEvent], rendered: Rendered | None = None) -> None:
    """Tell all followers of these events, in order, and every list that something changed.

    `rendered` is the only event where that was made of it already. What is only written lets the lists of those who
    see it gather; a flag, a take or an end reaches all at once.
    """
    here, written, changed = hub(), set(), False
    for event in events:
        await here.tell_event(event, rendered)
        if event.kind in _TEXTS:
            written.add(event.conversation)
        else:
            changed = True
    if changed:
        here.tell_change()
    elif written:
        here.tell_counts(frozenset(written))


async def told(work: Coroutine[Any, Any, Done[T]]) -> Done[T]:
    """Return what a service gives once all were told of it, or raise what it raises.

    Both go on when the caller is cancelled: a request whose line breaks is committed and told, or neither.
    """

    async def both() -> Done[T]:
        done = await work
        await publish(done.events)
        return done

    return await under_way().finish(both())


async def publish_overview() -> None:
    """Tell every list that something changed."""
    hub().tell_change()


async def publish_revoked(user_id: int) -> None:
    """Tell every process to look again at somebody's session and rights."""
    hub().tell_revoked(user_id)
