"""The reference: a bare ASGI application that stores the same sealed rows in batches and knows nothing else.

No accounts, rules, doorways, numbers under a lock or audit: what the machine gives when only the durable part is done.
"""

import asyncio
import json
import os
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Row = tuple[str, int, str, bytes]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Store:
    """Gather rows that arrive during a commit into the next one."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self._writer = ThreadPoolExecutor(1)
        self._connection: sqlite3.Connection | None = None

    async def add(self, row: Row) -> None:
        """Return once the row is durable."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        await future

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            await asyncio.get_running_loop().run_in_executor(self._writer, self._write, [row for row, _ in batch])
            for _, future in batch:
                future.set_result(None)

    def _write(self, rows: list[Row]) -> None:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("CREATE TABLE row (pair TEXT, seq INTEGER, client TEXT UNIQUE, body BLOB)")
        with self._connection:
            self._connection.executemany("INSERT INTO row VALUES (?, ?, ?, ?)", rows)


STORE = Store(os.environ.get("BENCH_BARE_DATABASE", ":memory:"))
KEY = AESGCM(os.urandom(32))
ADVOCATES: dict[str, Send] = {}
NUMBERS: dict[str, int] = {}


async def application(scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
    """Serve `/v/PAIR` to visitors and `/s/PAIR` to advocates."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    _, side, pair = scope["path"].split("/")
    if side == "s":
        ADVOCATES[pair] = send
    while (event := await receive())["type"] == "websocket.receive":
        post = json.loads(event["text"])
        NUMBERS[pair] = seq = NUMBERS.get(pair, 0) + 1
        nonce = os.urandom(12)
        sealed = nonce + KEY.encrypt(nonce, post["body"].encode(), f"{pair}/{seq}".encode())
        await STORE.add((pair, seq, post["client_id"], sealed))
        await send({"type": "websocket.send", "text": json.dumps({"type": "ok", "ref": post["ref"], "seq": seq})})
        shown = {"type": "message", "seq": seq, "client_id": post["client_id"], "body": post["body"]}
        await ADVOCATES[pair]({"type": "websocket.send", "text": json.dumps(shown)})
