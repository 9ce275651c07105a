"""Look at a page for what axe does not: what a finger can hit, what hides the way out, what moves by itself."""

from pathlib import Path

from playwright.sync_api import Page

ENLARGED = {"width": 320, "height": 256}
"""1280 by 1024 pixels, enlarged four times."""

_LOOKS = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


def ask(page: Page, what: str) -> list[str]:
    """Return what a look of `looks.js` finds."""
    if page.evaluate("typeof looks") == "undefined":
        page.evaluate(f"() => {{ {_LOOKS} }}")
    found: list[str] = page.evaluate("what => looks[what]()", what)
    return found


def looked_at(page: Page, name: str) -> list[str]:
    """Return what is wrong with the page as it stands, as it scrolls and enlarged four times; none is the aim."""
    before = page.viewport_size
    found = ask(page, "targets") + ask(page, "moves")
    for where in ("0", "document.body.scrollHeight"):
        page.evaluate(f"scrollTo(0, {where})")
        found += ask(page, "way_out")
    page.set_viewport_size(ENLARGED)  # type: ignore[arg-type]
    found += ask(page, "wider") + ask(page, "way_out")
    if before is not None:
        page.set_viewport_size(before)
    page.evaluate("scrollTo(0, 0)")
    return [f"{name}: {line}" for line in found]


def in_forced_colours(page: Page, name: str) -> list[str]:
    """Return what cannot be seen where somebody's own colours replace ours."""
    page.emulate_media(forced_colors="active")
    found = ask(page, "forced")
    page.emulate_media(forced_colors="none")
    return [f"{name}: {line} in forced colours" for line in found]
