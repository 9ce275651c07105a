"""Whether holds and removed texts are what the audit trail says of them; shows no text and changes nothing."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from audit.core import Link
from audit.services import events_of
from chat.models import Conversation, Hold, HoldEnd
from encryption.core import life

ASKED, CONFIRMED, LET_GO, END_ASKED = "hold.asked", "hold.confirmed", "hold.ended", "hold.end_asked"
ENDED = (LET_GO, "hold.withdrawn", "hold.lapsed")
PURGED, SHREDDED, DESTROYED, ENDING = "texts.purged", "key.shredded", "epoch.destroyed", "epoch.ending"


def unborne() -> list[str]:
    """Return each hold and each removal of texts that database and trail tell differently; empty if all is well."""
    return sorted([*_holds(), *_ends(), *_purges()])


def _holds() -> Iterator[str]:
    """Yield what an UPDATE made of a hold: its end would destroy its key, and its day is its key's name."""
    told: dict[str, dict[str, Link]] = {"asked": {}, "confirmed": {}, "ended": {}}
    for link in events_of([ASKED, CONFIRMED, *ENDED]):
        state = "ended" if link.action in ENDED else link.action.partition(".")[2]
        told[state][str(link.data.get("hold", ""))] = link
    rows = {str(row.pk): row for row in Hold.objects.all()}
    for name, row in rows.items():
        states = {"asked": True, "confirmed": row.confirmed_at is not None, "ended": row.ended_at is not None}
        for state, now in states.items():
            event = told[state].get(name)
            if now and event is None:
                yield f"hold {name}: {state} in the database, and no event says so"
            elif event is not None and not now:
                yield f"hold {name}: {state} by event {event.id}, and the database says otherwise"
            elif event is not None and event.subject != f"conversation:{row.conversation_id}":
                yield f"hold {name}: {state} by event {event.id}, for another conversation"
            elif event is not None and event.data.get("until", row.until.isoformat()) != row.until.isoformat():
                yield f"hold {name}: its last day is not that of event {event.id}"
        if row.confirmed_at is not None and (event := told["ended"].get(name)) and event.action != LET_GO:
            yield f"hold {name}: confirmed, and ended by event {event.id} as if it never was"
    for name in told["asked"].keys() - rows.keys():
        yield f"hold {name}: asked for by event {told['asked'][name].id}, and is gone"


def _ends() -> Iterator[str]:
    """Yield each end of a hold before its day that two people did not agree on, as far as trail and database know."""
    asked: dict[str, Link] = {}
    ended: dict[str, Link] = {}
    for link in events_of([END_ASKED, LET_GO]):
        # an end of before two people were asked for names no wish
        if end := str(link.data.get("end", "")):
            (asked if link.action == END_ASKED else ended)[end] = link
    for row in HoldEnd.objects.all():
        if str(row.pk) not in asked:
            yield f"end {row.pk} of hold {row.hold_id}: asked for in the database, and no event says so"
        if row.confirmed_by_id is not None and str(row.pk) not in ended:
            yield f"end {row.pk} of hold {row.hold_id}: confirmed in the database, and no event says so"
    for name, link in ended.items():
        first = asked.get(name)
        if first is None or first.actor == link.actor or first.data.get("hold") != link.data.get("hold"):
            yield f"hold {link.data.get('hold')}: ended by event {link.id}, and no second person had asked for it"


def _purges() -> Iterator[str]:
    """Yield the conversations whose texts went although nothing in the trail had ended their key before."""
    ended = dict(Conversation.objects.values_list("pk", "ended_at"))
    counts: dict[str, int] = {}
    destroyed: list[str] = []
    accounted: set[str] = set()
    for link in events_of([PURGED, SHREDDED, DESTROYED, ENDING]):
        name = link.subject.partition(":")[2]
        if link.action == ENDING:
            counts[name] = max(counts.get(name, 0), int(link.data.get("wraps", 0)))
        elif link.action == DESTROYED:
            destroyed.append(name)
        elif link.action == SHREDDED:
            accounted.add(name)
        elif name not in accounted:
            accounted.add(name)
            if not _may_have_ended(ended.get(UUID(name)), [one for one in destroyed if counts.get(one)]):
                yield f"conversation {name}: texts removed by event {link.id}, and no receipt says that its key was"
    purged = Conversation.objects.filter(purged_at__isnull=False).values_list("pk", flat=True)
    for pk in purged:
        if str(pk) not in accounted:
            yield f"conversation {pk}: texts removed, and no event says so"


def _may_have_ended(at: datetime | None, destroyed: list[str]) -> bool:
    """Tell whether one of some destroyed keys outlived the end of a conversation, so that it can have been its last."""
    for epoch in destroyed:
        dies = life.dies_at(epoch)
        if dies is not None and (at is None or dies > at):
            return True
    return False
