"""Know which number of a conversation comes next on one socket, and read on from there.

Numbers in the log are dense and in the order of commits, so what the log itself lacks will never come. Such a number,
and a text that cannot be opened, become a placeholder: one bad line must not keep the later ones from anybody.
"""

import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from chat import frames, log
from chat.consumers import base
from chat.db import in_db, in_visitor_db
from chat.frames import Rendered
from chat.log import StoredEvent
from chat.protocol import MOST_MISSED
from chat.selectors import events_after, is_last
from chat.services import note_forged
from chat.services.base import Done
from encryption.core.envelope import NotAuthentic
from encryption.providers import EpochGone
from encryption.services import KeyGone

logger = logging.getLogger(__name__)

MOST_ABSENT = 1_000
"""Absent numbers in a row that are stepped over; more is no hole but another log."""
_MOST_TOLD = 1_000

SendText = Callable[[str], Awaitable[None]]


class Cursor:
    """Know which number of a conversation comes next on one socket."""

    __slots__ = ("_since", "closed", "conversation", "for_visitor", "last")

    def __init__(self, conversation: UUID, after: int, *, for_visitor: bool, since: int | None = None) -> None:
        self.conversation = conversation
        self.last = after
        self._since = since
        self.for_visitor = for_visitor
        self.closed = False

    def number_of(self, rendered: Rendered) -> int | None:
        """Return the event's number on this side."""
        return rendered.event.visitor_seq if self.for_visitor else rendered.event.staff_seq

    def text_of(self, rendered: Rendered) -> str | None:
        """Return the frame for this side."""
        return rendered.visitor_text if self.for_visitor else rendered.staff_text

    def next_text(self, rendered: Rendered) -> str | None:
        """Return the frame of an event that was handed over, if it comes next and can be read, and move on."""
        return self.text_of(rendered) if not rendered.unreadable and self.take(rendered) else None

    def take(self, rendered: Rendered) -> bool:
        """Move on if an event comes next; tell whether it did."""
        number = self.number_of(rendered)
        if number != self.last + 1:
            return False
        self.last = number
        self._look_for_return(rendered)
        return True

    def holds(self, rendered: Rendered) -> bool:
        """Tell whether the page has this text already."""
        number = self.number_of(rendered)
        return rendered.event.kind != "fact" and number is not None and number <= self.last

    def must_read(self, rendered: Rendered) -> bool:
        """Tell whether the log must be asked: something before this event is missing, or it cannot be opened.

        A text that cannot be opened may have been spoilt on its way only.
        """
        number = self.number_of(rendered)
        return number is not None and (number > self.last + 1 or (number == self.last + 1 and rendered.unreadable))

    def steps(self, rendered: Rendered) -> Iterator[str]:
        """Yield the frames up to a line of the log, and move on; absent numbers before it are placeholders."""
        number = self.number_of(rendered)
        if number is None or number <= self.last:
            return
        yield from self.steps_over(number - 1, rendered.event.at)
        if number == self.last + 1:
            text = self.text_of(rendered)
            self.last = number
            if text is not None:
                yield text
            self._look_for_return(rendered)

    def _look_for_return(self, rendered: Rendered) -> None:
        """Go no further once somebody came back by words after this page's token was given (`since`).

        The return has a number of the visitor's, so nothing that was written later gets past it.
        """
        number = self.number_of(rendered) or 0
        if rendered.event.code == "came_back" and self._since is not None and number > self._since:
            self.closed = True

    def steps_over(self, number: int, at: datetime) -> Iterator[str]:
        """Yield a placeholder for each number up to this one, which the log should hold and does not."""
        if number <= self.last:
            return
        if _first_time(self.conversation, number):
            logger.error("the log of conversation %s lacks lines up to number %s", self.conversation, number)
        if number - self.last > MOST_ABSENT:
            return
        while self.last < number:
            self.last += 1
            yield frames.absent(self.conversation, self.last, at, for_visitor=self.for_visitor)


async def read_on(cursor: Cursor, send: SendText, *, head: int = 0) -> None:
    """Send from the log everything beyond a cursor, up to `head` at least: ends also when the log has holes."""
    work = in_visitor_db if cursor.for_visitor else in_db
    whole = False
    while not whole:
        lines, whole = await work(_lines_after, cursor.conversation, cursor.last, for_visitor=cursor.for_visitor)
        before = cursor.last
        await _send(cursor, lines, send)
        if cursor.closed:
            return
        if cursor.last == before:
            break
    for text in cursor.steps_over(head, base.now()):
        await send(text)


async def send_events(cursor: Cursor, events: list[StoredEvent], send: SendText) -> None:
    """Send some lines of the log that come next."""
    work = in_visitor_db if cursor.for_visitor else in_db
    await _send(cursor, await work(rendered_from_log, cursor.conversation, events), send)


def _lines_after(conversation: UUID, after: int, *, for_visitor: bool) -> tuple[list[Rendered], bool]:
    """Return a page of the log, and whether it is the last: what is written later is told to who follows."""
    page = events_after(conversation, after, for_visitor=for_visitor)
    return rendered_from_log(conversation, page), is_last(page)


async def _send(cursor: Cursor, rendered_lines: list[Rendered], send: SendText) -> None:
    lines = deque(rendered_lines)
    rendered_lines.clear()
    while lines:
        # let go of line by line: a page that reads slowly, or never, keeps no opened text here
        rendered = lines.popleft()
        for text in cursor.steps(rendered):
            if cursor.closed:
                return
            await send(text)
        if rendered.forged:
            await _tell_forged(rendered.event)


async def send_back(
    conversation: UUID, before: int, events: list[StoredEvent], send: SendText, *, for_visitor: bool
) -> None:
    """Send the page of lines before a number, newest first; what the log lacks of it is a placeholder."""
    work = in_visitor_db if for_visitor else in_db
    side = Cursor(conversation, before, for_visitor=for_visitor)
    held = {side.number_of(one): one for one in await work(rendered_from_log, conversation, events)}
    for number in range(before - 1, max(0, before - 1 - MOST_MISSED), -1):
        rendered = held.get(number)
        text = None if rendered is None else side.text_of(rendered)
        await send(text or frames.absent(conversation, number, base.now(), for_visitor=for_visitor))
        if rendered is not None and rendered.forged:
            await _tell_forged(rendered.event)


def rendered_by(done: Done[Any]) -> Rendered | None:
    """Return the text that a command wrote, ready to be sent: what was just sealed need not be opened again."""
    return None if done.said is None else Rendered(done.events[0], None, said=done.said)


def rendered_from_log(conversation: UUID, events: list[StoredEvent]) -> list[Rendered]:
    """Return lines to be sent; without their key, or with another in its place, their texts are unreadable.

    Raises `ProviderDown` while the key cannot be reached: that passes, and then the text is read.
    """
    try:
        sealer = log.opener_of(conversation, events)
    except (KeyGone, EpochGone):
        return [Rendered(event, None) for event in events]
    except NotAuthentic:
        return [Rendered(event, None, forged=True) for event in events]
    return [Rendered(event, sealer) for event in events]


async def _tell_forged(event: StoredEvent) -> None:
    if not _first_time(event.conversation, -event.staff_seq):
        return
    try:
        await in_db(note_forged, conversation_id=event.conversation, number=event.staff_seq, now=base.now())
    except Exception as error:
        # the next reader of this line tells it; what follows it is sent all the same
        _told.pop((event.conversation, -event.staff_seq), None)
        logger.error("a forged record is not in the trail", exc_info=error)


_told: OrderedDict[tuple[UUID, int], None] = OrderedDict()


def _first_time(conversation: UUID, number: int) -> bool:
    """Tell whether this process says so of this number for the first time."""
    if (conversation, number) in _told:
        return False
    _told[conversation, number] = None
    if len(_told) > _MOST_TOLD:
        _told.popitem(last=False)
    return True
