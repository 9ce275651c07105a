"""Tell how a process notices that it does not hear the others, and how what was lost meanwhile is found."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from unittest import mock
from uuid import UUID, uuid4

import pytest

from chat import bus, measures
from chat.hub import Hub
from tests.app.test_hub import fact
from tests.support.layers import FakeLayer, until


class Network:
    """Be what layers of several processes are joined by, and hand each hub its layers."""

    def __init__(self) -> None:
        self.made: list[FakeLayer] = []

    def layer(self) -> FakeLayer:
        """Return a new layer, as it is when nothing is wrong."""
        self.made.append(Joined(self))
        return self.made[-1]


class Joined(FakeLayer):
    """Be a layer that reaches the others of its network."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    async def group_send(self, group: str, message: dict[str, Any]) -> None:
        await self._fault()
        self.sent.append((group, message))
        for layer in self.network.made:
            if group in layer.groups:
                await layer.arrived.put(message)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    one = Network()
    monkeypatch.setattr("chat.hub.get_channel_layer", one.layer)
    monkeypatch.setattr("chat.hub.fresh_layer", one.layer)
    monkeypatch.setattr(bus, "WITHIN", 0.02)
    monkeypatch.setattr(bus, "AGAIN_AFTER", 0.005)
    monkeypatch.setattr("chat.hub.ECHO_WITHIN", 0.05)
    return one


class Ticks:
    """Let the watch over the layer look when a test says so."""

    def __init__(self) -> None:
        self.wanted = asyncio.Semaphore(0)
        self.waits: list[float] = []

    async def pause(self, seconds: float) -> None:
        """Wait for the test."""
        self.waits.append(seconds)
        await self.wanted.acquire()

    async def looks(self, times: int) -> None:
        """Let it look some times, and return when it has."""
        for _ in range(times):
            before = len(self.waits)
            self.wanted.release()
            await until(lambda seen=before: len(self.waits) > seen, "it has looked")


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    one = Ticks()
    monkeypatch.setattr("chat.hub.pause", one.pause)
    return one


@pytest.fixture
async def hub(network: Network, ticks: Ticks) -> AsyncIterator[Hub]:
    one = Hub()
    await until(lambda: bool(ticks.waits), "it watches")
    yield one
    one.close()


async def followed(hub: Hub) -> tuple[UUID, mock.Mock, mock.Mock]:
    conversation, follower, watcher = uuid4(), mock.Mock(), mock.Mock()
    await hub.follow(conversation, follower)
    await hub.watch(watcher)
    return conversation, follower, watcher


async def test_three_missed_echoes_are_deaf_and_a_new_subscription_hears_again(
    hub: Hub, network: Network, ticks: Ticks
) -> None:
    _, follower, watcher = await followed(hub)
    await ticks.looks(2)
    assert not hub.deaf
    network.made[0].groups.clear()
    # what is joined again lands nowhere: the subscription is dead and says nothing of it
    network.made[0].groups = mock.MagicMock()
    await ticks.looks(2)
    assert (hub.deaf, len(network.made)) == (False, 1)
    await ticks.looks(1)
    assert (hub.deaf, len(network.made)) == (True, 2)
    assert measures.deaf._value.get() == 1
    await until(lambda: follower.on_gap.called, "who follows looks")
    await until(lambda: watcher.on_change.called, "who watches looks")
    await ticks.looks(1)
    assert not hub.deaf
    assert measures.deaf._value.get() == 0
    assert network.made[1].groups == {bus.GROUP}
    assert ticks.waits[1:] == [5.0, 5.0, 1.0, 1.0, 1.0, 5.0]


async def test_it_is_made_anew_until_it_hears(hub: Hub, network: Network, ticks: Ticks) -> None:
    await followed(hub)
    make = network.layer

    def broken() -> FakeLayer:
        one = make()
        one.fails = True
        return one

    network.made[0].fails = True
    with mock.patch("chat.hub.fresh_layer", broken):
        await ticks.looks(6)
    assert (hub.deaf, len(network.made)) == (True, 5)
    await ticks.looks(1)
    await ticks.looks(1)
    assert not hub.deaf


async def test_one_missed_echo_makes_everybody_look_once_the_next_is_heard(
    hub: Hub, network: Network, ticks: Ticks
) -> None:
    _, follower, watcher = await followed(hub)
    await ticks.looks(1)
    network.made[0].groups.clear()
    await ticks.looks(1)
    follower.on_gap.assert_not_called()
    network.made[0].groups.add(bus.GROUP)
    await ticks.looks(1)
    follower.on_gap.assert_called()
    watcher.on_change.assert_called()
    assert (hub.deaf, len(network.made)) == (False, 1)


async def test_who_could_not_be_told_looks_as_soon_as_anything_can_be_sent(network: Network, ticks: Ticks) -> None:
    near, far = Hub(), Hub()
    event = fact()
    follower, other = mock.Mock(), mock.Mock()
    await far.follow(event.conversation, follower)
    await far.follow(uuid4(), other)
    network.made[0].fails = True
    await near.tell_event(event)
    await until(lambda: bool(near._bus._lost), "it was lost")
    network.made[0].fails = False
    near.tell_typing(uuid4())
    await until(lambda: follower.on_gap.called, "who follows looks")
    other.on_gap.assert_not_called()
    follower.on_event.assert_not_called()
    near.close()
    far.close()


async def test_what_was_dropped_for_want_of_room_is_looked_for_too(network: Network, ticks: Ticks) -> None:
    near, far = Hub(), Hub()
    event, follower = fact(), mock.Mock()
    await far.follow(event.conversation, follower)
    network.made[0].hangs = True
    await near.tell_event(event)
    for _ in range(2 * bus.MOST_WAITING):
        near.tell_change()
    network.made[0].recover()
    await until(lambda: follower.on_gap.called or follower.on_event.called, "nothing is lost without a word")
    near.close()
    far.close()
