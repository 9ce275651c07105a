"""Ask axe what is wrong with a page, at a phone's size and at a desk's."""

import os
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from playwright.sync_api import Frame, Page

from tests.support import browsers
from tests.support.needs import need_axe

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
"""WCAG 2.2 A and AA; `best-practice` is axe's own and stricter."""

_RUN = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"
_THERE = """() => document.readyState !== "loading"
  && [...document.querySelectorAll("link[rel=stylesheet]")].every((one) => one.sheet !== null)"""
"""Of a page that is only half there nobody can say what it lacks; a frame that goes on coming keeps it from none."""
_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


SHAPES = {"phone": browsers.PHONE, "desk": browsers.DESK}
_EVERYTHING = os.environ.get("HAVRE_TEST_SCREENS")
"""Where to put pictures of all that is looked at."""
_ELSEWHERE = {"-en": "phone", "-fr": "desk"}
"""At which size the other language is looked at."""


def problems(page: Page, name: str, sizes: Collection[str] = ()) -> list[str]:
    """Return each violation and each side scroll of a page, each with the places; none is the aim.

    Without `sizes` both are looked at for side scrolls, and axe takes turns unless everything is asked for, as by
    `make barriers`: it sees what is English at a desk's size and what is French at a phone's.
    """
    seen = sizes or [size for size in SHAPES if _EVERYTHING or size != _ELSEWHERE.get(name[-3:])]
    return [f"{name}: {line}" for line in _problems(page, name, sizes or SHAPES, seen)]


def problems_of_frames(page: Page, name: str) -> list[str]:
    """Return the violations inside a page's frames; what is asked of a whole page only is not asked of them."""
    tags = [tag for tag in TAGS if tag != "best-practice"]
    return [line for frame in page.frames[1:] for line in _violations(frame, f"{name}: frame {frame.name}", tags)]


def _violations(place: Page | Frame, name: str, tags: list[str]) -> Iterator[str]:
    if place.evaluate("typeof axe") == "undefined":
        place.evaluate(need_axe().read_text(encoding="utf-8"))
    found: dict[str, Any] = place.evaluate(_RUN, tags)
    for violation in found["violations"]:
        places = [" ".join(map(str, node["target"])) for node in violation["nodes"]]
        yield f"{name}: {violation['id']} ({violation['impact']}) at {places[:4]}"


def _problems(page: Page, name: str, sizes: Iterable[str], seen: Collection[str]) -> Iterator[str]:
    page.wait_for_function(_THERE)
    before = page.viewport_size
    for size in sizes:
        page.set_viewport_size(SHAPES[size])  # type: ignore[arg-type]
        # what stands half under the bar at the top would be measured as cut off
        page.evaluate("scrollTo(0, 0)")
        if page.evaluate(_WIDER) > 0:
            yield f"{size}: scrolls sideways"
        if size in seen:
            yield from _violations(page, size, TAGS)
        if _EVERYTHING:
            page.screenshot(path=f"{_EVERYTHING}/{name}-{size}.png")
    if before is not None:
        page.set_viewport_size(before)
