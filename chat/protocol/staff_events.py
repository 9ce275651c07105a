"""What staff, the board and the wall are told."""

from typing import Annotated, Literal

import msgspec

from chat.protocol.common import (
    ClientId,
    Door,
    EndedBy,
    Frame,
    Id,
    Language,
    Level,
    Moment,
    Readiness,
    Ref,
    RoleName,
    Seq,
    StateName,
)

# events to staff


class Person(Frame, frozen=True):
    """Describe the signed-in person to their own page."""

    id: int
    name: str
    role: RoleName
    capacity: int
    availability: Readiness


class Returned(Frame, frozen=True):
    """Name a return by words that waits for a decision: its number, and how many there were since one was accepted."""

    number: Seq
    times: Annotated[int, msgspec.Meta(ge=1)]


class ConversationSummary(Frame, frozen=True):
    """Describe a conversation on a list: no text of it, ever.

    `returned`: its visitor came back by words, and nobody has said yet whether it is the same person. Once `times` is
    more than one, two people may have the words. `paused_until`: until then its visitor cannot write. `drill`: its
    visitor is a script, and it is counted nowhere.
    """

    id: Id
    handle: str
    state: StateName
    door: Door
    language: Language
    level: Level
    opened_at: Moment
    waiting_since: Moment | None
    advocate_id: int | None
    advocate: str | None
    offer_until: Moment | None
    head: Seq
    read: Seq
    last_visitor_at: Moment | None
    answered: bool
    visitor_here: bool
    ended_by: EndedBy | None
    returned: Returned | None
    paused_until: Moment | None
    drill: bool = False


class ExternalStanding(Frame, frozen=True):
    """Tell how it stands that somebody outside is told: what has been done of it, and by whom it was proposed."""

    agency: Literal["police", "ambulance", "child_protection", "other"]
    proposed_by: str
    confirmed: bool
    told: bool
    contact: bool


class EscalationSummary(Frame, frozen=True):
    """Describe an escalation on the board: no reason, no text; `source` says what raised it.

    `aloud` ones come with sound; `paged` says what became of the pages to who is on call, as long as nobody came.
    `raised_level` is what it was at first, `ended_by` set once its conversation is over.
    """

    id: Id
    conversation: Id
    handle: str
    level: Level
    state: Literal["raised", "acknowledged", "in_progress", "resolved", "stood_down"]
    source: Literal["person", "voice", "screening", "left", "silence", "returned"]
    raised_at: Moment
    raised_by: str | None
    due_at: Moment | None
    climbs: int
    acknowledged_by: str | None
    aloud: bool
    paged: Literal["none", "calling", "reached", "unreached"]
    external: ExternalStanding | None = None
    drill: bool = False
    raised_level: Level | None = None
    ended_by: EndedBy | None = None


class WallEscalation(Frame, frozen=True):
    """Describe an escalation to a screen on a wall: a pseudonym, and no id that anything could be asked with.

    `unreached` says that nobody on call could be paged for it, `ended_by` that its conversation is over.
    """

    handle: str
    level: Level
    state: Literal["raised", "acknowledged", "in_progress", "resolved", "stood_down"]
    raised_at: Moment
    climbs: int
    aloud: bool
    unreached: bool
    drill: bool = False
    ended_by: EndedBy | None = None


class Wall(Frame, frozen=True):
    """Show a shift to a screen that anybody in the room can read: counts and escalations, nothing of anybody.

    It is no frame of a socket: a screen asks for it every few seconds, and holds no right to ask for more. `drills` run
    beside all that and are in none of the other counts.
    """

    at: Moment
    waiting: int
    waiting_since: Moment | None
    running: int
    ready: int
    free: int
    escalations: tuple[WallEscalation, ...]
    drills: int = 0


class StaffWelcome(Frame, frozen=True, tag_field="type", tag="welcome"):
    """Answer a hello."""

    version: int
    you: Person


class Overtaken(Frame, frozen=True):
    """Tell that a colleague took what was offered to this person; `at` tells several times of one visitor apart."""

    conversation: Id
    at: Moment


class StaffOverview(Frame, frozen=True, tag_field="type", tag="overview"):
    """Show the whole shift as far as this person may see it; each one replaces the last.

    `ready` counts who takes conversations, `free` those of them who can hold one more now. `overtaken` is what was
    offered to this person when a colleague took it, a minute ago at most.
    """

    at: Moment
    availability: Readiness
    ready: int
    free: int
    conversations: tuple[ConversationSummary, ...]
    escalations: tuple[EscalationSummary, ...]
    overtaken: tuple[Overtaken, ...] = ()


class StaffMessage(Frame, frozen=True, tag_field="type", tag="message"):
    """Show a message of a followed conversation."""

    conversation: Id
    seq: Seq
    author: Literal["visitor", "staff"]
    author_id: int | None
    name: str | None
    client_id: ClientId | None
    body: str
    at: Moment


class StaffNoteEvent(Frame, frozen=True, tag_field="type", tag="note"):
    """Show a staff-only note."""

    conversation: Id
    seq: Seq
    author_id: int | None
    name: str | None
    client_id: ClientId | None
    body: str
    at: Moment


StaffFactCode = Literal[
    "opened",
    "joined",
    "offered",
    "returned_to_queue",
    "ended_by_visitor",
    "ended_by_advocate",
    "left_quickly",
    "words_given",
    "words_ended",
    "code_word_agreed",
    "came_back",
    "return_accepted",
    "return_refused",
    "faded",
    "recorded",
    "drill",
    "flag_raised",
    "flag_climbed",
    "flag_acknowledged",
    "flag_resolved",
    "flag_stood_down",
    "external_proposed",
    "external_confirmed",
    "external_told",
    "external_contact",
    "duty_card_sent",
    "cue_voice",
    "cue_left",
    "cue_silence",
    "cue_returned",
    "paused",
    "pause_over",
    "erase_asked",
    "erase_done",
    "erased",
    "unreadable",
    "door_help",
    "door_worried",
    "door_professional",
    "door_report",
    "language_en",
    "language_fr",
]


class StaffFact(Frame, frozen=True, tag_field="type", tag="fact"):
    """Tell something that happened; `level` with flags."""

    conversation: Id
    seq: Seq
    code: StaffFactCode
    name: str | None
    level: Level | None
    at: Moment


class StaffSnapshot(Frame, frozen=True, tag_field="type", tag="snapshot"):
    """Drop what this page holds of a conversation: too much was missed, and only what lies beyond `after` follows."""

    conversation: Id
    after: Seq


class StaffFollowed(Frame, frozen=True, tag_field="type", tag="followed"):
    """Mark the end of what was missed: from here on events come as they happen.

    `older`: it began with a snapshot, and there are lines before it to ask for.
    """

    conversation: Id
    head: Seq
    older: bool


class StaffReached(Frame, frozen=True, tag_field="type", tag="reached"):
    """Tell how far the visitor has got in a followed conversation."""

    conversation: Id
    delivered: Seq
    read: Seq


class StaffUnfollowed(Frame, frozen=True, tag_field="type", tag="unfollowed"):
    """Take a conversation off this page: it ended for this person, or the right to it did."""

    conversation: Id


class StaffOk(Frame, frozen=True, tag_field="type", tag="ok"):
    """Acknowledge a command after its commit; `seq` for a message or note."""

    ref: Ref
    seq: Seq | None = None


class StaffError(Frame, frozen=True, tag_field="type", tag="error"):
    """Refuse a command, or a frame whose `ref` could not be read."""

    ref: Ref | None
    code: str
    wait_ms: int | None = None


class StaffPong(Frame, frozen=True, tag_field="type", tag="pong"):
    """Answer a ping with the newest number of each followed conversation."""

    heads: dict[Id, Seq]


StaffEvent = (
    StaffWelcome
    | StaffOverview
    | StaffMessage
    | StaffNoteEvent
    | StaffFact
    | StaffSnapshot
    | StaffFollowed
    | StaffUnfollowed
    | StaffReached
    | StaffOk
    | StaffError
    | StaffPong
)
