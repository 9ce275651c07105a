"""The server's halves of unlocked keys in Redis, for a site of several processes."""

from typing import cast

import redis

from encryption.halves import HalvesDown

_PREFIX = "havre:unlock:"
WITHIN = 3.0
"""Seconds for one word with Redis."""


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
