"""The visitor's page: one address, every state inside it. Sets no cookie and reads none (`plain` has its own)."""

import re
import secrets
from collections.abc import Mapping
from datetime import timedelta

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods

from chat.core.text import MOST_CHARACTERS
from chat.selectors import SiteView, is_full, keep_for, site, staffed
from chat.selectors.outlook import outlook
from encryption.core.life import expiry_day

LANGUAGES = {"en": "English", "fr": "Français"}
MOST_FORM_BYTES = 256
Words = Mapping[str, str]


# exempt: another organisation's form may open this page; it changes nothing, sets no cookie and reads none
@csrf_exempt
# packed: nothing secret stands here, and of what was sent only a language and a door: its size gives nothing away
@gzip_page
@require_http_methods(["GET", "HEAD", "POST"])
def home(request: HttpRequest) -> HttpResponse:
    """Show the page in the language of the link or of the browser.

    A form of another site opens it as well, with the door chosen: Firefox then lists no visit (docs/embedding.md). A
    door stands in no address, which a history would keep.
    """
    form = _form(request)
    asked = form.get("l", "") or request.GET.get("l", "")
    language = asked if asked in LANGUAGES else get_language_from_request(request)
    with translation.override(language):
        set_by_site, now = site(), timezone.now()
        full = set_by_site.open and is_full()
        context = {
            "site": set_by_site,
            "title": set_by_site.page_title_fr if language == "fr" else set_by_site.page_title_en,
            "neutral": set_by_site.exit_url_fr if language == "fr" else set_by_site.exit_url_en,
            "language": language,
            "languages": LANGUAGES.items(),
            "tel": callable_number(set_by_site.phone),
            "interpreters": callable_number(set_by_site.interpreters_phone),
            "open": set_by_site.open and not full,
            "full": full,
            "staffed": staffed(now),
            "language_read": not set_by_site.open or outlook(now).is_read(language),
            "doors": doors(),
            "chosen": form.get("d", ""),
            "for_work": for_work(set_by_site, language),
            "words": words(set_by_site),
            "fresh": secrets.token_urlsafe(32),
            "copy_days": days_of_a_copy(keep_for()) if set_by_site.visitor_may_erase else 0,
        }
        response = render(request, "frontend/visitor/home.html", context)
    response["Content-Language"] = language
    return response


def _form(request: HttpRequest) -> QueryDict:
    """Return the fields of a small form; nothing of anything larger or of another make is read."""
    length = request.headers.get("Content-Length", "")
    small = length.isascii() and length.isdigit() and int(length) <= MOST_FORM_BYTES
    if request.method != "POST" or not small or request.content_type != "application/x-www-form-urlencoded":
        return QueryDict()
    return request.POST


def callable_number(phone: str) -> str:
    """Return a phone number as a `tel:` address takes it."""
    return re.sub(r"[^0-9+]", "", phone)


def days_of_a_copy(keep: timedelta) -> int:
    """Return for how many days at most a backup can hold a copy, locked, of what was erased.

    Its wrap for daily work dies two days after its day began, its archive wrap when the site's choice is over.
    """
    now = timezone.now()
    return max(2, (expiry_day(now, keep) - now.date()).days)


def doors() -> tuple[tuple[str, str], ...]:
    """Return the four doors; none is chosen before somebody chooses it."""
    return (
        ("help", _("I need help")),
        ("worried", _("I am worried about someone")),
        ("professional", _("I help people in my work")),
        ("report", _("I want to report something")),
    )


def for_work(site: SiteView, language: str) -> tuple[tuple[str, str], ...]:
    """Return what people read who come for their work: lines, each with where it leads, if anywhere."""
    lines = (site.for_work_fr if language == "fr" else site.for_work_en).splitlines() or (
        _("Do you help someone who may need us? We can think it through with you."),
        _("Ask us about signs, about services, and about safe next steps."),
        _("Please leave out names, and anything that shows who the person is."),
    )
    pairs = (line.partition(" | ") for line in lines if line.strip())
    return tuple((text, address) for text, _bar, address in pairs)


def words(site: SiteView) -> Words:
    """Return every text that the page's script shows."""
    return {
        "connecting": _("One moment."),
        "write_now": _("You can already write."),
        "cannot_connect": _("We cannot connect yet. We keep trying."),
        "proof": _("Very many people are coming at once."),
        "proof_more": _("Your device does a small task to let you in. It takes a few seconds.")
        + (" " + _("You can also call.") if site.phone else ""),
        "proof_failed": _("We could not let you in yet."),
        "proof_failed_more": _("Very many people are coming at once. Please try again in a minute.")
        + (" " + _("You can also call.") if site.phone else ""),
        "line_lost": _("The line dropped."),
        "line_lost_queue": _("We kept your place. We keep trying."),
        "line_lost_chat": _("We keep trying. You can go on writing."),
        "line_back": _("The line is back."),
        "out_of_date": _("This page is too old. Please load it again."),
        "waiting": _("We are getting someone for you."),
        "waiting_more": _("You can already write.") + " " + _("You can also get six words to come back with."),
        "nobody": _("You can already write."),
        "nobody_more": _("Nobody is on shift right now. We do not know how long it takes."),
        "wait_between": _("From now it may take {from} to {to} minutes. We cannot promise it."),
        "wait_under": _("From now it may take less than {to} minutes. We cannot promise it."),
        "wait_over": _("From now it may take more than {from} minutes. We cannot promise it."),
        "wait_unknown": _("We cannot say how long it takes."),
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
        "fact_came_back": _("This chat was opened again with the six words."),
        "fact_return_accepted": _("Your earlier messages can be shown again."),
        "fact_words_ended": _("Someone tried wrong words five times. Your six words do not work any more."),
        "fact_paused": _("This chat is paused for a while."),
        "fact_pause_over": _("The pause is over. You can write again."),
        "fact_ended_by_advocate": _("{name} has ended this chat."),
        "fact_ended_by_advocate_someone": _("The advocate ended the chat."),
        "fact_ended_by_visitor": _("You ended the chat."),
        "fact_erased": _("What was written here has been erased."),
        "fact_unreadable": _("A message that stood here cannot be shown. The problem is on our side."),
        "fact_gone": _("The line was away for too long. This chat was closed."),
        "fact_moved": _("This page can no longer show your chat."),
        "sending": _("Sending"),
        "sent": _("Sent"),
        "delivered": _("Delivered"),
        "seen": _("Seen"),
        "link": _("A link opens a new tab. Your browser’s history keeps it."),
        "unsent": _("Not sent yet"),
        "refused": _("Not sent"),
        "try_again": _("Try again"),
        "put_back": _("Put it back in the box"),
        "left_one": _("One character left"),
        "left_many": _("{n} characters left"),
        "over_one": _("One too many"),
        "over_many": _("{n} too many"),
        "error_empty": _("There is nothing to send yet."),
        "error_long": _("This message is too long. You can send it in parts."),
        "error_signs": _("Some signs in this text cannot be sent. Take them out and try again."),
        "error_closed": _("This chat is closed. The message was not sent."),
        "error_ours": _("This was not sent. The problem is on our side. Please try again."),
        "erasing": _("One moment."),
        "erase_asked": _("What is written in this chat is erased within a few minutes."),
        "erase_urgent": _("If someone is helping with something urgent, it is erased when they are done."),
        "erase_kept": _("It was not erased. We have to keep it for now. Nobody reads it without a reason."),
        "erase_failed": _("This did not reach us. The line may be down. Please try again."),
        "confirm_unsent": _("Your last message is not sent yet."),
        "turn_failed": _("The other language did not come. The line may be down. Please try again."),
        "uncovered": _("There is a new message."),
    } | {"most": str(MOST_CHARACTERS)}
