"""Versions of the screening rules: what was changed, the way back, a file to take along and bring, and the switch."""

import asyncio
import difflib
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat.db import in_db
from crisis import services
from crisis.core.screening.site_changes import Change, changes
from crisis.core.screening.site_rules import LONGEST_FILE, BadSiteRules, Flaw, SiteRules, read
from crisis.core.screening.site_writing import written
from crisis.proving import aside, proved, proved_again, shipped
from crisis.selectors.rules import VersionView, newest_rules, rule_version, rule_versions
from crisis.services.rules import MovedOn, NoReason
from frontend import rule_words as say
from frontend.views.page import staff_page
from frontend.views.rule_editor import keep, number_of
from frontend.views.rules import frame, site_now
from staff.permissions import Action
from staff.web import StaffRequest, staff_view

MOST_BYTES = 4 * LONGEST_FILE
"""Bytes of a form with a file in it. A longer one is refused here; a megabyte never comes so far (`ops/bodies.py`)."""
HEAD = "# Screening rules of a site, version {number}. What is not here is as shipped with Havre.\n\n"


@require_GET
@staff_view(Action.SEE_RULES)
async def versions(request: StaffRequest) -> HttpResponse:
    """List the versions, the newest first."""
    newest = await in_db(newest_rules)
    every = await in_db(rule_versions)
    return staff_page(request, "rule_versions", **frame(request, newest) | {"here": "rule_versions"}, versions=every)


@require_GET
@staff_view(Action.SEE_RULES)
async def version(request: StaffRequest, number: int) -> HttpResponse:
    """Show what a version changed since another one, by default since the one before it."""
    return await _version(request, number)


@sensitive_post_parameters()
@require_POST
@staff_view(Action.SET_RULES)
async def go_back(request: StaffRequest, number: int) -> HttpResponse:
    """Make an earlier version's rules count again."""
    chosen = await _found(number)
    why = request.POST.get("why", "")
    try:
        if not why.strip():
            raise NoReason
        good = await aside(proved_again, chosen.text)
        after = number_of(request.POST.get("after", ""))
        await in_db(
            services.roll_back,
            actor=request.actor,
            proved=good,
            to=number,
            why=why,
            after=after,
            now=timezone.now(),
        )
    except BadSiteRules as bad:
        return await _version(request, number, problem=say.problem(bad), why=why)
    except NoReason:
        return await _version(request, number, problem=say.no_reason(), why=why)
    except MovedOn:
        return await _version(request, number, problem=say.moved_on(), why=why)
    return HttpResponseRedirect(f"{reverse('rule_versions')}?done=back")


@require_POST
@staff_view(Action.SET_RULES)
async def export(request: StaffRequest) -> HttpResponse:
    """Give the site's rules as one file."""
    newest = await in_db(newest_rules)
    await in_db(services.note_export, actor=request.actor, number=newest.number, now=timezone.now())
    text = HEAD.replace("{number}", str(newest.number)) + newest.text
    answer = HttpResponse(text.encode(), content_type="application/toml; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="havre-rules-{newest.number}.toml"'
    answer["Cache-Control"] = "no-store"
    return answer


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@staff_view(Action.SET_RULES)
async def bring(request: StaffRequest) -> HttpResponse:
    """Take a file, show what it would change, and keep it once that is confirmed."""
    newest, site = await site_now()
    context: dict[str, Any] = {
        **frame(request, newest),
        "problem": "",
        "text": "",
        "why": "",
        "unreadable": site is None,
    }
    if request.method == "GET":
        return staff_page(request, "rules_import", **context)
    try:
        text = _text(request)
        context |= {"why": request.POST.get("why", "")}
        given, found = await asyncio.to_thread(_brought, text, site or SiteRules())
        # what is looked at is what is kept: written anew, without comments
        context |= {"text": written(given), "changes": _shown(found)}
        if request.POST.get("do") == "keep":
            done = await keep(request, given, context["why"], request.POST.get("after", ""))
            return HttpResponseRedirect(f"{reverse('rule_versions')}?done={done}")
        await aside(proved, given)
    except BadSiteRules as bad:
        # nothing to confirm: the file is mended and brought again
        context |= {"problem": say.problem_of_file(bad), "changes": None}
    except NoReason:
        context["problem"] = say.no_reason()
    except MovedOn:
        context["problem"] = say.moved_on()
    return staff_page(request, "rules_import", status=422 if context["problem"] else 200, **context)


@require_POST
@staff_view(Action.SET_RULES)
async def switch(request: StaffRequest) -> HttpResponse:
    """Let the rules screen what visitors write, or not."""
    on = request.POST.get("screens", "") == "on"
    try:
        await in_db(
            services.switch_screening,
            actor=request.actor,
            on=on,
            why=request.POST.get("why", ""),
            after=number_of(request.POST.get("after", "")),
            now=timezone.now(),
        )
    except NoReason:
        return await _switch_page(request, say.no_reason())
    except MovedOn:
        return await _switch_page(request, say.moved_on())
    return HttpResponseRedirect(f"{reverse('rules')}?done={'on' if on else 'off'}")


@require_GET
@staff_view(Action.SET_RULES)
async def switch_page(request: StaffRequest) -> HttpResponse:
    """Ask why screening is switched."""
    return await _switch_page(request, "")


async def _switch_page(request: StaffRequest, problem: str) -> HttpResponse:
    newest = await in_db(newest_rules)
    context = {**frame(request, newest), "problem": problem, "why": request.POST.get("why", "")}
    return staff_page(request, "rules_switch", status=422 if problem else 200, **context)


async def _found(number: int) -> VersionView:
    one = await in_db(rule_version, number)
    if one is None:
        raise Http404
    return one


async def _version(request: StaffRequest, number: int, *, problem: str = "", why: str = "") -> HttpResponse:
    newest = await in_db(newest_rules)
    chosen = await _found(number)
    since = request.GET.get("since", "")
    other = await _found(int(since) if since.isascii() and since.isdigit() and len(since) < 9 else max(number - 1, 0))
    context: dict[str, Any] = {
        **frame(request, newest),
        "version": chosen,
        "since": other,
        "others": [one for one in range(newest.number, -1, -1) if one != number][:50],
        "changes": None,
        "switched": say.switched(other.screens, chosen.screens),
        "problem": problem,
        "why": why,
    }
    try:
        context["changes"] = _shown(await asyncio.to_thread(_between, other.text, chosen.text))
    except BadSiteRules as bad:
        context["broken"] = say.problem(bad)
    try:
        context["would"] = _shown(await asyncio.to_thread(_between, newest.text, chosen.text))
    except BadSiteRules as bad:
        context["would_broken"] = say.problem(bad)
    return staff_page(request, "rule_version", status=422 if problem else 200, **context)


def _brought(text: str, site: SiteRules) -> tuple[SiteRules, list[Change]]:
    given = read(text, shipped())
    return given, changes(site, given, shipped())


def _between(before: str, after: str) -> list[Change]:
    old, new = (read(text, shipped(), strict=False) for text in (before, after))
    return changes(old, new, shipped())


def _shown(found: list[Change]) -> list[dict[str, Any]]:
    names = say.change_names()
    return [{"rule": one.rule, "what": names[one.what], "lines": _difference(one)} for one in found]


def _difference(one: Change) -> str:
    """Return the lines that went and came, with a minus or a plus before them."""
    lines = list(difflib.unified_diff(one.before.splitlines(), one.after.splitlines(), lineterm="", n=0))[2:]
    return "\n".join(line for line in lines if not line.startswith("@@"))


def _text(request: StaffRequest) -> str:
    """Return what was brought: a file, or what of it was shown and is confirmed. Raises `BadSiteRules`."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()) or int(length) > MOST_BYTES:
        raise BadSiteRules(Flaw.TOO_LONG, about=str(LONGEST_FILE))
    file = request.FILES.get("file")
    if file is None:
        return request.POST.get("text", "")
    try:
        return str(file.read(), "utf-8-sig")
    except UnicodeDecodeError:
        raise BadSiteRules(Flaw.TOML) from None
