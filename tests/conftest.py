"""What every test shares: development settings, keys in memory, database work inside the test's transaction."""

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("HAVRE_DEVELOPMENT", "1")


@pytest.fixture(autouse=True)
def _keys_in_memory() -> Iterator[None]:
    """Give each test keys of its own, so that nothing is sealed under a key that outlives it."""
    from unittest import mock

    from encryption import halves
    from encryption.providers import MemoryProvider
    from encryption.services import sealing

    keys = MemoryProvider()
    sealing.forget()
    halves.halves.cache_clear()
    with mock.patch.object(sealing, "provider", return_value=keys):
        yield
    sealing.forget()


@pytest.fixture(autouse=True)
def _language_of_nobody() -> None:
    """Let no test speak the language that a request of the one before had asked for: it stays with the thread."""
    from django.utils import translation

    translation.deactivate()


@pytest.fixture(autouse=True)
def _queue_seen_anew() -> None:
    """Let no test see the queue of the one before: their clocks stand at the same noon."""
    from chat.selectors import outlook

    outlook.forget()


@pytest.fixture(autouse=True)
def _database_work_on_main_thread(settings: object) -> None:
    """Let sockets work inside the test's transaction; the real pool is used by the servers of tests/integration."""
    settings.DB_WORK_ON_MAIN_THREAD = True  # type: ignore[attr-defined]
