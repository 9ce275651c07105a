"""The visitor's socket: frames in, one service call each, frames out. No rule lives here."""

from typing import assert_never
from uuid import UUID

from chat import broadcast, codec, frames, log
from chat import protocol as wire
from chat.consumers import base
from chat.consumers.base import Cursor, Ended, Scope, Send, Socket
from chat.core.actors import Visitor
from chat.core.errors import ErrorCode, Refused
from chat.db import in_db
from chat.frames import Rendered
from chat.hub import hub
from chat.selectors import events_after, staffed, visitor_by_token
from chat.services import (
    end_conversation,
    note_visitor_gone,
    note_visitor_here,
    open_conversation,
    post_message,
)
from encryption.services import sealer_for

_STOPS = {
    ErrorCode.TOKEN_UNKNOWN: 4401,
    ErrorCode.TOKEN_SPENT: 4410,
    ErrorCode.CLOSED: 4403,
    ErrorCode.OURS: 4503,
}


class VisitorSocket(Socket):
    """Carry one visitor's page."""

    def __init__(self, scope: Scope, send: Send) -> None:
        super().__init__(scope, send)
        self._actor: Visitor | None = None
        self._token = ""
        self._cursor: Cursor | None = None
        self._shown: wire.VisitorStanding | None = None

    async def handle(self, raw: str) -> None:
        """Answer one frame of the visitor."""
        command = codec.decode_visitor(raw)
        if isinstance(command, wire.VisitorHello):
            await self._hello(command)
            return
        actor = self._actor
        if actor is None:
            await self.error(ErrorCode.HELLO_EXPECTED, getattr(command, "ref", None))
            return
        match command:
            case wire.VisitorPost():
                await self.answer(command.ref, lambda: self._post(actor, command))
            case wire.VisitorEnd():
                await self.answer(command.ref, lambda: self._end(actor, command))
            case wire.VisitorPing():
                await self._ping(actor)
            case _:
                assert_never(command)

    async def error(self, code: ErrorCode, ref: int | None = None) -> None:
        """Answer a refusal."""
        await self.send_text(codec.encode(wire.VisitorError(ref=ref, code=code)))

    async def end(self) -> None:
        """Leave the hub, and let staff see that the line is lost."""
        if self._actor is None:
            return
        await hub().unfollow(self._actor.conversation, self)
        await in_db(note_visitor_gone, actor=self._actor, now=base.now())
        await broadcast.publish_overview()

    # commands

    async def _hello(self, hello: wire.VisitorHello) -> None:
        if self._actor is not None:
            await self.error(ErrorCode.HELLO_REPEATED)
            return
        if hello.version != wire.PROTOCOL_VERSION:
            raise Ended(4400, ErrorCode.VERSION_UNKNOWN)
        now = base.now()
        try:
            if hello.start:
                opened = await in_db(
                    open_conversation, token=hello.token, language=hello.language, door=hello.door, now=now
                )
                await broadcast.publish(opened.events)
            conversation = await in_db(visitor_by_token, hello.token, now)
        except Refused as refused:
            raise Ended(_STOPS[refused.code], refused.code) from None
        if hello.after > conversation.visitor_head:
            await self.error(ErrorCode.AHEAD_OF_LOG)
            return
        actor = Visitor(conversation.pk)
        # follow first, read second: what is written in between arrives twice rather than never
        await hub().follow(conversation.pk, self)
        self._token, self._actor, self.greeted = hello.token, actor, True
        await in_db(note_visitor_here, actor=actor, now=now)
        greeting = frames.welcome(conversation, staffed=await in_db(staffed, now))
        await self.send_text(codec.encode(greeting))
        self._cursor = Cursor(conversation.pk, hello.after, for_visitor=True)
        self.enqueue(self.catch_up)
        await broadcast.publish_overview()

    async def _post(self, actor: Visitor, post: wire.VisitorPost) -> None:
        done = await in_db(
            post_message,
            actor=actor,
            conversation_id=actor.conversation,
            client_id=post.client_id,
            body=post.body,
            now=base.now(),
        )
        await self.send_text(codec.encode(wire.VisitorOk(ref=post.ref, seq=done.result.visitor_seq)))
        await broadcast.publish(done.events)

    async def _end(self, actor: Visitor, command: wire.VisitorEnd) -> None:
        done = await in_db(end_conversation, actor=actor, conversation_id=actor.conversation, now=base.now())
        await self.send_text(codec.encode(wire.VisitorOk(ref=command.ref)))
        await broadcast.publish(done.events)

    async def _ping(self, actor: Visitor) -> None:
        now = base.now()
        try:
            conversation = await in_db(visitor_by_token, self._token, now)
        except Refused as refused:
            raise Ended(_STOPS[refused.code], refused.code) from None
        await in_db(note_visitor_here, actor=actor, now=now)
        await self.send_text(codec.encode(wire.VisitorPong(head=conversation.visitor_head)))
        self.enqueue(self._tell_standing)
        if self._cursor is not None and self._cursor.last < conversation.visitor_head:
            self.enqueue(self.catch_up)

    # events

    def on_event(self, rendered: Rendered) -> None:
        """Take an event of this conversation."""
        self.enqueue(lambda: self._forward(rendered))

    def on_typing(self, conversation: UUID) -> None:
        """Take the word that the advocate is typing."""
        self.enqueue(lambda: self.send_text(codec.encode(wire.VisitorTyping())))

    async def _forward(self, rendered: Rendered) -> None:
        cursor = self._cursor
        if cursor is None:
            return
        if cursor.leaves_gap(rendered):
            await self.catch_up()
        for text in cursor.fitting([rendered]):
            await self.send_text(text)
        if rendered.event.kind == "fact":
            await self._tell_standing()

    async def catch_up(self) -> None:
        """Send from the log everything that this page does not hold."""
        cursor = self._cursor
        if cursor is None:
            return
        sealer = await in_db(sealer_for, log.subject_of(cursor.conversation))
        while events := await in_db(events_after, cursor.conversation, cursor.last, for_visitor=True):
            for text in cursor.fitting([Rendered(event, sealer) for event in events]):
                await self.send_text(text)

    async def _tell_standing(self) -> None:
        try:
            now = base.now()
            conversation = await in_db(visitor_by_token, self._token, now)
        except Refused:
            return  # over; the fact that ended it has been sent, and the next ping closes the line
        standing = frames.standing(conversation, staffed=await in_db(staffed, now))
        if standing != self._shown:
            self._shown = standing
            await self.send_text(codec.encode(standing))
