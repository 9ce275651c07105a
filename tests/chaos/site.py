"""Run a whole Havre for a fault run: servers, what stands before them, people who are signed in, rows as stored."""

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString, NamedTuple
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import psycopg

from config.env import VARIABLES
from tests.support.daemon import LOOPBACK, Daemon
from tests.support.proxy import NudgeProxy, Proxy
from tests.support.servers import (
    HavreServer,
    HavreWorker,
    Postgres,
    Redis,
    havre_environment,
    manage,
    migrate_and_seed,
)

UNLIMITED = {name: "0" for name in ("HAVRE_WRITES_PER_SECOND",) if name in VARIABLES}
"""No limit of writing: a run writes faster than any person."""

PEOPLE = """
import json, secrets
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from staff.models import User
keys = []
for number in range({count}):
    name = f"chaos-{{secrets.token_hex(6)}}"
    user = User.objects.create(username=name, work_name="Chaos", role="advocate", password="!", capacity=4)
    session = SessionStore()
    session[SESSION_KEY], session[HASH_SESSION_KEY] = str(user.pk), user.get_session_auth_hash()
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session.save()
    keys.append(session.session_key)
print(json.dumps(keys))
"""

BEGUN = """
import secrets, json
from django.utils import timezone
from chat.services import open_conversation
tokens = [secrets.token_urlsafe(32) for _ in range({count})]
for token in tokens:
    open_conversation(token=token, language="en", door="help", now=timezone.now())
print(json.dumps(tokens))
"""


class Row(NamedTuple):
    """Be one stored line of a log."""

    conversation: str
    staff_seq: int
    visitor_seq: int | None
    client_id: str | None


@dataclass
class Site:
    """Hold what runs."""

    data: Path
    environ: dict[str, str]
    webs: list[HavreServer]
    ports: list[int]
    """Where pages connect to, one for each web process: its own, or the proxy's before it."""
    worker: HavreWorker | None = None
    postgres: Postgres | None = None
    redis: Redis | None = None
    proxies: dict[str, Proxy] = field(default_factory=dict)

    @property
    def daemons(self) -> list[Daemon]:
        """Return Havre's own processes."""
        return [*self.webs, *([self.worker] if self.worker else [])]

    def sessions(self, count: int) -> list[str]:
        """Make advocates who are signed in."""
        return self._printed(PEOPLE.format(count=count))

    def begun(self, count: int) -> list[str]:
        """Begin conversations, more than a door that guards against floods would let in; return their tokens."""
        # a crowd of a run waits longer than a site would let one
        manage(self.environ, "site", "set", f"most_waiting={count * 5}")
        return self._printed(BEGUN.format(count=count))

    def rows(self) -> list[Row]:
        """Return every line of every log."""
        found = self.query("SELECT conversation_id, staff_seq, visitor_seq, client_id FROM chat_event")
        return sorted(Row(str(UUID(str(pk))), staff, visitor, client) for pk, staff, visitor, client in found)

    def conversation_of(self, token: str) -> str:
        """Return the id of a visitor's conversation."""
        wanted = hashlib.sha256(token.encode()).digest()
        found = self.query("SELECT id, token_digest FROM chat_conversation")
        return next(str(UUID(str(pk))) for pk, digest in found if bytes(digest) == wanted)

    def query(self, query: LiteralString) -> Sequence[tuple[Any, ...]]:
        """Return the rows of a query, past Havre."""
        if self.postgres is not None:
            with psycopg.connect(self.postgres.url, connect_timeout=5) as server:
                return server.execute(query).fetchall()
        with closing(sqlite3.connect(self.data / "havre.sqlite3", timeout=20)) as file:
            return file.execute(query).fetchall()

    def logs(self) -> str:
        """Return what Havre's processes printed."""
        return "\n".join(daemon.log_text() for daemon in self.daemons)

    def _printed(self, script: str) -> list[str]:
        printed = manage(self.environ, "shell", "--no-imports", "-c", script)
        return list(json.loads(printed.strip().splitlines()[-1]))


@contextmanager
def running(
    folder: Path,
    *,
    server: str = "uvicorn",
    database: str = "sqlite",
    webs: int = 1,
    before: Collection[str] = (),
    environ: Mapping[str, str] | None = None,
    seeded: bool = False,
    logs: Path | None = None,
) -> Iterator[Site]:
    """Start a site; `before` names what gets a proxy: web, redis, postgres."""
    with ExitStack() as stack:
        proxies: dict[str, Proxy] = {}
        postgres = stack.enter_context(Postgres()) if database == "postgres" else None
        redis = stack.enter_context(Redis()) if webs > 1 else None
        if postgres and "postgres" in before:
            proxies["postgres"] = stack.enter_context(Proxy(postgres.port))
        if redis and "redis" in before:
            proxies["redis"] = stack.enter_context(NudgeProxy(redis.port))
        database_url = _through(postgres.url, proxies.get("postgres")) if postgres else ""
        redis_url = _through(redis.url, proxies.get("redis")) if redis else ""
        plain = havre_environment(folder, database_url=database_url, redis_url=redis_url)
        if not seeded:
            # without the settings of the run, so that a copy of what was prepared before will do
            migrate_and_seed(plain)
        common = plain | UNLIMITED
        site = Site(folder, common, [], [], postgres=postgres, redis=redis, proxies=proxies)
        for number in range(webs):
            log = (logs or folder) / f"web{number}.log"
            web = HavreServer(folder, server=server, database_url=database_url, redis_url=redis_url, log=log)
            web.environ |= UNLIMITED | dict(environ or {})
            site.webs.append(stack.enter_context(web))
            if "web" in before:
                proxies[f"web{number}"] = stack.enter_context(Proxy(web.port))
            site.ports.append(proxies[f"web{number}"].port if "web" in before else web.port)
        if redis:
            site.worker = stack.enter_context(HavreWorker(folder, database_url=database_url, redis_url=redis_url))
        yield site


async def restart(daemon: Daemon, *, kill: bool = False, away: float = 0.0) -> int | None:
    """End a process and start it again after a while; return the status with which it ended when asked to."""
    status = None
    if kill:
        await asyncio.to_thread(daemon.kill9)
    else:
        status = await asyncio.to_thread(daemon.terminate)
    await asyncio.sleep(away)
    await asyncio.to_thread(daemon.start)
    return status


def _through(url: str, proxy: Proxy | None) -> str:
    if proxy is None:
        return url
    parts = urlsplit(url)
    account = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{account}{'@' if account else ''}{LOOPBACK}:{proxy.port}"))
