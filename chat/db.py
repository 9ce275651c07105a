"""Run database work of sockets on a few threads of our own.

Channels' `database_sync_to_async` puts all of a process through one thread, where one slow query holds up
everybody. These threads keep their connections, since giving one back after each job and taking
it again costs a fifth of a short job; so the pool has one for each of them (`config/settings.py`). One that breaks is
dropped, with all others of the process, and the caller is told, so that the client tries again.

Visitors have threads that nothing of staff can use up. A first hello asks the key provider, so it has threads apart:
while keys are slow, newcomers wait for each other, and who is writing already does not wait for them. Slow hashes have
threads apart as well.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

# on SQLite one writes at a time, and reads wait for nothing but Python: threads beyond these only take memory
MOST_THREADS = 4 if settings.EMBEDDED else 8
MOST_VISITOR_THREADS = 3 if settings.EMBEDDED else 6
MOST_OPENING_THREADS = 1 if settings.EMBEDDED else 2
MOST_SLOW_THREADS = 2

P = ParamSpec("P")
R = TypeVar("R")

_pool = ThreadPoolExecutor(max_workers=MOST_THREADS, thread_name_prefix="havre-db")
_visitors = ThreadPoolExecutor(max_workers=MOST_VISITOR_THREADS, thread_name_prefix="havre-db-visitors")
_slow = ThreadPoolExecutor(max_workers=MOST_SLOW_THREADS, thread_name_prefix="havre-db-slow")
_openings = ThreadPoolExecutor(max_workers=MOST_OPENING_THREADS, thread_name_prefix="havre-db-openings")


async def in_db(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `function` returns, run for staff or the worker."""
    return await _on(_pool, partial(function, *args, **kwargs))


async def in_visitor_db(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `function` returns, run for a visitor."""
    return await _on(_visitors, partial(function, *args, **kwargs))


async def in_opening_db(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `function` returns, run for a visitor who begins."""
    return await _on(_openings, partial(function, *args, **kwargs))


async def in_slow_db(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `function` returns, run where slow hashes are worked on."""
    return await _on(_slow, partial(function, *args, **kwargs))


async def _on(pool: ThreadPoolExecutor, work: Callable[[], R]) -> R:
    if getattr(settings, "DB_WORK_ON_MAIN_THREAD", False):
        # only tests: their transaction lives on the main thread and is rolled back there
        return await sync_to_async(work, thread_sensitive=True)()
    return await asyncio.get_running_loop().run_in_executor(pool, _run, work)


def _run(work: Callable[[], R]) -> R:
    renew_if_doubted()
    try:
        return work()
    except (OperationalError, InterfaceError):
        drop_connection()
        raise


_thread = threading.local()
_doubts = 0


def renew_if_doubted() -> None:
    """Take another connection on this thread, where one of another thread was found dead since its last work."""
    if getattr(_thread, "trusted", 0) != _doubts:
        connection.close()
        _thread.trusted = _doubts


def drop_connection() -> None:
    """Take another connection on this thread, and on each other before its next work.

    One that has died is found by who uses it first. After a restart of the database all have, and without this each
    thread would fail somebody.
    """
    global _doubts
    connection.close()
    _doubts += 1
    _thread.trusted = _doubts
