"""Turn frames into JSON text and back; the only place that does."""

import json
from typing import TypeVar

import msgspec

from chat.core.errors import ErrorCode
from chat.protocol import (
    Command,
    Frame,
    Poll,
    StaffAvailability,
    StaffCommand,
    StaffDecline,
    StaffEvent,
    StaffFollow,
    StaffHello,
    StaffNote,
    StaffOlder,
    StaffPing,
    StaffPost,
    StaffRead,
    StaffTake,
    StaffTyping,
    StaffUnfollow,
    VisitorCommand,
    VisitorDoor,
    VisitorEnd,
    VisitorEvent,
    VisitorHello,
    VisitorLanguage,
    VisitorOlder,
    VisitorPing,
    VisitorPost,
    VisitorSeen,
)

Request = TypeVar("Request", bound=Frame)
_encoder = msgspec.json.Encoder()
_visitor: msgspec.json.Decoder[VisitorCommand] = msgspec.json.Decoder(VisitorCommand)
_poll: msgspec.json.Decoder[Poll] = msgspec.json.Decoder(Poll)
_staff: msgspec.json.Decoder[StaffCommand] = msgspec.json.Decoder(StaffCommand)


class Malformed(ValueError):
    """Report a frame that is not one of ours; keeps the `ref` if it could be read, and never the frame's text."""

    def __init__(self, code: ErrorCode, ref: int | None = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.ref = ref


def encode(event: VisitorEvent | StaffEvent) -> str:
    """Return the frame as JSON text."""
    return _encoder.encode(event).decode()


def decode_visitor(raw: str) -> VisitorCommand:
    """Return a visitor's command, or raise `Malformed`."""
    try:
        return _visitor.decode(raw)
    except (msgspec.MsgspecError, UnicodeError):
        # from None: the decoder's words may echo what the frame held
        raise _malformed(raw, VISITOR_COMMANDS) from None


def decode_poll(raw: bytes) -> Poll:
    """Return what a page asks for, or raise `Malformed`."""
    try:
        return _poll.decode(raw)
    except (msgspec.MsgspecError, UnicodeError):
        raise Malformed(ErrorCode.BAD_FRAME) from None


def decode_command(raw: bytes) -> tuple[str, str]:
    """Return the token and the frame of a command that came as a request, or raise `Malformed`.

    What is wrong inside the frame is for the frame's own decoder to say, with its `ref`: a page sends a command without
    an answer again for ever.
    """
    try:
        command = msgspec.convert(json.loads(raw), Command)
        return command.token, json.dumps(command.frame)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        raise Malformed(ErrorCode.BAD_FRAME) from None


def decode_request(raw: bytes, shape: type[Request]) -> Request:
    """Return the body of a plain request, or raise `Malformed`."""
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, UnicodeError):
        raise Malformed(ErrorCode.BAD_FRAME) from None


def decode_staff(raw: str) -> StaffCommand:
    """Return a staff command, or raise `Malformed`."""
    try:
        return _staff.decode(raw)
    except (msgspec.MsgspecError, UnicodeError):
        raise _malformed(raw, STAFF_COMMANDS) from None


def _tags(*frames: type[Frame]) -> frozenset[str]:
    return frozenset(str(frame.__struct_config__.tag) for frame in frames)


VISITOR_COMMANDS = _tags(
    VisitorHello,
    VisitorPost,
    VisitorEnd,
    VisitorPing,
    VisitorSeen,
    VisitorOlder,
    VisitorDoor,
    VisitorLanguage,
)
STAFF_COMMANDS = _tags(
    StaffHello,
    StaffFollow,
    StaffUnfollow,
    StaffPost,
    StaffNote,
    StaffTyping,
    StaffRead,
    StaffOlder,
    StaffTake,
    StaffDecline,
    StaffAvailability,
    StaffPing,
)


def _malformed(raw: str, types: frozenset[str]) -> Malformed:
    """Say what was wrong, read with the more lenient standard decoder: it lets half surrogate pairs through."""
    try:
        head = json.loads(raw)
    except (ValueError, RecursionError):
        return Malformed(ErrorCode.BAD_FRAME)
    if not isinstance(head, dict):
        return Malformed(ErrorCode.BAD_FRAME)
    tag, ref, body = head.get("type"), head.get("ref"), head.get("body")
    known_ref = ref if type(ref) is int and 1 <= ref < 2**53 else None
    if isinstance(tag, str) and tag not in types:
        return Malformed(ErrorCode.UNKNOWN_TYPE, known_ref)
    if isinstance(body, str) and any("\ud800" <= character <= "\udfff" for character in body):
        return Malformed(ErrorCode.TEXT_UNPAIRED, known_ref)
    return Malformed(ErrorCode.BAD_FRAME, known_ref)
