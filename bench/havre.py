"""Havre itself, whole: on SQLite, on PostgreSQL, and as two web processes with a worker and Redis."""

import asyncio
import json
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, LiteralString

from bench.databases import Database, PostgresServer, SqliteFile, postgres_missing
from bench.load import Pair
from bench.targets import Running, Target
from bench.wire import LOOPBACK, Broken, Socket, connect
from tests.support.daemon import Daemon
from tests.support.servers import (
    HavreServer,
    HavreWorker,
    Postgres,
    Redis,
    havre_environment,
    manage,
    migrate_and_seed,
)

PER_ADVOCATE = 4
AT_ONCE = 20
"""Conversations that are opened at the same time."""
IDS: LiteralString = "SELECT client_id FROM chat_event WHERE kind = 'message'"

PEOPLE = """
import json
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from staff.models import User
keys = []
for number in range({count}):
    user = User.objects.create(username=f"load{{number}}", work_name="Load", role="advocate", password="!", capacity=4)
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    keys.append(session.session_key)
print(json.dumps(keys))
"""
"""Makes advocates who are signed in: a password of each would cost Argon2 and measure nothing of delivery."""

PARK = """
from django.utils import timezone
from chat.models import Conversation
from staff.models import User
now = timezone.now()
waiting = list(Conversation.objects.filter(state="waiting").order_by("pk"))
same = dict(work_name="Load", role="advocate", password="!")
people = User.objects.bulk_create([User(username=f"holder{n}", **same) for n in range(len(waiting) // 4 + 1)])
for number, row in enumerate(waiting):
    row.state, row.advocate, row.accepted_at, row.waiting_since = "active", people[number // 4], now, None
Conversation.objects.bulk_update(waiting, ["state", "advocate", "accepted_at", "waiting_since"], batch_size=200)
"""
"""Lets others hold the idle conversations, who never had a console that could vanish during a run."""

UNHURRIED = "0"
"""What a bench writes in a second nobody types; a site holds back who writes faster than one text a second."""


class RunningHavre(Running):
    """Be a Havre while it runs; where there are two web processes, whoever talks is never on the same one."""

    def __init__(
        self, daemons: list[Daemon], webs: list[HavreServer], database: Database, environ: dict[str, str]
    ) -> None:
        super().__init__(daemons)
        self._ports = [web.port for web in webs]
        self._database, self._environ = database, environ
        self._tokens: dict[int, str] = {}
        self._sessions: list[str] = []

    async def pairs(self, count: int) -> list[Pair]:
        """Let visitors in, then let advocates take and follow them, four to each."""
        sessions = self._signed_in(count // PER_ADVOCATE + 1)
        share = -(-count // len(self._ports))
        visitors: list[Socket] = []
        for port in self._ports:
            # one node's after the other's, so that the list of who waits says where each of them is
            few = min(share, count - len(visitors))
            visitors += await gathered(
                few, lambda _, port=port: self._visitor(port, secrets.token_urlsafe(32), start=True)
            )
        waiting = await self._waiting(sessions[-1], count)
        advocates = await gathered(
            count,
            lambda number: self._follower(
                self._ports[number // share - 1], sessions[number // PER_ADVOCATE], waiting[number]
            ),
        )
        return [Pair(visitor, advocate) for visitor, advocate in zip(visitors, advocates, strict=True)]

    async def arrive(self, kind: str, number: int) -> Socket:
        """Begin a conversation, or open one more tab of an advocate."""
        port = self._port(number)
        if kind == "staff":
            return await self._staff(port, self._signed_in(number // PER_ADVOCATE + 1)[number // PER_ADVOCATE])
        token = self._tokens[number] = secrets.token_urlsafe(32)
        return await self._visitor(port, token, start=True)

    async def return_of(self, kind: str, number: int) -> Socket:
        """Come back with what one holds."""
        if kind == "staff":
            return await self.arrive(kind, number)
        return await self._visitor(self._port(number), self._tokens[number], start=False)

    def sign_of_life(self) -> bytes | None:
        """Return what both kinds of page send."""
        return b'{"type":"ping"}'

    def park(self) -> None:
        """Put waiting conversations into the hands of people who are not part of the load."""
        manage(self._environ, "shell", "--no-imports", "-c", PARK)

    def stored_ids(self) -> list[str]:
        """Return the client ids that the database holds."""
        return self._database.column(IDS)

    def sign_in(self, count: int) -> None:
        """Make so many advocates beforehand."""
        printed = manage(self._environ, "shell", "--no-imports", "-c", PEOPLE.format(count=count))
        self._sessions = json.loads(printed.strip().splitlines()[-1])

    def _signed_in(self, count: int) -> list[str]:
        if count > len(self._sessions):
            raise Broken(f"{count} advocates are needed, {len(self._sessions)} were made")
        return self._sessions[:count]

    def _port(self, number: int) -> int:
        return self._ports[number % len(self._ports)]

    async def _visitor(self, port: int, token: str, *, start: bool) -> Socket:
        socket = await connect(port, "/ws/v", Origin=f"http://{LOOPBACK}:{port}")
        hello = {"type": "hello", "version": 1, "token": token, "after": 0, "start": start, "language": "en"}
        await asked(socket, hello, "welcome")
        return socket

    async def _staff(self, port: int, session: str) -> Socket:
        socket = await connect(port, "/ws/s", Origin=f"http://{LOOPBACK}:{port}", Cookie=f"session={session}")
        await asked(socket, {"type": "hello", "version": 1, "follow": {}}, "welcome")
        return socket

    async def _waiting(self, session: str, count: int) -> list[str]:
        """Return the conversations that wait, once all are in the list."""
        socket = await self._staff(self._ports[0], session)
        while True:
            overview = json.loads(await socket.until(lambda text: text.startswith(b'{"type":"overview"')))
            waiting = [one["id"] for one in overview["conversations"] if one["state"] == "waiting"]
            if len(waiting) >= count:
                socket.close()
                return waiting

    async def _follower(self, port: int, session: str, conversation: str) -> Socket:
        socket = await self._staff(port, session)
        # busy: nobody is offered anything, and each conversation goes where the load wants it
        await asked(socket, {"type": "availability", "ref": 1, "state": "busy"}, "ok")
        await asked(socket, {"type": "take", "ref": 2, "conversation": conversation}, "ok")
        # as the console does: it follows what the list shows as its own, and a list may be older than the take
        await socket.until(lambda text: state_in(text, conversation) == "active")
        await asked(socket, {"type": "follow", "ref": 3, "conversation": conversation, "after": 0}, "ok")
        return socket


def state_in(text: bytes, conversation: str) -> str:
    """Return how an overview shows a conversation; nothing for any other frame."""
    if not text.startswith(b'{"type":"overview"'):
        return ""
    return next((one["state"] for one in json.loads(text)["conversations"] if one["id"] == conversation), "")


async def asked(socket: Socket, command: dict[str, Any], wanted: str) -> None:
    """Send a command and wait for the answer; `Broken` when it is refused."""
    socket.send(json.dumps(command))
    found = (b'{"type":"%s"' % wanted.encode(), b'{"type":"error"')
    text = await socket.until(lambda text: text.startswith(found))
    if text.startswith(found[1]):
        raise Broken(f"{command['type']} was refused: {json.loads(text)['code']}")


async def gathered(count: int, one: Any) -> list[Socket]:
    """Return the sockets that `one` opens, some at a time."""
    few = asyncio.Semaphore(AT_ONCE)

    async def limited(number: int) -> Socket:
        async with few:
            socket: Socket = await one(number)
            return socket

    return list(await asyncio.gather(*(limited(number) for number in range(count))))


class Havre(Target):
    """Start the whole of Havre, as `manage.py serve` and `manage.py worker` do."""

    crowds = ("visitor", "staff")

    def __init__(
        self,
        name: str,
        reference: str,
        *,
        server: str = "uvicorn",
        postgres: bool = False,
        nodes: int = 1,
        screening: bool = True,
    ) -> None:
        super().__init__(name, reference)
        self._server, self._postgres, self._nodes, self._screening = server, postgres, nodes, screening
        self.both_cores = nodes > 1

    def missing(self) -> str:
        """Return why this machine cannot run it, or nothing."""
        return postgres_missing() if self._postgres else ""

    @contextmanager
    def running(self, folder: Path, conversations: int) -> Iterator[Running]:
        """Migrate, make the advocates, then start."""
        with ExitStack() as stack:
            daemons: list[Daemon] = []
            database: Database = SqliteFile(folder / "havre.sqlite3")
            database_url = redis_url = ""
            if self._postgres:
                postgres = stack.enter_context(Postgres())
                daemons.append(postgres)
                database, database_url = PostgresServer(postgres), postgres.url
            if self._nodes > 1:
                redis = stack.enter_context(Redis())
                daemons.append(redis)
                redis_url = redis.url
            environ = havre_environment(folder, database_url=database_url, redis_url=redis_url)
            migrate_and_seed(environ)
            # a measured crowd waits longer than a site would let one
            manage(environ, "site", "set", "most_waiting=10000")
            webs = [
                HavreServer(
                    folder,
                    server=self._server,
                    database_url=database_url,
                    redis_url=redis_url,
                    HAVRE_WRITES_PER_SECOND=UNHURRIED,
                    # whole: it costs each text of a visitor something, where a site has turned it on
                    HAVRE_SCREENING="1" if self._screening else "0",
                )
                for _ in range(self._nodes)
            ]
            daemons.extend(webs)
            if self._nodes > 1:
                daemons.append(HavreWorker(folder, database_url=database_url, redis_url=redis_url))
            running = RunningHavre(daemons, webs, database, environ)
            running.sign_in(conversations // PER_ADVOCATE + 1)
            for daemon in daemons:
                if not daemon.alive:
                    stack.enter_context(daemon)
            yield running
