"""What a visitor's page asks for to come back by words: words, the way back, and a code word.

All come as plain requests, since who comes back has no line. The answers are made so that nothing can be learned with
a guess: what is not found, was ended or never existed gets the same one, in the same time.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from chat import broadcast, services
from chat.codec import Malformed, decode_request
from chat.consumers.visitor import address_of
from chat.core.errors import Refused
from chat.db import in_visitor_db
from chat.protocol import AgreeCodeWord, GiveWords, ReturnByWords
from chat.returns import returns
from frontend.return_words import return_words
from frontend.views.bye import MOST_BYTES, from_our_own_page, no_store

Work = Callable[[HttpRequest], Awaitable[dict[str, Any]]]


@require_safe
def texts(request: HttpRequest) -> HttpResponse:
    """Answer with what the page says about this, in its language."""
    with translation.override("fr" if request.GET.get("l") == "fr" else "en"):
        return no_store(JsonResponse(dict(return_words())))


# exempt, all three: a visitor's page has no cookie and so no CSRF token; the token in the body is the authority
@csrf_exempt
@require_POST
async def words(request: HttpRequest) -> HttpResponse:
    """Answer with six words that lead back to the conversation of a page."""
    return await _answered(request, _words)


@csrf_exempt
@require_POST
async def come_back(request: HttpRequest) -> HttpResponse:
    """Give the conversation of six words to the page's token; say only whether it was found."""
    return await _answered(request, _come_back)


@csrf_exempt
@require_POST
async def code_word(request: HttpRequest) -> HttpResponse:
    """Keep the code word that a visitor chose."""
    return await _answered(request, _code_word)


async def _words(request: HttpRequest) -> dict[str, Any]:
    asked = decode_request(request.body, GiveWords)
    return {"words": await returns().give_words(asked.token, timezone.now())}


async def _come_back(request: HttpRequest) -> dict[str, Any]:
    asked = decode_request(request.body, ReturnByWords)
    address = address_of(getattr(request, "scope", {}))
    return {"found": await returns().come_back(asked.words, asked.token, timezone.now(), address=address)}


async def _code_word(request: HttpRequest) -> dict[str, Any]:
    asked = decode_request(request.body, AgreeCodeWord)
    await broadcast.told(in_visitor_db(services.agree_by_token, token=asked.token, text=asked.text, now=timezone.now()))
    return {}


async def _answered(request: HttpRequest, work: Work) -> HttpResponse:
    if not from_our_own_page(request):
        return no_store(HttpResponse(status=403))
    length = request.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit() and int(length) <= MOST_BYTES):
        return no_store(HttpResponse(status=413))
    try:
        answer = await work(request)
    except Malformed:
        return no_store(HttpResponse(status=400))
    except Refused as refused:
        # 200 all the same: browsers write other answers into their console
        answer = {"error": refused.code.value}
    return no_store(JsonResponse(answer))
