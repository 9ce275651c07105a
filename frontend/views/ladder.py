"""The ladder of danger as the site has set it: its clocks, what happens when they run out, and who set that when."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from chat.db import in_db
from crisis import selectors
from crisis.core.ladder import HIGHEST, LEVELS, Pages
from crisis.services import set_rung, set_silence
from frontend import on_call_words as say
from frontend.staff_words import LEVEL_SHAPES, level_names
from frontend.views.page import staff_page
from staff.permissions import Action, allowed_at_all
from staff.web import StaffRequest, staff_view


async def _page(request: StaffRequest, *, status: int = 200, problem: str = "", at: str = "") -> HttpResponse:
    rungs, names = await in_db(selectors.ladder), level_names()
    shown = [
        {
            "level": level,
            "name": names[level],
            "shape": LEVEL_SHAPES[level],
            "seconds": int(rungs[level].within.total_seconds()),
            "then": "climb" if rungs[level].climbs else "repeat",
            "board": "aloud" if rungs[level].aloud else "listed",
            "pages": rungs[level].pages.value,
            "thens": say.then_names(level),
            "facts": say.rung_facts(level, rungs[level]),
            "top": level == HIGHEST,
        }
        for level in LEVELS
    ]
    context: dict[str, Any] = {
        "rungs": shown,
        "silence": int((await in_db(selectors.silent_after)).total_seconds()),
        "boards": say.board_names(),
        "times": say.pages_names(),
        "may_set": allowed_at_all(request.actor.role, Action.SET_LADDER),
        "history": [say.change_shown(one) for one in await in_db(selectors.ladder_history)],
        "news": "" if problem else say.done_words().get(request.GET.get("done", ""), ""),
        "problem": problem,
        "at": at,
    }
    return staff_page(request, "ladder", status=status, here="ladder", **context)


@require_GET
@staff_view(Action.SEE_ON_CALL)
async def ladder(request: StaffRequest) -> HttpResponse:
    """Show what each level does, and the latest changes."""
    return await _page(request)


@require_POST
@staff_view(Action.SET_LADDER)
async def set_level(request: StaffRequest) -> HttpResponse:
    """Set one level."""
    level = request.POST.get("level", "")
    try:
        await in_db(
            set_rung,
            actor=str(request.actor),
            level=_number(level),
            seconds=_number(request.POST.get("seconds", "")),
            climbs=request.POST.get("then") == "climb",
            aloud=request.POST.get("board", "aloud") == "aloud",
            pages=Pages(request.POST.get("pages", "")),
            now=timezone.now(),
        )
    except ValueError:
        return await _page(request, status=422, problem=say.not_settable(), at=level)
    return HttpResponseRedirect(f"{reverse('ladder')}?done=set")


@require_POST
@staff_view(Action.SET_LADDER)
async def silence(request: StaffRequest) -> HttpResponse:
    """Set after how long a silence in danger calls for help."""
    try:
        seconds = _number(request.POST.get("seconds", ""))
        await in_db(set_silence, actor=str(request.actor), seconds=seconds, now=timezone.now())
    except ValueError:
        return await _page(request, status=422, problem=say.no_silence(), at="silence")
    return HttpResponseRedirect(f"{reverse('ladder')}?done=set")


def _number(text: str) -> int:
    """Return a number as it was typed, or raise `ValueError`; no number that a level may have is longer."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise ValueError
    return int(text)
