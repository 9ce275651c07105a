"""Writing without script: in a small frame while messages come by themselves, and otherwise in the page.

Only the frame is loaded anew then: the one with the messages shows what was sent as soon as it is stored, and on a slow
line that is seconds sooner than a whole page. What is not taken stays in its box with the reason, whatever happened.
"""

import hashlib
import hmac
from datetime import datetime

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from chat.core.conversation import OPEN
from chat.core.errors import ErrorCode, Refused
from chat.db import in_visitor_db
from chat.presence import presence
from chat.selectors import visitor_by_token
from frontend import plain_cookie
from frontend.pause_words import for_how_long
from frontend.plain_cookie import behind_cookie, from_our_own_form, token_in
from frontend.plain_form import is_cut
from frontend.plain_look import Look, look_of
from frontend.views.plain import CUT, SPENT, SeeOther, chat_page, done, form_of, opens, page, problem_of, status_of


def _unsent(request: HttpRequest) -> str:
    """Return what somebody wrote into our own form, to be given back where there is no chat any more."""
    return request.POST.get("text", "") if request.method == "POST" and from_our_own_form(request) else ""


def _nothing_but_the_text(request: HttpRequest) -> HttpResponse:
    look = look_of(request, request.POST)
    with translation.override(look.language):
        return render(request, "frontend/plain/dead.html", {"look": look, "text": _unsent(request)}, status=404)


def _gone(request: HttpRequest) -> HttpResponse:
    look = look_of(request, request.POST if request.method == "POST" else None)
    return _box(request, look, 404, shut="gone", text=_unsent(request))


@sensitive_post_parameters()
@behind_cookie(_nothing_but_the_text)
@require_POST
async def send(request: HttpRequest) -> HttpResponse:
    """Write a message, and go back to the page; a text that was not taken stays in its box."""
    look, text, code = look_of(request, request.POST), request.POST.get("text", ""), await _posted(request)
    if code is None:
        return SeeOther(f"/plain{look.query}")
    if code in SPENT:
        return plain_cookie.forget(request, await page(request, look, "closed", 410, text=text))
    return await chat_page(request, look, text=text, problem=code)


# outermost: what is said where there is no cookie any more stands in the frame too
@xframe_options_sameorigin
@sensitive_post_parameters()
@behind_cookie(_gone)
@require_http_methods(["GET", "HEAD", "POST"])
async def write(request: HttpRequest) -> HttpResponse:
    """Show the frame with the box, or write a message and show it anew, empty and with the cursor in it."""
    if request.method != "POST":
        return await _shown(request)
    look, text, code = look_of(request, request.POST), request.POST.get("text", ""), await _posted(request)
    if code is None:
        # the mark at the end puts the cursor into the box
        return SeeOther(f"/plain/write{look.query}&s=1#text")
    if code in SPENT and await opens(token_in(request) or ""):
        # what was said in it can be read for some minutes more
        return _box(request, look, 410, shut="over", text=text)
    if code in SPENT:
        return plain_cookie.forget(request, _box(request, look, 410, shut="gone", text=text))
    until = await _paused_until(request) if code == ErrorCode.PAUSED.value else None
    return _box(request, look, status_of(code), problem=code, text=text, paused_until=until)


async def _paused_until(request: HttpRequest) -> datetime | None:
    try:
        return (await in_visitor_db(visitor_by_token, token_in(request) or "", timezone.now())).paused_until
    except (Refused, Error):
        # the text is worth more than when it can be sent
        return None


async def _shown(request: HttpRequest) -> HttpResponse:
    look, now = look_of(request), timezone.now()
    try:
        conversation = await in_visitor_db(visitor_by_token, token_in(request) or "", now)
    except Refused:
        return plain_cookie.forget(request, _gone(request))
    except Error:
        # the box needs nothing that is away now
        return _box(request, look)
    presence().here(conversation.pk, now)
    if conversation.state not in OPEN:
        return _box(request, look, shut="over")
    return _box(request, look, sent=request.GET.get("s", ""), paused_until=conversation.paused_until)


def _box(
    request: HttpRequest,
    look: Look,
    status: int = 200,
    *,
    problem: str = "",
    sent: str = "",
    shut: str = "",
    text: str = "",
    paused_until: datetime | None = None,
) -> HttpResponse:
    with translation.override(look.language):
        context = {
            "look": look,
            "form": form_of(request, problem),
            "problem": problem_of(problem) if problem else "",
            "sent": sent,
            "shut": shut,
            "text": text,
            "paused": for_how_long(paused_until, timezone.now()),
        }
        response = render(request, "frontend/plain/write.html", context, status=status)
    response["Content-Language"] = look.language
    return response


async def _posted(request: HttpRequest) -> str | None:
    """Write what stands in the box; return why that was not possible, None if it was."""
    form, text = request.POST.get("form", ""), request.POST.get("text", "")
    if is_cut(request):
        return CUT
    frame = {"type": "post", "ref": 1, "client_id": _client_id(form, text), "body": text}
    return await done(token_in(request) or "", frame)


def _client_id(form: str, text: str) -> str:
    """Return an id that is the same for the same text of the same form, so that a repeat is harmless."""
    return hmac.digest(form.encode(), text.encode(errors="replace"), hashlib.sha256).hex()[:32]
