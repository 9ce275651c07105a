"""Check passwords, a few at a time: each costs 100 MiB while it is checked, whether the name is known or not."""

import threading
from types import TracebackType

from django.contrib.auth import authenticate
from django.http import HttpRequest

from staff.models import User

AT_ONCE = 2
MOST_WAITING = 8
WAITS = 10.0
"""Seconds that somebody waits for their turn."""


class Busy(Exception):
    """Report that too many people sign in at this moment."""


class Gate:
    """Let a few threads in at once and a few more wait; tell the others at once that it is full."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._seats = threading.BoundedSemaphore(at_once)
        self._places = threading.BoundedSemaphore(at_once + waiting)

    def __enter__(self) -> None:
        if not self._places.acquire(blocking=False):
            raise Busy
        if not self._seats.acquire(timeout=WAITS):
            self._places.release()
            raise Busy

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._seats.release()
        self._places.release()


gate = Gate(AT_ONCE, MOST_WAITING)
"""One per process: it bounds the process's memory."""


def who_signs_in(request: HttpRequest, username: str, password: str) -> User | None:
    """Return whose name and password these are, or None; raises `Busy` when too many ask at once."""
    with gate:
        user = authenticate(request, username=username, password=password)
    return user if isinstance(user, User) else None
