"""Rare commands of staff as JSON over POST: parse, one service call, answer. Their effects come over the socket.

Nothing here answers to GET, so that no browser or proxy keeps a sealed text.
"""

import json
import logging
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Annotated, Any, TypeVar
from uuid import UUID

import msgspec
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from cases import services as cases
from chat import broadcast
from chat import services as chat
from chat.core.errors import ErrorCode, Refused
from chat.core.pausing import Why
from chat.db import in_db
from chat.protocol import ClientId
from chat.under_way import under_way
from crisis import services as crisis
from staff.permissions import Action
from staff.web import StaffRequest, staff_view

logger = logging.getLogger(__name__)

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]

STATUS: dict[ErrorCode, int] = {
    ErrorCode.SIGN_IN_AGAIN: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.LOCKED: 403,
    ErrorCode.SECOND_PERSON: 403,
    ErrorCode.FIRST_PERSON: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.GONE: 410,
    ErrorCode.NOT_GRANTED: 403,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.BAD_FRAME: 422,
    ErrorCode.TEXT_EMPTY: 422,
    ErrorCode.TEXT_TOO_LONG: 422,
    ErrorCode.TEXT_CONTROL: 422,
    ErrorCode.TEXT_UNPAIRED: 422,
    ErrorCode.REASON_MISSING: 422,
    ErrorCode.LEVEL_UNKNOWN: 422,
    ErrorCode.LENGTH_UNKNOWN: 422,
    ErrorCode.BAD_DATE: 422,
    ErrorCode.SLOW_DOWN: 429,
    ErrorCode.OURS: 503,
}
"""HTTP status of each refusal; whatever is not here does not fit how things stand and is 409."""


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Be the base of request bodies; like frames they never show their texts in a traceback."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Nothing(Body, frozen=True):
    """Carry no fields."""


class Flag(Body, frozen=True):
    """Raise an escalation."""

    level: int
    reason: str
    client_id: ClientId


class Contact(Body, frozen=True):
    """Record what came of a conversation."""

    contact_type: Code
    disposition: Code
    case_identified: bool
    summary: str


class OfReturn(Body, frozen=True):
    """Say which return is decided on, by the number that the list gives."""

    returned: int


class Pause(Body, frozen=True):
    """Say for how long a visitor cannot write, and because of what."""

    minutes: int
    why: Why


class CodeWordText(Body, frozen=True):
    """Carry a code word."""

    text: str


class Reason(Body, frozen=True):
    """Say why an escalation is settled."""

    reason: str


Shape = TypeVar("Shape", bound=Body)
Command = Callable[[StaffRequest, UUID, Shape], Coroutine[Any, Any, dict[str, Any]]]
View = Callable[..., Coroutine[Any, Any, HttpResponse]]


def command(action: Action, shape: type[Shape]) -> Callable[[Command[Shape]], View]:
    """Make a view of a function that gets the parsed body and returns what to answer."""

    def decorate(function: Command[Shape]) -> View:
        @require_POST
        @staff_view(action)
        @wraps(function)
        async def view(request: StaffRequest, pk: UUID) -> HttpResponse:
            try:
                body = parsed(request, shape)
                # to its end: what is committed is told although the page has just gone
                return answer(await under_way().finish(function(request, pk, body)), 200)
            except Refused as refused:
                return answer({"error": refused.code.value}, STATUS.get(refused.code, 409))
            except Exception as error:
                # database or keys are down: the page says so in words and keeps what was typed
                logger.error("command failed", exc_info=error)
                return answer({"error": ErrorCode.OURS.value}, 503)

        return view

    return decorate


def parsed(request: HttpRequest, shape: type[Shape]) -> Shape:
    """Return the body, or raise `Refused`.

    The lenient standard decoder reads it, since it lets half surrogate pairs through to the check that names them.
    """
    try:
        return msgspec.convert(json.loads(request.body or b"{}"), type=shape)
    except RequestDataTooBig:
        raise Refused(ErrorCode.TOO_LARGE) from None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # from None: the decoder's words may echo what the body held
        raise Refused(ErrorCode.BAD_FRAME) from None


def answer(body: dict[str, Any], status: int) -> JsonResponse:
    response = JsonResponse(body, status=status)
    response["Cache-Control"] = "no-store"
    return response


async def _tell(done: chat.Done[Any]) -> dict[str, str]:
    await broadcast.publish(done.events)
    await broadcast.publish_overview()
    return {}


@command(Action.RAISE_FLAG, Flag)
async def raise_flag(request: StaffRequest, pk: UUID, body: Flag) -> dict[str, str]:
    """Raise an escalation of a conversation."""
    done = await in_db(
        crisis.raise_escalation,
        actor=request.actor,
        conversation_id=pk,
        level=body.level,
        reason=body.reason,
        client_id=body.client_id,
        now=timezone.now(),
    )
    return await _tell(done)


@command(Action.RAISE_FLAG, Nothing)
async def mark_changed_voice(request: StaffRequest, pk: UUID, body: Nothing) -> dict[str, str]:
    """Say that somebody else may be writing, which consults a supervisor."""
    done = await in_db(crisis.mark_changed_voice, actor=request.actor, conversation_id=pk, now=timezone.now())
    return await _tell(done)


@command(Action.PAUSE, Pause)
async def pause(request: StaffRequest, pk: UUID, body: Pause) -> dict[str, str]:
    """Let the visitor write nothing for a while."""
    done = await in_db(
        chat.pause,
        actor=request.actor,
        conversation_id=pk,
        minutes=body.minutes,
        why=body.why,
        now=timezone.now(),
    )
    return await _tell(done)


@command(Action.PAUSE, Nothing)
async def lift_pause(request: StaffRequest, pk: UUID, body: Nothing) -> dict[str, str]:
    """Let the visitor write again."""
    return await _tell(await in_db(chat.lift_pause, actor=request.actor, conversation_id=pk, now=timezone.now()))


@command(Action.END_CONVERSATION, Nothing)
async def end_conversation(request: StaffRequest, pk: UUID, body: Nothing) -> dict[str, str]:
    """End a conversation."""
    return await _tell(await in_db(chat.end_conversation, actor=request.actor, conversation_id=pk, now=timezone.now()))


@command(Action.DECIDE_RETURN, OfReturn)
async def accept_return(request: StaffRequest, pk: UUID, body: OfReturn) -> dict[str, str]:
    """Say that who came back by words is the same person."""
    return await _decide(crisis.accept_return, request, pk, body)


@command(Action.DECIDE_RETURN, OfReturn)
async def refuse_return(request: StaffRequest, pk: UUID, body: OfReturn) -> dict[str, str]:
    """Say that who came back by words is somebody else, which ends the conversation."""
    return await _decide(chat.refuse_return, request, pk, body)


async def _decide(
    service: Callable[..., chat.Done[None]], request: StaffRequest, pk: UUID, body: OfReturn
) -> dict[str, str]:
    done = await in_db(service, actor=request.actor, conversation_id=pk, returned=body.returned, now=timezone.now())
    return await _tell(done)


@command(Action.WRITE_MESSAGE, CodeWordText)
async def agree(request: StaffRequest, pk: UUID, body: CodeWordText) -> dict[str, str]:
    """Keep the code word that was agreed on."""
    done = await in_db(chat.agree, actor=request.actor, conversation_id=pk, text=body.text, now=timezone.now())
    return await _tell(done)


@command(Action.READ_CONVERSATION, Nothing)
async def read_code_word(request: StaffRequest, pk: UUID, body: Nothing) -> dict[str, str]:
    """Show the code word; the service puts the reading into the trail first. Empty when none was agreed on."""
    done = await in_db(chat.read_code_word, actor=request.actor, conversation_id=pk, now=timezone.now())
    return {"text": "" if done.result is None else done.result.reveal()}


@command(Action.RECORD_CONTACT, Contact)
async def record_contact(request: StaffRequest, pk: UUID, body: Contact) -> dict[str, str]:
    """Record the contact, which closes the conversation."""
    done = await in_db(
        cases.record_contact,
        actor=request.actor,
        conversation_id=pk,
        contact_type=body.contact_type,
        disposition=body.disposition,
        case_identified=body.case_identified,
        summary=body.summary,
        now=timezone.now(),
    )
    return await _tell(done)


@command(Action.ACKNOWLEDGE, Nothing)
async def acknowledge(request: StaffRequest, pk: UUID, body: Nothing) -> dict[str, str]:
    """Acknowledge an escalation."""
    return await _tell(await in_db(crisis.acknowledge, actor=request.actor, escalation_id=pk, now=timezone.now()))


@command(Action.SETTLE, Nothing)
async def start_work(request: StaffRequest, pk: UUID, body: Nothing) -> dict[str, str]:
    """Begin to work on an escalation."""
    return await _tell(await in_db(crisis.start_work, actor=request.actor, escalation_id=pk, now=timezone.now()))


@command(Action.SETTLE, Reason)
async def resolve(request: StaffRequest, pk: UUID, body: Reason) -> dict[str, str]:
    """Resolve an escalation."""
    done = await in_db(crisis.resolve, actor=request.actor, escalation_id=pk, reason=body.reason, now=timezone.now())
    return await _tell(done)


@command(Action.SETTLE, Reason)
async def stand_down(request: StaffRequest, pk: UUID, body: Reason) -> dict[str, str]:
    """Stand an escalation down."""
    done = await in_db(crisis.stand_down, actor=request.actor, escalation_id=pk, reason=body.reason, now=timezone.now())
    return await _tell(done)
