"""The conversation without script: the same frames and rules as on a socket, by links and forms.

The page holds a frame with the messages (`frontend.views.plain_log`) and a form below it, so that what is half typed
stays where it is while messages come. Nothing in here decides what a visitor may do.
"""

import json
import logging
import re
import secrets
from datetime import timedelta
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat import broadcast, services
from chat.consumers import poll as line
from chat.consumers.visitor import address_of
from chat.core.conversation import OPEN, State
from chat.core.errors import ErrorCode, Refused
from chat.db import in_opening_db, in_visitor_db
from chat.limits import limits
from chat.presence import presence
from chat.selectors import UNSET, SiteView, is_known, keep_for, site, visitor_by_token
from chat.selectors.outlook import outlook
from frontend import plain_cookie
from frontend.pause_words import for_how_long
from frontend.plain_cookie import behind_cookie, from_our_own_form, token_in
from frontend.plain_look import LANGUAGES, MODES, Look, look_of
from frontend.views.visitor import callable_number, days_of_a_copy, doors, for_work

logger = logging.getLogger(__name__)

CUT = "cut"
"""Stands beside the codes of the wire: of a text far too long, the end did not even come in."""
FORM_ID = re.compile(r"[0-9a-f]{32}")
SPENT = {ErrorCode.TOKEN_UNKNOWN.value, ErrorCode.TOKEN_SPENT.value, ErrorCode.WRONG_STATE.value}


class SeeOther(HttpResponseRedirect):
    """Send a browser from a form to a page: whoever loads that anew sends nothing twice."""

    status_code = 303


def nothing_here(request: HttpRequest) -> HttpResponse:
    """Show a page that says nothing about anybody: whoever goes back to this address finds this."""
    look = look_of(request)
    with translation.override(look.language):
        return render(request, "frontend/plain/dead.html", {"look": look}, status=404)


@csrf_exempt  # who begins has no cookie yet, and so nothing that a strange page could use; see `from_our_own_form`
@sensitive_post_parameters()
@require_POST
async def begin(request: HttpRequest) -> HttpResponse:
    """Begin a conversation with the token that our page made, and give the browser the cookie.

    The same form again finds the same conversation; who has one already goes on with it.
    """
    if not from_our_own_form(request) or request.content_type != plain_cookie.FORM:
        return nothing_here(request)
    look = look_of(request, request.POST)
    held = token_in(request)
    if held is not None and await opens(held):
        return SeeOther(f"/plain{look.query}")
    token, door = request.POST.get("token", ""), request.POST.get("door", "")
    if not plain_cookie.TOKEN.fullmatch(token) or (await in_visitor_db(is_known, token) and not await opens(token)):
        # that one is over: a form that was found with the Back button begins anew
        token = secrets.token_urlsafe(32)
    door = door if door in {code for code, _ in doors()} else "not_said"
    why = await _begun(request, token, look.language, door)
    if why:
        return await page(request, look, "refused", 503, why=why, fresh=token, door=door)
    return plain_cookie.keep(SeeOther(f"/plain{look.query}"), token)


async def _begun(request: HttpRequest, token: str, language: str, door: str) -> str:
    """Begin; return why that was not possible, nothing if it was."""
    now = timezone.now()
    # the work that a page with script does in a flood cannot be asked of this one: it is asked to wait
    if limits().is_flood(address_of(getattr(request, "scope", {})), now) and not await in_visitor_db(is_known, token):
        return "flood"
    try:
        work = in_opening_db(services.open_conversation, token=token, language=language, door=door, now=now)
        await broadcast.told(work)
    except Refused as refused:
        return {ErrorCode.CLOSED: "closed", ErrorCode.FULL: "full"}.get(refused.code, "ours")
    except Error as error:
        logger.error("nothing begun", exc_info=error)
        return "ours"
    return ""


@behind_cookie(nothing_here)
@require_safe
async def chat(request: HttpRequest) -> HttpResponse:
    """Show the conversation."""
    return await chat_page(request, look_of(request))


@behind_cookie(nothing_here)
@require_POST
async def door(request: HttpRequest) -> HttpResponse:
    """Take as what somebody comes after all."""
    chosen = request.POST.get("door", "")
    if chosen in {code for code, _ in doors()}:
        await done(_token(request), {"type": "door", "ref": 1, "door": chosen})
    return SeeOther(f"/plain{look_of(request, request.POST).query}")


@behind_cookie(nothing_here)
@require_http_methods(["GET", "HEAD", "POST"])
async def end(request: HttpRequest) -> HttpResponse:
    """Ask whether to end it, or end it, and erase it if that is wanted."""
    token = _token(request)
    if request.method != "POST":
        return await page(request, look_of(request), "end", copy_days=await _copy_days())
    look = look_of(request, request.POST)
    erased = ""
    if request.POST.get("what") == "erase":
        try:
            asked = await broadcast.told(in_visitor_db(services.ask_erasure_by_token, token=token, now=timezone.now()))
        except (Refused, Error) as error:
            logger.error("no erasure asked for", exc_info=error)
            return await _not_ended(request, look)
        erased = "asked" if asked.result else "kept"
    code = await done(token, {"type": "end", "ref": 1})
    if code is not None and code not in SPENT:
        return await _not_ended(request, look)
    if request.POST.get("what") == "again":
        return plain_cookie.forget(request, SeeOther(f"/?l={look.language}"))
    return plain_cookie.forget(request, await page(request, look, "closed", erased=erased))


async def _not_ended(request: HttpRequest, look: Look) -> HttpResponse:
    return await page(request, look, "end", 503, problem=True, copy_days=await _copy_days())


def _token(request: HttpRequest) -> str:
    return token_in(request) or ""


async def opens(token: str) -> bool:
    """Tell whether a token leads to a conversation now."""
    try:
        await in_visitor_db(visitor_by_token, token, timezone.now())
    except Refused:
        return False
    return True


async def done(token: str, frame: dict[str, Any]) -> str | None:
    """Do a command of the page; return the code of its refusal, None if it was done."""
    try:
        answer = await line.send(token, json.dumps(frame))
    except Error as error:
        logger.error("command of a plain page failed", exc_info=error)
        return ErrorCode.OURS.value
    frames = [json.loads(text) for text in answer.frames]
    return next((frame["code"] for frame in frames if frame["type"] == "error"), None)


async def chat_page(request: HttpRequest, look: Look, text: str = "", problem: str = "") -> HttpResponse:
    """Return the page of the conversation, with what stays in the box and why."""
    try:
        conversation = await in_visitor_db(visitor_by_token, _token(request), timezone.now())
    except Refused:
        return plain_cookie.forget(request, nothing_here(request))
    except Error:
        # the text is worth more than what stands around it
        return await page(request, look, "chat", 503, open=True, text=text, problem=problem)
    presence().here(conversation.pk, timezone.now(), arrived=True)
    if conversation.language != look.language and request.headers.get("Sec-Fetch-Site") == "same-origin":
        # staff see in which language it is read now
        await done(_token(request), {"type": "language", "ref": 1, "language": look.language})
    open_ = conversation.state in OPEN
    waits = conversation.state in {State.WAITING, State.OFFERED}
    context = {
        "open": open_,
        "waits": waits,
        "door": conversation.door,
        "hidden": conversation.return_open,
        "paused_until": conversation.paused_until if open_ else None,
        "unread": waits and not (await in_visitor_db(outlook, timezone.now())).is_read(look.language),
        "copy_days": 0 if open_ else await _copy_days(),
    }
    return await page(request, look, "chat", status_of(problem), text=text, problem=problem, **context)


async def _copy_days() -> int:
    try:
        return days_of_a_copy(await in_visitor_db(keep_for))
    except Error:
        # no site keeps one longer
        return days_of_a_copy(timedelta(days=30))


def form_of(request: HttpRequest, problem: object) -> str:
    """Return the id of a form: that of the one which met a problem, since its text may be stored all the same."""
    before = request.POST.get("form", "") if problem else ""
    return before if FORM_ID.fullmatch(before) else secrets.token_hex(16)


async def page(request: HttpRequest, look: Look, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """Return a page of ours, with what all of them show."""
    shown = await _site()
    with translation.override(look.language):
        problem = context.get("problem")
        context["problem"] = problem_of(problem) if problem else ""
        context |= {
            "look": look,
            "site": shown,
            "title": shown.page_title_fr if look.language == "fr" else shown.page_title_en,
            "tel": callable_number(shown.phone),
            "interpreters": callable_number(shown.interpreters_phone),
            "for_work": for_work(shown, look.language),
            "form": form_of(request, problem),
            "paused": for_how_long(context.get("paused_until"), timezone.now()),
            "doors": doors(),
            "languages": [(code, name, _plain(look.in_language(code))) for code, name in LANGUAGES.items()],
            "modes": [(mode, words, _plain(look.with_mode(mode))) for mode, words in zip(MODES, _modes(), strict=True)],
        }
        response = render(request, f"frontend/plain/{template}.html", context, status=status)
    response["Content-Language"] = look.language
    return response


async def _site() -> SiteView:
    try:
        return await in_visitor_db(site)
    except Error:
        return UNSET


def _plain(look: Look) -> str:
    return f"/plain{look.query}"


def _modes() -> tuple[str, str, str]:
    return (_("They come by themselves."), _("We look every 15 seconds."), _("Only when I ask."))


def status_of(problem: str) -> int:
    """Return the status of an answer to a text that was not taken, 200 without a problem."""
    return {
        "": 200,
        ErrorCode.SLOW_DOWN.value: 429,
        ErrorCode.OURS.value: 503,
        CUT: 413,
        ErrorCode.PAUSED.value: 409,
    }.get(problem, 422)


def problem_of(code: str) -> str:
    """Return in words why a text was not taken."""
    words = {
        ErrorCode.TEXT_EMPTY.value: _("There is nothing to send yet."),
        ErrorCode.TEXT_TOO_LONG.value: _("This message is too long. You can send it in parts."),
        CUT: _("This message is far too long. Only its beginning is still here. You can send it in parts."),
        ErrorCode.TEXT_CONTROL.value: _("Some signs in this text cannot be sent. Take them out and try again."),
        ErrorCode.PAUSED.value: _("This was not sent. The text stays in the box until the pause is over."),
        ErrorCode.SLOW_DOWN.value: _("This was not sent yet. Please wait a few seconds, then press “Send” again."),
    }
    return words.get(code) or _("This was not sent. The problem is on our side. Please try again.")
