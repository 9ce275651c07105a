"""Run real servers for tests: Havre itself, PostgreSQL, Redis."""

import atexit
import fcntl
import http.client
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.support.daemon import (
    LOOPBACK,
    ROOT,
    STOP_SECONDS,
    Account,
    Daemon,
    ServerFailed,
    clean_environment,
    free_port,
)

DATABASE = "havre.sqlite3"
PRINTED = "printed"

__all__ = [
    "HavreServer",
    "HavreWorker",
    "Postgres",
    "Redis",
    "ServerFailed",
    "clean_environment",
    "free_port",
    "fresh_database",
    "havre_environment",
    "manage",
    "migrate_and_seed",
    "postgres_programs",
]


def havre_environment(
    data_dir: Path, *, database_url: str = "", redis_url: str = "", **settings: str
) -> dict[str, str]:
    """Return the environment of a Havre process with its data in `data_dir`, and `settings` beside it."""
    environ = clean_environment() | {
        "HAVRE_DEVELOPMENT": "1",
        "HAVRE_DATA_DIR": str(data_dir),
        "PYTHONUNBUFFERED": "1",
    }
    if database_url:
        environ["DATABASE_URL"] = database_url
    if redis_url:
        environ["REDIS_URL"] = redis_url
    return environ | settings


def manage(environ: Mapping[str, str], *arguments: str, text: str | None = None, within: float = 120.0) -> str:
    """Run one management command to its end and return what it printed; `ServerFailed` when it fails."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=dict(environ),
        input=text,
        capture_output=True,
        text=True,
        timeout=within,
        check=False,
    )
    if done.returncode:
        raise ServerFailed(f"manage.py {' '.join(arguments)} ended with {done.returncode}\n{done.stderr[-4000:]}")
    return done.stdout


def migrate_and_seed(environ: Mapping[str, str]) -> str:
    """Bring the database of `environ` up to date, load the sample data, return what that printed.

    A new folder gets a copy of what was prepared before, and its database on PostgreSQL too: making one takes seconds,
    and dozens of tests want it. One with settings of its own gets the tables so, and the samples by those settings.
    """
    folder, database = Path(environ["HAVRE_DATA_DIR"]), environ.get("DATABASE_URL", "")
    plain = havre_environment(folder, database_url=database, redis_url=environ.get("REDIS_URL", ""))
    # the first database of a server of one's own can neither be copied from itself nor replaced
    first = database and database == _maintenance(database)
    if first or (folder / "development-secret").exists():
        return _prepare(environ)
    ready = _prepared(_maintenance(database) if database else "")
    if environ != plain:
        _copy(ready.tables, folder, database)
        return manage(environ, "seed_demo")
    _copy(ready.whole, folder, database)
    return (ready.whole / PRINTED).read_text(encoding="utf-8")


class Prepared(NamedTuple):
    """Name the folders to copy; on PostgreSQL a database that bears the folder's name goes with each."""

    tables: Path
    whole: Path


def _copy(template: Path, folder: Path, database: str) -> None:
    """Give a folder, and its database on PostgreSQL, what a template holds."""
    shutil.copytree(template, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(PRINTED))
    if database:
        name = sql.Identifier(urlsplit(database).path.removeprefix("/"))
        with psycopg.connect(_maintenance(database), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {}").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(template.name)))


@cache
def _prepared(maintenance: str) -> Prepared:
    """Prepare what is copied, in a folder of this run's own or, on SQLite, in one that several runs share."""
    shared = os.environ.get("HAVRE_TEST_PREPARED")
    if shared and not maintenance:
        return _prepared_once(Path(shared))
    place = Path(tempfile.mkdtemp(prefix="havre-prepared-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return _prepare_copies(place, maintenance)


def _prepared_once(place: Path) -> Prepared:
    """Return what the first of several runs that go side by side prepares in a folder for all of them."""
    ready = place / "ready"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            for half_made in _folders(place):
                shutil.rmtree(half_made, ignore_errors=True)
            _prepare_copies(place, "")
            ready.touch()
    return _folders(place)


def _folders(place: Path) -> Prepared:
    # a database on PostgreSQL is called as its folder, which may be one of several
    return Prepared(place / f"{place.name}-tables", place / f"{place.name}-whole")


def _prepare_copies(place: Path, maintenance: str) -> Prepared:
    """Make the tables once, and what is there with the samples from a copy of them."""
    ready, urls = _folders(place), []
    for folder in ready:
        folder.mkdir()
        if maintenance:
            atexit.register(_drop, maintenance, folder.name)
        urls.append(_create(maintenance, folder.name) if maintenance else "")
    manage(havre_environment(ready.tables, database_url=urls[0]), "migrate", "--verbosity", "0")
    for path in ready.tables.iterdir():
        # a secret, say, which whoever gets the tables makes by their own settings
        if not path.name.startswith(DATABASE):
            path.unlink()
    _copy(ready.tables, ready.whole, urls[1])
    printed = manage(havre_environment(ready.whole, database_url=urls[1]), "seed_demo")
    (ready.whole / PRINTED).write_text(printed, encoding="utf-8")
    return ready


def _prepare(environ: Mapping[str, str]) -> str:
    manage(environ, "migrate", "--verbosity", "0")
    return manage(environ, "seed_demo")


class HavreServer(Daemon):
    """Serve Havre in a process of its own, as `make demo` and production do."""

    def __init__(
        self,
        data_dir: Path,
        *,
        server: str = "daphne",
        database_url: str = "",
        redis_url: str = "",
        port: int | None = None,
        log: Path | None = None,
        **settings: str,
    ) -> None:
        environ = havre_environment(data_dir, database_url=database_url, redis_url=redis_url, **settings)
        self.server = server
        self.port = port or free_port()
        super().__init__(
            f"{server} on port {self.port}", log or data_dir / f"{server}-{self.port}.log", environ=environ
        )

    @property
    def base_url(self) -> str:
        """Return the address for a browser, without a slash at its end."""
        return f"http://{LOOPBACK}:{self.port}"

    def command(self) -> list[str]:
        serve = ["serve", "--host", LOOPBACK, "--port", str(self.port), "--server", self.server]
        return [sys.executable, "manage.py", *serve]

    def answers(self) -> bool:
        return self.get_status("/readyz") == 200

    def get_status(self, path: str) -> int:
        """Return the HTTP status of one page, or 0 when nobody answers."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


class HavreWorker(Daemon):
    """Run the worker loop in a process of its own, as a site with more than one web process does."""

    def __init__(self, data_dir: Path, *, database_url: str, redis_url: str, log: Path | None = None) -> None:
        environ = havre_environment(data_dir, database_url=database_url, redis_url=redis_url)
        super().__init__("worker", log or data_dir / "worker.log", environ=environ)

    def command(self) -> list[str]:
        return [sys.executable, "manage.py", "worker"]

    def answers(self) -> bool:
        return self.alive


class PrivateServer(Daemon):
    """Run a data server of our own on a free loopback port, with its files in a temporary folder."""

    def __init__(self, name: str, account: Account | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"havre-{name.lower()}-"))
        self.port = free_port()
        environ = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        super().__init__(name, self.folder / "log", environ=environ, account=account)

    @property
    def url(self) -> str:
        """Return the address for Havre's settings."""
        raise NotImplementedError

    def remove(self) -> None:
        """End the server and delete its files."""
        self.kill9()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.terminate()
        finally:
            self.remove()


class Postgres(PrivateServer):
    """Run a private PostgreSQL, with fsync on."""

    def __init__(self) -> None:
        self.password = secrets.token_urlsafe(24)
        self.programs = postgres_programs()
        super().__init__("PostgreSQL", _unprivileged())
        self._initialise()

    @property
    def url(self) -> str:
        """Return the address of the first database; its user may create others."""
        return f"postgres://havre:{self.password}@{LOOPBACK}:{self.port}/postgres"

    def _initialise(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password, encoding="ascii")
        if self.account:
            for path in (self.folder, secret):
                os.chown(path, *self.account)
        done = subprocess.run(
            [
                *(
                    str(self.programs / "initdb"),
                    "--pgdata",
                    str(self.folder / "data"),
                    "--username",
                    "havre",
                ),
                *("--auth", "scram-sha-256", "--pwfile", str(secret), "--encoding", "UTF8", "--no-locale"),
            ],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            user=self.account and self.account.uid,
            group=self.account and self.account.gid,
            extra_groups=[] if self.account else None,
        )
        secret.unlink()
        if done.returncode:
            self.remove()
            raise ServerFailed(f"initdb ended with {done.returncode}: {done.stderr.strip()[-500:]}")

    def command(self) -> list[str]:
        options = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": "on",
        }
        settings = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self.folder / "data"), *settings]

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def terminate(self, number: signal.Signals = signal.SIGINT, seconds: float = STOP_SECONDS) -> int:
        """Shut down at once but in order, cutting open sessions off; SIGTERM would wait for them."""
        return super().terminate(number, seconds)


class Redis(PrivateServer):
    """Run a private Redis that keeps nothing on disk."""

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise ServerFailed("redis-server is not installed")
        self.program = program
        super().__init__("Redis")

    @property
    def url(self) -> str:
        """Return the address of database 0."""
        return f"redis://{LOOPBACK}:{self.port}/0"

    def command(self) -> list[str]:
        return [
            *(self.program, "--bind", LOOPBACK, "--port", str(self.port), "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no"),
        ]

    def answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=2) as line:
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """Create an empty database on the server of `url`, yield its address and drop it at the end."""
    name = f"havre_{secrets.token_hex(6)}"
    try:
        yield _create(url, name)
    finally:
        _drop(url, name)


def _create(url: str, name: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _drop(url: str, name: str) -> None:
    with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _maintenance(database: str) -> str:
    """Return the address of the server's own database, from which others are made."""
    return urlunsplit(urlsplit(database)._replace(path="/postgres"))


def postgres_programs() -> Path:
    """Return the folder of `initdb` and `postgres`, the newest version first; `ServerFailed` if none."""
    packaged = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"),
        key=lambda path: [int(part) for part in path.parent.name.split(".") if part.isdigit()],
        reverse=True,
    )
    on_path = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    for folder in (*packaged, *on_path):
        if all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres")):
            return folder
    raise ServerFailed("PostgreSQL's server programs are not installed")


def _unprivileged() -> Account | None:
    """Return the account to run PostgreSQL as when this is root, which it refuses to run as."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    entry = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return Account(entry.pw_uid, entry.pw_gid)
