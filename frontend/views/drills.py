"""Drills: the page on which they begin and end, and the summary of each."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat import broadcast
from chat.core.drills import Drill
from chat.core.errors import Refused
from chat.db import in_db
from drills import selectors, services
from drills.core.ending import CannotStart
from drills.scripts import scripts
from frontend import drill_words as say
from frontend.staff_words import error_words
from frontend.views.page import staff_page
from staff.permissions import Action, allowed_at_all
from staff.web import StaffRequest, staff_view


@require_http_methods(["GET", "POST"])
@staff_view(Action.SEE_DRILLS)
async def list_drills(request: StaffRequest) -> HttpResponse:
    """Show the drills that this person may see, and what can be begun; to a POST begin one for each who was chosen."""
    if request.method == "GET":
        return await _page(request)
    language, _, name = request.POST.get("script", "").partition("/")
    mark, people = _chosen(request)
    if not people:
        return await _page(request, problem=say.nobody_chosen())
    begun = 0
    try:
        for trainee_id in people:
            await broadcast.told(
                in_db(
                    services.start_drill,
                    actor=request.actor,
                    language=language,
                    name=name,
                    trainee_id=trainee_id,
                    mark=mark,
                    now=timezone.now(),
                )
            )
            begun += 1
    except CannotStart as flaw:
        return await _page(request, problem=say.flaw_words(flaw.flaw), begun=begun)
    except Refused as refused:
        return await _page(request, problem=error_words()[f"error_{refused.code.value}"], begun=begun)
    return HttpResponseRedirect(f"{reverse('drills')}?begun={begun}")


@require_GET
@staff_view(Action.SEE_DRILLS)
async def drill(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show one drill and, once it is over, its summary."""
    try:
        row = await in_db(selectors.drill_for, request.actor, pk)
    except Refused:
        raise Http404 from None
    return staff_page(request, "drill", here="drills", one=say.drill_shown(selectors.view_of(request.actor, row)))


@require_POST
@staff_view(Action.SEE_DRILLS)
async def end_drill(request: StaffRequest, pk: UUID) -> HttpResponse:
    """End a drill."""
    try:
        await broadcast.told(in_db(services.end_drill, actor=request.actor, drill_id=pk, now=timezone.now()))
    except Refused:
        raise Http404 from None
    return HttpResponseRedirect(reverse("drill", args=[pk]))


def _chosen(request: StaffRequest) -> tuple[Drill, list[int]]:
    """Return what was asked for; the service decides again who may have it."""
    if not allowed_at_all(request.actor.role, Action.START_DRILL) or request.POST.get("kind") == "practice":
        return Drill.PRACTICE, [request.actor.id]
    mark = Drill.PAGING if request.POST.get("pages") == "1" else Drill.DRILL
    return mark, _asked_for(request)


def _asked_for(request: StaffRequest) -> list[int]:
    return sorted({int(one) for one in request.POST.getlist("people") if one.isdecimal() and len(one) < 10})


async def _page(request: StaffRequest, *, problem: str = "", begun: int = 0) -> HttpResponse:
    for_others = allowed_at_all(request.actor.role, Action.START_DRILL)
    rows = await in_db(selectors.drill_views, request.actor)
    told = request.GET.get("begun", "")
    begun = begun or (int(told) if told.isdecimal() and len(told) < 3 else 0)
    context: dict[str, Any] = {
        "rows": [say.drill_shown(one) for one in rows],
        "scripts": say.scripts_offered(await in_db(scripts), request.actor.language),
        "chosen": request.POST.get("script", ""),
        "with_whom": set(_asked_for(request)),
        "pages": request.POST.get("pages") == "1",
        "people": await in_db(_people, request) if for_others else [],
        "for_others": for_others,
        "may_practise": allowed_at_all(request.actor.role, Action.PRACTISE),
        "busy": any(one.mine and one.ended_at is None for one in rows),
        "problem": problem,
        "news": say.began_words(begun) if begun else "",
    }
    return staff_page(request, "drills", status=422 if problem else 200, here="drills", **context)


def _people(request: StaffRequest) -> list[tuple[int, str, bool]]:
    """Return who can be given a drill, oneself first."""
    rows = list(selectors.trainees(timezone.now()).values_list("pk", "work_name"))
    return [(pk, name, pk == request.actor.id) for pk, name in sorted(rows, key=lambda one: one[0] != request.actor.id)]
