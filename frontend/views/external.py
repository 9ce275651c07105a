"""Telling somebody outside: one proposes on a page, another confirms on the record's, and what came of it stands there.

The record shows what people wrote; like a case it is shown once the trail says who reads it, and no cache keeps it.
"""

import re
import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat import broadcast, services
from chat.core.errors import ErrorCode, Refused
from chat.core.handles import spoken
from chat.db import in_db
from chat.selectors import conversation_for
from crisis import services as crisis
from crisis.core.duty import Province
from crisis.core.ladder import SETTLED
from crisis.selectors.duty import duties
from crisis.services.external import ExternalView
from encryption.text import Secret
from frontend.duty_words import agency_names, province_names, without_accents
from frontend.selectors import UNREADABLE
from frontend.staff_words import error_words
from frontend.views.api import STATUS
from frontend.views.page import staff_page
from staff.permissions import Action, allowed
from staff.web import StaffRequest, staff_view

_ID = re.compile(r"[0-9a-f]{32}")
UNKNOWN = frozenset({ErrorCode.NOT_FOUND, ErrorCode.FORBIDDEN})
"""Refusals of the doorway, which a page answers as if nothing were there."""


@require_http_methods(["GET", "POST"])
@staff_view(Action.NOTIFY)
async def propose(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Ask who is to be told and why; to a POST call the supervisors with it."""
    if request.method == "GET":
        return await _proposal(request, pk)
    if not _ID.fullmatch(request.POST.get("client_id", "")):
        return await _proposal(request, pk, ErrorCode.BAD_FRAME)
    try:
        done = await broadcast.told(
            in_db(
                crisis.propose_external,
                actor=request.actor,
                conversation_id=pk,
                agency=request.POST.get("agency", ""),
                province=request.POST.get("province", ""),
                reason=request.POST.get("reason", ""),
                consulted=request.POST.get("consulted", ""),
                client_id=request.POST.get("client_id", ""),
                now=timezone.now(),
            )
        )
    except Refused as refused:
        return await _proposal(request, pk, refused.code)
    except UNREADABLE:
        # what was written stays in the form: the same one, sent again, is no second proposal
        return await _proposal(request, pk, ErrorCode.OURS)
    return HttpResponseRedirect(reverse("external", args=[done.result]))


async def _proposal(request: StaffRequest, pk: UUID, code: ErrorCode | None = None) -> HttpResponse:
    try:
        conversation = await in_db(conversation_for, request.actor, pk, Action.NOTIFY)
    except Refused:
        raise Http404 from None
    sent = request.POST.get("client_id", "")
    context: dict[str, Any] = {
        "pk": pk,
        "handle": spoken(conversation.handle, request.actor.language),
        "drill": conversation.drill != "",
        "agencies": list(agency_names().items()),
        "numbers": await _numbers(),
        "typed": {name: request.POST.get(name, "") for name in ("agency", "province", "reason", "consulted")},
        # a repeat of the same form is harmless
        "client_id": sent if _ID.fullmatch(sent) else secrets.token_hex(16),
        "problem": _why(code),
    }
    return staff_page(request, "external_new", status=_status(code), here="outside", **context)


async def _numbers() -> list[dict[str, Any]]:
    names = province_names()
    rows = [
        {"code": code.value, "name": names[code.value], "duty": duty} for code, duty in (await in_db(duties)).items()
    ]
    return sorted(rows, key=lambda row: without_accents(str(row["name"])))


@require_GET
@staff_view(Action.READ_REASON)
async def record(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show a record and what can be done next."""
    return await _record(request, pk)


async def _record(request: StaffRequest, pk: UUID, code: ErrorCode | None = None, at: str = "") -> HttpResponse:
    try:
        done = await in_db(crisis.read_external, actor=request.actor, escalation_id=pk, now=timezone.now())
    except Refused:
        raise Http404 from None
    except UNREADABLE:
        return staff_page(request, "external_gone", status=503, here="outside")
    view = done.result
    context: dict[str, Any] = {
        "view": view,
        "handle": spoken(view.handle, request.actor.language),
        "drill": view.drill,
        "agency": agency_names()[view.agency],
        "province": province_names().get(view.province, ""),
        "duty": (await in_db(duties))[Province(view.province)] if view.province else None,
        "texts": {name: _text(getattr(view, name)) for name in ("why", "consulted", "told", "worker")},
        **_open_steps(request, view),
        "problem": _why(code),
        "at": at,
        "typed": {name: request.POST.get(name, "") for name in ("told", "worker", "minutes")},
    }
    return staff_page(request, "external", status=_status(code), here="outside", **context)


def _open_steps(request: StaffRequest, view: ExternalView) -> dict[str, bool]:
    """Return which steps the page offers; the services decide again."""
    going, mine = view.state not in SETTLED, view.proposed_by == request.actor.id
    second = allowed(request.actor.role, Action.CONFIRM_NOTIFY) and not mine
    return {
        "may_confirm": going and view.confirmed_at is None and second,
        "may_tell": going and view.told_at is None,
        "may_close": going and view.told_at is not None and view.confirmed_at is not None and view.contact_at is None,
        "mine": mine,
        "settled": not going,
    }


@require_POST
@staff_view(Action.CONFIRM_NOTIFY)
async def confirm(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Confirm as the second person."""
    return await _step(request, pk, "confirm", crisis.confirm_external)


@require_POST
@staff_view(Action.NOTIFY)
async def told(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Write down who was told."""
    given = {"told": request.POST.get("told", ""), "worker": request.POST.get("worker", "")}
    return await _step(request, pk, "told", crisis.note_told, minutes_ago=_minutes(request), **given)


@require_POST
@staff_view(Action.NOTIFY)
async def contact(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Say that they made contact."""
    return await _step(request, pk, "contact", crisis.note_contact, minutes_ago=_minutes(request))


async def _step(
    request: StaffRequest, pk: UUID, at: str, service: Callable[..., services.Done[None]], **given: Any
) -> HttpResponse:
    try:
        await broadcast.told(in_db(service, actor=request.actor, escalation_id=pk, now=timezone.now(), **given))
    except Refused as refused:
        if refused.code in UNKNOWN:
            raise Http404 from None
        return await _record(request, pk, refused.code, at)
    return HttpResponseRedirect(reverse("external", args=[pk]))


def _minutes(request: HttpRequest) -> int:
    """Return how long ago it was; what is no number is more than a day, which the service refuses."""
    text = request.POST.get("minutes", "").strip() or "0"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 100_000


def _text(secret: Secret | None) -> str:
    return "" if secret is None else secret.reveal()


def _status(code: ErrorCode | None) -> int:
    if code is None:
        return 200
    return 503 if code is ErrorCode.OURS else STATUS.get(code, 409)


def _why(code: ErrorCode | None) -> str:
    return "" if code is None else error_words()[f"error_{code.value}"]
