"""The Redis of docs/operations.md, started from its own recipe: who may do what, and what the deploy check says."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import redis
import yaml
from channels_redis.pubsub import RedisPubSubChannelLayer

from config.checks import check_redis
from tests.support.daemon import LOOPBACK, free_port
from tests.support.needs import ROOT, lacking
from tests.support.servers import Redis, ServerFailed

pytestmark = pytest.mark.servers

RECIPE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").split("```sh\n")[1].split("```")[0]
COMMAND: list[str] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]["redis"][
    "command"
]


class GivenRedis(Redis):
    """Run a Redis with what a test gives it, as far as one can run beside others."""

    def __init__(self, *words: str) -> None:
        super().__init__()
        self.words = words

    def command(self) -> list[str]:
        place = ["--bind", LOOPBACK, "--port", str(self.port), "--dir", str(self.folder)]
        return [self.program, *self.words, *place]

    def answers(self) -> bool:
        try:
            return bool(redis.Redis(LOOPBACK, self.port, socket_timeout=2).ping())
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False


def started(*words: str) -> GivenRedis:
    """Return a Redis of our own, or skip."""
    try:
        return GivenRedis(*words)
    except ServerFailed as error:
        lacking("Redis", str(error))


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the secrets as the operator is told to."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "deploy").mkdir()
    subprocess.run(["sh", "-e", "-c", RECIPE], cwd=folder, check=True, timeout=30)
    return folder / "deploy" / "secrets"


@pytest.fixture(scope="module")
def site(secrets: Path) -> Iterator[str]:
    """Start Redis as the containers do, and yield its address for Havre."""
    words = [word.replace("/run/secrets", str(secrets)) for word in COMMAND[1:]]
    # Redis itself refuses DEBUG unless it is told otherwise; here the user's rights alone shall do it
    with started(*words, "--enable-debug-command", "yes") as server:
        given = urlsplit((secrets / "redis_url").read_text(encoding="ascii").strip())
        assert given.hostname == "redis"
        place = f"{given.username}:{given.password}@{LOOPBACK}:{server.port}"
        yield urlunsplit(given._replace(netloc=place))


def ask(url: str, *words: str) -> Any:
    """Send one command and return the answer."""
    with redis.Redis.from_url(url, socket_timeout=5) as client:
        return client.execute_command(*words)


def test_nobody_is_let_in_without_the_password(site: str) -> None:
    bare = re.sub(r"//.*@", "//", site)
    with pytest.raises(redis.AuthenticationError):
        ask(bare, "PING")
    with pytest.raises(redis.AuthenticationError):
        ask(site.replace("//havre:", "//havre:x"), "PING")


@pytest.mark.parametrize(
    "command",
    [
        "MONITOR",
        "CONFIG GET save",
        "CONFIG SET slowlog-log-slower-than 0",
        "DEBUG SLEEP 0",
        "SLOWLOG GET",
        "SAVE",
        "BGSAVE",
        "BGREWRITEAOF",
        "REPLICAOF localhost 1",
        "ACL LIST",
        "CLIENT LIST",
        "CLIENT KILL TYPE normal",
        "KEYS *",
        "FLUSHALL",
        "MIGRATE localhost 1 key 0 10",
        "MODULE LIST",
        "SHUTDOWN NOSAVE",
        "LATENCY LATEST",
    ],
)
def test_havre_may_not_do_what_a_thief_would(site: str, command: str) -> None:
    with pytest.raises(redis.exceptions.NoPermissionError):
        ask(site, *command.split())


def test_havre_may_do_what_it_needs(site: str) -> None:
    assert ask(site, "SET", "unlock:x", "y", "EX", "5")
    assert ask(site, "GET", "unlock:x") == b"y"
    assert ask(site, "EVAL", "return redis.call('INCR', KEYS[1])", "1", "n") == 1
    assert ask(site, "DEL", "unlock:x", "n") == 2


@pytest.mark.asyncio
async def test_the_layer_works_with_what_it_may_do(site: str) -> None:
    layer = RedisPubSubChannelLayer(hosts=[site])
    try:
        channel = await layer.new_channel("hub")
        await layer.group_add("shift", channel)
        await layer.group_send("shift", {"type": "nudge"})
        assert (await layer.receive(channel))["type"] == "nudge"
    finally:
        await layer.flush()


# the deploy check


def codes(url: str, settings: Any) -> dict[str, str]:
    """Return what the check says of a Redis, by its code."""
    settings.ENV = SimpleNamespace(redis_url=url)
    return {str(problem.id): problem.msg for problem in check_redis(None)}


def test_the_site_of_the_recipe_passes(site: str, settings: Any) -> None:
    assert codes(site, settings) == {}


def test_a_site_without_redis_is_not_asked(settings: Any) -> None:
    assert codes("", settings) == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--save", "60 1", "--appendonly", "no"], "save 60 1"),
        (["--save", "", "--appendonly", "yes"], "appendonly yes"),
        ([], "save 3600 1"),
    ],
    ids=["snapshots", "log", "as it comes"],
)
def test_a_redis_that_writes_to_disk_is_refused(words: list[str], said: str, settings: Any) -> None:
    with started(*words) as server:
        assert said in codes(server.url, settings)["havre.E014"]


@pytest.mark.parametrize(
    ("words", "may", "expected"),
    [
        (["--save", "", "--appendonly", "no"], "+info", ""),
        (["--save", "", "--appendonly", "yes"], "+info", "aof_enabled is 1"),
        (["--save", "60 1", "--appendonly", "no"], "+info", "rdb_saves is 1"),
        (["--save", "60 1", "--appendonly", "yes"], "", ""),
    ],
    ids=["nothing", "log", "a snapshot was made", "may not ask at all"],
)
def test_where_the_configuration_is_closed_what_was_done_counts(
    words: list[str], may: str, expected: str, settings: Any
) -> None:
    user = f"havre on >word ~* &* +@all -@admin -@dangerous {may}".split()
    with started(*words, "--user", *user) as server:
        if "rdb_saves" in expected:
            ask(server.url, "SAVE")
        found = codes(f"redis://havre:word@{LOOPBACK}:{server.port}/0", settings)
    assert (expected in found["havre.E014"]) if expected else found == {}


def test_a_redis_that_gives_no_answer_is_refused_in_words_without_its_password(site: str, settings: Any) -> None:
    for url in (
        f"redis://havre:copperword@{LOOPBACK}:{free_port()}/0",
        re.sub(r"havre:\w+@", "havre:copperword@", site),
        "redis://havre:copperword@no-such-name.invalid:6379/0",
    ):
        found = codes(url, settings)
        assert found.keys() == {"havre.E015"}
        assert "cannot be asked" in found["havre.E015"]
        assert "copperword" not in str(found)
