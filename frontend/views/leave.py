"""The way out by a plain link: for the chat without script, and for pages that know no neutral address.

It ends the visitor's session and takes the cookie away, and goes on to the neutral page whatever else fails.
"""

import asyncio
import logging

from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import get_language_from_request
from django.views.decorators.http import require_safe

from chat import broadcast, services
from chat.db import in_visitor_db
from chat.selectors import site
from chat.under_way import under_way
from frontend.plain_cookie import forget, token_in

logger = logging.getLogger(__name__)

WHEN_NOTHING_ANSWERS = {"en": "https://weather.gc.ca/", "fr": "https://meteo.gc.ca/"}
"""Stands in while the database is down: somebody who leaves must get away then too."""

MOST_SECONDS = 1


@require_safe
async def leave(request: HttpRequest) -> HttpResponse:
    """Send somebody to the neutral page of their language; the address in between enters no history."""
    asked = request.GET.get("l", "")
    language = asked if asked in WHEN_NOTHING_ANSWERS else get_language_from_request(request)
    token = token_in(request) if _ends_session(request) else None
    if token is not None:
        await _end_session(token)
    try:
        set_by_site = await asyncio.wait_for(in_visitor_db(site), MOST_SECONDS)
        address = set_by_site.exit_url_fr if language == "fr" else set_by_site.exit_url_en
    except (Error, TimeoutError):
        address = WHEN_NOTHING_ANSWERS["fr" if language == "fr" else "en"]
    response = HttpResponseRedirect(address)
    response["Cache-Control"] = "no-store"
    return forget(request, response) if _ends_session(request) else response


def _ends_session(request: HttpRequest) -> bool:
    """Tell whether a visitor leaves: not by a link of somebody else, nor in a browser that only looks ahead."""
    ours = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
    return ours and request.method == "GET" and "Sec-Purpose" not in request.headers


async def _end_session(token: str) -> None:
    """Note a quick exit; who leaves waits a second for it at most, and it goes on after that."""
    await asyncio.wait({under_way().start(_note(token))}, timeout=MOST_SECONDS)


async def _note(token: str) -> None:
    try:
        await broadcast.told(in_visitor_db(services.leave_quickly, token=token, now=timezone.now()))
    except Exception as error:
        logger.error("a quick exit was not noted", exc_info=error)
