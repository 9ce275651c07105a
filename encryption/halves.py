"""Where the server's halves of unlocked keys lie for minutes: in Redis, or in this process when it is all there is."""

import threading
from functools import cache
from time import monotonic
from typing import Protocol

from django.conf import settings


class HalvesDown(Exception):
    """Report that the store cannot be reached; nobody is unlocked then."""


class Halves(Protocol):
    """Keep small values for a while; whatever is lost is only asked for again."""

    def put(self, name: str, value: bytes, seconds: int) -> None:
        """Keep a value under a name, for so many seconds."""

    def refresh(self, name: str, value: bytes, seconds: int) -> bool:
        """Keep a newer value if there still is one, in one step; tell whether there was."""

    def get(self, name: str) -> bytes | None:
        """Return the value, None when it is gone."""

    def drop(self, name: str) -> None:
        """Forget a value."""

    def count(self, name: str, seconds: int) -> int:
        """Count one more under a name and return how many there were within the time since the first."""


class MemoryHalves:
    """Keep them in this process."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[bytes, float]] = {}
        self._lock = threading.Lock()

    def put(self, name: str, value: bytes, seconds: int) -> None:
        """Keep a value."""
        with self._lock:
            at = monotonic()
            self._held = {key: one for key, one in self._held.items() if one[1] > at}
            self._held[name] = value, at + seconds

    def refresh(self, name: str, value: bytes, seconds: int) -> bool:
        """Keep a newer value."""
        with self._lock:
            at = monotonic()
            there = self._held.get(name, (b"", 0.0))[1] > at
            if there:
                self._held[name] = value, at + seconds
            return there

    def get(self, name: str) -> bytes | None:
        """Return a value."""
        with self._lock:
            value, ends = self._held.get(name, (b"", 0.0))
            return value if ends > monotonic() else None

    def drop(self, name: str) -> None:
        """Forget a value."""
        with self._lock:
            self._held.pop(name, None)

    def count(self, name: str, seconds: int) -> int:
        """Count one more."""
        with self._lock:
            value, ends = self._held.get(name, (b"0", 0.0))
            at = monotonic()
            number, ends = (int(value) + 1, ends) if ends > at else (1, at + seconds)
            self._held[name] = str(number).encode(), ends
            return number


@cache
def halves() -> Halves:
    """Return this site's store."""
    if not settings.REDIS_URL:
        return MemoryHalves()
    # its client takes a while to load, which a process without Redis need not wait for
    from encryption.redis_halves import RedisHalves

    return RedisHalves(settings.REDIS_URL)
