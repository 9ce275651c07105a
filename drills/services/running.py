"""Let scripted visitors go on: once a second, by any number of workers, each step by one of them.

A worker takes a drill for some seconds, does what is next, and notes it. One that vanishes in between leaves a lease
that ends; what it did is then done again, and is harmless twice.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from chat.core.conversation import OPEN, State
from chat.core.errors import ErrorCode, Refused
from chat.log import StoredEvent
from chat.services import Done, note_visitors
from drills.core.ending import LEASE, SIGN_EVERY, TAKEN_WITHIN, Why
from drills.core.progress import Do, Go, Happening, Move, Over, Place, Say, gone_on, next_move
from drills.core.script import Act, Script
from drills.models import Drill
from drills.scripts import script as script_called
from drills.selectors import happened_in, running
from drills.services.ending import finish, settle_late
from drills.services.visitor import Acted, do, say
from encryption.core.envelope import NotAuthentic
from encryption.providers import EpochGone, ProviderDown
from encryption.services import KeyGone

logger = logging.getLogger(__name__)

PASSING = frozenset({ErrorCode.PAUSED, ErrorCode.OURS, ErrorCode.SLOW_DOWN})
"""Refusals after which a visitor's page tries again."""


@dataclass(frozen=True, slots=True)
class Errand:
    """Be what one worker has to do now, outside of every transaction."""

    drill: Drill
    move: Say | Do


def step_drills(*, now: datetime) -> Done[int]:
    """Let every drill go on that has something to do; one that fails is looked at again and holds no other one up."""
    events: list[StoredEvent] = list(settle_late(now=now).events)
    moved = 0
    for pk in running():
        try:
            happened = _step(pk, now)
        except ProviderDown:
            continue
        except Exception as error:
            logger.error("a drill could not go on: %s", type(error).__name__)
            continue
        if happened is not None:
            moved += 1
            events += happened
    return Done(moved, tuple(events))


def _step(pk: UUID, now: datetime) -> tuple[StoredEvent, ...] | None:
    drill = Drill.objects.select_related("conversation").get(pk=pk)
    # before its script is looked for: a drill ends in time whatever is wrong with that
    why = _over(drill, now)
    if why is not None:
        return finish(drill_id=pk, why=why, now=now).events
    script = script_called(drill.language, drill.script)
    if script is None or drill.step not in script.steps:
        return finish(drill_id=pk, why=Why.LOST, now=now).events
    if not drill.away and drill.conversation.visitor_seen_at <= now - SIGN_EVERY:
        note_visitors(here={pk: now}, gone={})
    try:
        taken = _take(drill, script, now)
        if taken is None:
            return None
        if isinstance(taken, Why):
            return finish(drill_id=pk, why=taken, now=now).events
        return _settle(taken, _act(taken, now), now)
    except (KeyGone, EpochGone, NotAuthentic):
        return finish(drill_id=pk, why=Why.LOST, now=now).events


def _over(drill: Drill, now: datetime) -> Why | None:
    """Tell by the clock and by how its conversation stands whether a drill is over."""
    state = State(drill.conversation.state)
    if drill.conversation.ended_by == "advocate":
        return Why.ENDED
    if state not in OPEN and not drill.away:
        return Why.FINISHED
    if now >= drill.ends_by:
        return Why.TIME
    waits = state in {State.WAITING, State.OFFERED} and drill.conversation.accepted_at is None
    return Why.NOBODY if waits and now >= drill.started_at + TAKEN_WITHIN else None


def _take(drill: Drill, script: Script, now: datetime) -> Errand | Why | None:
    """Find what is next, and take it; what only changes the place is done at once.

    The log is read before the drill is locked; it is taken only if nobody has moved it meanwhile.
    """
    if drill.taken_until is not None and now < drill.taken_until <= now + LEASE:
        return None
    # a lease that ends later than it can is one of before the clock was set back
    free = Q(taken_until=None) | Q(taken_until__lte=now) | Q(taken_until__gt=now + LEASE)
    unmoved = free & Q(pk=drill.pk, ended_at=None, step=drill.step, done=drill.done, last_at=drill.last_at)
    steps = len(drill.path)
    move = _next(drill, script, now)
    if isinstance(move, Say | Do):
        drill.taken_until = now + LEASE
    elif len(drill.path) == steps:
        return Why.FINISHED if isinstance(move, Over) else None
    with transaction.atomic():
        if not Drill.objects.select_for_update(no_key=True, skip_locked=True).filter(unmoved).first():
            return None
        drill.save(update_fields=["step", "done", "since", "last_at", "path", "taken_until"])
    if isinstance(move, Say | Do):
        return Errand(drill, move)
    return Why.FINISHED if isinstance(move, Over) else None


def _next(drill: Drill, script: Script, now: datetime) -> Move | None:
    """Return what a visitor does next; where that is to go on to a step, the drill in hand has gone."""
    happened: list[Happening] = []
    for _ in script.steps:
        step = script.steps[drill.step]
        waits = drill.done >= len(step.say) + (step.act is not None)
        if waits and step.then and not happened:
            # who is still writing looks at nothing; the log is read only for who waits
            happened = happened_in(drill, script)
        move = next_move(script, _place(drill), happened, now)
        if not isinstance(move, Go):
            return move
        # what came while the log was read answers this step and not the next one as well
        _go(drill, move, max([drill.conversation.staff_head, *(one.number for one in happened)]), now)
    # steps that lead on at once are gone through in one look, and never round and round
    return None


def _place(drill: Drill) -> Place:
    return Place(drill.step, drill.done, drill.since, drill.last_at)


def _go(drill: Drill, move: Go, head: int, now: datetime) -> None:
    gone = gone_on(_place(drill), move, head, now)
    drill.step, drill.done, drill.since, drill.last_at = gone.step, gone.done, gone.since, gone.last_at
    drill.path = [*drill.path, [gone.step, now.isoformat()]]


def _act(errand: Errand, now: datetime) -> Acted | None:
    """Do it as the visitor; None when that is not possible now and is tried again."""
    try:
        return (
            say(errand.drill, errand.move, now)
            if isinstance(errand.move, Say)
            else do(errand.drill, errand.move.act, now)
        )
    except Refused as refused:
        if refused.code in PASSING:
            return None
        return Acted(worked=False)


def _settle(errand: Errand, acted: Acted | None, now: datetime) -> tuple[StoredEvent, ...] | None:
    """Note what was done, unless another worker has taken the drill since, whose lease came after this one."""
    drill = errand.drill
    mine = Drill.objects.filter(
        pk=drill.pk, step=drill.step, done=drill.done, taken_until=drill.taken_until, ended_at=None
    )
    if acted is None:
        mine.update(taken_until=None, last_at=now)
        return None
    if not acted.worked:
        return finish(drill_id=drill.pk, why=Why.FINISHED, now=now).events
    changed: dict[str, object] = {"done": drill.done + 1, "last_at": now, "taken_until": None}
    if acted.sealed is not None:
        changed["sealed_visitor"] = acted.sealed
    if isinstance(errand.move, Do) and errand.move.act in {Act.LEAVE, Act.RETURN}:
        changed["away"] = errand.move.act is Act.LEAVE
    mine.update(**changed)
    return acted.events
