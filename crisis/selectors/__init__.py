"""Reads of escalations, and the doorway to one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast
from uuid import UUID

from audit.services import events_of
from chat.core.actors import Actor
from chat.core.drills import sounds
from chat.core.errors import Unseen
from chat.frames import moment
from chat.log import subject_of
from chat.models import Conversation
from chat.protocol import EndedBy, EscalationSummary
from chat.selectors import conversation_for
from crisis.core.ladder import SETTLED, SHIPPED, Ladder, Pages, Rung, State
from crisis.core.paging import Standing
from crisis.core.unspoken import BY_PEOPLE, SILENT_AFTER
from crisis.models import Escalation, Silence
from crisis.models import Rung as RungRow
from crisis.selectors.external import standing_of
from crisis.selectors.on_call import standings
from encryption.core.envelope import Binding
from encryption.core.subject import Subject
from encryption.services import KeyGone, Sealer, sealer_for
from encryption.text import Secret
from staff.permissions import Action
from staff.selectors import work_names

StateName = Literal["raised", "acknowledged", "in_progress", "resolved", "stood_down"]
SourceName = Literal["person", "voice", "screening", "left", "silence", "returned"]


@dataclass(frozen=True, slots=True)
class EscalationView:
    """Show how an escalation stands, without its reason."""

    id: UUID
    conversation_id: UUID
    level: int
    state: str
    raised_at: datetime
    due_at: datetime | None
    climbs: int


@dataclass(frozen=True, slots=True)
class CallView:
    """Show one call for help: no reason."""

    raised_at: datetime
    level: int
    by_person: bool


@dataclass(frozen=True, slots=True)
class LadderChange:
    """Show one change of the ladder; `name` is empty when a command made it."""

    at: datetime
    name: str
    level: int
    seconds: int
    climbs: bool
    aloud: bool
    pages: str


def ladder() -> Ladder:
    """Return the ladder as the site has set it, with the shipped rungs where it has set none."""
    rows = RungRow.objects.all()
    own = {row.level: Rung(timedelta(seconds=row.seconds), row.climbs, row.aloud, Pages(row.pages)) for row in rows}
    return {**SHIPPED, **own}


def ladder_history(most: int = 20) -> tuple[LadderChange, ...]:
    """Return the latest changes of the ladder as the trail has them, the newest first."""
    links = list(events_of({"ladder.set"}))[-most:]
    by = {link.actor: int(link.actor.partition(":")[2]) for link in links if link.actor.startswith("staff:")}
    names = work_names(by.values())
    return tuple(
        LadderChange(
            at=link.at,
            name=names.get(by.get(link.actor, 0), ""),
            level=int(link.data["level"]),
            seconds=int(link.data["seconds"]),
            climbs=bool(link.data["climbs"]),
            # a change of before says nothing about these
            aloud=bool(link.data.get("aloud", True)),
            pages=str(link.data.get("pages", "")),
        )
        for link in reversed(links)
    )


def silent_after() -> timedelta:
    """Return after how long a silence in danger calls for help, as the site has set it."""
    seconds = Silence.objects.filter(pk=1).values_list("seconds", flat=True).first()
    return SILENT_AFTER if seconds is None else timedelta(seconds=seconds)


def view_of(escalation: Escalation) -> EscalationView:
    """Return an escalation as other rooms and the pages see it."""
    return EscalationView(**{field: getattr(escalation, field) for field in EscalationView.__dataclass_fields__})


def escalation_for(
    actor: Actor, escalation_id: UUID, action: Action, *, lock: bool = False, wait: bool = True
) -> tuple[Conversation, Escalation]:
    """Return an escalation and its conversation for somebody who may do `action`: the only way to one.

    `lock` takes the conversation's row lock, under which alone its escalations change; the escalation is read after
    it. `wait` is as at the conversation's doorway. Raises what that raises, `Unseen` for one that does not exist.
    """
    conversation_id = Escalation.objects.filter(pk=escalation_id).values_list("conversation_id", flat=True).first()
    if conversation_id is None:
        raise Unseen
    conversation = conversation_for(actor, conversation_id, action, lock=lock, wait=wait)
    escalation = Escalation.objects.get(pk=escalation_id)
    # what is asked of its conversation needs no reading of its own
    escalation.conversation = conversation
    return conversation, escalation


def open_levels(conversation: Conversation) -> list[int]:
    """Return the levels of a conversation's escalations that nobody has settled."""
    rows = Escalation.objects.filter(conversation=conversation).exclude(state__in=SETTLED)
    return list(rows.values_list("level", flat=True))


def calls_of(conversation_id: UUID) -> tuple[CallView, ...]:
    """Return when somebody was called for a conversation, how gravely at first, and whether a person did."""
    rows = Escalation.objects.filter(conversation=conversation_id).order_by("raised_at", "pk")
    found = rows.values_list("raised_at", "raised_level", "source")
    return tuple(CallView(at, level, source in BY_PEOPLE) for at, level, source in found)


def due_escalations(now: datetime) -> list[UUID]:
    """Return the escalations whose clock has run out, the longest overdue first."""
    rows = Escalation.objects.filter(state="raised", due_at__lte=now).order_by("due_at", "pk")
    return list(rows.values_list("pk", flat=True))


def longest_overdue(now: datetime) -> timedelta:
    """Return since when the longest overdue clock has run out, nothing when no clock has: a worker acts in a second."""
    due = Escalation.objects.filter(state="raised", due_at__lte=now, conversation__drill="")
    found = due.order_by("due_at").values_list("due_at", flat=True).first()
    return timedelta(0) if found is None else now - found


def open_escalations() -> tuple[EscalationSummary, ...]:
    """Return every open escalation for the overview, oldest first; who may see which is decided there."""
    rows = list(
        Escalation.objects.select_related(
            "conversation", "raised_by", "acknowledged_by", "external", "external__proposed_by"
        )
        .exclude(state__in=SETTLED)
        .order_by("raised_at", "pk")
    )
    if not rows:
        return ()
    rungs, paged = ladder(), standings([row.pk for row in rows if row.state == State.RAISED])
    return tuple(_summary(row, rungs, paged.get(row.pk, Standing.NONE)) for row in rows)


def reason_subject(escalation_id: UUID) -> Subject:
    """Return the subject whose data key seals the reasons of an escalation: it outlives its conversation's."""
    return Subject("escalation", escalation_id)


def reason_binding(escalation_id: UUID) -> Binding:
    """Return what a reason is bound to besides its subject."""
    return Binding(kind="reason", record=str(escalation_id), sequence=0, author_role="staff")


def settlement_binding(escalation_id: UUID) -> Binding:
    """Return what the reason for settling is bound to besides its subject."""
    return Binding(kind="settlement", record=str(escalation_id), sequence=0, author_role="staff")


def sealer_of(escalation: Escalation) -> Sealer:
    """Return what seals and opens the reasons of an escalation; raises what `sealer_for` raises."""
    try:
        return sealer_for(reason_subject(escalation.pk))
    except KeyGone:
        # it was raised while the key provider was away, see `services.raise_escalation`
        return sealer_for(subject_of(escalation.conversation_id))


def reason_of(escalation: Escalation) -> Secret:
    """Return why it was raised. A person gets it only through `services.read_reason`, which tells the trail first."""
    return sealer_of(escalation).unseal(reason_binding(escalation.pk), bytes(escalation.sealed_reason))


def settlement_of(escalation: Escalation) -> Secret | None:
    """Return why it was settled, None while it is open; the same rule as for `reason_of`."""
    if escalation.sealed_settlement is None:
        return None
    return sealer_of(escalation).unseal(settlement_binding(escalation.pk), bytes(escalation.sealed_settlement))


def _summary(row: Escalation, rungs: Ladder, paged: Standing) -> EscalationSummary:
    rung = rungs.get(row.level)
    return EscalationSummary(
        id=str(row.pk),
        conversation=str(row.conversation_id),
        handle=row.conversation.handle,
        level=row.level,
        state=cast(StateName, row.state),
        source=cast(SourceName, row.source),
        raised_at=moment(row.raised_at),
        raised_by=row.raised_by.work_name if row.raised_by else None,
        due_at=moment(row.due_at) if row.due_at else None,
        climbs=row.climbs,
        acknowledged_by=row.acknowledged_by.work_name if row.acknowledged_by else None,
        aloud=(rung is None or rung.aloud) and sounds(row.conversation.drill),
        paged=paged.value,
        external=standing_of(row),
        drill=row.conversation.drill != "",
        raised_level=row.raised_level,
        ended_by=cast(EndedBy, row.conversation.ended_by) if row.conversation.ended_by else None,
    )
