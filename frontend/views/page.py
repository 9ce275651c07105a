"""The frame that every page of staff stands in."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from staff.permissions import Action, allowed_at_all
from staff.web import StaffRequest

_INSIDE = {"ladder": "on_call", "rule_versions": "rules"}
"""Pages that no link of the bar leads to, with the one that is shown as where they are."""


def staff_page(request: StaffRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """Render a page for somebody who passed the door; it is kept by no cache."""
    role = request.actor.role
    links = [
        ("console", _("Console"), Action.USE_CONSOLE),
        ("board", _("Board"), Action.SEE_BOARD),
        ("cases", _("Cases"), Action.LIST_CASES),
        ("archive", _("Archive"), Action.READ_ARCHIVE),
        ("on_call", _("On call"), Action.SEE_ON_CALL),
        ("duty", _("Duty to report"), Action.SEE_DUTY),
        # a supervisor, who looks and changes nothing, comes to it from the levels
        ("rules", _("Screening rules"), Action.SET_RULES),
        ("drills", _("Drills"), Action.SEE_DRILLS),
    ]
    here = context.get("here")
    frame = {
        "person": request.person,
        "links": [(reverse(name), word, name) for name, word, action in links if allowed_at_all(role, action)],
        "section": _INSIDE.get(here, here) if isinstance(here, str) else None,
        "other_language": "fr" if request.actor.language == "en" else "en",
    }
    response = render(request, f"frontend/staff/{template}.html", frame | context, status=status)
    response["Cache-Control"] = "no-store"
    return response
