"""Who may do what, as one table: action x role x relation to the conversation. Deny is the default.

It drives the views, the socket commands and what a page offers; `tests/app/test_permissions.py` walks it.
"""

from enum import StrEnum


class Role(StrEnum):
    """What somebody is employed for."""

    ADVOCATE = "advocate"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    ANALYST = "analyst"


class Relation(StrEnum):
    """How somebody stands to a conversation or a case."""

    OWN = "own"  # the advocate who holds it, or held it last
    OFFERED = "offered"  # offered to this person right now
    WAITING = "waiting"  # nobody holds it
    PRESSING = "pressing"  # offered to somebody else while its visitor is in danger
    OTHER = "other"  # somebody else's
    SITE = "site"  # to no conversation: nobody stands in this relation to one, so such a right opens none


class Action(StrEnum):
    """What can be asked for."""

    USE_CONSOLE = "use_console"
    SET_AVAILABILITY = "set_availability"
    SEE_CONVERSATION = "see_conversation"  # on a list, without text
    TAKE = "take"
    DECLINE = "decline"
    READ_CONVERSATION = "read_conversation"
    WRITE_MESSAGE = "write_message"
    WRITE_NOTE = "write_note"
    END_CONVERSATION = "end_conversation"
    RAISE_FLAG = "raise_flag"
    DECIDE_RETURN = "decide_return"  # whether who came back by words is the same person
    PAUSE = "pause"  # keep a visitor from writing for a while, or let them write again before its end
    RECORD_CONTACT = "record_contact"
    SEE_BOARD = "see_board"
    SHOW_ON_WALL = "show_on_wall"  # let a screen show the shift without a person signed in at it
    READ_REASON = "read_reason"
    ACKNOWLEDGE = "acknowledge"
    SETTLE = "settle"  # begin, resolve or stand down an escalation
    NOTIFY = "notify"  # propose that somebody outside is told, and write down what came of it
    CONFIRM_NOTIFY = "confirm_notify"  # as the second person
    SEE_DUTY = "see_duty"  # when the law asks for a report, and whom to call
    LIST_CASES = "list_cases"
    READ_CASE = "read_case"
    READ_ARCHIVE = "read_archive"  # closed conversations, with an unlocked key
    HOLD = "hold"  # keep a closed conversation beyond its day, or let it go
    ERASE = "erase"
    SEE_ON_CALL = "see_on_call"  # who is paged, what became of it, and the clocks of the ladder
    TEST_ON_CALL = "test_on_call"
    SET_ON_CALL = "set_on_call"
    SET_LADDER = "set_ladder"
    EDIT_DUTY = "edit_duty"
    SEE_RULES = "see_rules"  # what the screening looks for, its versions, and what it says to a line that is typed in
    SET_RULES = "set_rules"
    SEE_DRILLS = "see_drills"
    PRACTISE = "practise"  # with a scripted visitor, oneself
    START_DRILL = "start_drill"  # for anybody, and see what came of it


_NONE: frozenset[Relation] = frozenset()
_OWN = frozenset({Relation.OWN})
_FREE = frozenset({Relation.WAITING, Relation.OFFERED, Relation.PRESSING})
_SITE = frozenset({Relation.SITE})
_ANY = frozenset(Relation) - _SITE

_ROLES = frozenset(role.value for role in Role)
_A, _S, _AD = Role.ADVOCATE, Role.SUPERVISOR, Role.ADMINISTRATOR

TABLE: dict[Action, dict[Role, frozenset[Relation]]] = {
    Action.USE_CONSOLE: {_A: _ANY, _S: _ANY},
    Action.SET_AVAILABILITY: {_A: _ANY, _S: _ANY},
    Action.SEE_CONVERSATION: {_A: _FREE | _OWN, _S: _ANY},
    Action.TAKE: {_A: _FREE, _S: _FREE},
    Action.DECLINE: {_A: frozenset({Relation.OFFERED}), _S: frozenset({Relation.OFFERED})},
    Action.READ_CONVERSATION: {_A: _OWN, _S: _ANY},
    Action.WRITE_MESSAGE: {_A: _OWN, _S: _OWN},
    Action.WRITE_NOTE: {_A: _OWN, _S: _ANY},
    Action.END_CONVERSATION: {_A: _OWN, _S: _OWN},
    Action.DECIDE_RETURN: {_A: _OWN, _S: _OWN},
    Action.RAISE_FLAG: {_A: _OWN, _S: _ANY},
    Action.PAUSE: {_A: _OWN, _S: _ANY},
    Action.RECORD_CONTACT: {_A: _OWN, _S: _ANY},
    Action.SEE_BOARD: {_S: _ANY},
    Action.SHOW_ON_WALL: {_S: _SITE},
    Action.READ_REASON: {_A: _OWN, _S: _ANY},
    Action.ACKNOWLEDGE: {_S: _ANY},
    Action.SETTLE: {_S: _ANY},
    Action.NOTIFY: {_A: _OWN, _S: _ANY},
    Action.CONFIRM_NOTIFY: {_S: _ANY},
    Action.SEE_DUTY: {_A: _SITE, _S: _SITE, _AD: _SITE},
    Action.LIST_CASES: {_A: _ANY, _S: _ANY},
    Action.READ_CASE: {_A: _OWN, _S: _ANY},
    Action.READ_ARCHIVE: {_A: _OWN, _S: _ANY},
    Action.HOLD: {_S: _ANY},
    Action.ERASE: {_S: _ANY},
    # of no conversation: what the site sets
    Action.SEE_ON_CALL: {_S: _SITE, _AD: _SITE},
    Action.TEST_ON_CALL: {_S: _SITE, _AD: _SITE},
    Action.SET_ON_CALL: {_AD: _SITE},
    Action.SET_LADDER: {_AD: _SITE},
    Action.EDIT_DUTY: {_AD: _SITE},
    Action.SEE_RULES: {_S: _SITE, _AD: _SITE},
    Action.SET_RULES: {_AD: _SITE},
    Action.SEE_DRILLS: {_A: _SITE, _S: _SITE, _AD: _SITE},
    Action.PRACTISE: {_A: _SITE, _S: _SITE},
    Action.START_DRILL: {_S: _SITE, _AD: _SITE},
}


def allowed(role: str, action: Action, relation: Relation = Relation.OTHER) -> bool:
    """Tell whether a role may do this in this relation; an unknown role may nothing."""
    return role in _ROLES and relation in TABLE[action].get(Role(role), _NONE)


def allowed_at_all(role: str, action: Action) -> bool:
    """Tell whether a role may do this to anything; for pages and lists that filter by relation afterwards."""
    return role in _ROLES and bool(TABLE[action].get(Role(role)))
