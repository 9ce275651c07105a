"""Change the screening rules: write one in the words of the shipped files, try it beside those in force, keep it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from chat.db import in_db
from crisis import rules as ours
from crisis import services
from crisis.core.screening import Screener
from crisis.core.screening.site_rules import BadSiteRules, Flaw, SiteRules, drafted
from crisis.core.screening.site_writing import rule_text, written
from crisis.proving import aside, built, own_examples, proved, shipped
from crisis.selectors.rules import Newest, RuleView
from crisis.services.rules import MovedOn, NoReason
from frontend import rule_words as say
from frontend.plain_rule import PlainRule
from frontend.rule_meanings import danger_names
from frontend.staff_words import LEVEL_SHAPES, level_names
from frontend.views.api import Body, parsed
from frontend.views.page import staff_page
from frontend.views.rules import TooMuch, compared, found, frame, lines_of, rule_context, site_now, tried
from staff.permissions import Action
from staff.web import StaffRequest, staff_view

NEW = """[[rule]]
id = "site."
kind = "danger"
level = 2
category = ""
note = ""
patterns = '''

'''
must_match = [
  "",
]
must_not_match = [
  "",
]
"""
POINTS = ("danger", "now", "threat")
LONGEST_SHOWN = 160
"""Signs of a concept's words that the page shows."""


@dataclass(frozen=True, slots=True)
class Typed:
    """Be what stands in the form."""

    text: str
    danger: str = ""
    now: str = ""
    threat: str = ""
    lines: str = ""
    why: str = ""
    after: str = ""

    def points(self, name: str) -> list[int] | None:
        """Return the points as typed, None where none are. Raises `BadSiteRules`."""
        given = [getattr(self, field).strip() for field in POINTS]
        if not any(given):
            return None
        try:
            return [int(one) if len(one) < 6 else 10_000 for one in given]
        except ValueError:
            raise BadSiteRules(Flaw.POINTS, rule=name, field="points", about="99") from None


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@staff_view(Action.SET_RULES)
async def new(request: StaffRequest) -> HttpResponse:
    """Show an empty rule; to a POST try or keep it."""
    newest, site = await site_now()
    if request.method == "GET" or site is None:
        return _page(request, newest, "", Typed(NEW, after=str(newest.number)), unreadable=site is None)
    return await _answered(request, newest, site, "")


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@staff_view(Action.SET_RULES)
async def edit(request: StaffRequest, name: str) -> HttpResponse:
    """Show a rule to be changed; to a POST try or keep it."""
    newest, site = await site_now()
    view = found(site or SiteRules(), name)
    if request.method == "GET" or site is None:
        return _page(request, newest, name, _as_it_is(view, newest), unreadable=site is None)
    return await _answered(request, newest, site, name)


@require_POST
@staff_view(Action.SET_RULES)
async def switch_off(request: StaffRequest, name: str) -> HttpResponse:
    """Look for a rule no more."""
    return await _changed(request, name, lambda site: site.switched(name, off=True), kept="rule_off")


@require_POST
@staff_view(Action.SET_RULES)
async def switch_on(request: StaffRequest, name: str) -> HttpResponse:
    """Look for a rule again."""
    return await _changed(request, name, lambda site: site.switched(name, off=False), kept="rule_on")


@require_POST
@staff_view(Action.SET_RULES)
async def put_back(request: StaffRequest, name: str) -> HttpResponse:
    """Have a rule as it is shipped; one of the site's own is removed."""
    return await _changed(request, name, lambda site: site.without_rule(name))


class Draft(Body, frozen=True):
    """Carry a draft and lines to try it on; `of` is the rule that it changes."""

    of: str
    text: str
    danger: str
    now: str
    threat: str
    lines: str
    plain: dict[str, str] = {}


@require_POST
@staff_view(Action.SET_RULES)
async def try_live(request: StaffRequest) -> HttpResponse:
    """Answer what the rules in force and a draft say to lines that somebody is typing."""
    return await tried(_live_rows(request))


async def _live_rows(request: StaffRequest) -> list[dict[str, Any]]:
    newest, site = await site_now()
    given = parsed(request, Draft)
    plain = PlainRule.of(given.plain if not given.of else {})
    typed = Typed(await aside(_text, plain, given.text), given.danger, given.now, given.threat, given.lines)
    lines = lines_of(typed.lines)
    called, draft = await _drafted(site or SiteRules(), typed, given.of)
    screener = await aside(built, written(draft.switched(called, off=False)))
    return await compared(newest, screener, lines)


async def _answered(request: StaffRequest, newest: Newest, site: SiteRules, name: str) -> HttpResponse:
    fields = ("text", *POINTS, "lines", "why", "after")
    typed = Typed(**{field: request.POST.get(field, "") for field in fields})
    if not name:
        typed = replace(typed, text=await aside(_text, PlainRule.of(request.POST.dict()), typed.text))
    try:
        called, draft = await _drafted(site, typed, name)
        if request.POST.get("do") == "keep":
            return await _kept(request, typed, called, draft)
        return await _tried(request, newest, name, typed, called, draft)
    except BadSiteRules as bad:
        problem, at = say.problem(bad), "rule"
    except NoReason:
        problem, at = say.no_reason(), "why"
    except MovedOn:
        problem, at = say.moved_on(), "rule"
    except TooMuch:
        problem, at = say.too_many_lines(), "lines"
    return _page(request, newest, name, typed, status=422, problem=problem, at=at)


def _text(plain: PlainRule, text: str) -> str:
    """Return a rule as text: as the plain form has it, if there is anything in that."""
    return plain.text(ours.shipped().read) if plain.used else text


async def _drafted(site: SiteRules, typed: Typed, of: str) -> tuple[str, SiteRules]:
    """Return the id of a rule as it is typed and the site's rules with it. Raises `BadSiteRules`."""
    # to read what somebody pasted may take a while, and nobody else's chat waits for it
    return await aside(drafted, site, typed.text, typed.points(of), of, shipped())


async def _tried(
    request: StaffRequest, newest: Newest, name: str, typed: Typed, called: str, draft: SiteRules
) -> HttpResponse:
    """Show what a draft says, beside what the rules in force say, and what it does with its own examples."""
    lines = lines_of(typed.lines)
    screener = await aside(built, written(draft.switched(called, off=False)))
    examples = await aside(own_examples, screener, called)
    shown = [
        {
            "text": one.text,
            "must_match": one.must_match,
            "good": one.good,
            "level": one.level,
            "shape": LEVEL_SHAPES[one.level],
            "level_name": level_names()[one.level],
        }
        for one in examples
    ]
    table = await compared(newest, screener, lines)
    return _page(request, newest, name, typed, tried=table, examples=shown, was_tried=True)


async def _kept(request: StaffRequest, typed: Typed, called: str, draft: SiteRules) -> HttpResponse:
    if called in draft.off:
        # what is off is not tried with the set; its own examples hold all the same
        await aside(_hear_own, written(draft.switched(called, off=False)), called)
    done = await keep(request, draft, typed.why, typed.after)
    return HttpResponseRedirect(f"{reverse('rule', args=[called])}?done={done}")


def _hear_own(text: str, name: str) -> Screener:
    screener = built(text)
    for one in own_examples(screener, name):
        if not one.good:
            raise BadSiteRules(Flaw.MATCH if one.must_match else Flaw.NOT_MATCH, rule=name, about=one.text)
    return screener


async def keep(request: StaffRequest, site: SiteRules, why: str, after: str) -> str:
    """Try a site's rules and keep them as a new version; return what to say of it.

    Raises `BadSiteRules`, `NoReason`, `MovedOn`.
    """
    if not why.strip():
        # before a second of work
        raise NoReason
    number = number_of(after)
    good = await aside(proved, site)
    kept = await in_db(services.keep_rules, actor=request.actor, proved=good, why=why, after=number, now=timezone.now())
    return "same" if kept.result == number else "kept"


def number_of(text: str) -> int:
    """Return the number of a version as a form has it; what is none is not the newest."""
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise MovedOn
    return int(text)


async def _changed(
    request: StaffRequest, name: str, change: Callable[[SiteRules], SiteRules], *, kept: str = "kept"
) -> HttpResponse:
    """Change what a site says about a rule, or say beside the rule why not; `kept` is what to say once it is."""
    newest, site = await site_now()
    view = found(site or SiteRules(), name)
    why = request.POST.get("why", "")
    try:
        if site is None:
            raise MovedOn
        done = await keep(request, change(site), why, request.POST.get("after", ""))
    except BadSiteRules as bad:
        problem = say.problem(bad)
    except NoReason:
        problem = say.no_reason()
    except MovedOn:
        problem = say.moved_on() if site is not None else say.unreadable()
    else:
        gone = view.ours is None and name not in change(site).rules
        back = reverse("rules") if gone else reverse("rule", args=[name])
        return HttpResponseRedirect(f"{back}?done={kept if done == 'kept' else done}")
    return rule_page(request, newest, view, problem=problem, why=why)


def rule_page(request: StaffRequest, newest: Newest, view: RuleView, *, problem: str, why: str) -> HttpResponse:
    """Show a rule's page again with what was wrong."""
    context = {**frame(request, newest), **rule_context(view), "problem": problem, "why": why}
    return staff_page(request, "rule", status=422, **context)


def _as_it_is(view: RuleView, newest: Newest) -> Typed:
    points = {field: str(getattr(view.points, field)) for field in POINTS}
    return Typed(rule_text(view.entry), **points, after=str(newest.number))


def _page(
    request: StaffRequest, newest: Newest, name: str, typed: Typed, *, status: int = 200, **more: Any
) -> HttpResponse:
    base = shipped()
    concepts = [
        (one, words if len(words) <= LONGEST_SHOWN else words[:LONGEST_SHOWN].rpartition(",")[0] + "…")
        for one, words in sorted((one, " ".join(words.split())) for one, words in base.concepts.items())
    ]
    context: dict[str, Any] = {
        "rule_id": name,
        "typed": asdict(typed),
        "limits": base.limits,
        "plain": asdict(PlainRule.of(request.POST.dict())),
        "categories": sorted(danger_names().items(), key=lambda one: one[1]),
        "levels": [(str(level), level_names()[level]) for level in (1, 2, 3)],
        "concepts": concepts,
        "patterns": say.pattern_help(),
        "problem": "",
        "at": "",
        "unreadable": False,
        **more,
    }
    return staff_page(request, "rule_edit", status=status, **frame(request, newest), **context)
