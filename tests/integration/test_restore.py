"""A backup must be worth nothing once its keys have died, and everything before: on SQLite and on PostgreSQL.

The dump is taken while a conversation runs. Then the keys of those days are destroyed, the dump is restored on an empty
place, and every path of the program is tried, with the words of two readers in hand. The thief has all that the server
has, but no reader's words.
"""

import json
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_two_processes import take_waiting
from tests.support.needs import need_postgres, need_redis
from tests.support.search import redis_bytes
from tests.support.servers import (
    HavreServer,
    fresh_database,
    havre_environment,
    manage,
    migrate_and_seed,
    postgres_programs,
)
from tests.support.stolen import in_the_safe
from tests.support.vault_keys import Archive
from tests.support.wire import Line, cookie_of, dial, greet_visitor

pytestmark = pytest.mark.servers
OVER, RUNNING, NOTE = "the teal kettle sings at dusk", "nine lanterns on the frozen pier", "amber note beside the lamp"
Environment = dict[str, str]


@dataclass
class Place:
    """Be one installation: its data, its key folder, its environment."""

    data: Path
    environ: Environment
    phrases: dict[str, str] = field(default_factory=dict)

    def run(self, call: str) -> Any:
        """Run a function of `tests.support.stolen` in there and return what it printed."""
        return json.loads(
            manage(self.environ, "shell", "--no-imports", "-c", f"from tests.support import stolen; stolen.{call}")
        )

    def bytes(self) -> dict[str, bytes]:
        """Return every file of it."""
        return {path.name: path.read_bytes() for path in self.data.rglob("*") if path.is_file()}


class Site:
    """Be a site on one of the two databases, with a dump and a restore of its own kind."""

    def __init__(self, folder: Path, database: str, redis: str) -> None:
        self.folder, self.database, self.redis = folder, database, redis
        self.keys = folder / "keys"
        self.safe = Archive.new()
        self.place = self.at(folder / "data", database)

    def at(self, data: Path, database: str, keys: Path | None = None) -> Place:
        """Return an installation on some data and some keys."""
        data.mkdir(parents=True, exist_ok=True)
        more = {"HAVRE_ARCHIVE_ROOT": self.safe.pinned, "HAVRE_KEYS_DIR": str(keys or self.keys)}
        return Place(data, havre_environment(data, database_url=database, redis_url=self.redis, **more))

    def dump(self, to: Path) -> None:
        """Take a backup while it runs: database and log, never the keys."""
        to.mkdir()
        if not self.database:
            for path in self.place.data.glob("havre.sqlite3*"):
                shutil.copy(path, to / path.name)
            return
        program = str(postgres_programs() / "pg_dump")
        subprocess.run(
            [program, "--format=plain", "--file", str(to / "dump.sql"), self.database], check=True, timeout=60
        )

    def restore(self, dump: Path, name: str, keys: Path, database: str) -> Place:
        """Bring a backup to life on an empty place, with the keys of some folder."""
        place = self.at(self.folder / name, database, keys)
        if not database:
            for path in dump.glob("havre.sqlite3*"):
                shutil.copy(path, place.data / path.name)
            return place
        program, file = str(postgres_programs() / "psql"), str(dump / "dump.sql")
        psql = [program, "--quiet", "--set", "ON_ERROR_STOP=1", "--file", file, database]
        subprocess.run(psql, check=True, timeout=60, stdout=subprocess.DEVNULL)
        return place


Fresh = Callable[[], str]


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Site, Fresh]]:
    if request.param == "sqlite":
        yield Site(tmp_path, "", ""), lambda: ""
        return
    server, redis = need_postgres(), need_redis()
    with fresh_database(server) as first, fresh_database(server) as second, fresh_database(server) as third:
        empty = iter((second, third))
        yield Site(tmp_path, first, redis), lambda: next(empty)


async def talk(server: HavreServer, place: Place, sentence: str, note: str = "") -> str:
    """Let a visitor say one sentence to ben, who may write a note; return the conversation."""
    cookie = cookie_of(server, place.data, "ben")
    async with dial(server, "/ws/v") as one, dial(server, "/ws/s", cookie=cookie) as two:
        visitor, advocate = Line(one), Line(two)
        await greet_visitor(visitor, secrets.token_urlsafe(32))
        assert (await visitor.say(sentence))["type"] == "ok"
        pk = await take_waiting(advocate)
        if note:
            ref = await advocate.send(type="note", conversation=pk, client_id=secrets.token_hex(16), body=note)
            await advocate.until(ref=ref)
        return pk


def readable(written: dict[str, bytes]) -> dict[str, list[str]]:
    """Return which sentence can be read where."""
    return {
        place: found
        for place, raw in written.items()
        if (found := [text for text in (OVER, RUNNING, NOTE) if text.encode() in raw])
    }


@pytest.mark.asyncio
@pytest.mark.timeout(240)
async def test_a_backup_opens_for_readers_until_its_keys_die_and_for_nobody_after(site: tuple[Site, Fresh]) -> None:
    here, fresh = site
    place = here.place
    migrate_and_seed(place.environ)
    phrases = place.run(f"set_up({in_the_safe(here.safe)!r})")
    with HavreServer(
        place.data,
        database_url=here.database,
        redis_url=here.redis,
        HAVRE_ARCHIVE_ROOT=here.safe.pinned,
        HAVRE_KEYS_DIR=str(here.keys),
    ) as server:
        over = await talk(server, place, OVER, NOTE)
        assert place.run(f"close({over!r})") == 1
        await talk(server, place, RUNNING)
        dump = here.folder / "dump"
        here.dump(dump)
        alive = here.folder / "keys-of-that-day"
        shutil.copytree(here.keys, alive)

    thief = here.restore(dump, "thief", alive, fresh())
    guesses = ["correct horse battery staple", *list(place.environ.values())]
    taken = thief.run(f"play_thief({guesses!r})")
    assert taken == {"daily": [RUNNING], "archive": []}, "a live theft sees what runs, and nothing that is closed"
    with_words = thief.run(f"play_thief({list(phrases.values())!r})")
    assert with_words["archive"] == sorted([RUNNING, OVER, NOTE]), (
        "the thief's tools work: with a reader's words they open"
    )
    assert thief.run(f"read_all({phrases!r})") == sorted([RUNNING, OVER, NOTE]), (
        "before the days are over readers open all"
    )
    for name, phrase in phrases.items():
        assert thief.run(f"read_all({ {name: phrase}!r})") == sorted([RUNNING, OVER, NOTE]), f"{name} alone opens all"

    destroyed = place.run("let_days_pass(40)")
    assert {name.split("-")[0] for name in destroyed} == {"op", "ret"}
    late = here.restore(dump, "late", here.keys, fresh())
    assert late.run(f"read_all({phrases!r})") == []
    assert late.run(f"play_thief({list(phrases.values())!r})") == {"daily": [], "archive": []}
    files = {path.name: path.read_bytes() for path in [*dump.iterdir(), *alive.iterdir()]}
    traces = redis_bytes(here.redis) if here.redis else {}
    assert readable(files | place.bytes() | late.bytes() | traces) == {}


def test_the_search_of_a_backup_finds_a_sentence_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "dump.sql").write_text(f"INSERT {OVER}", encoding="utf-8")
    assert readable({path.name: path.read_bytes() for path in tmp_path.iterdir()}) == {"dump.sql": [OVER]}
