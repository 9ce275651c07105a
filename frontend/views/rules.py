"""The screening rules as they count for the site: the list, one rule, and lines that are tried on them."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

from django.http import Http404, HttpResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat.core.errors import Refused
from chat.db import in_db
from crisis.core.screening import Cue, Screener, Screening
from crisis.core.screening.result import WORDS
from crisis.core.screening.site_rules import BadSiteRules, SiteRules, read
from crisis.in_force import rules as in_force
from crisis.in_force import would_screen
from crisis.proving import aside, built, shipped
from crisis.selectors.rules import Newest, RuleView, newest_rules, rule_views
from frontend import rule_words as say
from frontend.rule_meanings import category_name, note_name
from frontend.staff_words import LEVEL_SHAPES, level_names
from frontend.views.api import Body, answer, parsed
from frontend.views.page import staff_page
from staff.permissions import Action, allowed_at_all
from staff.web import StaffRequest, staff_view

MOST_LINES, LONGEST_LINES = 50, 8_000


class TooMuch(ValueError):
    """Report more lines than are tried at a time."""


async def site_now() -> tuple[Newest, SiteRules | None]:
    """Return the newest version and its rules; None where they cannot be read."""
    newest = await in_db(newest_rules)
    return newest, await asyncio.to_thread(_read, newest.text)


def _read(text: str) -> SiteRules | None:
    try:
        # the shipped files are read by the first who asks, which takes a while
        return read(text, shipped(), strict=False)
    except BadSiteRules:
        return None


def frame(request: StaffRequest, newest: Newest) -> dict[str, Any]:
    """Return what every page about rules says: what is in force in this process, and what may be done."""
    force = in_force.force
    behind = force is not None and force.on and force.version != newest.number
    return {
        "here": "rules",
        "newest": newest,
        "may_set": allowed_at_all(request.actor.role, Action.SET_RULES),
        "on": would_screen(newest.screens),
        "flaw": say.problem(force.flaw) if force is not None and force.flaw else "",
        "behind": behind,
        "in_force": force.version if force is not None else 0,
        "news": say.done_words().get(request.GET.get("done", ""), ""),
    }


@require_GET
@staff_view(Action.SEE_RULES)
async def rules(request: StaffRequest) -> HttpResponse:
    """List the rules that fit a search."""
    newest, site = await site_now()
    chosen = {name: request.GET.get(name, "")[:60].strip() for name in ("q", "kind", "level", "category", "standing")}
    every = rule_views(site or SiteRules(), shipped())
    context: dict[str, Any] = {
        "rules": [row_of(one) for one in every if _fits(one, chosen)],
        "all": len(every),
        "chosen": chosen,
        "kinds": say.kind_names(),
        "levels": [(str(level), word) for level, word in enumerate(level_names()) if 1 <= level <= 3],
        "categories": [(one, category_name(one)) for one in sorted({one.category for one in every if one.category})],
        "off": sum(one.off for one in every),
        "standings": say.standing_names(),
        "unreadable": site is None,
    }
    return staff_page(request, "rules", **frame(request, newest), **context)


@require_GET
@staff_view(Action.SEE_RULES)
async def rule(request: StaffRequest, name: str) -> HttpResponse:
    """Show one rule."""
    newest, site = await site_now()
    view = found(site or SiteRules(), name)
    return staff_page(request, "rule", **frame(request, newest), **rule_context(view), unreadable=site is None)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@staff_view(Action.SEE_RULES)
async def try_lines(request: StaffRequest) -> HttpResponse:
    """Show a box for lines; to a POST what the rules in force say to each. Nothing of them is kept."""
    newest, _ = await site_now()
    context: dict[str, Any] = {"lines": request.POST.get("lines", ""), "tried": [], "problem": ""}
    status = 200
    if request.method == "POST":
        try:
            lines = lines_of(context["lines"])
            context["tried"] = shown(lines, await aside(_screened, await now_in_force(newest), lines))
        except TooMuch:
            context["problem"], status = say.too_many_lines(), 422
        except BadSiteRules as bad:
            context["problem"], status = say.problem(bad), 422
    return staff_page(request, "rules_try", status=status, **frame(request, newest), **context)


class Lines(Body, frozen=True):
    """Carry lines to try."""

    lines: str


@require_POST
@staff_view(Action.SEE_RULES)
async def try_live(request: StaffRequest) -> HttpResponse:
    """Answer what the rules in force say to lines that somebody is typing."""
    return await tried(_live_rows(request))


async def _live_rows(request: StaffRequest) -> list[dict[str, Any]]:
    lines = lines_of(parsed(request, Lines).lines)
    newest, _ = await site_now()
    return shown(lines, await aside(_screened, await now_in_force(newest), lines))


async def tried(rows: Awaitable[list[dict[str, Any]]]) -> HttpResponse:
    """Answer with what became of lines while they are typed, or with what is wrong with them."""
    try:
        return answer({"rows": await rows}, 200)
    except Refused as refused:
        return answer({"error": refused.code.value}, 422)
    except TooMuch:
        return answer({"problem": say.too_many_lines()}, 200)
    except BadSiteRules as bad:
        return answer({"problem": say.problem(bad)}, 200)


def found(site: SiteRules, name: str) -> RuleView:
    """Return a rule of the site, or answer that there is none."""
    for one in rule_views(site, shipped()):
        if one.id == name:
            return one
    raise Http404


def rule_context(view: RuleView) -> dict[str, Any]:
    """Return a rule as its page shows it."""
    limits = shipped().limits
    return {"rule": row_of(view), "entry": view.entry, "points": view.points, "limits": limits, "ours": view.ours}


def row_of(one: RuleView) -> dict[str, Any]:
    """Return a rule as the list shows it."""
    return {
        "id": one.id,
        "kind": say.kind_names()[one.kind],
        "level": one.level,
        "shape": LEVEL_SHAPES[one.level],
        "level_name": level_names()[one.level] if one.level else "",
        "category": category_name(one.category),
        "note": note_name(one.note),
        "standing": one.standing,
        "standing_name": say.standing_names()[one.standing],
        "off": one.off,
    }


def _fits(one: RuleView, chosen: dict[str, str]) -> bool:
    if chosen["q"] and chosen["q"].casefold() not in _searched(one).casefold():
        return False
    standings = {one.standing, "off"} if one.off else {one.standing}
    return (
        chosen["kind"] in ("", one.kind)
        and chosen["level"] in ("", str(one.level))
        and chosen["category"] in ("", one.category)
        and (not chosen["standing"] or chosen["standing"] in standings)
    )


def _searched(one: RuleView) -> str:
    """Return what a search reads: all that the rule's page shows of it in words."""
    entry = one.entry
    told = (one.id, one.note, note_name(one.note), one.category, category_name(one.category))
    examples = (*entry.get("must_match", ()), *entry.get("must_not_match", ()))
    return "\n".join((*told, entry.get("patterns", ""), *examples))


# lines that are tried


def lines_of(text: str) -> list[str]:
    """Return the lines to try. Raises `TooMuch`."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINES or len(text) > LONGEST_LINES:
        raise TooMuch
    return lines


async def now_in_force(newest: Newest) -> Screener:
    """Return what screens here; while the site does not screen, what would. Raises `BadSiteRules`."""
    force = in_force.force
    if force is not None and force.screener is not None:
        return force.screener
    return await aside(built, newest.text)


def _screened(screener: Screener, lines: Iterable[str]) -> list[Screening]:
    return [screener.screen(line) for line in lines]


async def compared(newest: Newest, draft: Screener, lines: list[str]) -> list[dict[str, Any]]:
    """Return what the rules in force and a draft say to each line. Raises `BadSiteRules`."""
    now = await aside(_screened, await now_in_force(newest), lines)
    return shown(lines, now, await aside(_screened, draft, lines))


def shown(lines: list[str], now: list[Screening], draft: list[Screening] | None = None) -> list[dict[str, Any]]:
    """Return lines and what was said to them as a page shows it; where a draft changes something, that comes first."""
    drafts = draft if draft is not None else now
    rows = [
        {
            "line": line,
            "now": _said(one),
            "draft": _said(other),
            "differs": (one.level, one.rules) != (other.level, other.rules),
        }
        for line, one, other in zip(lines, now, drafts, strict=True)
    ]
    return sorted(rows, key=lambda row: not row["differs"])


def _said(screening: Screening) -> dict[str, Any]:
    return {
        "level": screening.level,
        "shape": LEVEL_SHAPES[screening.level],
        "level_name": level_names()[screening.level],
        "categories": [category_name(one) for one in screening.categories if one != WORDS],
        "cues": [_cue(cue) for cue in screening.telling],
        "general": screening.in_general,
    }


def _cue(cue: Cue) -> dict[str, Any]:
    meaning = note_name(cue.note) or category_name(cue.category)
    return {"rule": cue.rule, "words": cue.words, "note": meaning, "points": say.points(cue.points.danger)}
