"""Tell what a layer that hangs or fails costs those who speak through it: nothing but nudges."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from unittest import mock
from uuid import uuid4

import msgspec
import pytest

from chat import bus, measures
from chat.hub import Hub
from chat.log import StoredEvent
from tests.support.layers import FakeLayer, until

AT_ONCE = 0.5
"""Seconds that nothing may take which waits for nobody; far below the layer's own second and five."""


def fact(number: int = 1) -> StoredEvent:
    return StoredEvent(
        conversation=uuid4(),
        staff_seq=number,
        visitor_seq=number,
        kind="fact",
        code="joined",
        level=None,
        author_role="system",
        author_id=None,
        author_name=None,
        client_id=None,
        sealed_body=None,
        at=datetime(2026, 11, 23, tzinfo=UTC),
    )


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> FakeLayer:
    fake = FakeLayer()
    monkeypatch.setattr("chat.hub.get_channel_layer", lambda: fake)
    monkeypatch.setattr(bus, "WITHIN", 0.02)
    monkeypatch.setattr(bus, "AGAIN_AFTER", 0.005)
    return fake


@pytest.fixture
async def hub(layer: FakeLayer) -> AsyncIterator[Hub]:
    one = Hub()
    yield one
    one.close()


async def test_nobody_who_tells_something_waits_for_a_layer_that_hangs(
    hub: Hub, layer: FakeLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "WITHIN", 60)
    layer.hangs = True
    async with asyncio.timeout(AT_ONCE):
        for number in range(1, 50):
            await hub.tell_event(fact(number))
            hub.tell_typing(uuid4())
            hub.tell_change()
            hub.tell_revoked(number)
        hub.unfollow(uuid4(), mock.Mock())
        hub.unwatch(mock.Mock())
    layer.recover()
    await until(lambda: len(layer.nudges) == 49 * 4, "what was not lost arrives later")


async def test_what_is_kept_for_a_layer_that_hangs_is_bounded(hub: Hub, layer: FakeLayer) -> None:
    layer.hangs = True
    for _ in range(2 * bus.MOST_WAITING):
        hub.tell_change()
    assert len(hub._bus._outbox) <= bus.MOST_WAITING


async def test_what_is_kept_is_bounded_in_bytes_too(
    hub: Hub, layer: FakeLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus, "MOST_BYTES_WAITING", 100_000)
    layer.hangs = True
    long = msgspec.structs.replace(fact(), kind="message", sealed_body=bytes(16_000))
    for _ in range(40):
        await hub.tell_event(long)
    assert sum(size for _, _, size in hub._bus._outbox) <= 100_000
    assert len(hub._bus._outbox) >= 5
    assert hub._bus._lost == {long.conversation.hex}


async def test_what_is_lost_while_a_loss_is_told_is_told_too(hub: Hub, layer: FakeLayer) -> None:
    one, other = uuid4(), uuid4()
    hub._bus._lost = {one.hex}
    layer.hangs = True
    telling = asyncio.create_task(hub._bus._tell_lost())
    await until(lambda: layer.begun >= 1, "it is on its way")
    hub._bus._lose([one.hex, other.hex])
    layer.recover()
    await telling
    assert hub._bus._lost == {one.hex, other.hex}


async def test_a_nudge_that_hangs_is_given_up_and_the_next_one_goes(hub: Hub, layer: FakeLayer) -> None:
    layer.hangs = True
    hub.tell_change()
    await until(lambda: layer.begun >= 1, "the first is on its way")
    await asyncio.sleep(0)
    layer.hangs = False
    hub.tell_revoked(7)
    await until(lambda: any("revoked" in nudge for nudge in layer.nudges), "the second arrives")
    assert not any("change" in nudge for nudge in layer.nudges)


async def test_following_and_watching_wait_for_a_moment_only_and_look_once_they_hear(
    hub: Hub, layer: FakeLayer
) -> None:
    layer.hangs = True
    conversation, follower, watcher = uuid4(), mock.Mock(), mock.Mock()
    async with asyncio.timeout(AT_ONCE):
        await hub.follow(conversation, follower)
        await hub.watch(watcher)
    follower.on_gap.assert_not_called()
    layer.recover()
    await until(lambda: follower.on_gap.called, "a late follower reads the log")
    await until(lambda: watcher.on_change.called, "a late watcher gets an overview")
    watcher.on_change.assert_called_once_with()
    assert layer.groups == {bus.GROUP}


async def test_a_failed_join_is_tried_again(hub: Hub, layer: FakeLayer) -> None:
    layer.fails = True
    watchers = [mock.Mock() for _ in range(3)]
    for watcher in watchers:
        await hub.watch(watcher)
    assert layer.groups == set()
    layer.recover()
    await until(lambda: layer.groups == {bus.GROUP}, "it is joined")
    await until(lambda: all(watcher.on_change.called for watcher in watchers), "all of them look")


async def test_who_is_joined_at_once_is_not_told_to_look(hub: Hub, layer: FakeLayer) -> None:
    follower = mock.Mock()
    await hub.follow(uuid4(), follower)
    await asyncio.sleep(0)
    follower.on_gap.assert_not_called()


async def test_what_gathered_while_the_layer_was_busy_goes_out_together(hub: Hub, layer: FakeLayer) -> None:
    layer.hangs = True
    hub.tell_change()
    await until(lambda: layer.begun >= 1, "the first is on its way")
    for number in range(1, bus.MOST_TOGETHER + 11):
        await hub.tell_event(fact(number))
    layer.recover()
    await until(lambda: len(layer.nudges) >= bus.MOST_TOGETHER + 10, "all arrive")
    assert max(len(message["nudges"]) for _, message in layer.sent) == bus.MOST_TOGETHER
    assert len(layer.sent) <= 4


async def test_very_long_texts_do_not_all_go_out_together(hub: Hub, layer: FakeLayer) -> None:
    layer.hangs = True
    hub.tell_change()
    await until(lambda: layer.begun >= 1, "the first is on its way")
    long = msgspec.structs.replace(fact(), kind="message", sealed_body=bytes(16_000))
    for _ in range(40):
        await hub.tell_event(long)
    layer.recover()
    await until(lambda: sum("event" in nudge for nudge in layer.nudges) == 40, "all arrive")
    assert max(len(message["nudges"]) for _, message in layer.sent) < 12


async def test_who_did_not_hear_what_was_sent_looks_when_the_sender_is_heard_again(hub: Hub, layer: FakeLayer) -> None:
    follower, watcher = mock.Mock(), mock.Mock()
    await hub.follow(uuid4(), follower)
    await hub.watch(watcher)

    async def hears(sender: str, number: int) -> None:
        nudge = {"typing": uuid4().hex}
        await layer.group_send(bus.GROUP, {"type": "nudges", "from": sender, "number": number, "nudges": [nudge]})
        await until(layer.arrived.empty, "it is heard")
        await asyncio.sleep(0.001)

    for number in (1, 2, 2, 3):
        await hears("one", number)
    await hears("other", 1)
    follower.on_gap.assert_not_called()
    await hears("one", 5)
    follower.on_gap.assert_called_once_with()
    watcher.on_change.assert_called_once_with()
    # the one that was overtaken, and what follows on
    await hears("one", 4)
    await hears("one", 6)
    follower.on_gap.assert_called_once_with()
    await hears("of whom nothing was heard yet", 2)
    assert follower.on_gap.call_count == 2


async def test_what_could_not_be_sent_is_told_and_not_counted(hub: Hub, layer: FakeLayer) -> None:
    assert await hub.echoes(1)
    layer.fails = True
    gone = fact()
    await hub.tell_event(gone)
    await until(lambda: gone.conversation.hex in hub._bus._lost, "it is lost")
    layer.recover()
    hub.tell_change()
    await until(lambda: layer.nudges[-1] == {bus.GAP: [gone.conversation.hex]}, "it is told")
    assert [message["number"] for _, message in layer.sent] == [1, 2, 3]


async def test_one_nudge_that_cannot_be_read_keeps_none_behind_it(hub: Hub, layer: FakeLayer) -> None:
    event, follower = fact(), mock.Mock()
    await hub.follow(event.conversation, follower)
    of = event.conversation.hex
    nudges = [{"event": b"of another version", "of": of}, {"what": "is this"}, {"typing": "nobody"}, {"typing": of}]
    await layer.group_send(bus.GROUP, {"type": "nudges", "from": "elsewhere", "number": 1, "nudges": nudges})
    await until(lambda: follower.on_typing.called, "the last one is heard")
    follower.on_event.assert_not_called()


async def test_what_another_site_says_on_the_same_redis_holds_nothing_up(
    hub: Hub, layer: FakeLayer, caplog: pytest.LogCaptureFixture
) -> None:
    event, follower = fact(), mock.Mock()
    await hub.follow(event.conversation, follower)
    before = measures.nudges_unread._value.get()
    async with asyncio.timeout(AT_ONCE):
        for number in range(1, 11):
            await layer.arrived.put(None)
            # of a version whose messages were made otherwise
            await layer.arrived.put({"type": "nudges", "nudges": []})
            nudges = [{"typing": event.conversation.hex}]
            message = {"type": "nudges", "from": "elsewhere", "number": number, "nudges": nudges}
            await layer.arrived.put(message)
        await until(lambda: follower.on_typing.call_count == 10, "all is heard")
    assert measures.nudges_unread._value.get() == before + 20
    assert caplog.text.count("are not read") == 1


async def test_nothing_is_opened_for_nobody(hub: Hub, layer: FakeLayer) -> None:
    event, follower = fact(), mock.Mock()
    await hub.follow(uuid4(), follower)
    with mock.patch("chat.hub._decode") as decoded:
        nudges = [{"event": b"not even sealed", "of": event.conversation.hex}, {"change": 1}]
        await layer.group_send(bus.GROUP, {"type": "nudges", "from": "elsewhere", "number": 1, "nudges": nudges})
        await asyncio.sleep(0.01)
    decoded.assert_not_called()


async def test_a_process_has_one_place_on_the_layer_however_often_it_is_asked(hub: Hub, layer: FakeLayer) -> None:
    for _ in range(20):
        assert await hub.echoes(1)
    assert (len(layer.channels), len(layer.groups)) == (1, 1)


async def test_a_layer_that_hangs_or_is_deaf_is_not_ready(hub: Hub, layer: FakeLayer) -> None:
    assert await hub.echoes(1)
    layer.hangs = True
    async with asyncio.timeout(AT_ONCE):
        assert not await hub.echoes(0.05)
    layer.recover()
    layer.groups.clear()
    async with asyncio.timeout(AT_ONCE):
        assert not await hub.echoes(0.05)
