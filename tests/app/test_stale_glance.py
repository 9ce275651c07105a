"""What was read for a ping is not shown once something newer was."""

import asyncio
import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest

from chat import frames
from chat.consumers import visitor
from chat.consumers.cursor import Cursor
from chat.consumers.visitor import VisitorSocket
from chat.core.actors import Visitor
from chat.frames import Rendered
from chat.log import StoredEvent
from chat.selectors.glance import Glance


async def test_somebody_who_joins_during_a_ping_is_not_taken_back_by_its_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pk, sent = uuid4(), []
    row = SimpleNamespace(pk=pk, state="waiting", advocate=None, visitor_head=0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(json.loads(message["text"]))

    def glance() -> Glance:
        return Glance(SimpleNamespace(**vars(row)), staffed=True, reached=(0, 0))  # type: ignore[arg-type]

    async def of(token: str) -> Glance:
        read = glance()
        if row.state == "waiting":
            # the take commits, and its nudge arrives, while the answer travels back from the thread
            row.state, row.advocate, row.visitor_head = "active", SimpleNamespace(work_name="Ben"), 1
            at = datetime.now(UTC)
            joined = StoredEvent(pk, 2, 1, "fact", "joined", None, "staff", 1, "Ben", None, None, at)
            socket.on_event(Rendered(joined, None))
            await asyncio.sleep(0.01)
        return read

    for look in ("signing", "glancing"):
        monkeypatch.setattr(visitor, look, lambda: SimpleNamespace(of=of))
    monkeypatch.setattr(visitor, "presence", mock.Mock())
    socket = VisitorSocket({"headers": []}, send)
    actor = socket._actor = Visitor(pk)
    socket._cursor = Cursor(pk, 0, for_visitor=True)
    socket._shown = frames.standing(glance())
    await socket._ping(actor)
    await asyncio.sleep(0.05)
    socket.stop_sending()
    assert [frame["state"] for frame in sent if frame["type"] == "standing"] == ["active"]
    assert [frame["type"] for frame in sent].count("pong") == 1
