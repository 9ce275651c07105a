"""Ask axe what is wrong with a page, at a phone's size and at a desk's."""

import os
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page

from tests.support import browsers
from tests.support.needs import need_axe

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""WCAG 2.2 A and AA; `best-practice` is axe's own and stricter."""

_RUN = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"
_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def problems(page: Page, name: str) -> list[str]:
    """Return each violation and each side scroll of a page at both sizes, each with the places; none is the aim."""
    return [f"{name}: {line}" for line in _problems(page, name)]


def _problems(page: Page, name: str) -> Iterator[str]:
    before = page.viewport_size
    for size, shape in (("phone", browsers.PHONE), ("desk", browsers.DESK)):
        page.set_viewport_size(shape)  # type: ignore[arg-type]
        if page.evaluate("typeof axe") == "undefined":
            page.evaluate(need_axe().read_text(encoding="utf-8"))
        if page.evaluate(_WIDER) > 0:
            yield f"{size}: scrolls sideways"
        found: dict[str, Any] = page.evaluate(_RUN, TAGS)
        for violation in found["violations"]:
            places = [" ".join(map(str, node["target"])) for node in violation["nodes"]]
            yield f"{size}: {violation['id']} ({violation['impact']}) at {places[:4]}"
        folder = os.environ.get("HAVRE_TEST_SCREENS")
        if folder:
            page.screenshot(path=f"{folder}/{name}-{size}.png")
    if before is not None:
        page.set_viewport_size(before)
