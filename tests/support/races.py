"""Several hands at the same row on real PostgreSQL, each on a connection of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

from django.db import connection
from django.test import TransactionTestCase

from audit.services import find_breaks
from chat.core.errors import Refused
from tests.support.needs import lacking, need_postgres

Work = Callable[[], Any]


def at_once(works: Sequence[Work]) -> list[Any]:
    """Start everything at the same moment, each on a connection of its own; a refusal comes back as its code."""
    gate = Barrier(len(works))

    def one(work: Work) -> Any:
        try:
            gate.wait(30)
            return work()
        except Refused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def somebody_waits() -> bool:
    """Tell whether within some seconds a transaction waits for a lock of another one."""
    pause = Event()
    with connection.cursor() as cursor:
        for _ in range(750):
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            if cursor.fetchone() == (True,):
                return True
            pause.wait(0.02)
    return False


class Races(TransactionTestCase):
    """Need PostgreSQL, and find the trail whole after each test."""

    def setUp(self) -> None:
        need_postgres()
        if connection.vendor != "postgresql":
            lacking("PostgreSQL", "these settings use another database")

    def _fixture_teardown(self) -> None:
        # the database refuses to empty the trail, as it should; only here it may
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
            super()._fixture_teardown()  # type: ignore[misc]
            cursor.execute("ALTER TABLE audit_auditevent ENABLE TRIGGER USER")

    def tearDown(self) -> None:
        assert find_breaks() == []
