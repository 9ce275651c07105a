"""The three addresses of a screen on a wall; `displays` is where a supervisor lets it in.

The secret never stands in an address that a server sees: the link carries it behind a #, the page posts it, and what
the screen holds from then on is a cookie that no script reads and that goes to these addresses only.
"""

import re

import msgspec
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from chat.db import in_visitor_db
from chat.overview import shift
from frontend.views.bye import body_of, from_our_own_page, no_store
from frontend.wall_words import wall_words
from staff.services import displays
from staff.services.displays import DisplayView, NoDisplay

COOKIE = "havre_wall"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


@require_GET
async def wall(request: HttpRequest) -> HttpResponse:
    """Show the screen's page in its language; without a display the page that opens one, which says so in each."""
    try:
        display = await _display(request)
    except NoDisplay:
        return no_store(render(request, "frontend/staff/wall_open.html", {"languages": ("en", "fr")}))
    with translation.override(display.language):
        context = {"words": wall_words(), "ends_at": display.ends_at}
        return no_store(render(request, "frontend/staff/wall.html", context))


# exempt, both: a screen has no session. The secret in the body is the authority, then the cookie, which browsers send
# from our own pages only
@csrf_exempt
@require_POST
async def wall_open(request: HttpRequest) -> HttpResponse:
    """Take a link's secret and give the screen its own."""
    body = body_of(request)
    secret = None if body is None else body.get("secret")
    if not from_our_own_page(request) or not (isinstance(secret, str) and _SECRET.fullmatch(secret)):
        return no_store(HttpResponse(status=403))
    now = timezone.now()
    try:
        own, display = await in_visitor_db(displays.open_display, secret=secret, now=now)
    except NoDisplay:
        return no_store(HttpResponse(status=410))
    response = no_store(HttpResponse(status=204))
    response.set_cookie(
        COOKIE,
        own,
        max_age=int((display.ends_at - now).total_seconds()),
        path=reverse("wall"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


@csrf_exempt
@require_POST
async def wall_now(request: HttpRequest) -> HttpResponse:
    """Answer with the shift as a screen may show it: 401 once the display is over."""
    if not from_our_own_page(request):
        return no_store(HttpResponse(status=403))
    try:
        display = await _display(request)
    except NoDisplay:
        over = no_store(HttpResponse(status=401))
        over.delete_cookie(COOKIE, path=reverse("wall"), samesite="Strict")
        return over
    shown = (await shift(None)).on_wall(display.language)
    return no_store(HttpResponse(msgspec.json.encode(shown), content_type="application/json"))


async def _display(request: HttpRequest) -> DisplayView:
    secret = request.COOKIES.get(COOKIE, "")
    if not _SECRET.fullmatch(secret):
        raise NoDisplay
    # on the threads of visitors: whoever is outside may knock here, and must use up nothing of staff
    return await in_visitor_db(displays.display_for, secret, timezone.now())
