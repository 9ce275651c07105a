"""What a visitor's page asks once a chat is over: the questions with a ticket, and then the answers with it.

The words come from here, so that a page whose site asks nothing carries none of them.
"""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from chat import services
from chat.core.survey import Again, Answers, Helpful, Survey
from chat.db import in_visitor_db
from chat.selectors import site
from frontend.views.bye import body_of, from_our_own_page, no_store, token_of

LANGUAGES = ("en", "fr")
MOST_SIGNS = 1_000
"""Of a ticket; ours are much shorter."""


# exempt: a visitor's page has no cookie and so no CSRF token; the conversation's own token in the body is the authority
@csrf_exempt
@require_POST
async def questions(request: HttpRequest) -> HttpResponse:
    """Give what is asked, in words, and the ticket of a chat that is over; 204 where nothing is asked."""
    if not from_our_own_page(request):
        return no_store(HttpResponse(status=HTTPStatus.FORBIDDEN))
    asks = Survey((await in_visitor_db(site)).survey)
    if asks is Survey.OFF:
        return no_store(HttpResponse(status=HTTPStatus.NO_CONTENT))
    body = body_of(request) or {}
    token = token_of(body)
    ticket = None if token is None else await in_visitor_db(services.survey_ticket, token=token, now=timezone.now())
    with translation.override("fr" if body.get("language") == "fr" else "en"):
        told = {"distress": asks is Survey.DISTRESS, "ticket": ticket, "words": words()}
    return no_store(JsonResponse(told))


# exempt: as above; here the ticket is the authority
@csrf_exempt
@require_POST
async def survey(request: HttpRequest) -> HttpResponse:
    """Keep the answers of a ticket: 204 when they are kept, 409 when they are not."""
    if not from_our_own_page(request):
        return no_store(HttpResponse(status=HTTPStatus.FORBIDDEN))
    body = body_of(request) or {}
    ticket, answers = body.get("ticket"), _answers(body)
    kept = False
    if answers is not None and isinstance(ticket, str) and len(ticket) <= MOST_SIGNS:
        kept = await in_visitor_db(services.answer_survey, ticket=ticket, answers=answers, now=timezone.now())
    return no_store(HttpResponse(status=HTTPStatus.NO_CONTENT if kept else HTTPStatus.CONFLICT))


def _answers(body: dict[str, Any]) -> Answers | None:
    """Return the answers in a body; None when one of them is none that we offer."""
    helpful, again, levels = body.get("helpful"), body.get("again"), [body.get("before"), body.get("after")]
    if any(level is not None and type(level) is not int for level in levels):
        return None
    try:
        return Answers(
            None if helpful is None else Helpful(helpful),
            None if again is None else Again(again),
            *levels,
        )
    except ValueError:
        return None


def words() -> dict[str, str]:
    """Return every text of the questions."""
    return {
        "title": _("A few short questions, if you like"),
        "why": _("Your answers help us do better. What you wrote is gone from this page."),
        "who": _("Our team sees all answers added up, not from which chat they come."),
        "kept": _("We keep them with the month, your language and what brought you here. Nobody can write back."),
        "helpful": _("Was this helpful?"),
        "again": _("Would you come back?"),
        "yes": _("Yes"),
        "a_little": _("A little"),
        "maybe": _("Maybe"),
        "no": _("No"),
        "now": _("How do you feel now?"),
        "start": _("How do you feel right now?"),
        "start_why": _("You can skip this. We ask again at the end. Until then it stays on this page."),
        "choose": _("No answer"),
        "level_0": _("0: calm"),
        "level_2": _("2: a little upset"),
        "level_4": _("4: upset"),
        "level_6": _("6: very upset"),
        "level_8": _("8: hard to bear"),
        "level_10": _("10: the worst it can be"),
        "keep": _("Go on"),
        "skip": _("Skip"),
        "send": _("Send my answers"),
        "no_thanks": _("No, thank you"),
        "nothing": _("Nothing is chosen yet."),
        "sending": _("One moment."),
        "thanks": _("Thank you. Your answers have reached us."),
        "failed": _("This did not reach us. You can try again, or leave it."),
        "late": _("It is too late to answer. Thank you all the same."),
    }
