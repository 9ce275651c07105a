"""Pages of staff: parse, one call, render. What moves on them comes over the socket."""

import logging
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth import login
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from cases import selectors as case_selectors
from cases import services as case_services
from chat import broadcast
from chat.consumers.visitor import address_of
from chat.core.errors import Refused
from chat.core.routing import NOT_AGAIN_WITHIN, OFFER_LASTS, URGENT_AGAIN_AFTER
from chat.db import in_db
from chat.limits import limits
from chat.selectors import pause_lengths
from chat.services import hand_back_all
from frontend import unlocking
from frontend.case_words import (
    case_status_names,
    contact_choices,
    contact_type_names,
    disposition_names,
    timeline_words,
)
from frontend.staff_words import (
    LEVEL_SHAPES,
    board_words,
    console_words,
    level_names,
)
from frontend.views.page import staff_page
from staff.permissions import Action, allowed_at_all
from staff.services import note_refused_sign_in, note_sign_in, set_language
from staff.signing_in import Busy, who_signs_in
from staff.web import StaffRequest, sign_out, staff_view

logger = logging.getLogger(__name__)

LANGUAGES = ("en", "fr")
PAGES = frozenset(
    {
        "console",
        "board",
        "displays",
        "cases",
        "archive",
        "on_call",
        "ladder",
        "duty",
        "rules",
        "rule_versions",
        "drills",
    }
)
"""Pages that can be shown again in the other language."""
RULE_PAGES = frozenset(
    {
        "rules",
        "rule",
        "edit_rule",
        "new_rule",
        "try_lines",
        "rule_versions",
        "rule_version",
        "import_rules",
        "switch_page",
    }
)
"""Pages that are of one thing, which is shown again and not the list."""
SHOWN_AS = {
    "rule_off": "rule",
    "rule_on": "rule",
    "rule_back": "rule",
    "rules_back": "rule_version",
    "switch_screening": "switch_page",
}
"""Addresses that only take forms, with the page that shows what was wrong with one."""
LONGEST_ADDRESS = 1_000


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
async def sign_in(request: HttpRequest) -> HttpResponse:
    """Let somebody in, or say that name and password do not fit without saying which."""
    if request.method != "POST":
        return await sync_to_async(_sign_in_page)(request, "", "", 200)
    address = address_of(getattr(request, "scope", {}))
    username = request.POST.get("username", "")[:64]
    often = limits().signs_in_often(address, username, timezone.now())
    return await sync_to_async(_signed_in)(request, username, often=often)


def _signed_in(request: HttpRequest, username: str, *, often: bool) -> HttpResponse:
    try:
        user = who_signs_in(request, username, request.POST.get("password", ""), often=often)
    except Busy:
        return _sign_in_page(request, username, "busy", 503)
    if user is None:
        note_refused_sign_in(now=timezone.now())
        return _sign_in_page(request, username, "failed", 403)
    note_sign_in(user_id=user.pk, now=timezone.now())
    login(request, user)
    unlocking.end(user.pk)
    return HttpResponseRedirect(reverse("staff_home"))


def _sign_in_page(request: HttpRequest, username: str, problem: str, status: int) -> HttpResponse:
    context = {"username": username, "problem": problem}
    response = render(request, "frontend/staff/sign_in.html", context, status=status)
    response["Cache-Control"] = "no-store"
    if problem == "busy":
        response["Retry-After"] = "5"
    return response


@require_POST
async def leave(request: HttpRequest) -> HttpResponse:
    """Sign out, end the person's sockets, and give what they hold to who is there."""
    user_id = await sync_to_async(sign_out)(request)
    if user_id is not None:
        await broadcast.publish_revoked(user_id)
        await _hand_back(user_id)
        await broadcast.publish_overview()
    return unlocking.without_cookie(HttpResponseRedirect(reverse("sign_in")))


async def _hand_back(user_id: int) -> None:
    try:
        await broadcast.told(in_db(hand_back_all, user_id=user_id, now=timezone.now()))
    except DatabaseError as error:
        # they are signed out all the same; the worker gives it back once their console was silent for long enough
        logger.error("nothing handed back at sign-out", exc_info=error)


@require_POST
@staff_view()
async def language(request: StaffRequest) -> HttpResponse:
    """Show the pages in the other language from now on."""
    chosen = request.POST.get("language", "")
    if chosen in LANGUAGES:
        await in_db(set_language, user_id=request.actor.id, language=chosen, now=timezone.now())
    # only to one of our own pages: an address from the form is never followed
    back = request.POST.get("page", "")
    return HttpResponseRedirect(
        _same_rules_page(request.POST.get("at", "")) or reverse(back if back in PAGES else "staff_home")
    )


def _same_rules_page(address: str) -> str:
    """Return the page of the screening rules that an address of ours leads to, made anew; nothing of any other."""
    try:
        given = urlsplit(address[:LONGEST_ADDRESS])
        found = resolve(given.path)
    except (Resolver404, ValueError):
        return ""
    name = SHOWN_AS.get(found.url_name or "", found.url_name or "")
    if name not in RULE_PAGES:
        return ""
    query = QueryDict(given.query, mutable=True)
    query.pop("done", None)
    again = reverse(name, kwargs=found.kwargs)
    return f"{again}?{query.urlencode()}" if query else again


@staff_view()
async def nowhere(request: StaffRequest, rest: str) -> HttpResponse:
    """Say that no page has this address, with the way to one's own."""
    raise Http404


@require_GET
@staff_view()
async def home(request: StaffRequest) -> HttpResponse:
    """Send somebody to where their work is."""
    first = (("board", Action.SEE_BOARD), ("console", Action.USE_CONSOLE), ("on_call", Action.SEE_ON_CALL))
    for name, action in first:
        if allowed_at_all(request.actor.role, action):
            return HttpResponseRedirect(reverse(name))
    return staff_page(request, "forbidden", status=403)


@require_GET
@staff_view(Action.USE_CONSOLE)
async def console(request: StaffRequest) -> HttpResponse:
    """Show the console."""
    context: dict[str, Any] = {
        "words": console_words(),
        "choices": {**contact_choices(), "pauses": await in_db(pause_lengths)},
        "seconds": int(OFFER_LASTS.total_seconds()),
        "minutes": NOT_AGAIN_WITHIN // timedelta(minutes=1),
        "soon": int(URGENT_AGAIN_AFTER.total_seconds()),
    }
    return staff_page(request, "console", here="console", **context)


@require_GET
@staff_view(Action.SEE_BOARD)
async def board(request: StaffRequest) -> HttpResponse:
    """Show the supervisor's board."""
    return staff_page(request, "board", words=board_words(), pauses=await in_db(pause_lengths), here="board")


@require_GET
@staff_view(Action.LIST_CASES)
async def cases(request: StaffRequest) -> HttpResponse:
    """List the cases that this person may see."""
    rows = await in_db(case_selectors.case_list, request.actor)
    states, levels = case_status_names(), level_names()
    shown = [
        {
            "id": row.id,
            "name": row.handle,
            "status": states.get(row.status, row.status),
            "level": levels[row.level],
            "opened_at": row.opened_at,
            "drill": row.drill,
        }
        for row in rows
    ]
    return staff_page(request, "case_list", cases=shown, here="cases")


@require_GET
@staff_view(Action.READ_CASE)
async def case(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Show a case and its timeline; the service puts the reading into the trail first."""
    try:
        done = await in_db(case_services.read_case, actor=request.actor, case_id=pk, now=timezone.now())
    except Refused:
        raise Http404 from None
    await broadcast.publish(done.events)
    view = done.result
    states = case_status_names()
    facts = [
        (_("Status"), states.get(view.status, view.status)),
        (_("Level"), level_names()[view.level]),
        *_contact_facts(view.contact),
    ]
    timeline = [_line(item) for item in view.timeline]
    return staff_page(request, "case", name=view.handle, facts=facts, timeline=timeline, drill=view.drill, here="cases")


def _contact_facts(contact: Any) -> list[tuple[str, str]]:
    """Return what the recorded contact says, nothing before there is one."""
    if contact is None:
        return []
    kinds, outcomes = contact_type_names(), disposition_names()
    return [
        (_("Who wrote"), kinds.get(contact.contact_type, contact.contact_type)),
        (_("How it came out"), outcomes.get(contact.disposition, contact.disposition)),
    ]


def _line(item: Any) -> dict[str, Any]:
    """Put a line of the timeline into words; one that has none yet shows its code rather than nothing."""
    words = timeline_words().get(item.code, item.code)
    return {
        "at": item.at,
        "kind": item.kind,
        "level": item.level,
        "shape": LEVEL_SHAPES[item.level or 0],
        "level_word": level_names()[item.level or 0],
        "words": words.replace("{name}", item.author or _("a rule")),
        "text": item.text,
        "times": item.times,
    }
