"""One writer per process: texts that arrive while a commit runs share the next one.

It keeps no timer: a text that comes alone is written at once, and under load a batch is what came during the last
commit (group commit: DeWitt and others 1984, "Implementation Techniques for Main Memory Database Systems").
The sender is answered after the commit that holds the text. When too much waits, a sender is told to slow down; nothing
that was taken in is dropped.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import InterfaceError, OperationalError

from chat import measures
from chat.core.actors import Visitor
from chat.core.errors import ErrorCode, Refused
from chat.db import drop_connection, in_db, in_visitor_db, renew_if_doubted
from chat.log import StoredEvent, subject_of
from chat.per_loop import PerLoop
from chat.services.base import Done
from chat.services.posting import Held, Outcome, Post, post_all, post_one
from encryption.services import KeyGone, ready, sealer_for

MOST_WAITING = 4_096
MOST_AT_ONCE = 256
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="havre-writer")

Waiting = tuple[Post, "asyncio.Future[Done[StoredEvent]]"]


class Writer:
    """Gather the texts of one event loop and write them through one thread."""

    def __init__(
        self, write: Callable[[list[Post]], list[Outcome]], has_key: Callable[[UUID], bool] = lambda _: True
    ) -> None:
        self._write = write
        self._has_key = has_key
        self._waiting: deque[Waiting] = deque()
        self._task: asyncio.Task[None] | None = None
        self.batches = 0

    async def post(self, post: Post) -> Done[StoredEvent]:
        """Return once the text is durable. Raises what its post met, or `Refused(SLOW_DOWN)` when too much waits."""
        if not self._has_key(post.conversation_id):
            # a key provider that is slow keeps this sender waiting, and not everybody behind the writer's row locks
            await in_visitor_db(_warm, post.conversation_id)
        if len(self._waiting) >= MOST_WAITING:
            measures.slowed.labels("refused").inc()
            raise Refused(ErrorCode.SLOW_DOWN)
        future: asyncio.Future[Done[StoredEvent]] = asyncio.get_running_loop().create_future()
        self._waiting.append((post, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        # a socket that goes away cancels its answer, and does not take its text out of a batch that may be committed
        try:
            return await future
        except Held:
            # whoever holds the row may do so for seconds: this sender waits for it, and nobody behind this sender
            work = in_visitor_db if isinstance(post.actor, Visitor) else in_db
            return await asyncio.shield(work(post_one, post))

    async def empty(self) -> None:
        """Return when nothing waits any more."""
        while self._task is not None and not self._task.done():
            await asyncio.wait((self._task,))

    async def _drain(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
            measures.unacknowledged.set(len(batch) + len(self._waiting))
            began = time.monotonic()
            try:
                outcomes = await self._run([post for post, _ in batch])
            except Exception as error:
                outcomes = [error for _ in batch]
            self.batches += 1
            measures.commit_seconds.observe(time.monotonic() - began)
            measures.batch_texts.observe(len(batch))
            measures.unacknowledged.set(len(self._waiting))
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                _settle(future, outcome)

    async def _run(self, posts: list[Post]) -> list[Outcome]:
        if getattr(settings, "DB_WORK_ON_MAIN_THREAD", False):
            # only tests: their transaction lives on the main thread and is rolled back there
            return await sync_to_async(self._write, thread_sensitive=True)(posts)
        return await asyncio.get_running_loop().run_in_executor(_thread, self._write, posts)


def _settle(future: "asyncio.Future[Done[StoredEvent]]", outcome: Outcome) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
        # a sender who is gone asks for nobody's answer
        future.exception()
    else:
        future.set_result(outcome)


def _has_key(conversation_id: UUID) -> bool:
    return ready(subject_of(conversation_id)) is not None


def _warm(conversation_id: UUID) -> None:
    # a key that is gone, or no conversation at all, is for the rules to refuse
    with suppress(KeyGone):
        sealer_for(subject_of(conversation_id))


def _written(posts: list[Post]) -> list[Outcome]:
    renew_if_doubted()
    outcomes = post_all(posts, wait=False)
    if any(isinstance(outcome, OperationalError | InterfaceError) for outcome in outcomes):
        drop_connection()
    return outcomes


writer = PerLoop(lambda: Writer(_written, _has_key))
"""Return the writer of this process."""
