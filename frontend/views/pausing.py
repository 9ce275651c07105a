"""What a visitor's page asks for once its chat is paused: for how long, and what to say."""

from datetime import timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from chat.codec import Malformed, decode_request
from chat.core.errors import Refused
from chat.db import in_visitor_db
from chat.protocol import AskPause
from chat.selectors import visitor_by_token
from frontend.pause_words import pause_words
from frontend.views.bye import MOST_BYTES, from_our_own_page, no_store


# exempt: a visitor's page has no cookie and so no CSRF token; the token in the body is the authority
@csrf_exempt
@require_POST
async def pause(request: HttpRequest) -> HttpResponse:
    """Answer with how many milliseconds the pause still lasts, 0 without one, and with the texts of the page."""
    if not from_our_own_page(request):
        return no_store(HttpResponse(status=403))
    length = request.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit() and int(length) <= MOST_BYTES):
        return no_store(HttpResponse(status=413))
    now = timezone.now()
    try:
        conversation = await in_visitor_db(visitor_by_token, decode_request(request.body, AskPause).token, now)
    except Malformed:
        return no_store(HttpResponse(status=400))
    except Refused as refused:
        # 200 all the same: browsers write other answers into their console
        return no_store(JsonResponse({"error": refused.code.value}))
    left = max(timedelta(0), (conversation.paused_until or now) - now)
    with translation.override("fr" if request.GET.get("l") == "fr" else "en"):
        words = dict(pause_words())
    return no_store(JsonResponse({"left": left // timedelta(milliseconds=1), "words": words}))
