"""What all frames are made of: numbers, names, limits and close codes."""

from typing import Annotated, Literal

import msgspec

PROTOCOL_VERSION = 1
MOST_FRAME_BYTES = 65_536
MOST_MISSED = 200
"""Lines of a log that are sent to a page that missed them; who missed more gets the newest so many, and asks for older
ones a page of as many at a time."""

CLOSE_CODES: dict[int, str] = {
    4400: "bad frames, again and again",
    4401: "sign in again, or the token is not known",
    4403: "forbidden: do not come back with this socket",
    4408: "nothing was heard for a minute",
    4410: "the conversation has ended",
    4413: "frame too large",
    4429: "too many frames at once: slow down",
    4503: "we are restarting or have a defect: come back",
    1012: "restart: come back, spread over some seconds",
}
"""Meaning of each close code. The socket is always accepted first, because a refusal before that reaches a browser as
1006 without a reason."""

Ref = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
ClientId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
Token = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{43}$")]
Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Language = Literal["en", "fr"]
Door = Literal["help", "worried", "professional", "report", "not_said"]
StateName = Literal["waiting", "offered", "active", "wrap_up", "closed", "abandoned"]
Readiness = Literal["ready", "busy", "away"]
StaffPage = Literal["console", "board"]
RoleName = Literal["advocate", "supervisor", "administrator", "analyst"]
EndedBy = Literal["visitor", "advocate", "left_quickly", "faded"]
Level = Annotated[int, msgspec.Meta(ge=0, le=4)]
Moment = str
"""ISO 8601 in UTC; for reading, never for ordering."""


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Be the base of all frames; its text form names the type only, since frames end up in tracebacks."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"
