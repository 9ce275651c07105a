"""Gather what a data server holds or was sent, to be searched for words that must not be there."""

import socket
import threading
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql


def postgres_bytes(url: str) -> dict[str, bytes]:
    """Return every value of every row of a database, bytes as they are rather than in hexadecimal."""
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [
            row for (table,) in tables for row in connection.execute(sql.SQL("TABLE {}").format(sql.Identifier(table)))
        ]
    return {"postgres rows": b"\n".join(_raw(value) for row in rows for value in row)}


def redis_bytes(url: str) -> dict[str, bytes]:
    """Return every key of a Redis with its value as the server itself would dump it."""
    client = redis.Redis.from_url(url)
    try:
        keys: list[bytes] = list(client.scan_iter())
        return {"redis keys": b"\n".join(part for key in keys for part in (key, client.dump(key) or b""))}
    finally:
        client.close()


def _raw(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


class Monitor:
    """Hear every command that a Redis is sent: nudges leave no key behind that could be searched."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 6379)
        self._heard = bytearray()

    def say(self, command: str) -> None:
        """Send one inline command on a line of its own and wait for its answer."""
        with socket.create_connection(self._address, timeout=5) as line:
            line.sendall(command.encode() + b"\r\n")
            line.recv(1024)

    def heard(self) -> bytes:
        """Return what was heard up to now."""
        mark = b"havre-monitor-mark-%d" % len(self._heard)
        self.say(f"ECHO {mark.decode()}")
        with self._changed:
            assert self._changed.wait_for(lambda: mark in self._heard, timeout=15), "the monitor is deaf"
            return bytes(self._heard)

    def __enter__(self) -> Self:
        self._changed = threading.Condition()
        self._line = socket.create_connection(self._address, timeout=5)
        self._line.sendall(b"MONITOR\r\n")
        self._line.recv(16)
        self._line.settimeout(None)
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()

    def _listen(self) -> None:
        try:
            while received := self._line.recv(65536):
                with self._changed:
                    self._heard += received
                    self._changed.notify_all()
        except OSError:
            return
