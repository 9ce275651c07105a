"""When the law asks for a report: the table for staff, its rows for the administrator, and the visitor's card."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from chat import broadcast
from chat.core.errors import ErrorCode, Refused
from chat.db import in_db
from chat.protocol import ClientId, Language
from crisis import services as crisis
from crisis.core.duty import BadDuty, Duty, DutyChanged, Province
from crisis.selectors.duty import FIELDS, DutyVersion, duties, versions_for
from frontend.duty_card import card, cards
from frontend.duty_words import field_problems, province_names, without_accents
from frontend.views.api import Body, Nothing, command
from frontend.views.page import staff_page
from staff.permissions import Action, allowed_at_all
from staff.web import StaffRequest, staff_view

NUMBERS = frozenset({"must_under", "may_under"})
CHANGED = "version"
"""Names what is wrong with a form when somebody else kept another version since it was shown."""


class Card(Body, frozen=True):
    """Ask for the card to be sent."""

    province: str
    language: Language
    client_id: ClientId


@require_GET
@staff_view(Action.SEE_DUTY)
async def table(request: StaffRequest) -> HttpResponse:
    """Show what holds in each province, and what nobody has filled yet."""
    names, language = province_names(), request.actor.language
    rows = [
        {"code": code.value, "name": names[code.value], "duty": duty, "agency": duty.agency(language)}
        for code, duty in (await in_db(duties)).items()
    ]
    rows.sort(key=lambda row: without_accents(str(row["name"])))
    may_edit = allowed_at_all(request.actor.role, Action.EDIT_DUTY)
    return staff_page(request, "duty", rows=rows, may_edit=may_edit, here="duty")


@require_http_methods(["GET", "POST"])
@staff_view(Action.EDIT_DUTY)
async def row(request: StaffRequest, province: str) -> HttpResponse:
    """Show a province's row to be changed; to a POST keep a new version of it."""
    code = _province(province)
    if request.method == "GET":
        return await _row_page(request, code, (await in_db(duties))[code])
    given = _given(request)
    try:
        duty = Duty(**{name: _value(name, text) for name, text in given.items()})
        shown = _version(request)
        await in_db(crisis.set_duty, actor=request.actor, province=code, version=shown, duty=duty, now=timezone.now())
    except BadDuty as bad:
        return await _row_page(request, code, given, status=422, bad=bad.field)
    except DutyChanged:
        return await _row_page(request, code, given, status=409, bad=CHANGED)
    return HttpResponseRedirect(f"{reverse('duty')}#{code.value}")


@require_POST
@staff_view(Action.EDIT_DUTY)
async def restore(request: StaffRequest, province: str, version: int) -> HttpResponse:
    """Make an older version of a row the newest one again."""
    code, newest = _province(province), _version(request)
    given: dict[str, Any] = {"actor": request.actor, "province": code, "version": version, "newest": newest}
    try:
        await in_db(crisis.restore_duty, now=timezone.now(), **given)
    except Refused:
        raise Http404 from None
    except DutyChanged:
        return await _row_page(request, code, (await in_db(duties))[code], status=409, bad=CHANGED)
    return HttpResponseRedirect(f"{reverse('duty')}#{code.value}")


@command(Action.WRITE_MESSAGE, Nothing)
async def card_state(request: StaffRequest, pk: UUID, body: Nothing) -> dict[str, Any]:
    """Tell whether a card was sent, and what each one says in either language."""
    sent = await in_db(crisis.card_was_sent, request.actor, pk)
    return {"sent": sent, "cards": {language: await in_db(cards, language) for language in ("en", "fr")}}


@command(Action.WRITE_MESSAGE, Card)
async def send_card(request: StaffRequest, pk: UUID, body: Card) -> dict[str, Any]:
    """Send the card as it stands now."""
    if body.province not in ["", *Province]:
        raise Refused(ErrorCode.BAD_FRAME)
    code = Province(body.province) if body.province else None
    duty = (await in_db(duties))[code] if code else None
    done = await in_db(
        crisis.send_duty_card,
        actor=request.actor,
        conversation_id=pk,
        province=code,
        body=card(duty, body.language),
        client_id=body.client_id,
        now=timezone.now(),
    )
    await broadcast.publish(done.events)
    return {}


def _province(text: str) -> Province:
    if text not in list(Province):
        raise Http404
    return Province(text)


def _version(request: HttpRequest) -> int:
    """Return the newest version that was shown with the form; what is no number is none."""
    text = request.POST.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def _given(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST.get(name, "").strip() for name in FIELDS}


def _value(name: str, text: str) -> Any:
    """Return a field as the row holds it, or raise `BadDuty`."""
    if name not in NUMBERS | {"checked_on"}:
        return text
    if not text:
        return None
    try:
        return int(text) if name in NUMBERS else date.fromisoformat(text)
    except ValueError:
        raise BadDuty(name) from None


async def _row_page(
    request: StaffRequest, code: Province, shown: Duty | dict[str, str], *, status: int = 200, bad: str = ""
) -> HttpResponse:
    versions: tuple[DutyVersion, ...] = await in_db(versions_for, request.actor, code)
    context: dict[str, Any] = {
        "code": code.value,
        "name": province_names()[code.value],
        "shown": shown,
        "version": versions[0].version,
        # what somebody else has kept meanwhile is looked at before it is written over
        "older": versions if bad == CHANGED else versions[1:],
        "bad": bad,
        "problem": field_problems().get(bad, ""),
        "today": timezone.now().date(),
    }
    return staff_page(request, "duty_row", status=status, here="duty", **context)
