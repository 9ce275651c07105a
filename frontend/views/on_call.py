"""Who is paged when nobody at a board answers: the targets, what became of the latest pages, and a test of each."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from chat.core.errors import Refused, Unseen
from chat.db import in_db
from chat.services import Done
from crisis import services
from crisis.core.notice import BadTarget, Flaw
from crisis.selectors.on_call import latest_deliveries, target_views
from encryption.providers import ProviderDown
from encryption.services import KeyGone
from encryption.text import Secret
from frontend import on_call_words as say
from frontend.views.page import staff_page
from staff.permissions import Action, allowed_at_all
from staff.web import StaffRequest, staff_view

WAIT_AT_FIRST = 120
NEW = "new"
"""Names the form that adds a target, where a page says which form a problem is about."""


async def _page(
    request: StaffRequest, *, status: int = 200, problem: str = "", at: str = "", secret: Secret | None = None
) -> HttpResponse:
    """Show everything; `at` names the form that `problem` is about, which keeps what was typed."""
    role = request.actor.role
    fields = ("name", "way", "address", "wait")
    context: dict[str, Any] = {
        "targets": await in_db(target_views),
        "deliveries": [say.delivery_shown(one) for one in await in_db(latest_deliveries)],
        "ways": say.way_names(),
        "may_set": allowed_at_all(role, Action.SET_ON_CALL),
        "may_test": allowed_at_all(role, Action.TEST_ON_CALL),
        "new_id": uuid4(),
        "typed": {field: request.POST.get(field, "") for field in fields} if at else {},
        "wait_at_first": WAIT_AT_FIRST,
        "secret": secret.reveal() if secret else "",
        "news": "" if problem else say.done_words().get(request.GET.get("done", ""), ""),
        "problem": problem,
        "at": at,
    }
    return staff_page(request, "on_call", status=status, here="on_call", **context)


def _back(done: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('on_call')}?done={done}")


@require_GET
@staff_view(Action.SEE_ON_CALL)
async def on_call(request: StaffRequest) -> HttpResponse:
    """Show who is paged in which order, and the latest pages."""
    return await _page(request)


@require_POST
@staff_view(Action.SET_ON_CALL)
async def add(request: StaffRequest) -> HttpResponse:
    """Add a target; the secret of a webhook stands in this one answer."""
    return await _command(
        request,
        NEW,
        "added",
        services.add_target,
        target_id=_id(request.POST.get("id", "")),
        name=request.POST.get("name", ""),
        way=request.POST.get("way", ""),
        address=request.POST.get("address", ""),
        wait_seconds=_number(request, "wait"),
    )


@require_POST
@staff_view(Action.SET_ON_CALL)
async def change(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Change a target."""
    return await _command(
        request,
        str(pk),
        "changed",
        services.change_target,
        target_id=pk,
        version=_number(request, "version"),
        name=request.POST.get("name", ""),
        address=request.POST.get("address", ""),
        wait_seconds=_number(request, "wait"),
    )


@require_POST
@staff_view(Action.SET_ON_CALL)
async def earlier(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Page a target before the one that stands before it."""
    return await _command(request, str(pk), "moved", services.page_earlier, target_id=pk)


@require_POST
@staff_view(Action.SET_ON_CALL)
async def secret(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Give a webhook a new secret, which stands in this one answer."""
    version = _number(request, "version")
    return await _command(request, str(pk), "changed", services.renew_secret, target_id=pk, version=version)


@require_POST
@staff_view(Action.SET_ON_CALL)
async def remove(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Page a target no more."""
    return await _command(request, str(pk), "removed", services.remove_target, target_id=pk)


@require_POST
@staff_view(Action.TEST_ON_CALL)
async def try_out(request: StaffRequest, pk: UUID) -> HttpResponse:
    """Send a test to one target."""
    return await _command(request, str(pk), "tested", services.try_target, target_id=pk)


async def _command(
    request: StaffRequest, at: str, done: str, service: Callable[..., Done[Any]], **given: Any
) -> HttpResponse:
    """Do one thing and go back to the page, or say beside the form why it was not done."""
    try:
        result = (await in_db(service, actor=request.actor, now=timezone.now(), **given)).result
    except BadTarget as bad:
        status = 409 if bad.flaw is Flaw.CHANGED else 422
        return await _page(request, status=status, problem=say.flaw(bad.flaw), at=at)
    except (KeyGone, ProviderDown):
        return await _page(request, status=503, problem=say.keys_away(), at=at)
    except Unseen:
        raise Http404 from None
    except Refused:
        return staff_page(request, "forbidden", status=403)
    return await _page(request, secret=result) if isinstance(result, Secret) else _back(done)


def _number(request: StaffRequest, field: str) -> int:
    """Return a number of a form; what is none is 0, which no target has."""
    text = request.POST.get(field, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return uuid4()
