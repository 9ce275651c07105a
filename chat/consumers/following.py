"""The part of a staff socket about the conversations it follows: events, older lines, how far both sides got."""

from functools import partial
from uuid import UUID

from chat import codec, measures, services
from chat import protocol as wire
from chat.consumers import base
from chat.consumers.base import Ended, Scope, Send, Socket
from chat.consumers.cursor import Cursor, read_on, send_back
from chat.consumers.marks import Marks
from chat.core.actors import Staff
from chat.core.errors import ErrorCode, Refused
from chat.db import in_db
from chat.frames import Rendered
from chat.hub import hub
from chat.selectors.marks import Reached, reached_by_visitor


class FollowingSocket(Socket):
    """Be a socket of somebody signed in who follows conversations."""

    def __init__(self, scope: Scope, send: Send) -> None:
        super().__init__(scope, send)
        self._actor: Staff | None = None
        self._cursors: dict[UUID, Cursor] = {}
        self._reached: dict[UUID, Reached] = {}
        self._unread: dict[UUID, tuple[int, bool]] = {}
        """Of what is not followed yet: up to which number it was read, and whether older lines are left out."""
        self._marks = Marks(self._mark)

    @property
    def actor(self) -> Staff:
        """Return who is signed in."""
        if self._actor is None:
            raise Ended(4401, ErrorCode.SIGN_IN_AGAIN)
        return self._actor

    async def _ok(self, ref: int, seq: int | None = None) -> None:
        await self.send_text(codec.encode(wire.StaffOk(ref=ref, seq=seq)))

    def on_event(self, rendered: Rendered) -> None:
        """Take an event of a followed conversation."""
        self.enqueue(lambda: self._forward(rendered), rendered.size)

    def on_typing(self, conversation: UUID) -> None:
        """Staff are not told of each other's typing."""

    def on_reached(self, conversation: UUID) -> None:
        """Take the word that the visitor may have got further."""
        self.enqueue(lambda: self._tell_reached(conversation))

    def on_gap(self) -> None:
        """Read what may not have been heard."""
        self.enqueue(self.catch_up)

    async def _forward(self, rendered: Rendered) -> None:
        cursor = self._cursors.get(rendered.conversation)
        if cursor is None:
            return
        if cursor.must_read(rendered):
            measures.gaps_healed.inc()
            await read_on(cursor, self.send_text)
        text = cursor.next_text(rendered)
        if text is not None:
            await self.send_text(text)

    def _unfollow(self, conversation_id: UUID) -> None:
        cursor = self._cursors.pop(conversation_id, None)
        self._marks.forget(conversation_id)
        self._reached.pop(conversation_id, None)
        self._unread.pop(conversation_id, None)
        if cursor is not None:
            cursor.closed = True
        hub().unfollow(conversation_id, self)

    def _unfollow_all(self) -> None:
        for conversation_id in list(self._cursors):
            self._unfollow(conversation_id)

    async def _mark(self, conversation_id: UUID, delivered: int, read: int) -> None:
        mark = partial(services.mark_read, actor=self.actor, conversation_id=conversation_id, now=base.now())
        try:
            if await in_db(mark, up_to=read, delivered=delivered):
                hub().tell_reached(conversation_id)
        except Refused:
            return

    async def _older(self, command: wire.StaffOlder) -> None:
        pk, before = UUID(command.conversation), command.before
        done = await in_db(services.read_older, actor=self.actor, conversation_id=pk, before=before, now=base.now())
        events, head = done.result
        if before > head:
            raise Refused(ErrorCode.AHEAD_OF_LOG)
        await send_back(pk, before, events, self._send_to_reader, for_visitor=False)
        await self._ok(command.ref)

    async def _send_to_reader(self, text: str) -> None:
        # asked for at each line: rights may end in the middle of a page
        _ = self.actor
        await self.send_text(text)

    async def _tell_reached(self, conversation_id: UUID) -> None:
        reached = await in_db(reached_by_visitor, conversation_id)
        if conversation_id in self._cursors and reached != self._reached.get(conversation_id, (0, 0)):
            self._reached[conversation_id] = reached
            frame = wire.StaffReached(conversation=str(conversation_id), delivered=reached[0], read=reached[1])
            await self.send_text(codec.encode(frame))
