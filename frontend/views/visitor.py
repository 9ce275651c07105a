"""The visitor's page: one address, every state inside it. Sets no cookie and reads none (`plain` has its own)."""

import re
import secrets
from datetime import timedelta

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import get_language_from_request
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods

from chat.selectors import SiteView, is_full, keep_for, site, staffed
from chat.selectors.outlook import outlook
from encryption.core.life import expiry_day
from frontend.visitor_words import words

LANGUAGES = {"en": "English", "fr": "Français"}
MOST_FORM_BYTES = 256


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
