"""Calls for help on real servers: a shift with two web processes and workers, and how soon a board hears of a call.

Raised on one process, heard on the other. Workers' clocks run ahead by as much as a test says, so that nobody waits for
minutes (`tests/chaos/clocks.py`).
"""

import asyncio
import json
import math
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg

from tests.chaos.clock import Clock
from tests.support.daemon import LOOPBACK, Daemon
from tests.support.servers import HavreServer, HavreWorker, havre_environment, manage, migrate_and_seed
from tests.support.wire import Line, dial

SOON = 1.0
"""Seconds within which a board hears of a call."""
VISITORS = 4
ACTED: LiteralString = "SELECT count(*) FROM crisis_escalation WHERE raised_level = %s AND climbs >= %s"
"""Counts the calls raised on a level whose clocks have acted so often."""

PREPARE = """
import json, secrets
from uuid import uuid4
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone
from chat.models import Site
from chat.services import open_conversation
from crisis import services as crisis
from staff.models import User
from staff.web import staff_of
now = timezone.now()
Site.objects.update(most_waiting=10_000)
alix, dana = (User.objects.get(username=name) for name in ("alix", "dana"))
session = SessionStore()
session[SESSION_KEY], session[HASH_SESSION_KEY] = str(dana.pk), dana.get_session_auth_hash()
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session.save()
about = dict(name="Pager", way="webhook", address="{hook}", wait_seconds=1800)
crisis.add_target(actor=staff_of(alix), target_id=uuid4(), now=now, **about)
crisis.set_silence(actor="command", seconds=1800, now=now)
def begun():
    token = secrets.token_urlsafe(32)
    return token, open_conversation(token=token, language="en", door="help", now=timezone.now()).result.conversation
for level, count in {clocks}.items():
    for _ in range(count):
        about = dict(level=level, reason="a reason", client_id=secrets.token_hex(16))
        crisis.raise_escalation(actor=staff_of(dana), conversation_id=begun()[1], now=timezone.now(), **about)
print(json.dumps([session.session_key, [[token, str(pk)] for token, pk in (begun() for _ in range({visitors}))]]))
"""


class Pager:
    """Be the far end of pages: it takes each and drops repeats, and counts the calls that they stand for."""

    def __init__(self) -> None:
        self.calls = 0
        self._keys: set[str] = set()
        self._lock = threading.Lock()
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                pager.take(self.headers["Idempotency-Key"], 1 + body["more"])
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.address = f"http://{LOOPBACK}:{self._server.server_port}/"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, key: str, calls: int) -> None:
        """Count the calls of a page, unless it is one that was sent again."""
        with self._lock:
            if key not in self._keys:
                self._keys.add(key)
                self.calls += calls

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Shift:
    """Hold what runs."""

    folder: Path
    database: str
    redis: str
    clock: Clock
    pager: Pager
    stack: ExitStack
    webs: list[HavreServer] = field(default_factory=list)
    session: str = ""
    visitors: list[tuple[str, str]] = field(default_factory=list)
    """Token and id of the conversations in which somebody writes."""
    workers: int = 0
    ahead: int = 0

    def worker(self) -> HavreWorker:
        """Return another worker, whose clock is this shift's."""
        self.workers += 1
        log = self.folder / f"worker{self.workers}.log"
        worker = HavreWorker(self.folder, database_url=self.database, redis_url=self.redis, log=log)
        worker.environ |= self.clock.environ
        self.stack.callback(worker.kill9)
        return worker

    def rows(self, query: LiteralString, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query, past Havre."""
        with psycopg.connect(self.database, connect_timeout=5) as server:
            return server.execute(query, values).fetchall()

    def acted(self, level: int, times: int = 1) -> int:
        """Return how many clocks of calls that were raised on a level have acted so often."""
        return int(self.rows(ACTED, level, times)[0][0])

    def run_out(self, level: int, *, left: float = 0.0) -> float:
        """Set the workers' clock so far ahead that all clocks of a level have only so many seconds left.

        Return the moment of the steady clock at which the last of them runs out. Whole seconds are what can be set.
        """
        query: LiteralString = "SELECT max(due_at) FROM crisis_escalation WHERE state = 'raised' AND raised_level = %s"
        ((due,),) = self.rows(query, level)
        runs_for = (due - datetime.now(due.tzinfo)).total_seconds()
        ahead = max(self.ahead, math.ceil(runs_for - left))
        self.ahead = ahead
        self.clock.set(ahead)
        return float(time.monotonic() + runs_for - ahead)

    def jump(self, seconds: int) -> None:
        """Set the workers' clock ahead."""
        self.ahead += seconds
        self.clock.set(self.ahead)

    def logs(self) -> str:
        """Return what the workers printed."""
        files = sorted(self.folder.glob("worker*.log"))
        return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)


@contextmanager
def shift(
    folder: Path, database: str, redis: str, *, clocks: dict[int, int], webs: int = 0, visitors: int = VISITORS
) -> Iterator[Shift]:
    """Start web processes on an empty database, and let so many clocks of each level run; no worker yet."""
    with ExitStack() as stack:
        environ = havre_environment(folder, database_url=database, redis_url=redis, HAVRE_WRITES_PER_SECOND="0")
        migrate_and_seed(havre_environment(folder, database_url=database, redis_url=redis))
        pager = Pager()
        stack.callback(pager.close)
        one = Shift(folder, database, redis, Clock(folder / "clock", library=False), pager, stack)
        for _ in range(webs):
            web = HavreServer(folder, server="uvicorn", database_url=database, redis_url=redis)
            web.environ |= {"HAVRE_WRITES_PER_SECOND": "0"}
            one.webs.append(stack.enter_context(_later(web)))
        script = PREPARE.format(hook=pager.address, clocks=clocks, visitors=visitors)
        with ThreadPoolExecutor(webs + 1) as pool:
            started = [pool.submit(web.start) for web in one.webs]
            printed = manage(environ, "shell", "--no-imports", "-c", script, within=600)
            for each in started:
                each.result()
        one.session, one.visitors = json.loads(printed.strip().splitlines()[-1])
        yield one


@contextmanager
def _later(daemon: Daemon) -> Iterator[Any]:
    """Give a process that is started later, and end it in any case."""
    try:
        yield daemon
    finally:
        daemon.kill9()


# how soon a board hears


async def heard(one: Shift, count: int, every: float) -> list[float]:
    """Raise calls on one process, one after the other, and return after how many seconds the other's board had each.

    Visitors write meanwhile, and each call is stood down once the board has it, as on a shift.
    """
    near, far = one.webs
    began: list[float] = []
    came: list[float] = []
    done = asyncio.Event()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        raises, settles = [await stack.enter_async_context(_signed_in(web, one.session)) for web in (near, far)]
        board = Line(await stack.enter_async_context(dial(far, "/ws/s", cookie=f"session={one.session}")))
        await board.send(type="hello", version=1, follow={})
        known = {call["id"] for call in (await board.until(type="overview"))["escalations"]}
        for token, _ in one.visitors:
            line = Line(await stack.enter_async_context(dial(near, "/ws/v")))
            await line.send(type="hello", version=1, token=token, after=0, start=False, language="en")
            await line.until(type="welcome")
            tasks.create_task(_writes(line, done))
        tasks.create_task(_pings(board, done))
        settling: asyncio.Queue[str] = asyncio.Queue()

        async def watch() -> None:
            while len(came) < count:
                overview = await board.until(30, type="overview")
                at = time.monotonic()
                fresh = [call for call in overview["escalations"] if call["id"] not in known]
                for call in sorted(fresh, key=lambda call: call["raised_at"]):
                    known.add(call["id"])
                    came.append(at)
                    settling.put_nowait(call["id"])

        async def settle() -> None:
            for _ in range(count):
                await _posted(settles, f"escalations/{await settling.get()}/stand-down", reason="it is over")

        watching = tasks.create_task(watch())
        settled = tasks.create_task(settle())
        for number in range(count):
            _, pk = one.visitors[number % len(one.visitors)]
            began.append(time.monotonic())
            about = {"level": 1 + number % 3, "reason": "a reason", "client_id": secrets.token_hex(16)}
            await _posted(raises, f"conversations/{pk}/flag", **about)
            await asyncio.sleep(max(0.0, began[-1] + every - time.monotonic()))
        await watching
        await settled
        done.set()
    return [at - since for since, at in zip(began, came, strict=True)]


async def _writes(line: Line, done: asyncio.Event) -> None:
    while not done.is_set():
        assert (await line.say("still here"))["type"] == "ok"
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), 0.3)


async def _pings(line: Line, done: asyncio.Event) -> None:
    while not done.is_set():
        await line.send(type="ping")
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), 10)


def _signed_in(web: HavreServer, session: str) -> httpx.AsyncClient:
    proof = secrets.token_hex(16)
    headers = {"Origin": web.base_url, "X-CSRFToken": proof, "Cookie": f"session={session}; csrf={proof}"}
    return httpx.AsyncClient(base_url=web.base_url, headers=headers, timeout=10)


async def _posted(client: httpx.AsyncClient, path: str, **body: Any) -> None:
    answer = await client.post(f"/staff/api/{path}", json=body)
    assert answer.status_code == 200, answer.text


def told(seconds: list[float]) -> str:
    """Return how soon, in milliseconds."""
    ranked = sorted(seconds)
    figures = {f"p{part}": ranked[min(len(ranked) - 1, len(ranked) * part // 100)] for part in (50, 95, 99)}
    figures["max"] = ranked[-1]
    return ", ".join(f"{name} {1_000 * value:.0f} ms" for name, value in figures.items())


def p99(seconds: list[float]) -> float:
    """Return what 99 of 100 do not exceed."""
    ranked = sorted(seconds)
    return ranked[min(len(ranked) - 1, len(ranked) * 99 // 100)]
