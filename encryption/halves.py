"""Where the server's halves of unlocked keys lie for minutes: in Redis, or in this process when it is all there is."""

import threading
from functools import cache
from time import monotonic
from typing import Protocol, cast

import redis
from django.conf import settings

_PREFIX = "havre:unlock:"
WITHIN = 3.0
"""Seconds for one word with Redis."""


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


class RedisHalves:
    """Keep them in Redis, which writes nothing to disk (`check --deploy` looks)."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=WITHIN, socket_connect_timeout=WITHIN)

    def put(self, name: str, value: bytes, seconds: int) -> None:
        """Keep a value."""
        try:
            self._client.set(_PREFIX + name, value, ex=seconds)
        except redis.RedisError:
            raise HalvesDown from None

    def refresh(self, name: str, value: bytes, seconds: int) -> bool:
        """Keep a newer value."""
        try:
            return bool(self._client.set(_PREFIX + name, value, ex=seconds, xx=True))
        except redis.RedisError:
            raise HalvesDown from None

    def get(self, name: str) -> bytes | None:
        """Return a value."""
        try:
            return cast("bytes | None", self._client.get(_PREFIX + name))
        except redis.RedisError:
            raise HalvesDown from None

    def drop(self, name: str) -> None:
        """Forget a value."""
        try:
            self._client.unlink(_PREFIX + name)
        except redis.RedisError:
            raise HalvesDown from None

    def count(self, name: str, seconds: int) -> int:
        """Count one more."""
        try:
            with self._client.pipeline(transaction=True) as both:
                both.set(_PREFIX + name, 0, ex=seconds, nx=True)
                both.incr(_PREFIX + name)
                return int(both.execute()[1])
        except redis.RedisError:
            raise HalvesDown from None


@cache
def halves() -> Halves:
    """Return this site's store."""
    return RedisHalves(settings.REDIS_URL) if settings.REDIS_URL else MemoryHalves()
