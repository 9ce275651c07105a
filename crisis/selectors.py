"""Reads of escalations, and the doorway to one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast
from uuid import UUID

from chat.core.actors import Actor
from chat.core.errors import Unseen
from chat.frames import moment
from chat.log import subject_of
from chat.models import Conversation
from chat.protocol import EscalationSummary
from chat.selectors import conversation_for
from crisis.core.ladder import SETTLED, SHIPPED, Ladder, Rung
from crisis.models import Escalation
from crisis.models import Rung as RungRow
from encryption.core.envelope import Binding
from encryption.core.subject import Subject
from encryption.services import KeyGone, Sealer, sealer_for
from encryption.text import Secret
from staff.permissions import Action

StateName = Literal["raised", "acknowledged", "in_progress", "resolved", "stood_down"]


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


def ladder() -> Ladder:
    """Return the ladder as the site has set it, with the shipped rungs where it has set none."""
    own = {row.level: Rung(timedelta(seconds=row.seconds), row.climbs) for row in RungRow.objects.all()}
    return {**SHIPPED, **own}


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
    return conversation, Escalation.objects.get(pk=escalation_id)


def open_levels(conversation: Conversation) -> list[int]:
    """Return the levels of a conversation's escalations that nobody has settled."""
    rows = Escalation.objects.filter(conversation=conversation).exclude(state__in=SETTLED)
    return list(rows.values_list("level", flat=True))


def due_escalations(now: datetime, limit: int) -> list[UUID]:
    """Return the escalations whose clock has run out, the longest overdue first."""
    rows = Escalation.objects.filter(state="raised", due_at__lte=now).order_by("due_at", "pk")
    return list(rows.values_list("pk", flat=True)[:limit])


def open_escalations() -> tuple[EscalationSummary, ...]:
    """Return every open escalation for the overview, oldest first; who may see which is decided there."""
    rows = (
        Escalation.objects.select_related("conversation", "raised_by", "acknowledged_by")
        .exclude(state__in=SETTLED)
        .order_by("raised_at", "pk")
    )
    return tuple(_summary(row) for row in rows)


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


def _summary(row: Escalation) -> EscalationSummary:
    return EscalationSummary(
        id=str(row.pk),
        conversation=str(row.conversation_id),
        handle=row.conversation.handle,
        level=row.level,
        state=cast(StateName, row.state),
        raised_at=moment(row.raised_at),
        raised_by=row.raised_by.work_name if row.raised_by else None,
        due_at=moment(row.due_at) if row.due_at else None,
        climbs=row.climbs,
        acknowledged_by=row.acknowledged_by.work_name if row.acknowledged_by else None,
    )
