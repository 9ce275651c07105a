"""Six words to come back with, for a page without script: the same services, limits and slow answers, by forms.

The words stand in one answer to a form, in no address and in no frame. Those that somebody brings are shown again on no
page: browsers keep what a form sent beside the page that answered it, so what was not found is told by another one.
"""

import logging
import secrets
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from chat import broadcast, services
from chat.consumers.visitor import address_of
from chat.core.errors import ErrorCode, Refused
from chat.core.returning import MOST_CODE_WORD
from chat.db import in_visitor_db
from chat.returns import returns
from frontend import plain_cookie
from frontend.plain_cookie import FORM, TOKEN, behind_cookie, from_our_own_form, token_in
from frontend.plain_look import Look, look_of
from frontend.return_words import return_words
from frontend.views.plain import SeeOther, nothing_here, opens, page

logger = logging.getLogger(__name__)

MOST_TYPED = 1_000
"""Characters of what is typed as words; the wire takes no more either."""
TOLD = {"not_found", "slow_down", "ours"}
"""What an address may say of a return that did not succeed."""


@require_GET
async def back(request: HttpRequest) -> HttpResponse:
    """Ask for the six words, and say what came of those that were typed before."""
    told = request.GET.get("n", "")
    return await _said(request, look_of(request), "back", told=told if told in TOLD else "", fresh=_fresh())


@csrf_exempt  # who comes back has no cookie yet; see `from_our_own_form`
@sensitive_post_parameters()
@require_POST
async def come_back(request: HttpRequest) -> HttpResponse:
    """Give the conversation of six words to the token of the form, and the browser its cookie."""
    if not from_our_own_form(request) or request.content_type != FORM:
        return nothing_here(request)
    look = look_of(request, request.POST)
    held = token_in(request)
    if held is not None and await opens(held):
        return SeeOther(f"/plain{look.query}")
    token, typed = request.POST.get("token", ""), request.POST.get("words", "")[:MOST_TYPED]
    token = token if TOKEN.fullmatch(token) else _fresh()
    try:
        found = await returns().come_back(
            typed, token, timezone.now(), address=address_of(getattr(request, "scope", {}))
        )
    except (Refused, Error) as error:
        return SeeOther(f"/plain/back{look.query}&n={_code(error)}")
    if not found:
        return SeeOther(f"/plain/back{look.query}&n=not_found")
    return plain_cookie.keep(SeeOther(f"/plain{look.query}"), token)


@behind_cookie(nothing_here)
@require_POST
async def words(request: HttpRequest) -> HttpResponse:
    """Show six words that lead back to this conversation, once."""
    look, token = look_of(request, request.POST), token_in(request) or ""
    try:
        six = await returns().give_words(token, timezone.now())
    except (Refused, Error) as error:
        return await _said(request, look, "words", told=_code(error))
    return await _said(request, look, "words", words=six)


@sensitive_post_parameters()
@behind_cookie(nothing_here)
@require_POST
async def code_word(request: HttpRequest) -> HttpResponse:
    """Keep a word by which visitor and advocate know each other again; no page shows it."""
    look, token, text = look_of(request, request.POST), token_in(request) or "", request.POST.get("code", "")
    try:
        await broadcast.told(in_visitor_db(services.agree_by_token, token=token, text=text, now=timezone.now()))
    except (Refused, Error) as error:
        return await _said(request, look, "words", told=_code(error), again=True)
    return await _said(request, look, "words")


def _fresh() -> str:
    return secrets.token_urlsafe(32)


def _code(error: Refused | Error) -> str:
    if isinstance(error, Refused):
        return error.code.value
    logger.error("a page of six words failed", exc_info=error)
    return ErrorCode.OURS.value


async def _said(request: HttpRequest, look: Look, template: str, *, told: str = "", **context: Any) -> HttpResponse:
    """Return a page that says what the page with script says about this."""
    with translation.override(look.language):
        say = return_words()
    error = say.get(told) or say.get(f"error_{told}", say["error_ours"]) if told else ""
    status = {"": 200, "not_found": 200, "slow_down": 429, "ours": 503}.get(told, 422)
    return await page(request, look, template, status, say=say, error=error, most=MOST_CODE_WORD, **context)
