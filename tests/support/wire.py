"""Speak the protocol over a real socket, as a page would."""

import asyncio
import json
import secrets
from pathlib import Path
from typing import Any

import httpx
import websockets
from websockets.asyncio.client import ClientConnection

from tests.support.servers import HavreServer

UNANSWERED = frozenset({"hello", "ping", "typing", "read"})


class Line:
    """Be a page's socket: send frames, wait for one that fits, keep all that came."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.ref = 0
        self.seen: list[dict[str, Any]] = []

    async def send(self, **frame: Any) -> int:
        """Send a frame and return its `ref`."""
        self.ref += 1
        if frame["type"] not in UNANSWERED:
            frame["ref"] = self.ref
        await self.socket.send(json.dumps(frame))
        return self.ref

    async def until(self, within: float = 15, **wanted: Any) -> dict[str, Any]:
        """Return the next frame with these fields, within some seconds."""
        async with asyncio.timeout(within):
            while True:
                frame: dict[str, Any] = json.loads(await self.socket.recv())
                self.seen.append(frame)
                if all(frame.get(key) == value for key, value in wanted.items()):
                    return frame

    async def say(self, text: str, **more: Any) -> dict[str, Any]:
        """Send a message and return its acknowledgement."""
        frame = {"type": "post", "client_id": secrets.token_hex(16), "body": text} | more
        return await self.until(ref=await self.send(**frame))


def numbers_shown(frames: list[dict[str, Any]]) -> list[int]:
    """Return the numbers that a visitor's page shows, in the order in which each is shown first.

    An own text is shown by its acknowledgement, by its event, or by both.
    """
    shown = (frame for frame in frames if frame["type"] in {"message", "fact", "ok"} and frame.get("seq"))
    return list(dict.fromkeys(frame["seq"] for frame in shown))


def dial(server: HavreServer, path: str, *, origin: str = "", cookie: str = "") -> Any:
    """Return a connection to one of the two sockets, from a page of ours unless `origin` says otherwise."""
    headers = {"Cookie": cookie} if cookie else {}
    address = server.base_url.replace("http", "ws") + path
    return websockets.connect(
        address,
        origin=origin or server.base_url,  # type: ignore[arg-type]
        additional_headers=headers,
        max_size=None,
    )


def cookie_of(server: HavreServer, data: Path, username: str) -> str:
    """Sign in as a browser does and return the cookies."""
    with httpx.Client(base_url=server.base_url) as client:
        page = client.get("/staff/sign-in").text
        form = {
            "username": username,
            "password": (data / "sample-password").read_text().strip(),
            "csrfmiddlewaretoken": page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0],
        }
        answer = client.post("/staff/sign-in", data=form, headers={"Origin": server.base_url})
        if answer.status_code != 302:
            raise AssertionError(f"sign-in answered {answer.status_code}")
        return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


async def greet_visitor(line: Line, token: str, after: int = 0) -> None:
    """Say hello and wait for the welcome."""
    await line.send(type="hello", version=1, token=token, after=after, start=after == 0, language="en")
    await line.until(type="welcome")
