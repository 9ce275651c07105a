"""What a visitor's page asks for besides its socket: a quick exit, and that the conversation be erased.

Both come with the conversation's own token in the body, and neither answer says whether that token was known.
"""

import json
import re
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from chat import broadcast, services
from chat.db import in_visitor_db
from chat.selectors import site

MOST_BYTES = 4_096
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


# exempt: a page that is leaving has no CSRF token at hand; the conversation's own token in the body is the authority
@csrf_exempt
@require_POST
async def bye(request: HttpRequest) -> HttpResponse:
    """Note a quick exit; the answer is the same for a known, an unknown and a broken token."""
    if not from_our_own_page(request):
        return no_store(HttpResponse(status=403))
    token = token_of(body_of(request))
    if token is not None:
        await broadcast.told(in_visitor_db(services.leave_quickly, token=token, now=timezone.now()))
    answer = no_store(HttpResponse(status=204))
    answer["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return answer


# exempt: a visitor's page has no cookie and so no CSRF token; the conversation's own token in the body is the authority
@csrf_exempt
@require_POST
async def erase(request: HttpRequest) -> HttpResponse:
    """Ask for the erasure of a conversation: 204 when it was asked for, 409 when it will not be.

    A site that does not offer it answers 409 to every token, one that does 204 to an unknown or broken one.
    """
    if not from_our_own_page(request):
        return no_store(HttpResponse(status=403))
    if not (await in_visitor_db(site)).visitor_may_erase:
        return no_store(HttpResponse(status=409))
    token, asked = token_of(body_of(request)), True
    if token is not None:
        work = in_visitor_db(services.ask_erasure_by_token, token=token, now=timezone.now())
        asked = (await broadcast.told(work)).result
    return no_store(HttpResponse(status=204 if asked else 409))


def from_our_own_page(request: HttpRequest) -> bool:
    """Tell whether the browser says that our own page asks; old browsers say neither and are let through."""
    whence = request.headers.get("Sec-Fetch-Site")
    if whence is not None and whence != "same-origin":
        return False
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    ours = urlsplit(f"{request.scheme}://{request.get_host()}")
    theirs = urlsplit(origin)
    return (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)


def body_of(request: HttpRequest) -> dict[str, object] | None:
    """Return what a page of ours sent as JSON; None for anything else."""
    length = request.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit() and int(length) <= MOST_BYTES):
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def token_of(body: dict[str, object] | None) -> str | None:
    """Return the conversation's token in a body; None without a whole one."""
    token = None if body is None else body.get("token")
    return token if isinstance(token, str) and _TOKEN.fullmatch(token) else None


def no_store(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response
