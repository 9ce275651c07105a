"""One Havre, one neutral site and one browser of each kind for all tests of the quick exit."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from tests.support.chromium import Chromium
from tests.support.daemon import free_port
from tests.support.engines import Engine, Tab
from tests.support.firefox import Firefox
from tests.support.neutral import Neutral
from tests.support.servers import HavreServer, havre_environment, manage, migrate_and_seed
from tests.support.wire import Line, cookie_of, dial

# minutes of waiting and fifty repeats: `make exit` runs them
collect_ignore = [] if os.environ.get("HAVRE_TEST_EXIT") else ["test_slow.py"]
ENGINES: dict[str, type[Engine]] = {"chromium": Chromium, "firefox": Firefox}
SAID = "the teal kettle sings"
DRAFT = "half a violet thought"
ANSWER = "a copper answer for heron"
Saw = Callable[[str], None]
WORDS = (SAID, DRAFT, ANSWER)
SET = """
from chat.models import Site
from staff.models import User
Site.objects.update(exit_url_en={en!r}, exit_url_fr={fr!r})
User.objects.update(capacity=4)
"""
TOKEN = "import(document.querySelector('script[src*=\"visitor/exit.js\"]').src).then((exit) => exit.chat.token)"


@dataclass
class Stage:
    """Be a running Havre with somewhere to leave to: in English a page that answers, in French one that does not."""

    server: HavreServer
    neutral: Neutral
    dead: str
    data: Path
    _turns: Iterator[str] = field(default_factory=lambda: cycle(("ben", "cleo")))

    @property
    def home(self) -> str:
        """Return the visitor's page."""
        return f"{self.server.base_url}/"

    @property
    def place(self) -> str:
        """Return what stands in every address of ours and in no other."""
        return f"127.0.0.1:{self.server.port}"

    def ended(self, by: str = "left_quickly") -> int:
        """Return how many conversations ended so."""
        count: int = self._one("SELECT count(*) FROM chat_conversation WHERE ended_by = ?", by)
        return count

    def newest(self) -> str:
        """Return the id of the newest conversation."""
        return str(UUID(str(self._one("SELECT id FROM chat_conversation ORDER BY opened_at DESC LIMIT 1"))))

    def _one(self, question: str, *values: str) -> Any:
        with closing(sqlite3.connect(self.data / "havre.sqlite3", timeout=10)) as database:
            return database.execute(question, values).fetchone()[0]

    def answer(self, text: str) -> None:
        """Let Ben or Cleo, by turns since each has few seats, take the newest conversation and write into it."""
        asyncio.run(self._answer(next(self._turns), text))

    async def _answer(self, who: str, text: str) -> None:
        cookie = cookie_of(self.server, self.data, who)
        async with dial(self.server, "/ws/s", cookie=cookie) as socket:
            advocate, pk = Line(socket), self.newest()
            await advocate.send(type="hello", version=1, follow={})
            await advocate.until(type="welcome")
            # not ready: then others are offered too
            await advocate.until(ref=await advocate.send(type="availability", state="busy"))
            taken = await advocate.until(ref=await advocate.send(type="take", conversation=pk))
            assert taken["type"] == "ok", taken
            await advocate.until(ref=await advocate.send(type="follow", conversation=pk, after=0))
            assert (await advocate.say(text, conversation=pk))["type"] == "ok"


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    data = tmp_path_factory.mktemp("exit")
    migrate_and_seed(havre_environment(data))
    with HavreServer(data) as server, Neutral(f"{server.base_url}/?l=en") as neutral:
        stage = Stage(server, neutral, f"http://localhost:{free_port()}/", data)
        script = SET.format(en=neutral.weather, fr=stage.dead)
        manage(havre_environment(data), "shell", "--no-imports", "-c", script)
        yield stage


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Engine]]:
    """Return a browser of a kind, started when it is first asked for."""
    started: dict[str, Engine] = {}

    def one(kind: str) -> Engine:
        if kind not in started:
            started[kind] = ENGINES[kind](tmp_path_factory.mktemp(kind) / "profile").start()
        return started[kind]

    yield one
    for engine in started.values():
        engine.kill9()


@pytest.fixture(params=list(ENGINES))
def kind(request: pytest.FixtureRequest) -> str:
    """Return the name of an engine; each test runs in both."""
    name: str = request.param
    return name


@pytest.fixture
def browser(kind: str, running: Callable[[str], Engine]) -> Engine:
    """Return a running browser with one tab that has no past."""
    engine = running(kind)
    engine.fresh_tab()
    return engine


@pytest.fixture
def saw(record_property: Callable[[str, object], None]) -> Saw:
    """Return what notes what a test saw, for the table in docs/quick-exit.md."""
    return lambda words: record_property("saw", words)


def arrive(stage: Stage, tab: Tab) -> None:
    """Come from the other site, as people do."""
    tab.go(f"{stage.neutral.address}/links")
    tab.at(f"{stage.neutral.address}/links")
    tab.click("#ours")
    tab.at(stage.home)


def begin(tab: Tab) -> None:
    """Begin a chat, send a text, and leave another one half written."""
    tab.until("document.querySelector('#start')?.offsetParent != null")
    tab.click("#start")
    tab.until("document.querySelector('#text').offsetParent != null")
    tab.click("#text")
    tab.write(SAID)
    tab.click("#send")
    tab.until("document.querySelector('#log .way')?.textContent.includes('Sent')")
    tab.click("#text")
    tab.write(DRAFT)
    tab.until(f"document.querySelector('#text').value == '{DRAFT}'")


def talk(stage: Stage, tab: Tab) -> None:
    """Come, and be in the middle of a chat."""
    arrive(stage, tab)
    begin(tab)


def shows(tab: Tab, words: tuple[str, ...] = WORDS) -> list[str]:
    """Return which words the page holds, hidden or not."""
    held = tab.text()
    return [word for word in words if word in held]
