"""The visitor's socket: frames in, one service call each, frames out. No rule lives here."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from chat import broadcast, codec, frames, measures
from chat import protocol as wire
from chat.consumers import base
from chat.consumers.base import Ended, Scope, Send, Socket
from chat.consumers.cursor import Cursor, read_on, rendered_by, send_back
from chat.consumers.looks import glancing, progressing, signing
from chat.consumers.marks import Marks
from chat.core.actors import Visitor
from chat.core.errors import ErrorCode, Refused, Unseen
from chat.core.returning import check_is_known
from chat.db import in_opening_db, in_visitor_db
from chat.frames import Rendered
from chat.hub import hub
from chat.limits import limits
from chat.presence import presence
from chat.proof import MOST_ASKED, SOLVE_WITHIN, proofs
from chat.selectors import events_before, is_known, visitor_by_token, visitor_of
from chat.selectors.glance import Glance
from chat.selectors.marks import Reached
from chat.services import (
    change_door,
    change_language,
    end_conversation,
    leave_quickly,
    mark_seen,
    open_conversation,
)
from chat.services.base import Done
from chat.services.posting import Post
from chat.writer import writer
from encryption.text import Secret

STOPS = {
    ErrorCode.TOKEN_UNKNOWN: 4401,
    ErrorCode.TOKEN_SPENT: 4410,
    ErrorCode.CLOSED: 4403,
    ErrorCode.FULL: 4403,
    ErrorCode.OURS: 4503,
}
LEFT = 4001
"""With this a page closes its line that leaves quickly; its request to `/bye` may not get through."""


class VisitorSocket(Socket):
    """Carry one visitor's page."""

    __slots__ = ("_actor", "_cursor", "_last_sign", "_marks", "_news", "_reached", "_shown", "_token", "asked")
    side = "visitor"

    def __init__(self, scope: Scope, send: Send) -> None:
        super().__init__(scope, send)
        self._actor: Visitor | None = None
        self._token = ""
        self._cursor: Cursor | None = None
        self._shown: wire.VisitorStanding | None = None
        self._last_sign: datetime | None = None
        self._reached = (0, 0)
        self._marks = Marks(self._mark)
        self._news = 0
        """How often something was heard: a reading that began before the last of it may be stale."""
        self.asked = 0

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
                await self._marks.move(actor.conversation, command.delivered, command.read)
            case wire.VisitorSeen():
                await self._marks.move(actor.conversation, command.delivered, command.read)
            case wire.VisitorOlder():
                await self.answer(command.ref, lambda: self._older(actor, command))
            case wire.VisitorDoor():
                await self.answer(command.ref, lambda: self._change(change_door, command.ref, door=command.door))
            case wire.VisitorLanguage():
                language = command.language
                await self.answer(command.ref, lambda: self._change(change_language, command.ref, language=language))
            case _:
                assert_never(command)

    async def error(self, code: ErrorCode, ref: int | None = None, wait: float | None = None) -> None:
        """Answer a refusal."""
        await self.send_text(codec.encode(wire.VisitorError(ref=ref, code=code, wait_ms=base.milliseconds(wait))))

    async def end(self) -> None:
        """Leave the hub, and let staff see that the line is lost."""
        self._marks.stop()
        if self._actor is None:
            return
        conversation = self._actor.conversation
        hub().unfollow(conversation, self)
        if self.closed_with == LEFT:
            await broadcast.told(in_visitor_db(leave_quickly, token=self._token, now=base.now()))
        if self._last_sign is None or any(isinstance(one, VisitorSocket) for one in hub().followers(conversation)):
            # another line of the same visitor lives
            return
        presence().gone(conversation, self._last_sign)

    # commands

    async def _hello(self, hello: wire.VisitorHello) -> None:
        if self._actor is not None:
            await self.error(ErrorCode.HELLO_REPEATED)
            return
        if hello.version != wire.PROTOCOL_VERSION:
            raise Ended(4400, ErrorCode.VERSION_UNKNOWN)
        now = base.now()
        if hello.start and await self._asks_for_proof(hello, now):
            return
        try:
            if hello.start:
                opening = in_opening_db(
                    open_conversation, token=hello.token, language=hello.language, door=hello.door, now=now
                )
                await broadcast.told(opening)
            seen = await glancing().of(hello.token)
        except Refused as refused:
            raise Ended(STOPS[refused.code], refused.code) from None
        conversation = seen.conversation
        if hello.after > conversation.visitor_head:
            await self.error(ErrorCode.AHEAD_OF_LOG)
            return
        # known before it follows, so that a line that breaks in between is cleaned up too
        self._token, self._actor, self.greeted = hello.token, visitor_of(conversation), True
        # follow first, read second: what is written in between arrives twice rather than never
        await hub().follow(conversation.pk, self)
        self._last_sign = now
        presence().here(conversation.pk, now, arrived=self._is_news())
        self._shown = frames.standing(seen)
        welcome = frames.welcome(seen, after=hello.after)
        await self.send_text(codec.encode(welcome))
        self._cursor = Cursor(conversation.pk, welcome.after, for_visitor=True, since=conversation.return_seq)
        self.enqueue(lambda: self._tell_missed(conversation.visitor_head))

    def _is_news(self) -> bool:
        """Tell whether lists of staff should show at once that the visitor is here."""
        return True

    async def _asks_for_proof(self, hello: wire.VisitorHello, now: datetime) -> bool:
        """Ask for work first when very many begin at once; who has begun already is never asked."""
        proved = hello.proof is not None and proofs().accepts(hello.proof, now)
        if proved or (hello.proof is None and not limits().is_flood(address_of(self.scope), now)):
            return False
        if await in_visitor_db(is_known, hello.token):
            return False
        self.asked += 1
        if self.asked > MOST_ASKED:
            raise Ended(4429, ErrorCode.SLOW_DOWN)
        challenge = await in_opening_db(proofs().challenge, now)
        self.hello_within = SOLVE_WITHIN
        await self.send_text(codec.encode(wire.VisitorProofWanted(challenge=challenge)))
        return True

    async def _post(self, actor: Visitor, post: wire.VisitorPost) -> None:
        await limits().hold_back((actor.conversation, "visitor"))
        now = base.now()
        done = await writer().post(Post(actor, actor.conversation, post.client_id, post.body, now))
        self._last_sign = now
        own = rendered_by(done)
        try:
            if own is not None and self._takes(own) and done.said != Secret(post.body):
                # stored in other characters than were sent: the page must not show what it sent
                await self.send_text(own.visitor_text or "")
            await self.send_text(codec.encode(wire.VisitorOk(ref=post.ref, seq=done.result.visitor_seq)))
        finally:
            # it is committed: others hear of it although this line has just broken
            await broadcast.publish(done.events, own)
            await broadcast.publish(done.cues)

    def _takes(self, own: Rendered) -> bool:
        """Tell whether the page's own text comes next: then it is shown by the acknowledgement, and by no event."""
        return self._cursor is not None and self.up_to_date and self._cursor.take(own)

    async def _end(self, actor: Visitor, command: wire.VisitorEnd) -> None:
        done = await in_visitor_db(end_conversation, actor=actor, conversation_id=actor.conversation, now=base.now())
        await self._acknowledge(wire.VisitorOk(ref=command.ref), done)

    async def _change(self, service: Callable[..., Done[None]], ref: int, **to: str) -> None:
        actor = self._actor
        if actor is None:
            raise Refused(ErrorCode.HELLO_EXPECTED)
        await limits().hold_back((actor.conversation, "visitor"))
        done = await in_visitor_db(service, actor=actor, now=base.now(), **to)
        await self._acknowledge(wire.VisitorOk(ref=ref), done)
        # whether anybody reads the new language
        self.enqueue(self._tell_standing)

    async def _older(self, actor: Visitor, command: wire.VisitorOlder) -> None:
        pk, before = actor.conversation, command.before
        check_is_known(return_open=(await in_visitor_db(visitor_by_token, self._token, base.now())).return_open)
        events = await in_visitor_db(events_before, pk, before, for_visitor=True, limit=wire.MOST_MISSED)
        if before > 0 and (not events or events[0].visitor_seq != before - 1):
            raise Refused(ErrorCode.AHEAD_OF_LOG)
        await send_back(pk, before, events, self.send_text, for_visitor=True)
        await self.send_text(codec.encode(wire.VisitorOk(ref=command.ref)))

    async def _mark(self, conversation: UUID, delivered: int, read: int) -> None:
        if self._actor is None:
            return
        if await in_visitor_db(mark_seen, actor=self._actor, delivered=delivered, read=read):
            hub().tell_reached(conversation)

    async def _acknowledge(self, ok: wire.VisitorOk, done: Done[Any]) -> None:
        try:
            await self.send_text(codec.encode(ok))
        finally:
            await broadcast.publish(done.events)

    async def _ping(self, actor: Visitor) -> None:
        now, news = base.now(), self._news
        try:
            seen = await signing().of(self._token)
        except Refused as refused:
            raise Ended(STOPS[refused.code], refused.code) from None
        self._last_sign = now
        presence().here(actor.conversation, now)
        head = seen.conversation.visitor_head
        await self.send_text(codec.encode(wire.VisitorPong(head=head)))
        self.enqueue(lambda: self._show_if_new(seen, news))
        if self._cursor is not None and self._cursor.last < head:
            self._enqueue_reading(head)

    async def _show_if_new(self, seen: Glance, news: int) -> None:
        """Show what was read for a ping, unless something came in between: then it may be older than what was shown."""
        if news == self._news:
            await self._show_glance(seen)
        else:
            await self._tell_standing()

    async def _show_glance(self, seen: Glance) -> None:
        await self._show_standing(frames.standing(seen))
        await self._show_reached(seen.reached)

    # events

    def on_event(self, rendered: Rendered) -> None:
        """Take an event of this conversation."""
        self._news += 1
        if self._cursor is None or not self._cursor.holds(rendered):
            self.enqueue(lambda: self._forward(rendered), rendered.size)

    def on_typing(self, conversation: UUID) -> None:
        """Take the word that the advocate is typing."""
        self.enqueue(lambda: self.send_text(codec.encode(wire.VisitorTyping())))

    def on_reached(self, conversation: UUID) -> None:
        """Take the word that staff may have got further."""
        self._news += 1
        self.enqueue(self._tell_reached)

    def on_gap(self) -> None:
        """Read what may not have been heard."""
        self._news += 1
        self.enqueue(self.catch_up)
        self.enqueue(self._tell_standing)

    async def _forward(self, rendered: Rendered) -> None:
        cursor = self._cursor
        # what has no number of the visitor's is not theirs to notice, not even by when something else arrives
        if cursor is None or rendered.event.visitor_seq is None:
            return
        if cursor.must_read(rendered):
            measures.gaps_healed.inc()
            await self.catch_up()
        text = cursor.next_text(rendered)
        if text is not None:
            await self.send_text(text)
        if cursor.closed:
            await self._give_way()
        elif rendered.event.kind == "fact":
            await self._tell_standing()

    async def catch_up(self) -> None:
        """Send from the log everything that this page does not hold."""
        await self._read_up_to(0)

    def _enqueue_reading(self, head: int) -> None:
        self.enqueue(lambda: self._read_up_to(head))

    async def _read_up_to(self, head: int) -> None:
        if self._cursor is not None:
            await read_on(self._cursor, self.send_text, head=head)
            if self._cursor.closed:
                await self._give_way()

    async def _tell_missed(self, head: int) -> None:
        """Send what the page does not hold, read after it followed: what came before that, nobody told it."""
        if self._actor is None or self._cursor is None:
            return
        try:
            seen = await progressing().of(self._actor.conversation)
        except Unseen:
            return
        except Exception:
            # how far staff have got can wait for the next word; what the page lacks cannot
            await self._read_up_to(head)
            raise
        if max(head, seen.head) > self._cursor.last:
            await self._read_up_to(head)
        if self._actor is None:
            return
        if seen.head > head:
            # what happened since the welcome may have changed how things stand
            await self._tell_standing()
        else:
            # whoever gets further meanwhile is a word of its own, which comes after this one
            await self._show_reached(seen.reached)

    async def _give_way(self) -> None:
        """Stop at once: somebody came back by words, and the conversation goes on elsewhere."""
        actor, self._actor = self._actor, None
        self.drop_pending()
        if actor is None:
            return
        hub().unfollow(actor.conversation, self)
        await self._quietly(self.error(ErrorCode.TOKEN_UNKNOWN))
        await self._quietly(self._send({"type": "websocket.close", "code": STOPS[ErrorCode.TOKEN_UNKNOWN]}))

    async def _tell_reached(self) -> None:
        if self._actor is not None:
            await self._show_reached((await progressing().of(self._actor.conversation)).reached)

    async def _show_reached(self, reached: Reached) -> None:
        if reached != self._reached:
            self._reached = reached
            await self.send_text(codec.encode(wire.VisitorReached(delivered=reached[0], read=reached[1])))

    async def _tell_standing(self) -> None:
        try:
            seen = await glancing().of(self._token)
        except Refused:
            self.spent()  # over; the fact that ended it has been sent
            return
        await self._show_glance(seen)

    def spent(self) -> None:
        """Take the word that the token opens nothing any more: the next ping closes the line."""

    async def _show_standing(self, standing: wire.VisitorStanding) -> None:
        if standing != self._shown:
            self._shown = standing
            await self.send_text(codec.encode(standing))


def address_of(scope: Scope) -> str:
    """Return where a line comes from, to be counted and not kept: as a trusted proxy says, else the proxy itself."""
    client = scope.get("client")
    return str(client[0]) if client else ""
