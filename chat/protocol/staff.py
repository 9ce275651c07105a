"""What a console or the board asks for."""

from chat.protocol.common import ClientId, Frame, Id, Readiness, Ref, Seq, StaffPage

# commands of staff


class StaffHello(Frame, frozen=True, tag_field="type", tag="hello"):
    """Come first on every socket: go on with everything that this tab holds, conversation to newest number.

    Only a console shows by its hello and its pings that somebody is there; a page that does not say what it is counts
    as one.
    """

    version: int
    follow: dict[Id, Seq] = {}
    page: StaffPage = "console"


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
    """Take a waiting conversation, accept an offered one, or take one in danger that is offered to somebody else."""

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
    """Show that the page is there; answered with the newest number of each followed conversation."""


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
