"""Who says nothing for a minute is given up; who is being answered is not silent."""

import asyncio
from typing import Any
from unittest import mock

import pytest

from chat.consumers import base
from chat.consumers.base import Socket
from chat.consumers.open import open_sockets

pytestmark = pytest.mark.asyncio
MOMENT = 0.3


class Page:
    """Be a page at a socket of which the test decides how long an answer takes."""

    def __init__(self, answering: float = 0.0) -> None:
        self.frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.close_code: int | None = None
        self.answered: list[str] = []
        page = self

        class Answering(Socket):
            side = "visitor"

            async def begin(self) -> None:
                self.greeted = True

            async def handle(self, raw: str) -> None:
                await asyncio.sleep(answering)
                page.answered.append(raw)

        self.frames.put_nowait({"type": "websocket.connect"})
        headers = [(b"host", b"testserver"), (b"origin", b"http://testserver")]
        self.socket = Answering({"headers": headers}, self._told)
        self.life = asyncio.create_task(self.socket.live(self.frames.get))

    async def _told(self, message: dict[str, Any]) -> None:
        if message["type"] == "websocket.close":
            self.close_code = message["code"]

    def say(self, text: str) -> None:
        """Send a frame."""
        self.frames.put_nowait({"type": "websocket.receive", "text": text})

    async def ends(self) -> int | None:
        """Return with which code the socket was closed."""
        await asyncio.wait_for(self.life, 15)
        return self.close_code


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "SILENCE", MOMENT)


async def test_a_silent_page_is_given_up() -> None:
    page = Page()
    page.say("once")
    assert await page.ends() == 4408
    assert page.answered == ["once"]


async def test_a_page_that_speaks_now_and_then_is_kept() -> None:
    page = Page()
    for number in range(8):
        await asyncio.sleep(MOMENT / 3)
        page.say(str(number))
    await asyncio.sleep(0)
    assert not page.life.done()
    assert await page.ends() == 4408
    assert len(page.answered) == 8


async def test_who_waits_for_an_answer_is_not_silent() -> None:
    page = Page(answering=3 * MOMENT)
    page.say("a hard question")
    assert await page.ends() == 4408
    assert page.answered == ["a hard question"]


async def test_a_command_that_came_in_the_same_turn_is_answered_before_its_line_goes() -> None:
    page = Page(answering=MOMENT / 4)
    await asyncio.sleep(MOMENT / 4)
    page.say("take")
    page.socket.go()
    assert await page.ends() == 4503
    assert page.answered == ["take"]


async def test_who_must_go_goes_at_once_when_idle_and_after_the_answer_otherwise() -> None:
    idle, busy = Page(), Page(answering=MOMENT / 2)
    busy.say("last words")
    await asyncio.sleep(MOMENT / 4)
    idle.socket.go()
    busy.socket.go()
    assert (await idle.ends(), await busy.ends()) == (4503, 4503)
    assert busy.answered == ["last words"]


async def test_who_was_given_up_and_is_still_being_cleaned_up_after_may_be_told_to_go() -> None:
    page, cleaned = Page(), asyncio.Event()
    with mock.patch.object(page.socket, "end", cleaned.wait):
        await asyncio.sleep(2 * MOMENT)
        assert (page.socket in open_sockets(), page.close_code) == (True, None)
        page.socket.go()
        cleaned.set()
        assert await page.ends() == 4408
    page.socket.go()


async def test_who_is_told_to_go_twice_in_one_moment_goes_once() -> None:
    page = Page()
    await asyncio.sleep(MOMENT / 4)
    again: list[Exception] = []

    def go() -> None:
        try:
            page.socket.go()
        except RuntimeError as error:
            again.append(error)

    page.socket.go()
    # once the wait was ended, and before the socket has noticed
    asyncio.get_running_loop().call_soon(go)
    assert (await page.ends(), again) == (4503, [])
