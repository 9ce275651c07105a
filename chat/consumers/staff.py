"""The socket of console and board: frames in, one service call each, frames out. No rule lives here."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, assert_never, cast
from uuid import UUID

from django.conf import settings
from django.http import parse_cookie

from chat import broadcast, codec, log, services
from chat import protocol as wire
from chat.consumers import base
from chat.consumers.base import Cursor, Ended, Scope, Send, Socket
from chat.consumers.rights import rights
from chat.core.actors import Staff
from chat.core.errors import ErrorCode, Refused
from chat.db import in_db
from chat.frames import Rendered
from chat.hub import hub
from chat.overview import GATHER, GATHER_COUNTS, Shift, shift
from chat.selectors import conversation_for, events_after, heads
from encryption.services import sealer_for
from staff.models import User
from staff.permissions import Action, allowed_at_all
from staff.selectors import readiness_of, signed_in_user
from staff.services import renew_lease, set_availability
from staff.web import staff_of

logger = logging.getLogger(__name__)


class StaffSocket(Socket):
    """Carry one tab of a signed-in person."""

    def __init__(self, scope: Scope, send: Send) -> None:
        super().__init__(scope, send)
        self._actor: Staff | None = None
        self._capacity = 0
        self._cursors: dict[UUID, Cursor] = {}
        self._overview_due: float | None = None
        self._overview: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        cookies = parse_cookie(dict(scope.get("headers", ())).get(b"cookie", b"").decode("latin-1"))
        self.session_key = cookies.get(settings.SESSION_COOKIE_NAME, "")

    @property
    def actor(self) -> Staff:
        """Return who is signed in."""
        if self._actor is None:
            raise Ended(4401, ErrorCode.SIGN_IN_AGAIN)
        return self._actor

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

    async def error(self, code: ErrorCode, ref: int | None = None) -> None:
        """Answer a refusal."""
        await self.send_text(codec.encode(wire.StaffError(ref=ref, code=code)))

    async def end(self) -> None:
        """Leave the hub. Availability stays as declared; the lease lapses by itself."""
        rights().unwatch(self)
        for task in self._tasks:
            task.cancel()
        await hub().unwatch(self)
        for conversation in list(self._cursors):
            await hub().unfollow(conversation, self)

    # commands

    async def _hello(self, hello: wire.StaffHello) -> None:
        if self.greeted:
            await self.error(ErrorCode.HELLO_REPEATED)
            return
        if hello.version != wire.PROTOCOL_VERSION:
            raise Ended(4400, ErrorCode.VERSION_UNKNOWN)
        now = base.now()
        self.greeted = True
        await in_db(renew_lease, user_id=self.actor.id, now=now)
        you = wire.Person(
            id=self.actor.id,
            name=self.actor.name,
            role=cast(wire.RoleName, self.actor.role),
            capacity=self._capacity,
            availability=cast(wire.Readiness, await in_db(readiness_of, self.actor.id)),
        )
        await self.send_text(codec.encode(wire.StaffWelcome(version=wire.PROTOCOL_VERSION, you=you)))
        await hub().watch(self)
        for conversation, after in hello.follow.items():
            try:
                await self._follow(UUID(conversation), after)
            except Refused:
                await self.send_text(codec.encode(wire.StaffUnfollowed(conversation=conversation)))
        self.on_change(soon=True)
        await broadcast.publish_overview()

    async def _command(self, command: "wire.StaffAnswered") -> None:
        match command:
            case wire.StaffPost():
                await self._write(services.post_message, command)
            case wire.StaffNote():
                await self._write(services.write_note, command)
            case wire.StaffFollow():
                await self._follow(UUID(command.conversation), command.after)
                await self._ok(command.ref)
            case wire.StaffUnfollow():
                await self._unfollow(UUID(command.conversation))
                await self._ok(command.ref)
            case wire.StaffTake():
                await self._move(services.take, command)
            case wire.StaffDecline():
                await self._move(services.decline, command)
            case wire.StaffAvailability():
                await in_db(set_availability, user_id=self.actor.id, state=command.state, now=base.now())
                await self._ok(command.ref)
                await broadcast.publish_overview()
            case _:
                assert_never(command)

    async def _ok(self, ref: int, seq: int | None = None) -> None:
        await self.send_text(codec.encode(wire.StaffOk(ref=ref, seq=seq)))

    async def _write(
        self, service: Callable[..., services.Done[log.StoredEvent]], command: wire.StaffPost | wire.StaffNote
    ) -> None:
        done = await in_db(
            service,
            actor=self.actor,
            conversation_id=UUID(command.conversation),
            client_id=command.client_id,
            body=command.body,
            now=base.now(),
        )
        await self._ok(command.ref, done.result.staff_seq)
        await broadcast.publish(done.events)

    async def _move(
        self, service: Callable[..., services.Done[None]], command: wire.StaffTake | wire.StaffDecline
    ) -> None:
        done = await in_db(service, actor=self.actor, conversation_id=UUID(command.conversation), now=base.now())
        await self._ok(command.ref)
        await broadcast.publish(done.events)

    async def _unanswered(self, command: wire.StaffTyping | wire.StaffRead) -> None:
        """Do what needs no answer; a refusal is silence, since there is nothing that the page could do."""
        conversation_id = UUID(command.conversation)
        try:
            if isinstance(command, wire.StaffTyping):
                await in_db(conversation_for, self.actor, conversation_id, Action.WRITE_MESSAGE)
                await hub().tell_typing(conversation_id)
            else:
                await in_db(
                    services.mark_read,
                    actor=self.actor,
                    conversation_id=conversation_id,
                    up_to=command.up_to,
                    now=base.now(),
                )
        except Refused:
            return

    async def _ping(self) -> None:
        user = await self._recheck()
        await in_db(renew_lease, user_id=user.pk, now=base.now())
        newest = await in_db(heads, list(self._cursors))
        await self.send_text(codec.encode(wire.StaffPong(heads={str(pk): both[0] for pk, both in newest.items()})))
        if any(both[0] > self._cursors[pk].last for pk, both in newest.items() if pk in self._cursors):
            self.enqueue(self.catch_up)

    # following

    async def _follow(self, conversation_id: UUID, after: int) -> None:
        # follow first, read second: what is written in between arrives twice rather than never
        await in_db(conversation_for, self.actor, conversation_id, Action.READ_CONVERSATION)
        await hub().follow(conversation_id, self)
        done = await in_db(
            services.read_conversation,
            actor=self.actor,
            conversation_id=conversation_id,
            after=after,
            now=base.now(),
        )
        events, head = done.result
        if after > head:
            await self._unfollow(conversation_id)
            raise Refused(ErrorCode.AHEAD_OF_LOG)
        cursor = Cursor(conversation_id, after, for_visitor=False)
        self._cursors[conversation_id] = cursor
        self.enqueue(lambda: self._first_read(cursor, events, head))

    async def _first_read(self, cursor: Cursor, events: list[log.StoredEvent], head: int) -> None:
        await self._send_events(cursor, events)
        await self._read_on(cursor)
        await self.send_text(
            codec.encode(wire.StaffFollowed(conversation=str(cursor.conversation), head=max(head, cursor.last)))
        )

    async def _unfollow(self, conversation_id: UUID) -> None:
        self._cursors.pop(conversation_id, None)
        await hub().unfollow(conversation_id, self)

    async def catch_up(self) -> None:
        """Send from the log everything of every followed conversation that this tab does not hold."""
        for cursor in list(self._cursors.values()):
            await self._read_on(cursor)
        self.on_change(soon=True)

    async def _read_on(self, cursor: Cursor) -> None:
        while events := await in_db(events_after, cursor.conversation, cursor.last, for_visitor=False):
            if self._cursors.get(cursor.conversation) is not cursor:
                return
            await self._send_events(cursor, events)

    async def _send_events(self, cursor: Cursor, events: list[log.StoredEvent]) -> None:
        sealer = await in_db(sealer_for, log.subject_of(cursor.conversation))
        for text in cursor.fitting([Rendered(event, sealer) for event in events]):
            if self._cursors.get(cursor.conversation) is not cursor:
                return
            await self.send_text(text)

    # events

    def on_event(self, rendered: Rendered) -> None:
        """Take an event of a followed conversation."""
        self.enqueue(lambda: self._forward(rendered))

    def on_typing(self, conversation: UUID) -> None:
        """Staff are not told of each other's typing."""

    def on_change(self, *, soon: bool) -> None:
        """Take the word that the overview is out of date; several at once become one, the hastiest sets the time."""
        if not self.greeted:
            return
        due = asyncio.get_running_loop().time() + (GATHER if soon else GATHER_COUNTS)
        if self._overview_due is not None and self._overview is not None:
            if self._overview_due <= due:
                return
            self._overview.cancel()
        self._overview_due = due
        # a task of its own: gathering a burst takes a moment that no message waits for
        self._overview = self._spawn(self._tell_overview(due))

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
            self.on_change(soon=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _forward(self, rendered: Rendered) -> None:
        cursor = self._cursors.get(rendered.conversation)
        if cursor is None:
            return
        if cursor.leaves_gap(rendered):
            await self._read_on(cursor)
        for text in cursor.fitting([rendered]):
            await self.send_text(text)

    async def _tell_overview(self, due: float) -> None:
        try:
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            # from here on a change asks for another overview: this one may be read before it
            self._overview_due = None
            view: Shift = await shift()
            if self._actor is None:
                return
            await self._drop_lost_rights(view)
            await self.send_text(codec.encode(view.seen_by(self.actor)))
        except Exception as error:
            # the next change, or the worker's refresh within seconds, brings a whole new overview
            logger.error("overview not sent", exc_info=error)

    async def _drop_lost_rights(self, view: Shift) -> None:
        """Stop following what this person may no longer read: handed back, taken over, or closed."""
        for conversation_id in list(self._cursors):
            if not view.readable_by(self.actor, conversation_id):
                await self._unfollow(conversation_id)
                await self.send_text(codec.encode(wire.StaffUnfollowed(conversation=str(conversation_id))))

    async def _look_again(self) -> None:
        try:
            self.on_rights(await in_db(signed_in_user, self.session_key, base.now()))
        except Exception as error:
            # the look of every second tries again
            logger.error("rights not read", exc_info=error)

    async def _revoke(self, ended: Ended) -> None:
        """Stop at once: what waits to be sent is dropped, commands find nobody signed in, then the socket closes."""
        self._actor = None
        self._pending.clear()
        followed = list(self._cursors)
        self._cursors.clear()
        for conversation in followed:
            await hub().unfollow(conversation, self)
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
