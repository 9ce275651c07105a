"""The load: pairs of a visitor and an advocate; each visitor posts, waits for the durable answer, and posts again."""

import asyncio
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import websockets
from websockets.asyncio.client import ClientConnection

TEXT = "an eighty byte text, as people write them when they have little time to write it"
DRAIN_SECONDS = 5


@dataclass
class Counts:
    """Hold what one run saw."""

    acknowledged: int = 0
    refused: int = 0
    delivered: int = 0
    seconds: float = 0.0
    deliver_ms: list[float] = field(default_factory=list)


@dataclass
class Pair:
    """Be the two sockets of one conversation; `conversation` is empty for the bare reference."""

    visitor: ClientConnection
    advocate: ClientConnection
    sent: dict[str, float] = field(default_factory=dict)


async def until(socket: ClientConnection, **wanted: Any) -> dict[str, Any]:
    """Return the next frame with these fields."""
    async with asyncio.timeout(20):
        while True:
            frame: dict[str, Any] = json.loads(await socket.recv())
            if all(frame.get(key) == value for key, value in wanted.items()):
                return frame


async def havre_pairs(base: str, sessions: list[str], conversations: int) -> list[Pair]:
    """Open the conversations, four to an advocate, each taken and followed."""
    address = base.replace("http", "ws")
    pairs = []
    for number in range(conversations):
        visitor = await websockets.connect(f"{address}/ws/v", origin=base, compression=None)  # type: ignore[arg-type]
        hello = {"type": "hello", "version": 1, "token": secrets.token_urlsafe(32), "after": 0, "start": True}
        await visitor.send(json.dumps(hello | {"language": "en"}))
        await until(visitor, type="welcome")
        cookie = {"Cookie": f"session={sessions[number // 4]}"}
        advocate = await websockets.connect(f"{address}/ws/s", origin=base, additional_headers=cookie, compression=None)  # type: ignore[arg-type]
        await advocate.send(json.dumps({"type": "hello", "version": 1, "follow": {}}))
        await advocate.send(json.dumps({"type": "availability", "ref": 1, "state": "busy"}))
        await until(advocate, ref=1)
        while True:
            overview = await until(advocate, type="overview")
            waiting = [one["id"] for one in overview["conversations"] if one["state"] == "waiting"]
            if waiting:
                break
        await advocate.send(json.dumps({"type": "take", "ref": 2, "conversation": waiting[0]}))
        await until(advocate, ref=2, type="ok")
        await advocate.send(json.dumps({"type": "follow", "ref": 3, "conversation": waiting[0], "after": 0}))
        await until(advocate, ref=3, type="ok")
        pairs.append(Pair(visitor, advocate))
    return pairs


async def bare_pairs(base: str, conversations: int) -> list[Pair]:
    """Open the pairs of the reference."""
    address = base.replace("http", "ws")
    return [
        Pair(
            advocate=await websockets.connect(f"{address}/s/{number}", compression=None),
            visitor=await websockets.connect(f"{address}/v/{number}", compression=None),
        )
        for number in range(conversations)
    ]


async def closed_loop(pairs: list[Pair], seconds: float) -> Counts:
    """Post for some seconds, wait for what is still on its way, and return the counts."""
    counts = Counts()
    readers = [asyncio.create_task(_read(pair, counts)) for pair in pairs]
    began = time.perf_counter()
    await asyncio.gather(*(_post(pair, counts, began + seconds) for pair in pairs))
    counts.seconds = time.perf_counter() - began
    patience = time.perf_counter() + DRAIN_SECONDS
    while counts.delivered < counts.acknowledged and time.perf_counter() < patience:
        await asyncio.sleep(0.05)
    for reader in readers:
        reader.cancel()
    for pair in pairs:
        await pair.visitor.close()
        await pair.advocate.close()
    return counts


async def _post(pair: Pair, counts: Counts, deadline: float) -> None:
    ref = 0
    while time.perf_counter() < deadline:
        ref += 1
        client_id = secrets.token_hex(16)
        pair.sent[client_id] = time.perf_counter()
        await pair.visitor.send(json.dumps({"type": "post", "ref": ref, "client_id": client_id, "body": TEXT}))
        if (await until(pair.visitor, ref=ref))["type"] == "ok":
            counts.acknowledged += 1
        else:
            counts.refused += 1


async def _read(pair: Pair, counts: Counts) -> None:
    while True:
        frame = json.loads(await pair.advocate.recv())
        begun = pair.sent.pop(frame.get("client_id") or "", None) if frame["type"] == "message" else None
        if begun is not None:
            counts.deliver_ms.append((time.perf_counter() - begun) * 1_000)
            counts.delivered += 1
