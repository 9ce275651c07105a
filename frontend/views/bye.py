"""Hear of a quick exit. The page is already gone when this arrives, so nothing is said back."""

import json
import re
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from chat import broadcast, services
from chat.db import in_db

MOST_BYTES = 4_096
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


# exempt: a page that is leaving has no CSRF token at hand; the conversation's own token in the body is the authority
@csrf_exempt
@require_POST
async def bye(request: HttpRequest) -> HttpResponse:
    """Note a quick exit; the answer is the same for a known, an unknown and a broken token."""
    if not _from_our_own_page(request):
        return _no_store(HttpResponse(status=403))
    token = _token(request)
    if token is not None:
        done = await in_db(services.leave_quickly, token=token, now=timezone.now())
        await broadcast.publish(done.events)
    answer = _no_store(HttpResponse(status=204))
    answer["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return answer


def _from_our_own_page(request: HttpRequest) -> bool:
    """Tell whether the browser says that our own page asks; old browsers say neither and are let through."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    ours = urlsplit(f"{request.scheme}://{request.get_host()}")
    theirs = urlsplit(origin)
    return (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)


def _token(request: HttpRequest) -> str | None:
    length = request.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit() and int(length) <= MOST_BYTES):
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    token = body.get("token") if isinstance(body, dict) else None
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def _no_store(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
