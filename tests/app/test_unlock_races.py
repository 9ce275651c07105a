"""Requests of one reader that cross: none is thrown out for being late, and none brings back what was locked."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from encryption.halves import MemoryHalves
from encryption.redis_halves import RedisHalves
from encryption.services import unlock
from encryption.services.unlock import Holder
from tests.support.archive_stories import ArchiveStories
from tests.support.needs import need_redis
from tests.support.people import NOON, dana


class CrossingStories(ArchiveStories):
    def setUp(self) -> None:
        super().setUp()
        self.holder = Holder(dana().id, b"session")
        self.cookie = self.unlock()

    def unlock(self) -> str:
        phrase = self.written_down[dana().id].phrase
        return unlock.unlock(self.holder, kind="phrase", entered=phrase, now=NOON)

    def is_open(self, seconds: float, cookie: str = "") -> bool:
        at = NOON + timedelta(seconds=seconds)
        return unlock.unlocked(self.holder, cookie or self.cookie, at) is not None

    def test_a_request_that_was_overtaken_is_let_through_and_moves_nothing_back(self) -> None:
        assert self.is_open(10.005)
        assert self.is_open(9.985)
        assert self.is_open(5.5)
        key = unlock.unlocked(self.holder, self.cookie, NOON + timedelta(seconds=9))
        assert key is not None
        assert key.ends == NOON + timedelta(seconds=10, minutes=15)
        assert not self.is_open(4.9), "a clock that is further off is none to trust"
        assert not self.is_open(11), "and ends it"

    def test_a_proof_by_a_clock_that_is_behind_makes_no_proof_older(self) -> None:
        assert unlock.prove_again(self.holder, self.cookie, NOON + timedelta(seconds=10))
        assert unlock.prove_again(self.holder, self.cookie, NOON + timedelta(seconds=7))
        key = unlock.unlocked(self.holder, self.cookie, NOON + timedelta(seconds=309))
        assert key is not None
        assert key.fresh

    def between(self, act: Any) -> Any:
        """Do something after a request has looked and before it notes its use."""
        real = unlock._refresh

        def slow(*arguments: Any) -> bool:
            act()
            return real(*arguments)

        return mock.patch.object(unlock, "_refresh", slow)

    def test_a_request_under_way_does_not_undo_a_lock(self) -> None:
        with self.between(lambda: unlock.lock(dana().id)):
            assert not self.is_open(1)
            assert not unlock.prove_again(self.holder, self.cookie, NOON)
        assert not self.is_open(2)

    def test_nor_does_a_proof(self) -> None:
        with self.between(lambda: unlock.lock(dana().id)):
            assert not unlock.prove_again(self.holder, self.cookie, NOON)
        assert not self.is_open(2)

    def test_a_request_under_way_does_not_end_a_newer_unlock(self) -> None:
        newer: list[str] = []
        with self.between(lambda: newer.append(self.unlock())):
            assert not self.is_open(1)
        assert self.is_open(2, newer[0])

    def test_uses_keep_it_until_its_absolute_end(self) -> None:
        now = [0.0]
        with mock.patch("encryption.halves.monotonic", side_effect=lambda: now[0]):
            self.cookie = self.unlock()
            for minute in range(14, 4 * 60, 14):
                now[0] = minute * 60.0
                assert self.is_open(now[0])
            now[0] = 4 * 3600.0
            assert not self.is_open(now[0])


def test_only_what_is_there_is_refreshed_in_memory() -> None:
    store = MemoryHalves()
    assert not store.refresh("a", b"1", 60)
    assert store.get("a") is None
    store.put("a", b"1", 60)
    assert store.refresh("a", b"2", 60)
    assert store.get("a") == b"2"


@pytest.mark.servers
def test_only_what_is_there_is_refreshed_in_redis() -> None:
    store = RedisHalves(need_redis())
    store.drop("a")
    assert not store.refresh("a", b"1", 60)
    assert store.get("a") is None
    store.put("a", b"1", 60)
    assert store.refresh("a", b"2", 60)
    assert store.get("a") == b"2"
    store.drop("a")
