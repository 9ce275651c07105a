"""The visitor's page: one address, every state inside it. Sets no cookie and reads none."""

import re
from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from chat.core.text import MOST_CHARACTERS
from chat.selectors import SiteView, site, staffed

LANGUAGES = {"en": "English", "fr": "Français"}
Words = Mapping[str, str]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show the page in the language of the link or of the browser."""
    asked = request.GET.get("l", "")
    language = asked if asked in LANGUAGES else get_language_from_request(request)
    with translation.override(language):
        set_by_site = site()
        context = {
            "site": set_by_site,
            "title": set_by_site.page_title_fr if language == "fr" else set_by_site.page_title_en,
            "neutral": set_by_site.exit_url_fr if language == "fr" else set_by_site.exit_url_en,
            "language": language,
            "languages": LANGUAGES.items(),
            "tel": callable_number(set_by_site.phone),
            "staffed": staffed(timezone.now()),
            "doors": doors(),
            "words": words(set_by_site),
        }
        response = render(request, "frontend/visitor/home.html", context)
    response["Content-Language"] = language
    return response


def callable_number(phone: str) -> str:
    """Return a phone number as a `tel:` address takes it."""
    return re.sub(r"[^0-9+]", "", phone)


def doors() -> tuple[tuple[str, str], ...]:
    """Return the four doors; none is chosen before somebody chooses it."""
    return (
        ("help", _("I need help")),
        ("worried", _("I am worried about someone")),
        ("professional", _("I am here for my work")),
        ("report", _("I want to report something")),
    )


def words(site: SiteView) -> Words:
    """Return every text that the page's script shows."""
    return {
        "connecting": _("One moment."),
        "cannot_connect": _("We cannot connect yet. We keep trying."),
        "line_lost": _("The line dropped. We kept your place. Trying again."),
        "line_back": _("The line is back."),
        "out_of_date": _("This page is too old. Please load it again."),
        "waiting": _("We are getting someone for you."),
        "waiting_more": _("You can already write."),
        "nobody": _("You can already write."),
        "nobody_more": _("Nobody is on shift right now. We do not know how long it takes."),
        "waited_moment": _("Waiting for less than a minute."),
        "waited_one": _("Waiting for one minute."),
        "waited_many": _("Waiting for {n} minutes."),
        "waited_hour": _("Waiting for more than an hour."),
        "long_5": _("Five minutes is a long wait. We are sorry. You keep your place."),
        "long_10": _("You have waited ten minutes. We are sorry. You keep your place.")
        + (" " + _("A call may be faster.") if site.phone else ""),
        "with": _("{name} is with you."),
        "with_someone": _("An advocate is with you."),
        "typing": _("{name} is writing…"),
        "typing_someone": _("The advocate is writing…"),
        "you": _("You"),
        "advocate": _("Advocate"),
        "fact_joined": _("{name} is here."),
        "fact_joined_someone": _("An advocate is here."),
        "fact_returned_to_queue": _("The person with you had to go. We are getting someone else. You keep your place."),
        "fact_ended_by_advocate": _("{name} has ended this conversation."),
        "fact_ended_by_advocate_someone": _("The advocate ended the conversation."),
        "fact_ended_by_visitor": _("You ended the conversation."),
        "fact_gone": _("The line was away for too long. This conversation was closed."),
        "sending": _("Sending"),
        "sent": _("Sent"),
        "unsent": _("Not sent yet"),
        "refused": _("Not sent"),
        "try_again": _("Try again"),
        "put_back": _("Put it back in the box"),
        "left_one": _("One character left"),
        "left_many": _("{n} characters left"),
        "over_one": _("This is one character too long. You can send it in two parts."),
        "over_many": _("This is {n} characters too long. You can send it in two parts."),
        "error_empty": _("There is nothing to send yet."),
        "error_long": _("This message is too long. You can send it in two parts."),
        "error_signs": _("Some signs in this text cannot be sent. Take them out and try again."),
        "error_closed": _("This conversation is closed. The message was not sent."),
        "error_ours": _("This was not sent. The problem is on our side. Please try again."),
        "key_desk": _("Enter sends. Shift and Enter start a new line."),
        "key_phone": _("Enter starts a new line. The button sends."),
        "confirm_unsent": _("Your last message is not sent yet."),
        "uncovered": _("There is a new message."),
    } | {"most": str(MOST_CHARACTERS)}
