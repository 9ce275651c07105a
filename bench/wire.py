"""A lean WebSocket client for the generator: text frames over loopback, no compression, no TLS.

A general library takes some 100 us a frame, and then the generator's core is what is measured. The mask is zero: legal
on the wire, free here, and the server undoes it all the same.
"""

import asyncio
import base64
import os
from collections.abc import Callable

LOOPBACK = "127.0.0.1"
ANSWER_WITHIN = 30.0
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
_FIN, _MASKED = 0x80, 0x80
_NO_MASK = bytes(4)


class Broken(RuntimeError):
    """Say that the other side refused, closed or stayed silent."""


def framed(payload: bytes, opcode: int = TEXT) -> bytes:
    """Return one client frame."""
    size = len(payload)
    if size < 126:
        return bytes((_FIN | opcode, _MASKED | size)) + _NO_MASK + payload
    if size < 65_536:
        return bytes((_FIN | opcode, _MASKED | 126)) + size.to_bytes(2, "big") + _NO_MASK + payload
    return bytes((_FIN | opcode, _MASKED | 127)) + size.to_bytes(8, "big") + _NO_MASK + payload


class Frames:
    """Cut what a server sends into messages, however it arrives; a message in parts is put together."""

    def __init__(self) -> None:
        self._rest = b""
        self._parts: list[bytes] = []
        self._opcode = 0

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Return the messages that are complete now, each with its opcode."""
        data = self._rest + data if self._rest else data
        complete: list[tuple[int, bytes]] = []
        at, end = 0, len(data)
        while end - at >= 2:
            size, start = data[at + 1], at + 2
            if size >= 126:
                start += 2 if size == 126 else 8
                if start > end:
                    break
                size = int.from_bytes(data[at + 2 : start], "big")
            if start + size > end:
                break
            self._take(data[at], data[start : start + size], complete)
            at = start + size
        self._rest = data[at:]
        return complete

    def _take(self, first: int, payload: bytes, complete: list[tuple[int, bytes]]) -> None:
        opcode = first & 0x0F
        if first & _FIN and opcode:
            complete.append((opcode, payload))
            return
        self._opcode = opcode or self._opcode
        self._parts.append(payload)
        if first & _FIN:
            complete.append((self._opcode, b"".join(self._parts)))
            self._parts.clear()


class Socket(asyncio.Protocol):
    """Be one connection. Texts go to `on_text`; until somebody sets it they wait for `receive`."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.alive = False
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.on_text: Callable[[bytes], None] = self._waiting.put_nowait
        self._frames = Frames()
        self._head = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take bytes: first the answer to the upgrade, then frames."""
        if not self.alive:
            self._head += data
            head, done, data = self._head.partition(b"\r\n\r\n")
            if not done or self.opened.done():
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.opened.set_exception(Broken(head.split(b"\r\n", 1)[0].decode("latin-1")))
                return
            self.alive = True
            self.opened.set_result(None)
        for opcode, payload in self._frames.feed(data):
            if opcode == TEXT:
                self.on_text(payload)
            elif opcode == PING:
                self._transport.write(framed(payload, PONG))
            elif opcode == CLOSE:
                self.connection_lost(None)

    def connection_lost(self, error: Exception | None) -> None:
        """Wake whoever waits."""
        self.alive = False
        self._waiting.put_nowait(None)
        if not self.opened.done():
            self.opened.set_exception(Broken("closed during the upgrade"))
        self._transport.close()

    def write(self, frames: bytes) -> None:
        """Send frames that are encoded already."""
        self._transport.write(frames)

    def send(self, text: bytes | str) -> None:
        """Send one text."""
        self._transport.write(framed(text if isinstance(text, bytes) else text.encode()))

    async def receive(self) -> bytes:
        """Return the next text; `Broken` when the connection ends or stays silent."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                text = await self._waiting.get()
        except TimeoutError:
            raise Broken(f"no answer within {ANSWER_WITHIN:.0f} s") from None
        if text is None:
            raise Broken("closed by the server")
        return text

    async def until(self, wanted: Callable[[bytes], bool]) -> bytes:
        """Return the next text that fits, passing over others."""
        while not wanted(text := await self.receive()):
            pass
        return text

    def close(self) -> None:
        """Say goodbye and close."""
        if self.alive:
            self._transport.write(framed(b"\x03\xe8", CLOSE))
        self.alive = False
        self._transport.close()


async def connect(port: int, path: str, **headers: str) -> Socket:
    """Return an open connection to this machine; header names are written with underscores."""
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(Socket, LOOPBACK, port)
    key = base64.b64encode(os.urandom(16)).decode()
    fixed = {"Host": f"{LOOPBACK}:{port}", "Upgrade": "websocket", "Connection": "Upgrade"}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = fixed | {"Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13"} | given
    request = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    socket.write(f"GET {path} HTTP/1.1\r\n{request}\r\n".encode("latin-1"))
    async with asyncio.timeout(ANSWER_WITHIN):
        await socket.opened
    return socket
