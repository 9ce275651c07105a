"""The reference: a bare ASGI application that stores the same sealed rows in batches and knows nothing else.

No accounts, rules, doorways, numbers under a lock or audit: what the machine gives when only the durable part is done.
"""

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

Row = tuple[str, int, str, bytes]
Send = Callable[[dict[str, Any]], Awaitable[None]]

TABLE = "CREATE TABLE row (pair TEXT, seq INTEGER, client TEXT, body {bytes}, UNIQUE (pair, client))"


class Store:
    """Gather rows that arrive during a commit into the next one."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

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
            await self.write([row for row, _ in batch])
            for _, future in batch:
                future.set_result(None)

    async def write(self, rows: list[Row]) -> None:
        """Commit some rows."""
        raise NotImplementedError


class Sqlite(Store):
    """Write through one thread to a file that syncs at every commit."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._writer = ThreadPoolExecutor(1)
        self._connection: sqlite3.Connection | None = None

    async def write(self, rows: list[Row]) -> None:
        """Commit some rows."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._write, rows)

    def _write(self, rows: list[Row]) -> None:
        if self._connection is None:
            self._connection = sqlite3.connect(self._path)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute(TABLE.format(bytes="BLOB"))
        with self._connection:
            self._connection.executemany("INSERT INTO row VALUES (?, ?, ?, ?)", rows)


class Postgres(Store):
    """Write through one asynchronous connection; `executemany` sends a batch in one go."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._connection: psycopg.AsyncConnection | None = None

    async def write(self, rows: list[Row]) -> None:
        """Commit some rows."""
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(self._url)
            await self._connection.execute(TABLE.format(bytes="BYTEA"))
        async with self._connection.cursor() as cursor:
            await cursor.executemany("INSERT INTO row VALUES (%s, %s, %s, %s)", rows)
        await self._connection.commit()


class Post(msgspec.Struct):
    """Be what a visitor sends."""

    ref: int
    client_id: str
    body: str


def store() -> Store:
    """Return the store that the environment names."""
    url = os.environ.get("BENCH_DATABASE_URL", "")
    return Postgres(url) if url else Sqlite(os.environ["BENCH_DATABASE"])


STORE = store()
KEY = AESGCM(os.urandom(32))
ADVOCATES: dict[str, Send] = {}
NUMBERS: dict[str, int] = {}
read = msgspec.json.Decoder(Post).decode
_encode = msgspec.json.Encoder().encode


def written(frame: dict[str, Any]) -> str:
    """Return a frame as text."""
    return _encode(frame).decode()


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
        post = read(event["text"])
        NUMBERS[pair] = seq = NUMBERS.get(pair, 0) + 1
        nonce = os.urandom(12)
        sealed = nonce + KEY.encrypt(nonce, post.body.encode(), f"{pair}/{seq}".encode())
        await STORE.add((pair, seq, post.client_id, sealed))
        await send({"type": "websocket.send", "text": written({"type": "ok", "ref": post.ref, "seq": seq})})
        shown = {"type": "message", "seq": seq, "client_id": post.client_id, "body": post.body}
        await ADVOCATES[pair]({"type": "websocket.send", "text": written(shown)})
