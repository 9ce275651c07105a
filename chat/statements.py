"""The statements that write a batch of texts, for either database; the rules are in `chat.services.posting`.

The ORM prepares every value of every row anew and cannot join with a list of rows. PostgreSQL takes each batch as one
statement over arrays; SQLite, which runs in this process, takes row after row.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection

Text = tuple[UUID, int, int | None, str, str, int | None, str, str | None, bytes | None, datetime]
"""Conversation, number for staff, number for the visitor, kind, author's role and id, sender, client id, body, time."""
Count = tuple[UUID, int, int, datetime | None, datetime | None]
"""Conversation, newest number for staff and for the visitor, when the visitor wrote and when staff did."""


def heads(ids: Collection[UUID], *, wait: bool) -> list[Sequence[Any]]:
    """Lock conversations in the order of their ids and return what their writers need, as `chat.log.Head` has it."""
    if _is_postgres():
        locking = "FOR NO KEY UPDATE" + ("" if wait else " SKIP LOCKED")
        return _rows(f"{_HEADS} WHERE id = ANY(%s) ORDER BY id {locking}", [list(ids)])
    # SQLite has one writer at a time, no row locks, and times in UTC that do not say so
    rows = _rows(f"{_HEADS} WHERE id IN ({_places(len(ids))}) ORDER BY id", [pk.hex for pk in ids])
    return [(UUID(hex=pk), *rest, paused and paused.replace(tzinfo=UTC)) for pk, *rest, paused in rows]


def repeats(keys: Collection[tuple[UUID, str, str]]) -> list[int]:
    """Return the events that were written under one of these keys: one look at the index for each."""
    values: list[Any]
    if _is_postgres():
        wanted, values = "unnest(%s::uuid[], %s::text[], %s::text[])", _columns(keys)
    else:
        wanted = f"(VALUES {', '.join([f'({_places(3)})'] * len(keys))})"
        values = [part for conversation, *rest in keys for part in (conversation.hex, *rest)]
    return [row[0] for row in _rows(_REPEATS.format(wanted=wanted), values)]


def insert(texts: Sequence[Text], counts: Sequence[Count]) -> None:
    """Write texts, and how far their conversations have got."""
    with connection.cursor() as cursor:
        if _is_postgres():
            cursor.execute(_INSERT_ALL, _columns(texts))
            cursor.execute(_COUNT_ALL, _columns(counts))
            return
        as_kept = connection.ops.adapt_datetimefield_value
        times = {at: as_kept(at) for at in {text[-1] for text in texts}} | {None: None}
        ids = {count[0]: count[0].hex for count in counts}
        cursor.executemany(_INSERT, [(ids[pk], *rest, times[at]) for pk, *rest, at in texts])
        cursor.executemany(
            _COUNT,
            [
                (staff, visitor, times[by_visitor], times[by_visitor], times[by_staff], ids[pk])
                for pk, staff, visitor, by_visitor, by_staff in counts
            ],
        )


def _is_postgres() -> bool:
    return connection.vendor == "postgresql"


def _places(count: int) -> str:
    return ", ".join(["%s"] * count)


def _columns(rows: Collection[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _rows(query: str, values: Sequence[Any]) -> list[Sequence[Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return list(cursor.fetchall())


_HEADS = """SELECT id, state, advocate_id, level, staff_head, visitor_head, return_seq,
    erase_asked_at IS NULL AND sealed_footer IS NULL AND purged_at IS NULL, paused_until FROM chat_conversation"""
_REPEATS = """WITH wanted (conversation, sender, client) AS (SELECT * FROM {wanted} AS given)
    SELECT event.id FROM wanted JOIN chat_event event ON event.conversation_id = wanted.conversation
    AND event.sender = wanted.sender AND event.client_id = wanted.client"""
_INSERT = """INSERT INTO chat_event (conversation_id, staff_seq, visitor_seq, kind, author_role, author_id, sender,
    client_id, sealed_body, at, code, level) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '', NULL)"""
_INSERT_ALL = """INSERT INTO chat_event (conversation_id, staff_seq, visitor_seq, kind, author_role, author_id, sender,
    client_id, sealed_body, at, code, level) SELECT *, '', NULL FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[],
    %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::bytea[], %s::timestamptz[])"""
_COUNT = """UPDATE chat_conversation SET staff_head = %s, visitor_head = %s,
    last_visitor_at = COALESCE(%s, last_visitor_at), visitor_seen_at = COALESCE(%s, visitor_seen_at),
    last_staff_at = COALESCE(%s, last_staff_at) WHERE id = %s"""
_COUNT_ALL = """UPDATE chat_conversation row SET staff_head = new.staff, visitor_head = new.visitor,
    last_visitor_at = COALESCE(new.by_visitor, row.last_visitor_at),
    visitor_seen_at = COALESCE(new.by_visitor, row.visitor_seen_at),
    last_staff_at = COALESCE(new.by_staff, row.last_staff_at)
    FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
    AS new (id, staff, visitor, by_visitor, by_staff) WHERE row.id = new.id"""
