"""What several browser stories stand on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.support import browsers
from tests.support.desk import Desks, Opens, desks

WAY_OUT = "tests/browser/exit/"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell of the way out last: its server and its two browsers stay until the end, and work also when idle."""
    items.sort(key=lambda item: item.nodeid.startswith(WAY_OUT))


@pytest.fixture(autouse=True)
def _patience_of_all() -> None:
    """Let no file have the patience that the one before had set for itself."""
    expect.set_options(timeout=browsers.PATIENCE)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="module")
def chrome(playwright: Playwright) -> Iterator[Browser]:
    """Return one Chromium for a whole file, whose stories use contexts of their own."""
    with browsers.chromium(playwright) as browser:
        yield browser


@pytest.fixture(scope="module")
def all_desks(tmp_path_factory: pytest.TempPathFactory, chrome: Browser) -> Iterator[Desks]:
    with desks(tmp_path_factory.mktemp("desk"), chrome) as served:
        yield served


@pytest.fixture
def site(all_desks: Desks) -> Iterator[Desks]:
    """Return what opens pages of staff, and closes them after the test."""
    yield all_desks
    all_desks.close()


@pytest.fixture
def opens(site: Desks) -> Opens:
    """Return what opens a staff page whose socket the test holds."""
    return site.open
