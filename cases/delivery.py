"""Carry the outbox into contacts and cases: each item once, whatever order and however many workers.

An item's effect and its mark of delivery are one transaction, and the entry that it makes carries its id, which is
unique. Handlers read rows and merge by time, so an item that overtakes another changes nothing in the end.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import OperationalError, connection, transaction

from audit.services import record
from cases.core.delivery import AFTER_OUTAGE, back_off
from cases.core.timeline import Code
from cases.models import Case, Contact, Entry
from cases.selectors import case_subject, entry_binding
from cases.services import file_case, file_contact
from chat.core.actors import System
from chat.models import Conversation, OutboxItem
from chat.selectors import conversation_for
from crisis.selectors import escalation_for, reason_of, settlement_of
from crisis.services.external import consulted_text, told_text
from encryption.providers import EpochGone, ProviderDown
from encryption.services import sealer_for, sealing
from encryption.text import Secret
from staff.models import User
from staff.permissions import Action

logger = logging.getLogger(__name__)

Handler = Callable[[OutboxItem, datetime], None]


class UnknownTopic(Exception):
    """Report an item that nobody here knows how to handle."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Show an item that could not be handed over: no content of it."""

    id: int
    topic: str
    created_at: datetime
    attempts: int


def deliver_due(*, now: datetime, limit: int = 100) -> int:
    """Hand over the items that are due, oldest first; return how many arrived.

    One that fails is tried again later with a growing pause and holds no other one up. While the key provider is down
    it is asked once and what needs keys waits untouched, so that no row stays locked behind its time-outs.
    """
    due = OutboxItem.objects.filter(delivered_at=None, dead=False, due_at__lte=now).order_by("pk")
    # read without a lock first, so that an idle worker does not take SQLite's only write lock every second
    arrived, keys = 0, None
    for pk, topic in list(due.values_list("pk", "topic")[:limit]):
        if topic in NEED_KEYS:
            keys = keys_answer() if keys is None else keys
            if not keys:
                continue
        try:
            arrived += _deliver(pk, now)
        except ProviderDown:
            keys = False
    return arrived


def given_up() -> tuple[GivenUp, ...]:
    """Return the items that are not tried any more, oldest first."""
    rows = OutboxItem.objects.filter(dead=True, delivered_at=None).order_by("pk")
    return tuple(GivenUp(row.pk, row.topic, row.created_at, row.attempts) for row in rows)


def revive(*, now: datetime) -> int:
    """Try everything again that was given up; return how much that is."""
    with transaction.atomic():
        rows = OutboxItem.objects.filter(dead=True, delivered_at=None)
        ids = list(rows.values_list("pk", flat=True))
        rows.filter(pk__in=ids).update(dead=False, attempts=0, due_at=now)
        if ids:
            record(actor="system", action="outbox.revived", subject="site", data={"items": len(ids)}, now=now)
    return len(ids)


def keys_answer() -> bool:
    """Ask the key provider for something small, before any lock is taken."""
    try:
        sealing.provider().list_epochs()
    except ProviderDown:
        logger.warning("the key provider is down: escalations wait to be written into cases")
        return False
    return True


def _deliver(item_id: int, now: datetime) -> bool:
    """Hand one item over in its own transaction; another worker may hold it or have been quicker.

    Raises `ProviderDown`, after the item was put off.
    """
    failed: Exception | None = None
    with transaction.atomic():
        item = _claim(item_id, now)
        if item is None:
            return False
        try:
            with transaction.atomic():
                _handler(item.topic)(item, now)
        except Exception as error:
            failed = error
            _put_off(item, error, now)
        else:
            item.delivered_at = now
            item.save(update_fields=["delivered_at"])
    if isinstance(failed, ProviderDown) and is_outage(failed):
        raise failed
    return failed is None


def is_outage(error: Exception) -> bool:
    """Tell whether a failure is not the item's: keys or database are away. A key that is gone for good is none."""
    return isinstance(error, ProviderDown | OperationalError) and not isinstance(error, EpochGone)


def _claim(item_id: int, now: datetime) -> OutboxItem | None:
    skip = connection.features.has_select_for_update_skip_locked
    rows = OutboxItem.objects.select_for_update(skip_locked=skip)
    return rows.filter(pk=item_id, delivered_at=None, dead=False, due_at__lte=now).first()


def _put_off(item: OutboxItem, error: Exception, now: datetime) -> None:
    """Note a failure. The log names item, topic and type of error; never its words, which may hold a value.

    An outage, however long, is no failure of the item: it is never given up because of one.
    """
    if is_outage(error):
        pause: timedelta | None = AFTER_OUTAGE
    else:
        item.attempts += 1
        pause = back_off(item.attempts)
    if pause is None:
        item.dead = True
        logger.error("outbox item %s (%s) given up after %s attempts", item.pk, item.topic, item.attempts)
    else:
        item.due_at = now + pause
        logger.warning("outbox item %s (%s) failed: %s", item.pk, item.topic, type(error).__name__)
    item.save(update_fields=["attempts", "due_at", "dead"])


def _handler(topic: str) -> Handler:
    handler = HANDLERS.get(topic)
    if handler is None:
        raise UnknownTopic
    return handler


def _escalation(item: OutboxItem, now: datetime) -> None:
    """Open the contact's case or join it, and add the step; a reason is sealed anew under the case's own key."""
    conversation, escalation = escalation_for(System(), UUID(str(item.data["escalation"])), Action.SEE_BOARD, lock=True)
    contact = file_contact(conversation)
    level = int(item.data["level"])
    case = file_case(contact, conversation.handle, opened_at=escalation.raised_at, level=level, now=now)
    code = Code(item.topic.replace(".", "_"))
    text: Secret | None = None
    if code is Code.ESCALATION_RAISED:
        text = reason_of(escalation)
    elif code in {Code.ESCALATION_RESOLVED, Code.ESCALATION_STOOD_DOWN}:
        text = settlement_of(escalation)
    elif code is Code.ESCALATION_EXTERNAL_PROPOSED:
        text = consulted_text(escalation)
    elif code is Code.ESCALATION_EXTERNAL_TOLD:
        text = told_text(escalation)
    _add_entry(item, contact, code, case=case, level=level, text=text, author_id=item.data.get("by"))


def _left_quickly(item: OutboxItem, now: datetime) -> None:
    _add_entry(item, file_contact(_conversation(item)), Code.LEFT_QUICKLY)


def _came_back(item: OutboxItem, now: datetime) -> None:
    _add_entry(item, file_contact(_conversation(item)), Code.CAME_BACK)


def _ended(item: OutboxItem, now: datetime) -> None:
    """Note who ended it; a quick exit has an item of its own."""
    conversation = _conversation(item)
    contact = file_contact(conversation)
    match str(item.data["ended_by"]):
        case "advocate":
            # only who holds it can end it
            _add_entry(item, contact, Code.ENDED_BY_ADVOCATE, author_id=conversation.advocate_id)
        case "visitor":
            _add_entry(item, contact, Code.ENDED_BY_VISITOR)
        case "faded":
            _add_entry(item, contact, Code.FADED)


def _closed(item: OutboxItem, now: datetime) -> None:
    contact = file_contact(_conversation(item))
    _add_entry(item, contact, Code.CONTACT_CLOSED, author_id=int(item.data["by"]))


def _erased(item: OutboxItem, now: datetime) -> None:
    _add_entry(item, file_contact(_conversation(item)), Code.ERASED)


def _conversation(item: OutboxItem) -> Conversation:
    return conversation_for(System(), item.conversation_id, Action.SEE_CONVERSATION, lock=True)


def _add_entry(
    item: OutboxItem,
    contact: Contact,
    code: Code,
    *,
    case: Case | None = None,
    level: int | None = None,
    text: Secret | None = None,
    author_id: int | None = None,
) -> None:
    """Add the item's entry, unless it stands there already."""
    if Entry.objects.filter(source_item=item.pk).exists():
        return
    sealed = None
    if case is not None and text is not None:
        sealed = sealer_for(case_subject(case.pk)).seal(entry_binding(item.pk, code), text.reveal())
    author = User.objects.filter(pk=author_id).first() if author_id is not None else None
    Entry.objects.create(
        contact=contact,
        case=case,
        code=code,
        at=item.created_at,
        level=level,
        author_id=author_id,
        author_name=author.work_name if author else "",
        source_item=item.pk,
        sealed_body=sealed,
    )


HANDLERS: dict[str, Handler] = {
    "escalation.raised": _escalation,
    "escalation.climbed": _escalation,
    "escalation.repeated": _escalation,
    "escalation.paged": _escalation,
    "escalation.unreached": _escalation,
    "escalation.acknowledged": _escalation,
    "escalation.started": _escalation,
    "escalation.external_proposed": _escalation,
    "escalation.external_confirmed": _escalation,
    "escalation.external_told": _escalation,
    "escalation.external_contact": _escalation,
    "escalation.resolved": _escalation,
    "escalation.stood_down": _escalation,
    "conversation.left_quickly": _left_quickly,
    "conversation.came_back": _came_back,
    "conversation.ended": _ended,
    "contact.closed": _closed,
    "conversation.erased": _erased,
}

NEED_KEYS = frozenset(topic for topic in HANDLERS if topic.startswith("escalation."))
"""What seals or unseals a text on its way."""
