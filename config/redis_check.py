"""Ask a Redis whether it writes to disk what is meant for memory alone."""

from typing import Any

import redis
from django.core.checks import CheckMessage, Error

WITHIN = 3.0
"""Seconds that the check waits for Redis."""


def writes_to_disk(url: str) -> list[CheckMessage]:
    """Return an error for a Redis that writes to disk, and for one that gives no answer."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=WITHIN, socket_timeout=WITHIN) as client:
            client.ping()
            keeps = _keeps(client)
    except (redis.RedisError, OSError, ValueError) as error:
        # the type only: the words of some of these hold the address, and with it the password
        words = f"Redis cannot be asked whether it writes to disk ({type(error).__name__})"
        hint = "Start it first; the address, the user and the password are in REDIS_URL."
        return [Error(words, hint=hint, id="havre.E015")]
    hint = 'Set save "" and appendonly no.'
    return [Error(f"Redis writes to disk: {keeps}", hint=hint, id="havre.E014")] if keeps else []


def _keeps(client: redis.Redis) -> str:
    """Return how Redis writes to disk, empty if it does not or may not be asked."""
    try:
        # as the ACL of docs/operations.md has it, this is denied, and INFO tells what it has done so far
        return _configured(client)
    except redis.exceptions.NoPermissionError:
        pass
    try:
        return _done(client)
    except redis.exceptions.NoPermissionError:
        return ""


def _configured(client: redis.Redis) -> str:
    asked: dict[str, str] = client.config_get("save", "appendonly")  # type: ignore[assignment]
    found = [f"save {asked['save']}"] if asked.get("save") else []
    return ", ".join(found + (["appendonly yes"] if asked.get("appendonly") == "yes" else []))


def _done(client: redis.Redis) -> str:
    told: dict[str, Any] = client.info("persistence")
    signs = ("aof_enabled", "rdb_saves", "rdb_bgsave_in_progress")
    return ", ".join(f"{name} is {told[name]}" for name in signs if told.get(name))
