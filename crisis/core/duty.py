"""When the law asks for a report about somebody young, province by province, as a site has checked it.

Nothing here is legal advice, and next to nothing is shipped: what was not found in a source that can be named is empty,
and pages say that the site has to fill it. Numbers are never shipped: a wrong one costs time.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Province(StrEnum):
    """Name a province or territory by its postal code."""

    AB = "AB"
    BC = "BC"
    MB = "MB"
    NB = "NB"
    NL = "NL"
    NS = "NS"
    NT = "NT"
    NU = "NU"
    ON = "ON"
    PE = "PE"
    QC = "QC"
    SK = "SK"
    YT = "YT"


LONGEST_NAME, LONGEST_NUMBER, LONGEST_WORDS = 120, 40, 400
YOUNGEST, OLDEST = 10, 25
_NUMBER = re.compile(r"\+?[0-9](?:[ ().-]{0,2}[0-9])+")


@dataclass(frozen=True, slots=True)
class Duty:
    """Tell what holds in a province; an empty field is one that nobody has filled.

    A report is owed about somebody younger than `must_under` and may be made about somebody younger than `may_under`.
    `words_en` and `words_fr` stand in a visitor's card in the place of our own sentence. `checked_on` is the day on
    which somebody of the site last compared it with the law.
    """

    must_under: int | None = None
    may_under: int | None = None
    agency_en: str = ""
    agency_fr: str = ""
    phone: str = ""
    phone_always: str = ""
    words_en: str = ""
    words_fr: str = ""
    checked_on: date | None = None

    def agency(self, language: str) -> str:
        """Return who is told, in a language."""
        return self.agency_fr if language == "fr" else self.agency_en

    def words(self, language: str) -> str:
        """Return the site's own sentence, in a language."""
        return self.words_fr if language == "fr" else self.words_en


SHIPPED: dict[Province, Duty] = {
    # CYFSA s. 125: about under-16s it must be reported, about 16 and 17 it may be
    Province.ON: Duty(
        must_under=16, may_under=18, agency_en="a children’s aid society", agency_fr="une société d’aide à l’enfance"
    ),
}
"""What is known without the site; everything else is empty."""


class BadDuty(Exception):
    """Report which field of a row cannot be kept, by its name."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class DutyChanged(Exception):
    """Report that somebody else kept another version of a row since it was shown."""


def checked(duty: Duty, today: date) -> Duty:
    """Return a row as it may be kept, or raise `BadDuty` with the first field that may not."""
    for name in ("must_under", "may_under"):
        age = getattr(duty, name)
        if age is not None and not YOUNGEST <= age <= OLDEST:
            raise BadDuty(name)
    if duty.must_under is not None and duty.may_under is not None and duty.may_under < duty.must_under:
        raise BadDuty("may_under")
    for name in ("agency_en", "agency_fr"):
        _check_line(name, getattr(duty, name), LONGEST_NAME)
    for name in ("phone", "phone_always"):
        number = getattr(duty, name)
        if number and not (len(number) <= LONGEST_NUMBER and _NUMBER.fullmatch(number)):
            raise BadDuty(name)
    for name in ("words_en", "words_fr"):
        _check_line(name, getattr(duty, name), LONGEST_WORDS)
    if duty.checked_on is not None and duty.checked_on > today:
        raise BadDuty("checked_on")
    return duty


def _check_line(name: str, text: str, longest: int) -> None:
    if text and not (len(text) <= longest and text.isprintable() and text.strip() == text):
        raise BadDuty(name)
