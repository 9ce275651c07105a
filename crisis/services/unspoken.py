"""Call for help because of what was not said: one look a second, by any number of workers.

Most of the time nothing is due, and a look is three short readings. Only what is left of them is looked at again under
its conversation's lock.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Max, Q

from chat.core.actors import Staff, System
from chat.core.conversation import OPEN
from chat.core.errors import ErrorCode, Refused
from chat.log import StoredEvent
from chat.models import Conversation, Event
from chat.selectors import conversation_for
from chat.services import Done
from chat.services.queue import each
from crisis.because import because, because_of_voice
from crisis.core.ladder import LEVELS, UNSETTLED, URGENT, Told, first_due
from crisis.core.unspoken import UNSPOKEN, Cue, Source, Standing, asked_too_lately, cues, episode_of
from crisis.models import Escalation
from crisis.selectors import EscalationView, ladder, reason_binding, reason_subject, silent_after, view_of
from crisis.services.calls import borrowed, call, keys_answer
from crisis.services.escalations import raise_escalation
from encryption.services import create_data_key
from staff.permissions import Action
from staff.selectors import LEASE

_FIELDS = tuple(field for field in Standing.__dataclass_fields__ if field != "lost_since")


def raise_unspoken(*, now: datetime) -> Done[int]:
    """Call for help because of exits, silences and returns that nobody was called for yet; return how many did.

    One that fails, or whose conversation somebody holds just now, is looked at again in a second.
    """
    after = silent_after()
    due = [(pk, one, cue) for pk, one in _watched() for cue in cues(one, now, after)]
    called = _called({pk for pk, _, _ in due})
    # of two in one conversation the graver one first; the other one comes with the next look
    fresh: dict[UUID, Cue] = {}
    for pk, one, cue in due:
        if (pk, cue.episode) not in called and _holds(pk, one, cue, now, after):
            fresh[pk] = max(fresh.get(pk, cue), cue, key=lambda one: one.level)
    return each(fresh, lambda pk: _call(pk, fresh[pk], now))


def mark_changed_voice(*, actor: Staff, conversation_id: UUID, now: datetime) -> Done[EscalationView]:
    """Consult a supervisor because somebody else may be writing; one that is open is not called twice, whoever marks.

    Raises what `raise_escalation` raises.
    """
    conversation_for(actor, conversation_id, Action.RAISE_FLAG)
    calls = Escalation.objects.filter(conversation=conversation_id, source=Source.VOICE)
    known = calls.filter(state__in=UNSETTLED).first()
    if known is not None:
        return Done(view_of(known))
    try:
        return raise_escalation(
            actor=actor,
            conversation_id=conversation_id,
            level=min(LEVELS),
            reason=because_of_voice(),
            # the same for two who mark it in one moment
            client_id=episode_of(Source.VOICE, str(calls.count())),
            now=now,
            source=Source.VOICE,
        )
    except Refused as refused:
        if refused.code is not ErrorCode.ID_REUSED:
            raise
        # a colleague was quicker
        return Done(view_of(calls.latest("raised_at")))


def _watched() -> Iterable[tuple[UUID, Standing]]:
    """Return how every conversation stands that is in danger, or whose visitor came back and is not known yet."""
    urgent = Escalation.objects.filter(state__in=UNSETTLED, level__gte=URGENT).values("conversation_id")
    returned = Conversation.objects.filter(state__in=OPEN, return_open=True)
    in_danger = Conversation.objects.filter(Q(state__in=OPEN) | Q(ended_by="left_quickly"), pk__in=urgent)
    # values and not objects: on a bad day these are many, and this is done each second
    found = (row for rows in (returned, in_danger) for row in rows.values_list("pk", "visitor_seen_at", *_FIELDS))
    return {pk: _standing(seen, values) for pk, seen, *values in found}.items()


def _called(pks: set[UUID]) -> set[tuple[UUID, str]]:
    """Return for which exits, silences and returns of these conversations somebody was called."""
    rows = Escalation.objects.filter(conversation__in=pks, source__in=UNSPOKEN) if pks else Escalation.objects.none()
    return set(rows.values_list("conversation_id", "client_id"))


def _holds(pk: UUID, one: Standing, cue: Cue, now: datetime, after: timedelta) -> bool:
    """Tell by the log whether a cue is one: its lines stand in the order in which things happened."""
    events = Event.objects.filter(conversation=pk)
    if cue.source is Source.LEFT:
        exits = events.filter(code="left_quickly").order_by("-staff_seq").values_list("staff_seq", flat=True)
        before = Escalation.objects.filter(
            conversation=pk, state__in=UNSETTLED, level__gte=URGENT, raised_at__lte=cue.since
        )
        # who is flagged after they left, or was only asked about before, did not leave because of it
        urgent = any(events.filter(level__gte=URGENT, staff_seq__lt=left).exists() for left in exits[:1])
        return urgent and before.exists()
    if cue.source is not Source.SILENCE:
        return True
    if events.filter(code="pause_over", at__gt=now - after, at__lte=now).exists():
        # they could not write until then; one that lies ahead, after a clock was set back, keeps nobody from calling
        return False
    if cue.lost or one.last_staff_at is None:
        return True
    texts = events.filter(kind="message")
    wrote = texts.filter(author_role="visitor").aggregate(last=Max("staff_seq"))["last"] or 0
    asked = texts.filter(author_role="staff", staff_seq__gt=wrote).order_by("staff_seq").values_list("at", flat=True)
    # the row's time is mended when a clock was set back, those of the log are not
    asked_at = min(asked.first() or one.last_staff_at, one.last_staff_at)
    return not asked_too_lately(cue, asked_at, now, after)


def _call(pk: UUID, cue: Cue, now: datetime) -> StoredEvent | None:
    return None if _stands_for(pk, cue) else _raise(pk, cue, now)


def _stands_for(pk: UUID, cue: Cue) -> bool:
    """Let an open call of the same kind stand for this exit, silence or return too: settled, it is not called again."""
    calls = Escalation.objects.filter(conversation=pk, source=cue.source, level__gte=cue.level)
    known = calls.filter(state__in=UNSETTLED).order_by("-raised_at").values_list("pk", flat=True).first()
    if known is None:
        return False
    with transaction.atomic():
        conversation_for(System(), pk, Action.RAISE_FLAG, lock=True, wait=False)
        return bool(calls.filter(pk=known, state__in=UNSETTLED).update(client_id=cue.episode))


def _raise(pk: UUID, cue: Cue, now: datetime) -> StoredEvent | None:
    actor, row, keys, rungs = System(), uuid4(), keys_answer(pk), ladder()
    with transaction.atomic():
        # before the lock is taken, behind which others would wait for the key provider
        own = create_data_key(reason_subject(row), now) if keys else None
        conversation = conversation_for(actor, pk, Action.RAISE_FLAG, lock=True, wait=False)
        calls = Escalation.objects.filter(conversation=conversation)
        called = Q(client_id=cue.episode) | Q(source=cue.source, level__gte=cue.level, state__in=UNSETTLED)
        standing = _standing(conversation.visitor_seen_at, (getattr(conversation, field) for field in _FIELDS))
        if cue not in cues(standing, now, silent_after()) or calls.filter(called).exists():
            # another worker was quicker, or they have written: the key just made belongs to nothing
            transaction.set_rollback(True)
            return None
        escalation = Escalation.objects.create(
            pk=row,
            conversation=conversation,
            level=cue.level,
            raised_level=cue.level,
            source=cue.source,
            client_id=cue.episode,
            sealed_reason=(own or borrowed(conversation)).seal(reason_binding(row), because(cue, now)),
            raised_at=now,
            due_at=first_due(cue.level, now, rungs),
        )
        return call(conversation, escalation, f"cue_{cue.source}", Told.RAISED, actor, now, rungs)


def _standing(seen: datetime, values: Iterable[Any]) -> Standing:
    return Standing(lost_since=seen + LEASE, **dict(zip(_FIELDS, values, strict=True)))
