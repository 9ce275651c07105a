"""Keep a closed conversation for the law, and let it go again: each takes two people and a fresh proof."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from chat import broadcast, services
from chat.core.errors import ErrorCode, Refused
from chat.db import in_db
from frontend import archive_words as say
from frontend.unlocking import NotProved, fresh_key_of
from frontend.views.archive import archive_view
from frontend.views.archived import back, facts, kept_for, refusal
from staff.permissions import Action
from staff.web import StaffRequest


@require_POST
@archive_view(Action.HOLD)
async def ask_hold(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ask that it be kept for the law; a second person confirms."""
    view = await kept_for(request, pk, Action.HOLD)
    try:
        until = _day(request.POST.get("until", ""))
    except Refused as refused:
        return await refusal(request, pk, refused.code, "hold")
    if view.ordinary_until is not None and timezone.now().date() < until <= view.ordinary_until:
        return await facts(request, pk, status=422, problem=say.readable_anyway(view.ordinary_until), at="hold")
    reason = request.POST.get("reason", "")
    return await _command(
        request, pk, "hold", "asked", services.ask_hold, conversation_id=pk, until=until, reason=reason
    )


@require_POST
@archive_view(Action.HOLD)
async def confirm_hold(request: StaffRequest, pk: UUID, hold: UUID) -> HttpResponse:
    """Confirm a colleague's hold."""
    return await _command(request, pk, "confirm", "confirmed", services.confirm_hold, hold_id=hold)


@require_POST
@archive_view(Action.HOLD)
async def withdraw_hold(request: StaffRequest, pk: UUID, hold: UUID) -> HttpResponse:
    """Take back what oneself asked to keep."""
    return await _command(request, pk, "withdraw", "withdrawn", services.withdraw_hold, hold_id=hold)


@require_POST
@archive_view(Action.HOLD)
async def ask_hold_end(request: StaffRequest, pk: UUID, hold: UUID) -> HttpResponse:
    """Ask that it no longer be kept; a second person confirms."""
    reason = request.POST.get("reason", "")
    return await _command(request, pk, "end", "end_asked", services.ask_hold_end, hold_id=hold, reason=reason)


@require_POST
@archive_view(Action.HOLD)
async def confirm_hold_end(request: StaffRequest, pk: UUID, end: UUID) -> HttpResponse:
    """Confirm that it goes its ordinary way, as a colleague asked."""
    return await _command(request, pk, "end-confirm", "let_go", services.confirm_hold_end, end_id=end)


@require_POST
@archive_view(Action.HOLD)
async def withdraw_hold_end(request: StaffRequest, pk: UUID, end: UUID) -> HttpResponse:
    """Leave it kept: take back that it be let go, or say no to a colleague."""
    return await _command(request, pk, "end-withdraw", "end_withdrawn", services.withdraw_hold_end, end_id=end)


async def _command(
    request: StaffRequest, pk: UUID, at: str, done: str, service: Callable[..., services.Done[Any]], **given: Any
) -> HttpResponse:
    """Do one thing about a hold after a fresh proof; `at` names the form that asks for it, `done` what is said then."""
    now = timezone.now()
    await kept_for(request, pk, Action.HOLD)
    try:
        key = await fresh_key_of(request, request.POST.get("password", ""), now)
        result = await in_db(service, actor=request.actor, unlocked=key, now=now, **given)
    except NotProved:
        return await facts(request, pk, status=403, problem=say.not_proved(), at=at)
    except Refused as refused:
        return await refusal(request, pk, refused.code, at)
    await broadcast.publish(result.events)
    return back(pk, done)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused(ErrorCode.BAD_DATE) from None
