"""Check passwords, a few at a time: each costs 100 MiB while it is checked, whether the name is known or not.

A whole shift may come at once and waits for some seconds; who waits holds a thread, and neither memory nor a connection
to the database. Strangers who try very many share one place and leave the others to everybody else.
Nobody is shut out for it, since staff may sit behind the same address, and no account is: or a stranger could keep its
owner from work.
"""

import threading
from contextlib import ExitStack
from types import TracebackType

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.http import HttpRequest

from staff.models import User

AT_ONCE = 2
MOST_WAITING = 38
WAITS = 10.0
"""Seconds that somebody waits for their turn."""


class Busy(Exception):
    """Report that too many people sign in at this moment."""


class OneLane(Argon2PasswordHasher):
    """Hash a password on one processor: with Django's eight lanes a few strangers would take all from the chats.

    A password that was hashed with more lanes fits as before, and is hashed anew when its owner signs in.
    """

    parallelism = 1


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
gate_of_many = Gate(1, 0)
"""Before it, where very many tries come from one network, for one account or in all."""


def who_signs_in(request: HttpRequest, username: str, password: str, *, often: bool = False) -> User | None:
    """Return whose name and password these are, or None; raises `Busy` when too many ask at once.

    `often` says that very many tries came from the same network, for this account or in all.
    """
    with ExitStack() as held:
        if often:
            held.enter_context(gate_of_many)
        held.enter_context(gate)
        user = authenticate(request, username=username, password=password)
    return user if isinstance(user, User) else None
