"""The socket of console and board: frames in, one service call each, frames out. No rule lives here."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, assert_never, cast
from uuid import UUID

from django.conf import settings
from django.http import parse_cookie

from chat import broadcast, codec, log, services
from chat import protocol as wire
from chat.consumers import base
from chat.consumers.base import Ended, Scope, Send
from chat.consumers.cursor import Cursor, read_on, rendered_by, send_events
from chat.consumers.listing import ListingSocket
from chat.consumers.replies import note_reply
from chat.consumers.rights import rights
from chat.core.errors import ErrorCode, Refused
from chat.db import in_db
from chat.hub import hub
from chat.limits import limits
from chat.selectors import conversation_for, heads
from chat.services.posting import Post
from chat.writer import writer
from staff.models import User
from staff.permissions import Action, allowed_at_all
from staff.selectors import readiness_of, signed_in_user
from staff.services import renew_lease, set_availability
from staff.web import staff_of

logger = logging.getLogger(__name__)


class StaffSocket(ListingSocket):
    """Carry one tab of a signed-in person."""

    side = "staff"

    def __init__(self, scope: Scope, send: Send) -> None:
        super().__init__(scope, send)
        self._capacity = 0
        self._is_console = True
        cookies = parse_cookie(dict(scope.get("headers", ())).get(b"cookie", b"").decode("latin-1"))
        self.session_key = cookies.get(settings.SESSION_COOKIE_NAME, "")

    async def begin(self) -> None:
        """Let only signed-in staff with a console through."""
        user = await self._recheck()
        self._capacity = user.capacity
        rights().watch(self)

    async def handle(self, raw: str) -> None:
        """Answer one frame."""
        command = codec.decode_staff(raw)
        if isinstance(command, wire.StaffHello):
            await self._hello(command)
        elif not self.greeted:
            await self.error(ErrorCode.HELLO_EXPECTED, getattr(command, "ref", None))
        elif isinstance(command, wire.StaffPing):
            await self._ping()
        elif isinstance(command, wire.StaffTyping | wire.StaffRead):
            await self._unanswered(command)
        else:
            await self.answer(command.ref, partial(self._command, command))

    async def error(self, code: ErrorCode, ref: int | None = None, wait: float | None = None) -> None:
        """Answer a refusal."""
        await self.send_text(codec.encode(wire.StaffError(ref=ref, code=code, wait_ms=base.milliseconds(wait))))

    async def end(self) -> None:
        """Leave the hub; availability stays as declared, the lease lapses by itself."""
        rights().unwatch(self)
        self._marks.stop()
        self._cancel_all()
        hub().unwatch(self)
        self._unfollow_all()

    # commands

    async def _hello(self, hello: wire.StaffHello) -> None:
        if self.greeted:
            await self.error(ErrorCode.HELLO_REPEATED)
            return
        if hello.version != wire.PROTOCOL_VERSION:
            raise Ended(4400, ErrorCode.VERSION_UNKNOWN)
        self.greeted = True
        self._is_console = hello.page == "console"
        await self._sign_of_life()
        readiness = await in_db(readiness_of, self.actor.id)
        you = wire.Person(
            id=self.actor.id,
            name=self.actor.name,
            role=cast(wire.RoleName, self.actor.role),
            capacity=self._capacity,
            availability=cast(wire.Readiness, readiness),
        )
        await self.send_text(codec.encode(wire.StaffWelcome(version=wire.PROTOCOL_VERSION, you=you)))
        await hub().watch(self)
        for conversation, after in hello.follow.items():
            try:
                await self._follow(UUID(conversation), after)
            except Refused:
                await self.send_text(codec.encode(wire.StaffUnfollowed(conversation=conversation)))
        self.on_change()
        await broadcast.publish_overview()

    async def _command(self, command: "wire.StaffAnswered") -> None:
        match command:
            case wire.StaffPost():
                await self._write("message", command)
            case wire.StaffNote():
                await self._write("note", command)
            case wire.StaffFollow():
                await self._follow(UUID(command.conversation), command.after)
                await self._ok(command.ref)
            case wire.StaffUnfollow():
                self._unfollow(UUID(command.conversation))
                await self._ok(command.ref)
            case wire.StaffOlder():
                await self._older(command)
            case wire.StaffTake():
                # taking asks whether their console lives, and who presses there is there
                await self._sign_of_life()
                await self._move(services.take, command)
            case wire.StaffDecline():
                await self._move(services.decline, command)
            case wire.StaffAvailability(state=state):
                await in_db(set_availability, user_id=self.actor.id, state=state, now=base.now())
                self._read_anew()
                try:
                    await self._ok(command.ref)
                finally:
                    await broadcast.publish_overview()
            case _:
                assert_never(command)

    async def _write(self, kind: str, command: wire.StaffPost | wire.StaffNote) -> None:
        await limits().hold_back((UUID(command.conversation), self.actor.id))
        post = Post(self.actor, UUID(command.conversation), command.client_id, command.body, base.now(), kind)
        done = await writer().post(post)
        await self._acknowledge(command.ref, done.result.staff_seq, done)
        await note_reply(done.result)

    async def _acknowledge(self, ref: int, seq: int | None, done: services.Done[Any]) -> None:
        try:
            await self._ok(ref, seq)
        finally:
            # it is committed: others hear of it although this line has just broken
            await broadcast.publish(done.events, rendered_by(done))

    async def _move(
        self, service: Callable[..., services.Done[None]], command: wire.StaffTake | wire.StaffDecline
    ) -> None:
        done = await in_db(service, actor=self.actor, conversation_id=UUID(command.conversation), now=base.now())
        self._read_anew()
        await self._acknowledge(command.ref, None, done)

    async def _unanswered(self, command: wire.StaffTyping | wire.StaffRead) -> None:
        """Do what needs no answer; a refusal is silence, since there is nothing that the page could do."""
        conversation_id = UUID(command.conversation)
        try:
            if isinstance(command, wire.StaffTyping):
                await in_db(conversation_for, self.actor, conversation_id, Action.WRITE_MESSAGE)
                hub().tell_typing(conversation_id)
            elif conversation_id in self._cursors:
                await self._marks.move(conversation_id, command.delivered, command.up_to)
        except Refused:
            return

    async def _ping(self) -> None:
        await self._recheck()
        await self._sign_of_life()
        newest = await in_db(heads, list(self._cursors))
        await self.send_text(codec.encode(wire.StaffPong(heads={str(pk): both[0] for pk, both in newest.items()})))
        behind = {
            pk: both[0] for pk, both in newest.items() if pk in self._cursors and both[0] > self._cursors[pk].last
        }
        if behind:
            self.enqueue(lambda: self._catch_up_to(behind))
        for conversation_id in list(self._cursors):
            self.on_reached(conversation_id)

    async def _sign_of_life(self) -> None:
        """Note that somebody's console is alive; a board is none: what a visitor writes is not read there."""
        if self._is_console:
            await in_db(renew_lease, user_id=self.actor.id, now=base.now())

    # following

    async def _follow(self, conversation_id: UUID, after: int) -> None:
        # follow first, read second: what is written in between arrives twice rather than never
        await in_db(conversation_for, self.actor, conversation_id, Action.READ_CONVERSATION)
        before = self._cursors.get(conversation_id)
        try:
            await hub().follow(conversation_id, self)
            done = await in_db(
                services.read_conversation,
                actor=self.actor,
                conversation_id=conversation_id,
                after=after,
                now=base.now(),
            )
            events, head = done.result
            if self._actor is None:
                # their rights ended while this was read
                raise Ended(4401, ErrorCode.SIGN_IN_AGAIN)
            if after > head:
                before = None
                raise Refused(ErrorCode.AHEAD_OF_LOG)
            self._read_anew()
        except BaseException:
            if before is None:
                self._unfollow(conversation_id)
            raise
        begins = max(after, head - wire.MOST_MISSED)
        cursor = Cursor(conversation_id, begins, for_visitor=False)
        if before is not None:
            before.closed = True
        self._cursors[conversation_id] = cursor
        self._reached.pop(conversation_id, None)
        self._unread[conversation_id] = (head, begins > after)
        size = sum(len(event.sealed_body or b"") for event in events)
        self.enqueue(lambda: self._first_read(cursor, events, head, snapshot=begins > after), size)

    async def _first_read(
        self, cursor: Cursor, events: list[log.StoredEvent], head: int, *, snapshot: bool = False
    ) -> None:
        if snapshot and not cursor.closed:
            await self.send_text(
                codec.encode(wire.StaffSnapshot(conversation=str(cursor.conversation), after=cursor.last))
            )
        await send_events(cursor, events, self.send_text)
        await read_on(cursor, self.send_text, head=head)
        if not cursor.closed:
            last = max(head, cursor.last)
            pk = str(cursor.conversation)
            self._unread.pop(cursor.conversation, None)
            await self.send_text(codec.encode(wire.StaffFollowed(conversation=pk, head=last, older=snapshot)))
            await self._tell_reached(cursor.conversation)

    async def catch_up(self) -> None:
        """Send from the log everything of every followed conversation that this tab does not hold."""
        await self._catch_up_to({})

    async def _catch_up_to(self, heads: dict[UUID, int]) -> None:
        for conversation_id, cursor in list(self._cursors.items()):
            begun = self._unread.get(conversation_id)
            if begun is not None:
                # its first page was dropped unsent, and with it the word that this tab follows
                await self._first_read(cursor, [], begun[0], snapshot=begun[1])
            await read_on(cursor, self.send_text, head=heads.get(conversation_id, 0))
        self.on_change()

    # rights

    def on_revoked(self, user_id: int) -> None:
        """Look at once whether this person may go on."""
        if self._actor is not None and user_id == self._actor.id:
            self._spawn(self._look_again())

    def on_rights(self, user: User | None) -> None:
        """Go on as who is signed in now, or end the socket."""
        if self._actor is None:
            return
        if user is None:
            self._spawn(self._revoke(Ended(4401, ErrorCode.SIGN_IN_AGAIN)))
        elif not allowed_at_all(user.role, Action.USE_CONSOLE):
            self._spawn(self._revoke(Ended(4403, ErrorCode.FORBIDDEN)))
        elif staff_of(user) != self._actor:
            self._actor = staff_of(user)
            self.on_change()

    async def _look_again(self) -> None:
        try:
            self.on_rights(await in_db(signed_in_user, self.session_key, base.now()))
        except Exception as error:
            # the look of every second tries again
            logger.error("rights not read", exc_info=error)

    async def _revoke(self, ended: Ended) -> None:
        """Stop at once: what waits to be sent is dropped, commands find nobody signed in, then the socket closes."""
        self._actor = None
        self.drop_pending()
        self._unfollow_all()
        if ended.error is not None:
            await self._quietly(self.error(ended.error))
        await self._quietly(self._send({"type": "websocket.close", "code": ended.close_code}))

    async def _recheck(self) -> User:
        """Return the signed-in user as of now, or end the socket: rights do not outlive a session."""
        user = await in_db(signed_in_user, self.session_key, base.now())
        if user is None:
            raise Ended(4401, ErrorCode.SIGN_IN_AGAIN)
        if not allowed_at_all(user.role, Action.USE_CONSOLE):
            raise Ended(4403, ErrorCode.FORBIDDEN)
        self._actor = staff_of(user)
        return user
