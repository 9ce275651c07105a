"""One closed conversation: what is known of it, its text for a reason, and its erasure. Holds are in `holds`.

Its text is an answer to a POST only, so that no address, history or cache leads to it.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from chat import broadcast, services
from chat.core.errors import ErrorCode, Refused
from chat.core.hold import LONGEST_HOLD
from chat.db import in_db
from chat.selectors.archive import openings
from encryption.text import Secret
from frontend import archive_words as say
from frontend import unlocking
from frontend.selectors import UNREADABLE, Kept, kept, known_readings
from frontend.unlocking import NotProved, fresh_key_of
from frontend.views.api import STATUS
from frontend.views.archive import archive_view, door, inside
from frontend.views.page import staff_page
from staff.permissions import Action
from staff.web import StaffRequest

UNKNOWN = frozenset({ErrorCode.NOT_FOUND, ErrorCode.FORBIDDEN})
"""Refusals of the doorway, which a page answers as if nothing were there."""


async def kept_for(request: StaffRequest, pk: UUID, action: Action = Action.READ_ARCHIVE) -> Kept:
    """Return the conversation as this person may see it; to anybody else it does not exist."""
    try:
        return await in_db(kept, request.actor, pk, timezone.now(), action)
    except Refused:
        raise Http404 from None


async def facts(request: StaffRequest, pk: UUID, *, status: int = 200, problem: str = "", at: str = "") -> HttpResponse:
    """Show what is known without the text; `at` names the form that `problem` is about, which keeps what was typed."""
    now = timezone.now()
    view = await kept_for(request, pk)
    key = await unlocking.key_of(request, now)
    if key is None:
        return await door(request, now, status=status, problem=problem, to=pk)
    typed = {"reason": request.POST.get("reason", ""), "until": request.POST.get("until", "")}
    context: dict[str, Any] = {
        "view": view,
        "ended": say.ended_words().get(view.row.ended_by, view.row.ended_by),
        "spoken": say.language_words().get(view.row.language, view.row.language),
        **await _reasons(request, view),
        "mine": view.row.hold is not None and view.row.hold.asked_by == request.actor.id,
        "end_mine": view.row.hold is not None and view.row.hold.end and view.row.hold.end.asked_by == request.actor.id,
        "first_day": _first_day(view, now.date()),
        "last": say.last_day(view.readable_until),
        "held_until": view.row.hold and say.day(view.row.hold.until),
        "ordinary": view.ordinary_until and say.day(view.ordinary_until),
        "openings": await in_db(openings, pk),
        "news": say.done_words(view).get(request.GET.get("done", ""), ""),
        "last_day": (now + LONGEST_HOLD).date(),
        "problem": problem,
        "at": at,
        "typed": typed if at else {},
    }
    return staff_page(request, "archived", status=status, here="archive", **context, **inside(key, now))


async def _reasons(request: StaffRequest, view: Kept) -> dict[str, str | None]:
    """Return why a hold, its end or the erasure was asked for to who decides on it: the trail says so first."""
    hold = view.row.hold if view.may_hold else None
    end, erasure = hold and hold.end, view.erasure if view.may_erase else None
    return {
        "hold_reason": await _reason(request, services.read_hold_reason, hold_id=hold.id) if hold else None,
        "end_reason": await _reason(request, services.read_hold_end_reason, end_id=end.id) if end else None,
        "erasure_reason": (
            await _reason(request, services.read_erasure_reason, conversation_id=view.row.id) if erasure else None
        ),
    }


async def _reason(request: StaffRequest, service: Callable[..., services.Done[Secret]], **which: UUID) -> str | None:
    """Return one reason, None when nobody can read it."""
    try:
        done = await in_db(service, actor=request.actor, now=timezone.now(), **which)
    except UNREADABLE:
        return None
    return done.result.reveal()


async def refusal(request: StaffRequest, pk: UUID, code: ErrorCode, at: str) -> HttpResponse:
    """Say why something was refused, beside the form that asked for it."""
    if code in UNKNOWN:
        raise Http404
    return await facts(request, pk, status=STATUS.get(code, 409), problem=say.why(code, at), at=at)


@require_http_methods(["GET", "POST"])
@archive_view()
async def archived(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show the facts; to a POST with a reason show the text, which the trail knows of before."""
    if request.method == "GET":
        return await facts(request, pk)
    now = timezone.now()
    await kept_for(request, pk)
    try:
        key = await fresh_key_of(request, request.POST.get("password", ""), now)
        reason = request.POST.get("reason", "")
        done = await in_db(
            services.open_archived, actor=request.actor, unlocked=key, conversation_id=pk, reason=reason, now=now
        )
    except NotProved:
        return await facts(request, pk, status=403, problem=say.not_proved(), at="read")
    except Refused as refused:
        return await refusal(request, pk, refused.code, "read")
    await broadcast.publish(done.events)
    view = await kept_for(request, pk)
    lines = say.lines_shown(done.result.lines)
    seen = await in_db(known_readings, pk)
    return staff_page(request, "archived_text", view=view, lines=lines, seen=seen, here="archive", **inside(key, now))


@require_http_methods(["GET", "POST"])
@archive_view(Action.ERASE)
async def erase(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ask why a conversation is erased, then have it erased; it takes as much proof as reading it does."""
    now = timezone.now()
    view = await kept_for(request, pk, Action.ERASE)
    if request.method == "GET":
        return await _ask_erasure(request, view)
    try:
        key = await fresh_key_of(request, request.POST.get("password", ""), now)
        reason = request.POST.get("reason", "")
        done = await in_db(
            services.ask_erasure, actor=request.actor, unlocked=key, conversation_id=pk, reason=reason, now=now
        )
    except NotProved:
        return await _ask_erasure(request, view, status=403, problem=say.not_proved())
    except Refused as refused:
        if refused.code in UNKNOWN:
            raise Http404 from None
        return await _ask_erasure(
            request, view, status=STATUS.get(refused.code, 409), problem=say.why(refused.code, "erase")
        )
    await broadcast.publish(done.events)
    return back(pk, "erased")


async def _ask_erasure(request: StaffRequest, view: Kept, *, status: int = 200, problem: str = "") -> HttpResponse:
    now = timezone.now()
    key = await unlocking.key_of(request, now)
    if key is None:
        return await door(request, now, status=status, problem=problem, to=view.row.id)
    context: dict[str, Any] = {
        "view": view,
        "problem": problem,
        "at": "erase",
        "reason": request.POST.get("reason", ""),
        "last": say.last_day(view.readable_until),
    }
    return staff_page(request, "archived_erase", status=status, here="archive", **context, **inside(key, now))


def back(pk: UUID, done: str) -> HttpResponseRedirect:
    """Send the browser back to the facts, which say what was done."""
    return HttpResponseRedirect(f"{reverse('archived', args=[pk])}?done={done}")


def _first_day(view: Kept, today: date) -> date:
    """Return the first day until which keeping it changes anything."""
    return max(today, view.ordinary_until or today) + timedelta(days=1)
