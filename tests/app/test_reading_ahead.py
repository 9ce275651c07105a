"""Uvicorn's sockets with a few frames read ahead: a page that floods is still held, and nothing is lost."""

import asyncio
from typing import Any
from unittest import mock

import uvicorn
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from ops.reading_ahead import AHEAD, ReadsAhead

ASKS = (
    b"GET /ws/v HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame(text: str) -> bytes:
    """Return a text as a browser sends it."""
    return Frame(Opcode.TEXT, text.encode()).serialize(mask=True)


async def opened() -> tuple[ReadsAhead, mock.Mock]:
    """Return a socket that was accepted, and what stands for its line."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.Event().wait()

    line = mock.Mock()
    line.get_extra_info.return_value = None
    line.is_closing.return_value = False
    config = uvicorn.Config(application, ws=ReadsAhead, ws_per_message_deflate=False, ws_ping_interval=None)
    config.load()
    one = ReadsAhead(config, ServerState(), {})
    one.connection_made(line)
    one.data_received(ASKS)
    for _ in range(3):
        await asyncio.sleep(0)
    assert one.handshake_complete
    return one, line


async def test_reading_goes_on_while_little_waits() -> None:
    one, line = await opened()
    for number in range(10):
        one.data_received(frame(f"line {number}"))
        assert (await one.receive())["text"] == f"line {number}"  # type: ignore[typeddict-item]
    line.pause_reading.assert_not_called()
    line.resume_reading.assert_not_called()


async def test_a_page_that_floods_is_held_until_all_that_waits_was_taken() -> None:
    one, line = await opened()
    for number in range(AHEAD):
        one.data_received(frame(f"line {number}"))
    line.pause_reading.assert_not_called()
    one.data_received(frame("one too many"))
    line.pause_reading.assert_called_once()
    # what was read before that is there all the same
    one.data_received(frame("on its way"))
    line.pause_reading.assert_called_once()
    got = [(await one.receive())["text"] for _ in range(AHEAD + 2)]  # type: ignore[typeddict-item]
    assert got == [*(f"line {number}" for number in range(AHEAD)), "one too many", "on its way"]
    line.resume_reading.assert_called_once()
    one.data_received(frame("and on"))
    line.pause_reading.assert_called_once()
