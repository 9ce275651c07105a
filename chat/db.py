"""Run database work of sockets on a few threads of our own.

Channels' `database_sync_to_async` puts all of a process through one thread, where one slow query holds up everybody
(`livechat.md` section 5, row 11). These threads keep their connections; one that breaks is dropped and the caller is
told, so that the client tries again.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

MOST_THREADS = 8

P = ParamSpec("P")
R = TypeVar("R")

_pool = ThreadPoolExecutor(max_workers=MOST_THREADS, thread_name_prefix="havre-db")


async def in_db(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `function` returns, run on a thread of the pool."""
    if getattr(settings, "DB_WORK_ON_MAIN_THREAD", False):
        # only tests: their transaction lives on the main thread and is rolled back there
        return await sync_to_async(function, thread_sensitive=True)(*args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_pool, partial(_run, function, *args, **kwargs))


def _run(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return function(*args, **kwargs)
    except (OperationalError, InterfaceError):
        connection.close()
        raise
