"""Build a site's rules and try them, before they count: the whole set, every example, the time it takes.

It takes some seconds of a processor, touches no row, and is done on a thread beside the loop, one set at a time.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ParamSpec, TypeVar

from chat.per_loop import PerLoop
from crisis import rules as ours
from crisis.core.screening import BadRule, Screener, build, check, check_all
from crisis.core.screening.site_rules import (
    LONGEST_FILE,
    MOST_PATTERNS,
    BadSiteRules,
    Flaw,
    Shipped,
    SiteRules,
    laid_over,
    read,
)
from crisis.core.screening.site_writing import written
from crisis.core.screening.strain import Strain

TIMES_SLOWER = 2.0
"""How many times as long as with the shipped rules a message may take, and the seconds that are always allowed."""
SPARE, SPARE_LONG = 50e-6, 3e-3
ROUNDS = 5
LONG = 4_000
MOST_SHARED = MOST_PATTERNS
"""How many patterns may be tried at one word: all of one rule, not those of ten."""

ORDINARY = (
    "hello, I would like to know whether your office is open on the first of January.",
    "bonjour, je cherche un logement pas trop cher à Québec pour ma sœur et ses filles",
    "Can you tell me where I get the form for a new health card? I moved here in May..",
    "merci beaucoup pour les renseignements, je vais vous réécrire la semaine prochaine",
    "my daughter starts school on Monday and we still need a winter coat and some boots",
    "est-ce que je peux parler à quelqu'un en espagnol, mon français est encore faible?",
)
DANGEROUS = "He never lets me out, he has a gun and my passport, il va me tuer si je parle. "

P = ParamSpec("P")
R = TypeVar("R")

_one_at_a_time = PerLoop(asyncio.Lock)


async def aside(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `function` returns, which may compute for a second: on a thread, after whoever came before."""
    async with _one_at_a_time():
        return await asyncio.to_thread(function, *args, **kwargs)


@dataclass(frozen=True, slots=True)
class Proved:
    """Be rules that were built and tried. Only `proved` makes one, and only such are kept."""

    site: SiteRules
    text: str


def shipped() -> Shipped:
    """Return what a site's rules are laid over."""
    return Shipped(ours.files())


def proved(site: SiteRules) -> Proved:
    """Return rules that may be kept. Raises `BadSiteRules` with the first flaw, and the example that fails."""
    text = written(site)
    if len(text.encode()) > LONGEST_FILE:
        raise BadSiteRules(Flaw.TOO_LONG, about=str(LONGEST_FILE))
    # what is kept can be read again
    read(text, shipped())
    screener = built(text)
    hear_examples(screener)
    examples = [text for entry in site.rules.values() for text in entry.get("must_match", ())]
    check_pace(screener, ours.shipped(), examples, Strain(screener, site.rules.keys(), ours.everyday()))
    return Proved(site, text)


def proved_again(text: str) -> Proved:
    """Return rules that were kept before, tried by what is shipped now. Raises `BadSiteRules`."""
    return proved(read(text, shipped(), strict=False))


def built(text: str) -> Screener:
    """Return the screener of a site's file, its examples not tried. Raises `BadSiteRules`."""
    return ours.shipped() if not text else _built(text)


@lru_cache(maxsize=2)
def _built(text: str) -> Screener:
    """Return it built; the last two are kept: a draft is tried again and again beside what counts, with other lines."""
    site = read(text, shipped(), strict=False)
    try:
        return build(laid_over(shipped(), site), ours.everyday(), checked=False)
    except BadRule as bad:
        raise BadSiteRules(Flaw.BROKEN, rule=bad.rule, about=bad.why) from bad


def hear_examples(screener: Screener) -> None:
    """Try every example of every rule and signal. Raises `BadSiteRules` with the first that fails."""
    try:
        check_all(screener)
    except BadRule as bad:
        flaw = Flaw(bad.wanted) if bad.wanted else Flaw.BROKEN
        raise BadSiteRules(flaw, rule=bad.rule, about=bad.example or bad.why) from bad


@dataclass(frozen=True, slots=True)
class Heard:
    """Show what a rule does with one of its examples, and whether that is what it should."""

    text: str
    must_match: bool
    good: bool
    level: int


def own_examples(screener: Screener, name: str) -> list[Heard]:
    """Return what a rule does with each of its own examples, nothing of one that is not there."""
    found = []
    for rule in (rule for rule in screener.rules if rule.id == name):
        for must, texts in ((True, rule.must_match), (False, rule.must_not_match)):
            for text in texts:
                alone = replace(rule, must_match=(text,) if must else (), must_not_match=() if must else (text,))
                try:
                    check(screener, alone)
                    good = True
                except BadRule:
                    good = False
                found.append(Heard(text, must, good, screener.screen(text).level))
    return found


def check_pace(screener: Screener, base: Screener, examples: Iterable[str], strain: Strain | None = None) -> None:
    """Raise `BadSiteRules` where messages take much longer than with the shipped rules, or would on some machine.

    The longest text that a visitor may send is tried with danger in it, one made of all examples, and those that keep
    the site's own rules as busy as can be. Time is the thread's own, and the least of some rounds counts, so that a
    busy machine refuses nothing.
    """
    word, times = strain.most_shared() if strain is not None else ("", 0)
    if times > MOST_SHARED:
        raise BadSiteRules(Flaw.SHARED, about=word)
    for text in ORDINARY:
        if _seconds(screener, text) > TIMES_SLOWER * _seconds(base, text) + SPARE:
            raise BadSiteRules(Flaw.SLOW, about=text)
    longest = _to_length(DANGEROUS)
    allowed = TIMES_SLOWER * _seconds(base, longest) + SPARE_LONG
    looked_for = " ".join(examples)
    tried = [(text, _to_length(text)) for text in (DANGEROUS, f"{looked_for}. ") if text != ". "]
    # what is plainly in danger gets the closer look, and whatever else stands there gets it too
    tried += [(text, (DANGEROUS + _to_length(text))[:LONG]) for text in (strain.texts() if strain is not None else ())]
    for text, long in tried:
        # one round does for what is quick
        if _once(screener, long) <= allowed:
            continue
        if _seconds(screener, long) > max(allowed, TIMES_SLOWER * _seconds(base, long) + SPARE_LONG):
            raise BadSiteRules(Flaw.SLOW, about=text[:80].strip())


def _to_length(text: str) -> str:
    return (text * (LONG // len(text) + 1))[:LONG]


def _seconds(screener: Screener, text: str) -> float:
    return min(_once(screener, text) for _ in range(ROUNDS))


def _once(screener: Screener, text: str) -> float:
    began = time.thread_time()
    screener.screen(text)
    return time.thread_time() - began
