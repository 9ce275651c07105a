"""Pages that ask at about the same time share a reading, each hears only of its own, and none hears of the past."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import InterfaceError, OperationalError
from django.test import TestCase

from chat import services
from chat.consumers.looks import CROWD, SIGNS_WAIT, signing
from chat.core.actors import Visitor
from chat.core.errors import ErrorCode, Refused
from chat.selectors.glance import Glance, glances
from chat.together import MOST_AT_ONCE, MOST_BESIDE, Together
from staff.services import set_availability
from tests.support.people import NOON, ben, held_by, new_token, waiting

Read = Callable[[list[str]], Mapping[str, str | Exception]]


class Reader:
    """Be a database that answers when it is told to, with what it holds as the reading begins."""

    def __init__(self) -> None:
        self.readings: list[list[str]] = []
        self.holds = "first"
        self.fails: list[Exception] = []

    def __call__(self, keys: list[str]) -> dict[str, str | Exception]:
        self.readings.append(keys)
        if self.fails:
            raise self.fails.pop(0)
        return {key: Refused(ErrorCode.TOKEN_UNKNOWN) if key == "stranger" else f"{self.holds} {key}" for key in keys}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Let readings wait on their way back, so that others ask meanwhile."""
    free = asyncio.Event()

    async def in_visitor_db(read: Read, keys: list[str]) -> Mapping[str, str | Exception]:
        found = read(keys)
        await free.wait()
        return found

    monkeypatch.setattr("chat.together.in_visitor_db", in_visitor_db)
    return free


async def turns() -> None:
    """Let everything happen that waits for nothing."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_asks_during_a_reading_shares_the_next_and_hears_nothing_older(held: asyncio.Event) -> None:
    reader = Reader()
    together = Together(reader)
    first = asyncio.create_task(together.of("a"))
    await turns()
    assert reader.readings == [["a"]], "nobody waits for company"
    reader.holds = "second"
    later = [asyncio.create_task(together.of(key)) for key in ("a", "b", "a", "stranger")]
    await asyncio.sleep(0)
    held.set()
    assert await first == "first a"
    assert await asyncio.gather(*later[:3]) == ["second a", "second b", "second a"]
    with pytest.raises(Refused):
        await later[3]
    assert reader.readings == [["a"], ["a", "b", "stranger"]]


async def test_one_who_goes_takes_it_from_nobody(held: asyncio.Event) -> None:
    reader = Reader()
    together = Together(reader)
    goes, stays = asyncio.create_task(together.of("a")), asyncio.create_task(together.of("a"))
    await asyncio.sleep(0)
    goes.cancel()
    await asyncio.sleep(0)
    held.set()
    assert await stays == "first a"
    assert await together.of("b") == "first b"


async def test_a_connection_that_died_is_tried_again_and_what_stays_broken_is_told_to_each(
    monkeypatch: pytest.MonkeyPatch, held: asyncio.Event
) -> None:
    held.set()
    reader, dropped = Reader(), mock.Mock()
    monkeypatch.setattr("chat.together.drop_connection", dropped)
    together = Together(reader)
    reader.fails = [OperationalError()]
    assert await together.of("a") == "first a"
    assert reader.readings == [["a"], ["a"]]
    dropped.assert_called_once()
    reader.fails = [InterfaceError(), OperationalError()]
    found = await asyncio.gather(together.of("a"), together.of("b"), return_exceptions=True)
    assert [type(one) for one in found] == [OperationalError, OperationalError]
    reader.fails = [ZeroDivisionError()]
    with pytest.raises(ZeroDivisionError):
        await together.of("a")
    assert await together.of("a") == "first a"


async def test_a_reading_that_hangs_holds_up_no_other_and_no_more_than_some_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ends: dict[str, asyncio.Event] = {}

    async def in_visitor_db(read: Read, keys: list[str]) -> Mapping[str, str | Exception]:
        ends[keys[0]] = asyncio.Event()
        await ends[keys[0]].wait()
        return {key: key for key in keys}

    monkeypatch.setattr("chat.together.in_visitor_db", in_visitor_db)
    monkeypatch.setattr("chat.together.PATIENCE", 0.01)
    together = Together(Reader())
    askers = []
    for number in range(MOST_BESIDE + 2):
        askers.append(asyncio.create_task(together.of(f"{number}")))
        await asyncio.sleep(0.03)
    assert list(ends) == [f"{number}" for number in range(MOST_BESIDE)], "as many as may hang, and no more"
    ends["1"].set()
    assert await askers[1] == "1"
    await asyncio.sleep(0.03)
    assert not askers[0].done()
    last = f"{MOST_BESIDE}"
    ends[last].set()
    assert await asyncio.gather(*askers[MOST_BESIDE:]) == [last, f"{MOST_BESIDE + 1}"]
    for end in ends.values():
        end.set()
    await asyncio.gather(*askers)


async def test_a_crowd_is_read_in_bounded_parts(held: asyncio.Event) -> None:
    held.set()
    reader = Reader()
    together = Together(reader)
    crowd = [f"{number}" for number in range(MOST_AT_ONCE * 2 + 1)]
    found = await asyncio.gather(*(together.of(key) for key in crowd))
    assert found == [f"first {key}" for key in crowd]
    assert [len(keys) for keys in reader.readings] == [MOST_AT_ONCE, MOST_AT_ONCE, 1]


async def test_the_signs_of_life_of_a_crowd_wait_for_each_other_and_those_of_a_few_do_not(
    monkeypatch: pytest.MonkeyPatch, held: asyncio.Event
) -> None:
    held.set()
    reader, seconds = Reader(), []

    async def sleep(wait: float) -> None:
        seconds.append(wait)

    monkeypatch.setattr("chat.consumers.looks.glances", lambda tokens, now: reader(tokens))
    monkeypatch.setattr("chat.together.asyncio.sleep", sleep)
    monkeypatch.setattr("chat.consumers.looks.open_sockets", lambda: range(CROWD - 1))
    signs: Together[str, Any] = signing()
    assert await signs.of("a") == "first a"
    assert seconds == []
    monkeypatch.setattr("chat.consumers.looks.open_sockets", lambda: range(CROWD))
    assert list(await asyncio.gather(signs.of("a"), signs.of("b"))) == ["first a", "first b"]
    assert (seconds, reader.readings) == ([SIGNS_WAIT], [["a"], ["a", "b"]])
    crowd = [f"{number}" for number in range(MOST_AT_ONCE)]
    await asyncio.gather(*(signs.of(key) for key in crowd))
    assert (seconds, reader.readings[2:]) == ([SIGNS_WAIT], [crowd]), "enough have asked"


class GlanceStories(TestCase):
    def test_each_token_opens_its_own_and_costs_no_query_of_its_own(self) -> None:
        set_availability(user_id=ben().id, state="ready", now=NOON)
        pk, mine = held_by(ben())
        others = [waiting() for _ in range(5)]
        ended, over = held_by(ben())
        services.end_conversation(actor=Visitor(ended), conversation_id=ended, now=NOON)
        stranger = new_token()
        glances([others[0][1]], NOON)
        with self.assertNumQueries(3):
            found = glances([mine, stranger, over, *(token for _, token in others)], NOON + timedelta(seconds=1))
        seen = found[mine]
        assert isinstance(seen, Glance)
        assert (seen.conversation.pk, seen.conversation.state, seen.expects) == (pk, "active", None)
        for other, token in others:
            seen = found[token]
            assert isinstance(seen, Glance)
            assert (seen.conversation.pk, seen.conversation.state) == (other, "waiting")
            assert seen.staffed
        refused = [found[token] for token in (stranger, over)]
        assert [one.code for one in refused if isinstance(one, Refused)] == ["token_unknown", "token_spent"]
