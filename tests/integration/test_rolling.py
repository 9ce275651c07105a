"""Both processes of a site are ended and started in turn while people write: acknowledged is stored is shown, once."""

import asyncio
import http.client
import json
import secrets
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
import websockets

from tests.support.daemon import LOOPBACK
from tests.support.needs import need_postgres, need_redis
from tests.support.servers import HavreServer, HavreWorker, fresh_database, havre_environment, migrate_and_seed
from tests.support.wire import dial

pytestmark = pytest.mark.servers
ENDS_WITHIN = 10.0
VISITORS = 8


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    data = tmp_path_factory.mktemp("rolling")
    with ExitStack() as stack:
        database, redis = stack.enter_context(fresh_database(need_postgres())), need_redis()
        migrate_and_seed(havre_environment(data, database_url=database, redis_url=redis))
        both = [
            stack.enter_context(HavreServer(data, server=request.param, database_url=database, redis_url=redis))
            for _ in range(2)
        ]
        stack.enter_context(HavreWorker(data, database_url=database, redis_url=redis))
        yield {"both": both, "database": database}


class Page:
    """Be a visitor's page: it comes back when it is sent on, and sends again what was not answered."""

    def __init__(self, both: list[HavreServer], number: int) -> None:
        self.both, self.turn = both, number
        self.token = secrets.token_urlsafe(32)
        self.acknowledged: dict[str, int] = {}
        self.shown: list[tuple[int, str]] = []
        self.closes: list[tuple[float, int]] = []
        self.last = 0
        self.begun = self.stopped = False
        self.waiting: dict[int, tuple[str, str]] = {}
        self.refs = 0
        self.writing: asyncio.Task[None] | None = None

    async def live(self) -> None:
        """Connect again and again until it was stopped and nothing is unanswered."""
        while not (self.stopped and not self.waiting):
            server = self.both[self.turn % 2]
            try:
                async with dial(server, "/ws/v") as socket:
                    await self._talk(socket)
            except websockets.ConnectionClosed as closed:
                self.closes.append((time.monotonic(), closed.rcvd.code if closed.rcvd else 1006))
            except (OSError, EOFError, websockets.InvalidHandshake):
                # nobody listens there, or not any more
                await asyncio.sleep(0.05)
            if self.writing is not None:
                self.writing.cancel()
            self.turn += 1

    async def _talk(self, socket: Any) -> None:
        hello = {"type": "hello", "version": 1, "token": self.token, "after": self.last, "language": "en"}
        await socket.send(json.dumps(hello | {"start": not self.begun}))
        while not (self.stopped and not self.waiting):
            try:
                async with asyncio.timeout(0.2):
                    frame = json.loads(await socket.recv())
            except TimeoutError:
                continue
            if frame["type"] == "welcome":
                self.begun = True
                for ref in tuple(self.waiting):
                    await self._send(socket, ref)
                self.writing = asyncio.create_task(self._write(socket))
                # a line that is gone is seen by who reads it
                self.writing.add_done_callback(lambda task: task.cancelled() or task.exception())
            elif frame["type"] == "ok":
                client_id, _ = self.waiting.pop(frame["ref"])
                self.acknowledged[client_id] = frame["seq"]
                if frame["seq"] == self.last + 1:
                    self._show(frame["seq"], client_id)
            elif frame["type"] in {"message", "fact"} and frame["seq"] > self.last:
                assert frame["seq"] == self.last + 1, "no number is passed over"
                self._show(frame["seq"], frame.get("client_id") or "")

    def _show(self, seq: int, client_id: str) -> None:
        self.last = seq
        self.shown.append((seq, client_id))

    async def _write(self, socket: Any) -> None:
        while not self.stopped:
            self.refs += 1
            self.waiting[self.refs] = (secrets.token_hex(16), f"word {self.refs}")
            await self._send(socket, self.refs)
            await asyncio.sleep(0.8)

    async def _send(self, socket: Any, ref: int) -> None:
        client_id, body = self.waiting[ref]
        await socket.send(json.dumps({"type": "post", "ref": ref, "client_id": client_id, "body": body}))


async def ended(server: HavreServer) -> float:
    """Send SIGTERM and return how many seconds the process took to end."""
    began = time.monotonic()
    assert server.process is not None
    server.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(server.process.wait, 20)
    return time.monotonic() - began


def says_that_it_ends(held: http.client.HTTPConnection) -> bool:
    """Ask on a line that was there before whether a process is ready; it is until the signal has reached it."""
    held.request("GET", "/readyz")
    answer = held.getresponse()
    draining = bool(json.loads(answer.read())["draining"])
    assert answer.status == (503 if draining else 200)
    return draining


async def test_a_rolling_restart_loses_and_doubles_nothing(site: dict[str, Any]) -> None:
    both = site["both"]
    pages = [Page(both, number) for number in range(VISITORS)]
    living = [asyncio.create_task(page.live()) for page in pages]
    await asyncio.sleep(2)
    for server in both:
        held = http.client.HTTPConnection(LOOPBACK, server.port, timeout=5)
        await asyncio.to_thread(held.request, "GET", "/readyz")
        assert (await asyncio.to_thread(held.getresponse)).read()
        before, began = len([one for page in pages for one in page.closes]), time.monotonic()
        ending = asyncio.create_task(ended(server))
        while not await asyncio.to_thread(says_that_it_ends, held):
            assert not ending.done(), "a balancer was told nothing"
        held.close()
        took = await ending
        assert took < ENDS_WITHIN
        closes = [one for page in pages for one in page.closes if one[0] >= began]
        print(f"{server.name}: ended in {took:.1f} s, {len(closes)} lines sent on")
        codes = Counter(code for _, code in closes)
        assert codes.keys() <= {4503, 1012}, "1012: who knocked in the very last moment; pages spread their return too"
        assert codes[4503] > codes[1012]
        assert before + len(closes) == len([one for page in pages for one in page.closes])
        await asyncio.to_thread(server.start)
        await asyncio.sleep(2)
    for page in pages:
        page.stopped = True
    async with asyncio.timeout(20):
        await asyncio.gather(*living)
    with psycopg.connect(site["database"]) as database:
        rows = database.execute("SELECT client_id, visitor_seq FROM chat_event WHERE kind = 'message'").fetchall()
    acknowledged = {key: seq for page in pages for key, seq in page.acknowledged.items()}
    assert len(acknowledged) > 5 * VISITORS
    assert Counter(key for key, _ in rows) == Counter(acknowledged.keys()), "acknowledged is stored, once"
    assert dict(rows) == acknowledged
    for page in pages:
        shown = {key: seq for seq, key in page.shown if key}
        assert shown.items() <= page.acknowledged.items()
        missing = page.acknowledged.keys() - shown.keys()
        assert all(page.acknowledged[key] > page.last for key in missing), "only what came after it stopped listening"
        assert len(missing) <= 2
    for server in both:
        assert "Traceback" not in server.log_text()
        assert "defect" not in server.log_text()


async def test_ctrl_c_ends_at_once(site: dict[str, Any]) -> None:
    server = site["both"][0]
    async with dial(server, "/ws/v"):
        began = time.monotonic()
        await asyncio.to_thread(server.terminate, signal.SIGINT)
        assert time.monotonic() - began < 2
    await asyncio.to_thread(server.start)
