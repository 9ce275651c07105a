"""Why an escalation was raised, in the reader's language, with the way to the rules behind it."""

from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils import timezone

from chat import broadcast
from chat.db import in_db
from crisis import services as crisis
from crisis.core.screening.site_rules import SiteRules
from crisis.proving import shipped
from frontend.rule_meanings import Told, told
from frontend.views.api import Nothing, command
from frontend.views.rules import site_now
from staff.permissions import Action, allowed_at_all
from staff.web import StaffRequest


@command(Action.READ_REASON, Nothing)
async def read_reason(request: StaffRequest, pk: UUID, body: Nothing) -> dict[str, Any]:
    """Show why an escalation was raised; the service puts the reading into the trail first."""
    done = await in_db(crisis.read_reason, actor=request.actor, escalation_id=pk, now=timezone.now())
    await broadcast.publish(done.events)
    reason = done.result.reason.reveal()
    # what a person wrote is never read as anything but their words
    why = told(reason) if done.result.by_rules else Told(reason)
    return {"reason": why.text, "rules": await _pages(request, why.rules)}


async def _pages(request: StaffRequest, named: tuple[str, ...]) -> list[dict[str, str]]:
    """Return the rules that there is a page of and that the reader may see; signals have none."""
    if not named or not allowed_at_all(request.actor.role, Action.SEE_RULES):
        return []
    _, site = await site_now()
    there = shipped().rules.keys() | (site or SiteRules()).rules.keys()
    return [{"id": name, "address": reverse("rule", args=[name])} for name in dict.fromkeys(named) if name in there]
