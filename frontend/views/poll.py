"""The visitor's line where no socket gets through: two addresses that hand frames to `chat.consumers.poll` and back."""

from collections.abc import Awaitable, Callable

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from chat import codec
from chat.codec import Malformed
from chat.consumers import poll as line
from chat.protocol import MOST_FRAME_BYTES
from frontend.views.bye import from_our_own_page, no_store


# exempt, both: a visitor's page has no cookie and so no CSRF token; the token in the body is the authority
@csrf_exempt
@require_POST
async def poll(request: HttpRequest) -> HttpResponse:
    """Answer with what the page does not hold, or with what comes within some seconds."""
    return await _answered(request, _poll)


@csrf_exempt
@require_POST
async def send(request: HttpRequest) -> HttpResponse:
    """Do one command of the page and answer as its socket would."""
    return await _answered(request, _send)


async def _poll(request: HttpRequest) -> line.Answer:
    asked = codec.decode_poll(request.body)
    return await line.poll(asked.hello, asked.mark, client=getattr(request, "scope", {}).get("client"))


async def _send(request: HttpRequest) -> line.Answer:
    return await line.send(*codec.decode_command(request.body))


async def _answered(request: HttpRequest, work: Callable[[HttpRequest], Awaitable[line.Answer]]) -> HttpResponse:
    if not from_our_own_page(request):
        return no_store(HttpResponse(status=403))
    length = request.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdigit() and int(length) <= MOST_FRAME_BYTES):
        return no_store(HttpResponse(status=413))
    try:
        answer = await work(request)
    except Malformed:
        return no_store(HttpResponse(status=400))
    return no_store(HttpResponse(answer.as_json(), content_type="application/json"))
