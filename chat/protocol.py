"""Every frame on the wire, in both directions, and nothing about how it is sent.

Three unions: `VisitorCommand`, `StaffCommand` and the events, of which a visitor's are types of their own, so that a
staff-only fact cannot be put into a visitor's frame by mistake. JSON objects with `type`; a command that is answered
carries `ref`. Numbers: a visitor counts `seq` over what visitors may see, staff count their own, both dense from 1.
`manage.py export_protocol` writes the browser types, the documents and the golden frames from this file.
"""

from typing import Annotated, Any, Literal

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
"""Meaning of each close code (`livechat.md` section 3(b), point 12). The socket is always accepted first, because a
refusal before that reaches a browser as 1006 without a reason."""

Ref = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]
Seq = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
ClientId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
Token = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{43}$")]
Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Language = Literal["en", "fr"]
Door = Literal["help", "worried", "professional", "report", "not_said"]
StateName = Literal["waiting", "offered", "active", "wrap_up", "closed", "abandoned"]
Readiness = Literal["ready", "busy", "away"]
RoleName = Literal["advocate", "supervisor", "administrator", "analyst"]
EndedBy = Literal["visitor", "advocate", "left_quickly", "faded"]
Level = Annotated[int, msgspec.Meta(ge=0, le=4)]
Moment = str
"""ISO 8601 in UTC; for reading, never for ordering."""


class Frame(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Be the base of all frames; its text form names the type only, since frames end up in tracebacks."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


# work that is asked for when very many begin at once


class ProofChallenge(Frame, frozen=True):
    """Ask for the count whose derived key begins with `key_prefix`; signed, so that it comes back as it was."""

    algorithm: Literal["PBKDF2/SHA-256"]
    cost: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    nonce: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    salt: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    key_length: Annotated[int, msgspec.Meta(ge=16, le=64)]
    key_prefix: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{2,64}$")]
    key_signature: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    expires_at: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
    signature: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Proof(Frame, frozen=True):
    """Show that the work of a challenge was done."""

    challenge: ProofChallenge
    counter: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
    derived_key: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


# commands of a visitor


class VisitorHello(Frame, frozen=True, tag_field="type", tag="hello"):
    """Come first on every socket: begin (`start`) or go on, holding everything up to `after`.

    The page makes the 256-bit token itself, so that a repeated first hello finds the same conversation. Answered by
    `proof_wanted` in a flood of beginnings: then the page says hello again, on the same line, with the `proof`.
    """

    version: int
    token: Token
    after: Seq
    start: bool
    language: Language
    door: Door = "not_said"
    proof: Proof | None = None


class VisitorPost(Frame, frozen=True, tag_field="type", tag="post"):
    """Write a message; the same `client_id` again is harmless and gets the first answer again."""

    ref: Ref
    client_id: ClientId
    body: str


class VisitorEnd(Frame, frozen=True, tag_field="type", tag="end"):
    """End the conversation in the ordinary way."""

    ref: Ref


class VisitorPing(Frame, frozen=True, tag_field="type", tag="ping"):
    """Show that the page is there, and how far it has got; answered with the newest number."""

    delivered: Seq = 0
    read: Seq = 0


class VisitorSeen(Frame, frozen=True, tag_field="type", tag="seen"):
    """Tell up to which number this page holds the log, and up to which somebody looked at it; not answered."""

    delivered: Seq
    read: Seq


class VisitorOlder(Frame, frozen=True, tag_field="type", tag="older"):
    """Ask for the page of lines before a number; they come newest first, as ordinary events."""

    ref: Ref
    before: Seq


class VisitorDoor(Frame, frozen=True, tag_field="type", tag="door"):
    """Say as what one comes after all; staff see it. The same door again changes nothing."""

    ref: Ref
    door: Literal["help", "worried", "professional", "report"]


class VisitorLanguage(Frame, frozen=True, tag_field="type", tag="language"):
    """Say in which language the page is read from now on; staff see it. The same again changes nothing."""

    ref: Ref
    language: Language


VisitorCommand = (
    VisitorHello | VisitorPost | VisitorEnd | VisitorPing | VisitorSeen | VisitorOlder | VisitorDoor | VisitorLanguage
)

# what a visitor's page asks over plain requests, where no socket gets through: the same frames in another envelope


class Poll(Frame, frozen=True):
    """Ask for what the page does not hold, or for what comes; `mark` is the one of the last answer."""

    hello: VisitorHello
    mark: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{0,16}$")]


class Command(Frame, frozen=True):
    """Carry one command of the page that holds a token."""

    token: Token
    frame: dict[str, Any]


# coming back by six words, over plain requests: a page that has lost its line has only these


class GiveWords(Frame, frozen=True):
    """Ask for six words that lead back to the conversation of a token."""

    token: Token


class ReturnByWords(Frame, frozen=True):
    """Give the conversation of six words to the token of a page that begins anew."""

    token: Token
    words: Annotated[str, msgspec.Meta(max_length=1_000)]


class AgreeCodeWord(Frame, frozen=True):
    """Keep a word by which visitor and advocate know each other again."""

    token: Token
    text: str


class AskPause(Frame, frozen=True):
    """Ask how long the pause of a conversation still lasts."""

    token: Token


# events to a visitor


class WaitRange(Frame, frozen=True):
    """Say between how many minutes a wait may still take: coarse, no promise; `at_most` null means "more than"."""

    at_least: Annotated[int, msgspec.Meta(ge=0)]
    at_most: Annotated[int, msgspec.Meta(ge=0)] | None


class VisitorWelcome(Frame, frozen=True, tag_field="type", tag="welcome"):
    """Answer a hello: how the conversation stands; what lies beyond `after` follows as ordinary events.

    `older`: too much was missed, so that what the page holds is to be dropped; what lies before is for `older` to ask.
    `wait` is null when nobody waits or we cannot say; `language_read` is whether anybody on shift reads the language.
    `hidden`: the page came back by words, and no advocate has said yet that it is the same person; nothing that lies
    before can be asked for.
    """

    version: int
    state: StateName
    language: Language
    head: Seq
    after: Seq
    older: bool
    hidden: bool
    advocate: str | None
    staffed: bool
    wait: WaitRange | None
    language_read: bool


class VisitorMessage(Frame, frozen=True, tag_field="type", tag="message"):
    """Show a message; `client_id` only on one's own."""

    seq: Seq
    author: Literal["you", "advocate"]
    name: str | None
    client_id: ClientId | None
    body: str
    at: Moment


VisitorFactCode = Literal[
    "joined",
    "returned_to_queue",
    "came_back",
    "return_accepted",
    "words_ended",
    "paused",
    "pause_over",
    "ended_by_visitor",
    "ended_by_advocate",
    "erased",
    "unreadable",
]


class VisitorFact(Frame, frozen=True, tag_field="type", tag="fact"):
    """Tell something that happened; the words for `code` are in the page."""

    seq: Seq
    code: VisitorFactCode
    name: str | None
    at: Moment


class VisitorStanding(Frame, frozen=True, tag_field="type", tag="standing"):
    """Tell how things stand when nothing was written: the state, who is on shift, and how long it may take."""

    state: StateName
    advocate: str | None
    staffed: bool
    wait: WaitRange | None
    language_read: bool


class VisitorTyping(Frame, frozen=True, tag_field="type", tag="typing"):
    """Tell that the advocate is writing; the page forgets it after some seconds."""


class VisitorReached(Frame, frozen=True, tag_field="type", tag="reached"):
    """Tell how far staff have got, whoever they are: up to which of the visitor's own numbers."""

    delivered: Seq
    read: Seq


class VisitorOk(Frame, frozen=True, tag_field="type", tag="ok"):
    """Acknowledge a command after its commit; `seq` for a message, which it shows where it is the page's next number.

    An event that shows it may have come before or may follow.
    """

    ref: Ref
    seq: Seq | None = None


class VisitorError(Frame, frozen=True, tag_field="type", tag="error"):
    """Refuse a command, or a frame whose `ref` could not be read."""

    ref: Ref | None
    code: str
    wait_ms: int | None = None


class VisitorPong(Frame, frozen=True, tag_field="type", tag="pong"):
    """Answer a ping with the newest number, so that a lost last event is found."""

    head: Seq


class VisitorProofWanted(Frame, frozen=True, tag_field="type", tag="proof_wanted"):
    """Answer a first hello when very many begin at once: nothing is opened before the work is done."""

    challenge: ProofChallenge


VisitorEvent = (
    VisitorWelcome
    | VisitorMessage
    | VisitorFact
    | VisitorStanding
    | VisitorTyping
    | VisitorReached
    | VisitorOk
    | VisitorError
    | VisitorPong
    | VisitorProofWanted
)

# commands of staff


class StaffHello(Frame, frozen=True, tag_field="type", tag="hello"):
    """Come first on every socket: go on with everything that this tab holds, conversation to newest number."""

    version: int
    follow: dict[Id, Seq] = {}


class StaffFollow(Frame, frozen=True, tag_field="type", tag="follow"):
    """Ask for a conversation's log after a number, and for what comes."""

    ref: Ref
    conversation: Id
    after: Seq


class StaffUnfollow(Frame, frozen=True, tag_field="type", tag="unfollow"):
    """Stop following."""

    ref: Ref
    conversation: Id


class StaffPost(Frame, frozen=True, tag_field="type", tag="post"):
    """Write to the visitor."""

    ref: Ref
    conversation: Id
    client_id: ClientId
    body: str


class StaffNote(Frame, frozen=True, tag_field="type", tag="note"):
    """Write a note that only staff see."""

    ref: Ref
    conversation: Id
    client_id: ClientId
    body: str


class StaffTyping(Frame, frozen=True, tag_field="type", tag="typing"):
    """Tell the visitor that one is writing; not stored, not answered."""

    conversation: Id


class StaffRead(Frame, frozen=True, tag_field="type", tag="read"):
    """Move one's own marks forward: what this tab holds and what was looked at; never back; not answered."""

    conversation: Id
    up_to: Seq
    delivered: Seq = 0


class StaffOlder(Frame, frozen=True, tag_field="type", tag="older"):
    """Ask for the page of lines before a number; they come newest first, as ordinary events."""

    ref: Ref
    conversation: Id
    before: Seq


class StaffTake(Frame, frozen=True, tag_field="type", tag="take"):
    """Take a waiting conversation, or accept an offered one."""

    ref: Ref
    conversation: Id


class StaffDecline(Frame, frozen=True, tag_field="type", tag="decline"):
    """Give an offered conversation back to the head of the queue."""

    ref: Ref
    conversation: Id


class StaffAvailability(Frame, frozen=True, tag_field="type", tag="availability"):
    """Say whether one takes conversations."""

    ref: Ref
    state: Readiness


class StaffPing(Frame, frozen=True, tag_field="type", tag="ping"):
    """Show that the console is there; answered with the newest number of each followed conversation."""


StaffCommand = (
    StaffHello
    | StaffFollow
    | StaffUnfollow
    | StaffPost
    | StaffNote
    | StaffTyping
    | StaffRead
    | StaffOlder
    | StaffTake
    | StaffDecline
    | StaffAvailability
    | StaffPing
)

StaffAnswered = (
    StaffFollow | StaffUnfollow | StaffPost | StaffNote | StaffOlder | StaffTake | StaffDecline | StaffAvailability
)
"""The commands that carry a `ref` and get `ok` or `error`."""

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
    more than one, two people may have the words. `paused_until`: until then its visitor cannot write.
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


class WallEscalation(Frame, frozen=True):
    """Describe an escalation to a screen on a wall: a pseudonym, and no id that anything could be asked with.

    `unreached` says that nobody on call could be paged for it.
    """

    handle: str
    level: Level
    state: Literal["raised", "acknowledged", "in_progress", "resolved", "stood_down"]
    raised_at: Moment
    climbs: int
    aloud: bool
    unreached: bool


class Wall(Frame, frozen=True):
    """Show a shift to a screen that anybody in the room can read: counts and escalations, nothing of anybody.

    It is no frame of a socket: a screen asks for it every few seconds, and holds no right to ask for more.
    """

    at: Moment
    waiting: int
    waiting_since: Moment | None
    running: int
    ready: int
    free: int
    escalations: tuple[WallEscalation, ...]


class StaffWelcome(Frame, frozen=True, tag_field="type", tag="welcome"):
    """Answer a hello."""

    version: int
    you: Person


class StaffOverview(Frame, frozen=True, tag_field="type", tag="overview"):
    """Show the whole shift as far as this person may see it; each one replaces the last.

    `ready` counts who takes conversations, `free` those of them who can hold one more now.
    """

    at: Moment
    availability: Readiness
    ready: int
    free: int
    conversations: tuple[ConversationSummary, ...]
    escalations: tuple[EscalationSummary, ...]


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
