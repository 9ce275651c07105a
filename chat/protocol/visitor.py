"""The frames of a visitor's page, over a socket or over plain requests."""

from typing import Annotated, Any, Literal

import msgspec

from chat.protocol.common import ClientId, Door, Frame, Language, Moment, Ref, Seq, StateName, Token

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
