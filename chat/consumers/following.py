"""The part of a staff socket about how far both sides of its conversations have got, and about older lines of them."""

from functools import partial
from uuid import UUID

from chat import codec, services
from chat import protocol as wire
from chat.consumers import base
from chat.consumers.base import Ended, Scope, Send, Socket
from chat.consumers.cursor import Cursor, send_back
from chat.consumers.marks import Marks
from chat.core.actors import Staff
from chat.core.errors import ErrorCode, Refused
from chat.db import in_db
from chat.hub import hub
from chat.selectors.marks import Reached, reached_by_visitor


class FollowingSocket(Socket):
    """Be a socket of somebody signed in who follows conversations."""

    def __init__(self, scope: Scope, send: Send) -> None:
        super().__init__(scope, send)
        self._actor: Staff | None = None
        self._cursors: dict[UUID, Cursor] = {}
        self._reached: dict[UUID, Reached] = {}
        self._marks = Marks(self._mark)

    @property
    def actor(self) -> Staff:
        """Return who is signed in."""
        if self._actor is None:
            raise Ended(4401, ErrorCode.SIGN_IN_AGAIN)
        return self._actor

    async def _ok(self, ref: int, seq: int | None = None) -> None:
        await self.send_text(codec.encode(wire.StaffOk(ref=ref, seq=seq)))

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
