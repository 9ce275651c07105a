"""The unlocked key of a request: its cookie, its own threads, and the proof that the same person still sits there.

The key is for pages only and never for a socket, which outlives a sign-out. Nothing of it touches the session.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.db import connection
from django.http import HttpResponse

from audit.services import record
from chat.core.errors import ErrorCode, Refused
from encryption import halves
from encryption.halves import HalvesDown
from encryption.services import unlock
from encryption.services.unlock import MOST_TRIES, TRIES_FOR, Holder, Unlocked
from staff.web import StaffRequest, holder_of

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
Answer = TypeVar("Answer", bound=HttpResponse)

AT_ONCE = 2
"""As many as `encryption.core.slots` lets stretch a phrase at a time; whoever comes third waits here."""

KNOWN_FOR = 86_400
_ONCE = re.compile(r"[A-Za-z0-9_-]{22}")

_pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="havre-unlock")
_joining = ThreadPoolExecutor(max_workers=1, thread_name_prefix="havre-join")
"""Of its own and only one, so that whoever joins keeps no reader from their threads."""


class NotProved(Exception):
    """Report that the password that was asked again is missing or wrong."""


async def aside(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a slow function returns; it runs beside the threads that sockets need."""
    return await _beside(_pool, function, *args, **kwargs)


async def apart(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what a function for people who join returns; it runs beside the threads that readers need too."""
    return await _beside(_joining, function, *args, **kwargs)


async def _beside(pool: ThreadPoolExecutor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    if getattr(settings, "DB_WORK_ON_MAIN_THREAD", False):
        # only tests: their transaction lives on the main thread and is rolled back there
        return await sync_to_async(function, thread_sensitive=True)(*args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(pool, partial(_run, function, *args, **kwargs))


def _run(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    try:
        return function(*args, **kwargs)
    finally:
        # it is seldom needed, so it is not kept
        connection.close()


def cookie_name() -> str:
    """Return the name of the browser's half; the prefix makes browsers refuse it from elsewhere or in clear."""
    return "__Host-unlock" if settings.SESSION_COOKIE_SECURE else "unlock"


def with_cookie(response: Answer, half: str) -> Answer:
    """Give the browser its half until it is closed."""
    response.set_cookie(
        cookie_name(), half, path="/", httponly=True, secure=settings.SESSION_COOKIE_SECURE, samesite="Strict"
    )
    return response


def without_cookie(response: Answer) -> Answer:
    """Take the half back from the browser."""
    response.delete_cookie(cookie_name(), path="/", samesite="Strict")
    return response


async def key_of(request: StaffRequest, now: datetime) -> Unlocked | None:
    """Return the key that this request unlocks, and note its use; None when there is none. Raises `HalvesDown`."""
    half = request.COOKIES.get(cookie_name(), "")
    return await aside(unlock.unlocked, holder_of(request), half, now) if half else None


async def fresh_key_of(request: StaffRequest, password: str, now: datetime) -> Unlocked:
    """Return the key of this request, proved within minutes: else `password` proves it now.

    Raises `Refused(LOCKED)`, `NotProved`, `HalvesDown`.
    """
    key = await key_of(request, now)
    if key is not None and not key.fresh:
        half = request.COOKIES.get(cookie_name(), "")
        await aside(_prove, holder_of(request), half, password, request.person.password, now)
        key = await key_of(request, now)
    if key is None:
        raise Refused(ErrorCode.LOCKED)
    return key


async def first_time(user_id: int, once: str) -> bool:
    """Tell whether a form that makes a secret comes for the first time: a reload makes none. Raises `HalvesDown`."""
    name = f"made:{user_id}:{once}"
    return bool(_ONCE.fullmatch(once)) and await aside(halves.halves().count, name, KNOWN_FOR) == 1


def end(user_id: int) -> None:
    """End whatever somebody has unlocked, wherever: they sign in anew."""
    try:
        unlock.lock(user_id)
    except HalvesDown:
        # it opens nothing any more all the same: it is bound to the session that has just been replaced
        logger.warning("unlocked key not dropped at sign-in")


def _prove(holder: Holder, half: str, password: str, stored: str, now: datetime) -> None:
    """Note that the password was given again, or raise `NotProved`; too many wrong ones lock the key."""
    if not password:
        raise NotProved
    tries = f"proofs:{holder.user_id}"
    if halves.halves().count(tries, TRIES_FOR) > MOST_TRIES:
        unlock.lock(holder.user_id)
        raise Refused(ErrorCode.LOCKED)
    # not `User.check_password`: that may store a new hash, which would end the session
    if not check_password(password, stored):
        record(
            actor=f"staff:{holder.user_id}", action="reader.proof_refused", subject=f"staff:{holder.user_id}", now=now
        )
        raise NotProved
    halves.halves().drop(tries)
    unlock.prove_again(holder, half, now)
