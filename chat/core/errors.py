"""Every reason for which Havre refuses something, as codes that the wire and the pages share.

    Refused                 an anticipated "no": the caller gets `code`, nothing was changed
    └── Unseen              the object does not exist for this actor; never says which of the two it is

Anything else that is raised is a defect of ours and is logged by type only.
"""

from enum import StrEnum


class ErrorCode(StrEnum):
    """Name one reason of refusal; the words for people live in the catalogues."""

    # frames
    BAD_FRAME = "bad_frame"  # not JSON, not an object, or a field of the wrong shape
    UNKNOWN_TYPE = "unknown_type"  # a type that this side of the wire does not have
    TOO_LARGE = "too_large"
    BINARY_FRAME = "binary_frame"
    HELLO_EXPECTED = "hello_expected"  # a command before the first hello
    HELLO_REPEATED = "hello_repeated"
    VERSION_UNKNOWN = "version_unknown"
    AHEAD_OF_LOG = "ahead_of_log"  # the client claims to hold what was never written
    SLOW_DOWN = "slow_down"
    # who asks
    ORIGIN_REFUSED = "origin_refused"
    SIGN_IN_AGAIN = "sign_in_again"
    TOKEN_UNKNOWN = "token_unknown"  # noqa: S105 - a code, not a password
    TOKEN_SPENT = "token_spent"  # noqa: S105 - a code, not a password
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    # text
    TEXT_EMPTY = "text_empty"
    TEXT_TOO_LONG = "text_too_long"
    TEXT_CONTROL = "text_control"
    TEXT_UNPAIRED = "text_unpaired"  # half of a surrogate pair
    # moves
    WRONG_STATE = "wrong_state"
    ALREADY_TAKEN = "already_taken"
    BEING_ASKED = "being_asked"  # offered to a colleague, and not or no longer in danger
    FOR_ANOTHER = "for_another"  # a drill, which is for one person
    AT_CAPACITY = "at_capacity"
    NOT_AVAILABLE = "not_available"
    ID_REUSED = "id_reused"  # the same client id with another content
    REASON_MISSING = "reason_missing"
    LEVEL_UNKNOWN = "level_unknown"
    LENGTH_UNKNOWN = "length_unknown"  # no pause that this site offers
    DANGER_OPEN = "danger_open"  # only a supervisor pauses it
    PAUSED = "paused"  # the visitor cannot write for a while
    ALREADY_SETTLED = "already_settled"
    CONTACT_OPEN = "contact_open"  # somebody outside was told, and nobody has said that they made contact
    # the archive
    ARCHIVED = "archived"  # closed: it opens with an unlocked reader's key only
    LOCKED = "locked"  # no key is unlocked, or not freshly enough
    GONE = "gone"  # nobody can read it any more
    NOT_GRANTED = "not_granted"  # this reader's key does not open that month; another's may
    TAMPERED = "tampered"  # something of it was changed or is missing
    ON_HOLD = "on_hold"
    SECOND_PERSON = "second_person"  # who asked cannot confirm
    FIRST_PERSON = "first_person"  # only who asked can take it back
    END_ASKED = "end_asked"  # somebody asked already that this hold end
    BAD_DATE = "bad_date"
    # us
    CLOSED = "closed"  # the service takes no new conversation now
    FULL = "full"  # as many wait as the site takes
    OURS = "ours"  # a defect or an outage on our side; the client tries again


class Refused(Exception):
    """Refuse a command for an anticipated reason."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code.value)
        self.code = code


class Unseen(Refused):
    """Refuse because the object is absent or not for this actor to know of."""

    def __init__(self) -> None:
        super().__init__(ErrorCode.NOT_FOUND)
