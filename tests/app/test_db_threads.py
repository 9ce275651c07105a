"""A database that was restarted fails whoever comes first, and nobody on each of the other threads."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

import pytest
from django.db import OperationalError

from chat import db


def dead() -> None:
    raise OperationalError


def test_a_thread_that_finds_its_connection_dead_lets_each_other_take_a_new_one_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closed: list[int] = []
    connection = mock.Mock()
    connection.close.side_effect = lambda: closed.append(threading.get_ident())
    monkeypatch.setattr(db, "connection", connection)
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:

        def on(pool: ThreadPoolExecutor, work: Callable[[], object]) -> int:
            return pool.submit(lambda: (db._run(work), threading.get_ident())[1]).result()

        first, second = on(one, int), on(other, int)
        closed.clear()
        with pytest.raises(OperationalError):
            on(one, dead)
        assert closed == [first]
        on(one, int)
        assert closed == [first], "it has taken a new one already"
        on(other, int)
        on(other, int)
        assert closed == [first, second]
