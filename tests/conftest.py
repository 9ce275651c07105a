"""What every test shares: development settings, keys in memory, database work inside the test's transaction."""

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("HAVRE_DEVELOPMENT", "1")


@pytest.fixture(autouse=True)
def _keys_in_memory() -> Iterator[None]:
    """Give each test keys of its own, so that nothing is sealed under a key that outlives it."""
    from unittest import mock

    from encryption import services
    from encryption.providers import MemoryProvider

    keys = MemoryProvider()
    services.forget()
    with mock.patch.object(services, "provider", return_value=keys):
        yield
    services.forget()


@pytest.fixture(autouse=True)
def _database_work_on_main_thread(settings: object) -> None:
    """Let sockets work inside the test's transaction; the real pool is used by the servers of tests/integration."""
    settings.DB_WORK_ON_MAIN_THREAD = True  # type: ignore[attr-defined]
