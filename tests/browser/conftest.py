"""What several browser stories stand on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.support import browsers
from tests.support.desk import Desks, Opens, desks


@pytest.fixture(autouse=True)
def _patience_of_all() -> None:
    """Let no file have the patience that the one before had set for itself."""
    expect.set_options(timeout=browsers.PATIENCE)


@pytest.fixture(scope="module")
def all_desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desks]:
    folder = tmp_path_factory.mktemp("desk")
    with sync_playwright() as driver, browsers.chromium(driver) as chrome, desks(folder, chrome) as served:
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
