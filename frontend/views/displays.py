"""Screens on a wall: the page on which a supervisor lets one in or ends it. The screen itself has `wall`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from chat.db import in_db
from frontend.views.page import staff_page
from frontend.wall_words import hours_offered
from staff.core import HOURS
from staff.permissions import Action
from staff.services import displays
from staff.web import StaffRequest, staff_view


@require_http_methods(["GET", "POST"])
@staff_view(Action.SHOW_ON_WALL)
async def list_displays(request: StaffRequest) -> HttpResponse:
    """Show which screens hang; to a POST make a link for one more, which is shown this once."""
    link, now = "", timezone.now()
    if request.method == "POST":
        hours = request.POST.get("hours", "")
        if hours not in map(str, HOURS):
            return await _page(request, now, status=422)
        secret = await in_db(displays.make_display, actor=request.actor, hours=int(hours), now=now)
        link = f"{request.build_absolute_uri(reverse('wall'))}#{secret}"
    return await _page(request, now, link=link)


@require_POST
@staff_view(Action.SHOW_ON_WALL)
async def end_display(request: StaffRequest, pk: UUID) -> HttpResponse:
    """End a screen."""
    await in_db(displays.end_display, actor=request.actor, display_id=pk, now=timezone.now())
    return HttpResponseRedirect(reverse("displays"))


async def _page(request: StaffRequest, now: datetime, *, status: int = 200, link: str = "") -> HttpResponse:
    rows = await in_db(displays.displays_for, request.actor, now)
    context: dict[str, Any] = {"displays": rows, "link": link, "hours": hours_offered()}
    return staff_page(request, "displays", status=status, here="displays", **context)
