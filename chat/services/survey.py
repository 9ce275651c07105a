"""Ask a visitor how it was, and keep the answers apart from the chat.

The page shows its token once and gets a ticket; the answers come with the ticket alone. It holds nothing but a coarse
place (month, door, language) and a digest that only this token gives, and no row of ours holds the token. So answers
can be counted once and cannot be traced back to their conversation.
"""

import hashlib
from datetime import date, datetime

import msgspec
from django.core import signing
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from chat.core.survey import ASKED_FOR, Answers, Survey, month_of
from chat.models import Conversation, SurveyAnswer
from chat.selectors import site, token_digest

_SIGNED_AS = "havre.survey"


class _Ticket(msgspec.Struct, frozen=True):
    """Be what a ticket says."""

    once: str
    month: date
    door: str
    language: str
    until: float


def survey_ticket(*, token: str, now: datetime) -> str | None:
    """Return the ticket of a conversation that is over, the same one each time.

    None while it runs, once its hour is over, after a quick exit, for a visitor whom nobody ever answered, for an
    unknown token, and for a site that asks nothing.
    """
    if site().survey == Survey.OFF:
        return None
    row = Conversation.objects.filter(token_digest=token_digest(token)).first()
    if row is None or row.ended_at is None or row.accepted_at is None or row.ended_by == "left_quickly":
        return None
    until = row.ended_at + ASKED_FOR
    if now >= until:
        return None
    once = salted_hmac(_SIGNED_AS, token, algorithm="sha256").hexdigest()
    ticket = _Ticket(once, month_of(row.ended_at), row.door, row.language, until.timestamp())
    return signing.Signer(salt=_SIGNED_AS).sign_object(msgspec.to_builtins(ticket))


def answer_survey(*, ticket: str, answers: Answers, now: datetime) -> bool:
    """Keep somebody's answers and tell whether they are kept; a repeat changes nothing.

    They are not for a ticket that is not ours or too old, and for answers to what the site does not ask.
    """
    known = _opened(ticket)
    if known is None or now.timestamp() >= known.until or not answers.fit(Survey(site().survey)):
        return False
    try:
        with transaction.atomic():
            SurveyAnswer.objects.create(
                once=hashlib.sha256(known.once.encode()).digest(),
                month=known.month,
                door=known.door,
                language=known.language,
                helpful=answers.helpful or "",
                again=answers.again or "",
                before=answers.before,
                after=answers.after,
            )
    except IntegrityError:
        # the answer to the first try was lost on the way
        return True
    return True


def _opened(ticket: str) -> _Ticket | None:
    try:
        return msgspec.convert(signing.Signer(salt=_SIGNED_AS).unsign_object(ticket), type=_Ticket)
    except (signing.BadSignature, msgspec.ValidationError):
        return None
