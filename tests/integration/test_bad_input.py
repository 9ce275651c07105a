"""Whatever a page sends, it gets its own code, the good part goes on, and no text of it reaches a log."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import HavreServer, havre_environment, migrate_and_seed
from tests.support.wire import Line, cookie_of, dial, greet_visitor, numbers_shown

MARK = "mauve thistle"
ID = "a" * 32

BAD_FRAMES: list[tuple[str, str]] = [
    (f'{{"type":"post","ref":1,"body":"{MARK}"', "bad_frame"),
    (f'["{MARK}"]', "bad_frame"),
    (f'{{"type":"post","ref":1,"client_id":"short","body":"{MARK}"}}', "bad_frame"),
    (f'{{"type":"post","ref":1,"client_id":"{ID}","body":"{MARK}","extra":1}}', "bad_frame"),
    (f'{{"type":"{MARK}","ref":1}}', "unknown_type"),
    (f'{{"type":"note","ref":1,"conversation":"x","client_id":"{ID}","body":"{MARK}"}}', "unknown_type"),
    (f'{{"type":"post","ref":1,"client_id":"{ID}","body":"{MARK} \\ud800"}}', "text_unpaired"),
]
BAD_TEXTS: list[tuple[str, str]] = [
    ("x" * 4_001, "text_too_long"),
    ("   \n\t ", "text_empty"),
    ("\u200f\u200e\u200d", "text_empty"),
    (f"{MARK}\x00", "text_control"),
    (f"{MARK}\x07", "text_control"),
]
GOOD_TEXTS = ["x" * 4_000, "مرحبا \u200f😀", "👩‍👩‍👧 é à ç « oui »", "a\r\nb"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HavreServer]:
    data = tmp_path_factory.mktemp("bad")
    migrate_and_seed(havre_environment(data))
    with HavreServer(data, server="uvicorn") as running:
        yield running


@pytest.mark.asyncio
async def test_each_bad_frame_has_its_code_and_the_good_part_goes_on(server: HavreServer) -> None:
    token = secrets.token_urlsafe(32)
    async with dial(server, "/ws/v") as socket:
        line = Line(socket)
        await greet_visitor(line, token)
        for raw, code in BAD_FRAMES:
            await socket.send(raw)
            assert (await line.until(type="error"))["code"] == code, raw
        await socket.send(b"\x00\x01")
        assert (await line.until(type="error"))["code"] == "binary_frame"
        await socket.send(
            json.dumps({"type": "hello", "version": 1, "token": token, "after": 0, "start": False} | {"language": "en"})
        )
        assert (await line.until(type="error"))["code"] == "hello_repeated"
        for text, code in BAD_TEXTS:
            answer = await line.say(text)
            assert (answer["type"], answer.get("code")) == ("error", code)
        for text in GOOD_TEXTS:
            assert (await line.say(text))["type"] == "ok"
        assert numbers_shown(line.seen) == list(range(1, len(GOOD_TEXTS) + 1))
        stored = [text.replace("\r\n", "\n").strip() for text in GOOD_TEXTS]
        changed = [text for text, sent in zip(stored, GOOD_TEXTS, strict=True) if text != sent]
        assert [frame["body"] for frame in line.seen if frame["type"] == "message"] == changed, "shown as it is stored"
        assert changed
    async with dial(server, "/ws/v") as socket:
        again = Line(socket)
        await greet_visitor(again, token)
        assert [(await again.until(type="message"))["body"] for _ in GOOD_TEXTS] == stored
    assert MARK not in server.log_text()


@pytest.mark.asyncio
async def test_a_repeat_is_harmless_and_a_reused_id_is_refused(server: HavreServer) -> None:
    async with dial(server, "/ws/v") as socket:
        line = Line(socket)
        await greet_visitor(line, secrets.token_urlsafe(32))
        first = await line.say("once", client_id=ID)
        again = await line.say("once", client_id=ID)
        assert (first["type"], again["type"], first["seq"]) == ("ok", "ok", again["seq"])
        other = await line.say("twice", client_id=ID)
        assert other["code"] == "id_reused"


@pytest.mark.asyncio
async def test_order_size_and_tokens(server: HavreServer) -> None:
    token = secrets.token_urlsafe(32)
    async with dial(server, "/ws/v") as socket:
        line = Line(socket)
        answer = await line.say("before hello")
        assert answer["code"] == "hello_expected"
        await line.send(type="hello", version=1, token=token, after=0, start=True, language="en")
        await line.until(type="welcome")
        await socket.send('{"type":"post","ref":9,"client_id":"' + ID + '","body":"' + "y" * 66_000 + '"}')
        assert (await line.until(type="error"))["code"] == "too_large"
    async with dial(server, "/ws/v") as socket:
        line = Line(socket)
        await line.send(type="hello", version=1, token=token, after=7, start=False, language="en")
        assert (await line.until(type="error"))["code"] == "ahead_of_log"
        await greet_visitor(line, token)
        ended = await line.until(ref=await line.send(type="end"))
        assert ended["type"] == "ok"
    async with dial(server, "/ws/v") as socket:
        line = Line(socket)
        await line.send(type="hello", version=1, token=token, after=0, start=True, language="en")
        assert (await line.until(type="error"))["code"] == "token_spent"


@pytest.mark.asyncio
async def test_staff_reach_only_what_is_theirs(server: HavreServer) -> None:
    data = Path(server.environ["HAVRE_DATA_DIR"])
    async with dial(server, "/ws/v") as one, dial(server, "/ws/s", cookie=cookie_of(server, data, "cleo")) as two:
        visitor, cleo = Line(one), Line(two)
        await greet_visitor(visitor, secrets.token_urlsafe(32))
        await cleo.send(type="hello", version=1, follow={})
        overview: dict[str, Any] = await cleo.until(type="overview")
        pk = overview["conversations"][0]["id"]
        for frame in (
            {"type": "post", "client_id": ID, "body": MARK},
            {"type": "note", "client_id": ID, "body": MARK},
            {"type": "follow", "after": 0},
        ):
            refused = await cleo.until(ref=await cleo.send(conversation=pk, **frame))
            assert (refused["type"], refused["code"]) == ("error", "forbidden")
    assert MARK not in server.log_text()
