"""The way into the archive: become a reader, unlock, lock, and see what is in it.

What unlocks a key comes in the body of a POST and goes nowhere else; what a reader must write down is shown once.
"""

import base64
import re
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import wraps
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from chat.core.errors import ErrorCode, Refused
from chat.db import in_db
from chat.selectors.archive import archived
from encryption.core.envelope import NotAuthentic
from encryption.halves import HalvesDown
from encryption.services import readers, unlock
from encryption.services.readers import NotReader, NotReady
from encryption.services.unlock import TRIES_FOR, TooManyTries, Unlocked
from frontend import archive_words as say
from frontend import unlocking
from frontend.selectors import readable_until
from frontend.unlocking import NotProved, apart, aside, first_time, fresh_key_of
from frontend.views.api import STATUS, Body, answer, parsed
from frontend.views.page import staff_page
from staff.permissions import Action
from staff.web import StaffRequest, holder_of, staff_view

View = Callable[..., Coroutine[Any, Any, HttpResponse]]
Command = Callable[[StaffRequest], Coroutine[Any, Any, dict[str, Any]]]

MOST_TYPED = 400
WRITTEN = ("phrase", "code")
"""Kinds of slot that are typed; the third is a passkey."""
_NUMBER = re.compile(r"[0-9]{1,18}")
_OUTPUT = re.compile(r"[A-Za-z0-9_-]{43}")
_CREDENTIAL = re.compile(r"[A-Za-z0-9_-]{1,1364}")


class Passkey(Body, frozen=True):
    """Carry what an authenticator gave: which passkey it was, and the 32 bytes that only it makes for this site."""

    credential: str
    output: str
    password: str = ""


class Nothing(Body, frozen=True):
    """Carry no fields."""


def archive_view(action: Action = Action.READ_ARCHIVE) -> Callable[[View], View]:
    """Let through who may read closed conversations at all; say so plainly when nobody can be unlocked."""

    def decorate(view: View) -> View:
        @staff_view(action)
        @wraps(view)
        async def guarded(request: StaffRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return await view(request, *args, **kwargs)
            except HalvesDown:
                return staff_page(request, "archive_down", status=503, here="archive")

        return guarded

    return decorate


def archive_command(view: Command) -> View:
    """Make a JSON view for the archive's script."""

    @require_POST
    @staff_view(Action.READ_ARCHIVE)
    @wraps(view)
    async def guarded(request: StaffRequest) -> HttpResponse:
        try:
            body = await view(request)
        except (NotProved, NotAuthentic, NotReader) as error:
            return answer({"error": "proof" if isinstance(error, NotProved) else ErrorCode.LOCKED.value}, 403)
        except TooManyTries:
            return answer({"error": ErrorCode.SLOW_DOWN.value}, 429)
        except HalvesDown:
            return answer({"error": ErrorCode.OURS.value}, 503)
        except Refused as refused:
            return answer({"error": refused.code.value}, STATUS.get(refused.code, 409))
        half = body.pop("half", None)
        response = answer(body, 200)
        return response if half is None else unlocking.with_cookie(response, half)

    return guarded


async def door(
    request: StaffRequest, now: datetime, *, status: int = 200, problem: str = "", to: UUID | None = None
) -> HttpResponse:
    """Show how somebody stands to the archive: no reader yet, waiting for the ceremony, locked, or inside."""
    view = await in_db(readers.reader_view, request.actor.id)
    frame: dict[str, Any] = {"status": status, "problem": problem, "here": "archive", "once": token_urlsafe(16)}
    if view is None:
        return staff_page(request, "archive_join", **frame)
    if not view.signed or not view.grants:
        return staff_page(request, "archive_waits", view=view, **frame)
    frame["passkeys"] = [_url64(one) for one in await in_db(readers.passkeys_of, request.actor.id)]
    key = await unlocking.key_of(request, now)
    if key is None:
        return staff_page(request, "archive_locked", to=to, words=say.script_words(), **frame)
    frame["mine"] = await in_db(readers.passkeys, request.actor.id)
    rows = await in_db(archived, request.actor, now)
    endings, languages = say.ended_words(), say.language_words()
    shown = [
        {
            "row": row,
            "until": (until := readable_until(row)),
            "last": say.last_day(until),
            "ended": endings.get(row.ended_by, row.ended_by),
            "language": languages.get(row.language, row.language),
        }
        for row in rows
    ]
    return staff_page(request, "archive_list", rows=shown, **frame, **inside(key, now))


def inside(key: Unlocked, now: datetime) -> dict[str, Any]:
    """Return what every page says while the archive is unlocked."""
    left = (key.ends - now).total_seconds()
    words = say.script_words()
    return {"fresh": key.fresh, "minutes": say.minutes_left(key.ends, now), "left": int(left), "words": words}


@require_GET
@archive_view()
async def archive(request: StaffRequest) -> HttpResponse:
    """Show the archive as far as this person has come."""
    return await door(request, timezone.now())


@require_POST
@archive_view()
async def become_reader(request: StaffRequest) -> HttpResponse:
    """Make somebody's reader key and show once what opens it."""
    actor, now = request.actor, timezone.now()
    once = request.POST.get("once", "")
    if not once:
        return staff_page(request, "archive_renew", kind="both", once=token_urlsafe(16), fresh=True, here="archive")
    try:
        if not await first_time(actor.id, once):
            return await door(request, now, status=409, problem=say.shown_once())
        made = await apart(unlock.enrol, user_id=actor.id, language=actor.language, now=now)
    except TooManyTries:
        return await door(request, now, status=429, problem=say.too_often(TRIES_FOR // 60))
    except NotReady:
        return await door(request, now, status=409)
    view = await in_db(readers.reader_view, actor.id)
    return staff_page(request, "archive_secrets", phrase=made.phrase, code=made.code, view=view, here="archive")


@require_POST
@archive_view()
async def open_up(request: StaffRequest) -> HttpResponse:
    """Unlock with the phrase or the printed code."""
    now, to = timezone.now(), _uuid(request.POST.get("to", ""))
    kind, entered = request.POST.get("kind", ""), request.POST.get("entered", "")[:MOST_TYPED]
    try:
        if kind not in WRITTEN:
            raise NotAuthentic("kind")
        half = await aside(unlock.unlock, holder_of(request), kind=kind, entered=entered, now=now)
    except TooManyTries:
        return await door(request, now, status=429, problem=say.too_often(TRIES_FOR // 60), to=to)
    except (NotAuthentic, NotReader):
        return await door(request, now, status=403, problem=say.not_opened(), to=to)
    address = reverse("archived", args=[to]) if to else reverse("archive")
    return unlocking.with_cookie(HttpResponseRedirect(address), half)


@require_POST
@archive_view()
async def lock(request: StaffRequest) -> HttpResponse:
    """Lock somebody's key at once."""
    await aside(unlock.lock, request.actor.id)
    return unlocking.without_cookie(HttpResponseRedirect(reverse("archive")))


async def _ask_renewal(
    request: StaffRequest, kind: str, now: datetime, *, status: int = 200, problem: str = ""
) -> HttpResponse:
    """Ask whether paper is ready, since what somebody has written down stops at once."""
    key = await unlocking.key_of(request, now)
    if key is None:
        return await door(request, now, status=403)
    context = {"kind": kind, "once": token_urlsafe(16), "fresh": key.fresh, "problem": problem, "at": "renew"}
    return staff_page(request, "archive_renew", status=status, here="archive", **context)


@require_POST
@archive_view()
async def renew(request: StaffRequest) -> HttpResponse:
    """Make a new phrase or printed code and show it once; the old one opens nothing from now on."""
    actor, now, kind = request.actor, timezone.now(), request.POST.get("kind", "")
    if kind not in WRITTEN:
        return await door(request, now, status=409)
    once = request.POST.get("once", "")
    if not once:
        return await _ask_renewal(request, kind, now)
    try:
        key = await fresh_key_of(request, request.POST.get("password", ""), now)
    except NotProved:
        return await _ask_renewal(request, kind, now, status=403, problem=say.not_proved())
    except Refused:
        return await door(request, now, status=403)
    if not await first_time(actor.id, once):
        return await door(request, now, status=409, problem=say.shown_once())
    made = await aside(
        readers.renew_slot, user_id=actor.id, secret=key.secret, kind=kind, language=actor.language, now=now
    )
    shown: dict[str, Any] = {kind: made}
    return staff_page(request, "archive_secrets", here="archive", renewed=True, **shown)


@require_POST
@archive_view()
async def remove_passkey(request: StaffRequest) -> HttpResponse:
    """Let a passkey that was lost or given away open nothing from now on."""
    now, slot = timezone.now(), request.POST.get("slot", "")
    if not _NUMBER.fullmatch(slot):
        return await door(request, now, status=409)
    try:
        await fresh_key_of(request, request.POST.get("password", ""), now)
        await in_db(readers.remove_passkey, user_id=request.actor.id, slot_id=int(slot), now=now)
    except NotProved:
        return await door(request, now, status=403, problem=say.not_proved())
    except (Refused, NotReader):
        return await door(request, now, status=403)
    return HttpResponseRedirect(reverse("archive"))


@archive_command
async def add_passkey(request: StaffRequest) -> dict[str, Any]:
    """Let a passkey unlock somebody's key from now on."""
    body, now = parsed(request, Passkey), timezone.now()
    credential, output = _bytes(body.credential, _CREDENTIAL), _bytes(body.output, _OUTPUT)
    key = await fresh_key_of(request, body.password, now)
    await aside(
        readers.add_passkey,
        user_id=request.actor.id,
        secret=key.secret,
        credential=credential,
        prf_output=output,
        now=now,
    )
    return {}


@archive_command
async def open_with_passkey(request: StaffRequest) -> dict[str, Any]:
    """Unlock with what a passkey gave."""
    output = _bytes(parsed(request, Passkey).output, _OUTPUT)
    return {"half": await aside(unlock.unlock, holder_of(request), kind="passkey", entered=output, now=timezone.now())}


@archive_command
async def stay(request: StaffRequest) -> dict[str, Any]:
    """Note that somebody still reads, and return for how many seconds it stays unlocked."""
    parsed(request, Nothing)
    now = timezone.now()
    key = await unlocking.key_of(request, now)
    if key is None:
        raise Refused(ErrorCode.LOCKED)
    return {"left": int((key.ends - now).total_seconds())}


def _bytes(text: str, shape: re.Pattern[str]) -> bytes:
    if not shape.fullmatch(text):
        raise Refused(ErrorCode.BAD_FRAME)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise Refused(ErrorCode.BAD_FRAME) from None


def _url64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
