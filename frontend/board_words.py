"""Words of the supervisor's board only; `staff_words` puts them together with what it shares with the console."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from frontend.drill_words import drills_run
from frontend.duty_words import agency_names

Words = Mapping[str, str | Mapping[str, str]]


def rows_of_the_board() -> Words:
    """Return what stands on the board's rows and around them."""
    return {**_news(), **drills_run(), **_escalations(), **_outside(), **_taking()}


def _news() -> Words:
    return {
        "as_at": _("As at {at}"),
        "no_news_yet": _("No news yet"),
        "stale": _("STALE since {at}: the server is silent. What you see may be wrong."),
        "longest": _("longest: {age}"),
        "alarm": _("New escalation: {name}, {level}."),
        "alarm_climbed": _("Nobody answered: {name}, {level}."),
        "alarm_many": {"one": _("{n} escalation waits for you."), "other": _("{n} escalations wait for you.")},
        "alarm_first": _("First: {name}, {level}."),
        "alarm_gravest": _("Gravest: {name}, {level}."),
        "not_acknowledged": _("Not acknowledged: {name}, {level}."),
        "not_acknowledged_many": {
            "one": _("{n} escalation is not acknowledged."),
            "other": _("{n} escalations are not acknowledged."),
        },
    }


def _taking() -> Words:
    return {
        "board_taken": _("You have taken {name}. Write to them in the console."),
        # on the console itself only the second can be so
        "error_not_available": _(
            "Your console is not open, or you are away. Open it, and choose “Ready” or “Busy” there."
        ),
    }


def _escalations() -> Words:
    return {
        "raised_by": _("Raised by {name}."),
        "raised_by_clock": _("Raised by a rule."),
        "escalation_raised": _("Nobody has acknowledged it yet."),
        "escalation_acknowledged": _("{name} acknowledged it."),
        "escalation_in_progress": _("{name} is working on it."),
        "escalation_gone": _("Settled."),
        "at_first": _("It was {level} at first."),
        "over_visitor": _("The visitor ended the conversation."),
        "over_advocate": _("An advocate ended the conversation."),
        "over_left_quickly": _("The visitor left quickly. Do not try to reach them."),
        "over_faded": _("The visitor was not seen for a long time."),
        "climbed": {"one": _("Nobody answered in time once."), "other": _("Nobody answered in time {n} times.")},
        "due_in": {"one": _("Alerts again in {n} second."), "other": _("Alerts again in {n} seconds.")},
        "due_in_minutes": _("Alerts again in {minutes} min {seconds} s."),
        "free": {"one": _("{n} with a free place"), "other": _("{n} with free places")},
        "free_urgent": _("An urgent conversation takes all places."),
        "overdue": _("Overdue."),
        "paged_calling": _("Who is on call is being paged."),
        "paged_reached": _("A page reached who is on call."),
        "paged_unreached": _("Nobody on call was reached."),
        "reason_show": _("Show reason"),
        "reason_hide": _("Hide reason"),
        "because_it_says": _("Because it says:"),
        "reason_rules": _("Rules:"),
        "watch": _("Watch"),
        "watch_name": _("Watch {name}"),
        "watching": _("Watching {name}"),
        "nobody_yet": _("nobody yet"),
        "note_saved": _("The note is saved."),
    }


def _outside() -> Words:
    return {
        "external_about": _("{name} proposed to tell {agency}."),
        "external_second": _("Open task: a second person has to confirm it."),
        "external_call": _("Confirmed. Open task: call, and write down who was told."),
        "external_ask": _("They were told. Open task: has contact been made?"),
        "external_contact": _("Contact is confirmed."),
        "external_new": _("Tell somebody outside…"),
        "external_open": _("Open the record"),
        "new_tab": _("(opens in a new tab)"),
        **{f"agency_{code}": word for code, word in agency_names().items()},
    }


def settling() -> Words:
    """Return the steps of an escalation, and what is asked and said about them."""
    return {
        "step_acknowledge": _("Acknowledge"),
        "step_start": _("Start work"),
        "step_resolve": _("Resolve"),
        "step_stand-down": _("Stand down"),
        "button_about": _("{what}: {name}"),
        "ask_resolve": _("Resolve the escalation of {name}?"),
        "ask_resolve_text": _("Resolved means that what was needed has been done."),
        "ask_stand-down": _("Stand the escalation of {name} down?"),
        "ask_stand-down_text": _("Stood down means that it was not needed, or no longer is."),
        "ask_reason": _("Reason (only staff see this)"),
        "done_acknowledge": _("You have acknowledged the escalation of {name}."),
        "done_start": _("You are working on the escalation of {name}."),
        "done_resolve": _("The escalation of {name} is resolved."),
        "done_stand-down": _("The escalation of {name} is stood down."),
    }
