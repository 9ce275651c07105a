"""The frame with the messages of a conversation without script, and the one that shows that somebody is there.

The frame streams and ends by itself every few minutes, or is asked for every 15 seconds, or only on request. A browser
that was told so asks again after an answer that ended in order; after a line that broke it does not, so that the page
has a link for it.
"""

from collections.abc import AsyncIterator
from contextlib import aclosing

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from chat.consumers import poll as line
from chat.consumers.stream import End, Stream, lasts
from chat.core.conversation import OPEN
from chat.core.errors import Refused
from chat.db import in_visitor_db
from chat.models import Conversation
from chat.presence import presence
from chat.protocol import PROTOCOL_VERSION, VisitorHello
from chat.selectors import site, visitor_by_token
from frontend import plain_cookie
from frontend.plain_cookie import behind_cookie, token_in
from frontend.plain_lines import Lines
from frontend.plain_look import LIVE, OFTEN, Look, look_of
from frontend.visitor_words import words

AGAIN = {End.RENEW: 1, End.LATER: 10}
"""Seconds after which a browser asks again for a stream that ended in order; while a process is replaced, later."""
OFTEN_EVERY = 15
HERE_EVERY = 30
"""Seconds between two signs of a page that only streams; a visitor's presence lasts a minute."""
OVER_EVERY = 60
"""Seconds after which the messages of a chat that is over are asked for again, so that they vanish in time."""
BEAT = "<!-- -->\n"
"""Keeps a silent stream open: proxies cut what says nothing for long."""
_NEWS = "0"
"""A mark that no page brings: everything is told, and no list of staff changes for it."""


def _gone(request: HttpRequest) -> HttpResponse:
    look = look_of(request)
    return plain_cookie.forget(request, HttpResponse(_head(look, "") + _tail(look, gone=True), status=404))


@xframe_options_sameorigin
@behind_cookie(_gone)
@require_safe
async def log(request: HttpRequest) -> HttpResponseBase:
    """Show the messages, and go on showing what comes if that is how this visitor looks at the page."""
    token, look = token_in(request) or "", look_of(request)
    try:
        conversation = await in_visitor_db(visitor_by_token, token, timezone.now())
    except Refused:
        return _gone(request)
    lines, head = await in_visitor_db(_begin, look, conversation)
    if look.mode == LIVE and conversation.state in OPEN and request.method != "HEAD":
        answer: HttpResponseBase = StreamingHttpResponse(_stream(token, lines, head))
        # a proxy that gathers would hold back what has just been written
        answer["X-Accel-Buffering"] = "no"
        return answer
    return await _whole(request, token, lines, head, open_=conversation.state in OPEN)


@xframe_options_sameorigin
@behind_cookie(_gone)
@require_safe
async def here(request: HttpRequest) -> HttpResponse:
    """Note that the page is open somewhere; the browser asks again by itself."""
    look, now = look_of(request), timezone.now()
    try:
        conversation = await in_visitor_db(visitor_by_token, token_in(request) or "", now)
    except Refused:
        return HttpResponse(render_to_string("frontend/plain/here.html", {"look": look}), status=404)
    presence().here(conversation.pk, now)
    response = HttpResponse(render_to_string("frontend/plain/here.html", {"look": look}))
    response["Refresh"] = str(HERE_EVERY)
    return response


def _begin(look: Look, conversation: Conversation) -> tuple[Lines, str]:
    shown = site()
    with translation.override(look.language):
        said = words(shown)
    title = shown.page_title_fr if look.language == "fr" else shown.page_title_en
    lines = Lines(said, look, conversation.waiting_since, paused_until=conversation.paused_until)
    return lines, _head(look, title)


async def _stream(token: str, lines: Lines, head: str) -> AsyncIterator[str]:
    yield head
    stream = Stream()
    async with aclosing(stream.frames(token, lasts())) as frames:
        async for frame in frames:
            yield lines.of(frame, timezone.now()) or BEAT
            if lines.over or lines.anew:
                break
    if lines.over:
        yield _tail(lines.look, over=True, again=OVER_EVERY)
    else:
        ended = stream.end_of or End.RENEW
        yield _tail(lines.look, again=AGAIN.get(ended, 0), replaced=ended is End.REPLACED, gone=ended is End.SPENT)


async def _whole(request: HttpRequest, token: str, lines: Lines, head: str, *, open_: bool) -> HttpResponse:
    hello = VisitorHello(version=PROTOCOL_VERSION, token=token, after=0, start=False, language="en")
    answer = await line.poll(hello, _NEWS, within=0)
    body = "".join(lines.of(frame, timezone.now()) for frame in answer.frames)
    response = HttpResponse(head + body + _tail(lines.look, over=not open_))
    if not open_:
        response["Refresh"] = str(OVER_EVERY)
    elif lines.look.mode == OFTEN:
        response["Refresh"] = str(OFTEN_EVERY)
    return response


def _head(look: Look, title: str) -> str:
    with translation.override(look.language):
        return render_to_string("frontend/plain/log.html", {"look": look, "title": title})


def _tail(look: Look, *, again: int = 0, over: bool = False, replaced: bool = False, gone: bool = False) -> str:
    context = {"look": look, "again": again, "over": over, "replaced": replaced, "gone": gone}
    with translation.override(look.language):
        return render_to_string("frontend/plain/_log_end.html", context)
