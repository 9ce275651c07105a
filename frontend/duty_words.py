"""Words for staff about duties to report and about telling somebody outside; the visitor's card is `duty_card`."""

import unicodedata
from collections.abc import Mapping

from django.utils.translation import gettext as _

from crisis.core.duty import Province
from crisis.core.external import Agency

Words = Mapping[str, str | Mapping[str, str]]


def duty_words() -> Words:
    """Return what the console says about the card and about telling somebody outside."""
    return {
        "duty_first": _("Before you ask for a name, an age or a place: send the card first."),
        "duty_asks": _("This may ask who or where they are. Send the card first."),
        "duty_open": _("What we may have to report: the card for {name}"),
        "duty_why": _(
            "It tells them what we may have to pass on, before they say who they are. "
            "They get it as a message from you."
        ),
        "duty_where": _("Province or territory, if you know it"),
        "duty_unknown": _("not known"),
        "duty_text": _("The visitor reads"),
        "duty_send": _("Send the card"),
        "duty_sent": _("The card was sent. You may ask."),
        "duty_again": _("Send the card once more"),
        "duty_done": _("The card is sent to {name}."),
        "outside_link": _("Tell police, an ambulance or child protection about {name}"),
        "new_tab": _("(opens in a new tab)"),
        **{f"province_{code}": word for code, word in province_names().items()},
    }


def without_accents(name: str) -> str:
    """Return a name as names are put in order: É beside E."""
    signs = unicodedata.normalize("NFKD", name.casefold())
    return "".join(sign for sign in signs if not unicodedata.combining(sign))


def province_names() -> Mapping[str, str]:
    """Return the provinces and territories in words."""
    return {
        Province.AB.value: _("Alberta"),
        Province.BC.value: _("British Columbia"),
        Province.MB.value: _("Manitoba"),
        Province.NB.value: _("New Brunswick"),
        Province.NL.value: _("Newfoundland and Labrador"),
        Province.NS.value: _("Nova Scotia"),
        Province.NT.value: _("Northwest Territories"),
        Province.NU.value: _("Nunavut"),
        Province.ON.value: _("Ontario"),
        Province.PE.value: _("Prince Edward Island"),
        Province.QC.value: _("Quebec"),
        Province.SK.value: _("Saskatchewan"),
        Province.YT.value: _("Yukon"),
    }


def agency_names() -> Mapping[str, str]:
    """Return in words who can be told."""
    return {
        Agency.POLICE.value: _("the police"),
        Agency.AMBULANCE.value: _("an ambulance"),
        Agency.CHILD_PROTECTION.value: _("child protection"),
        Agency.OTHER.value: _("somebody else outside"),
    }


def field_problems() -> Mapping[str, str]:
    """Return what is wrong with a field of a province's row."""
    age = _("An age from 10 to 25, or nothing.")
    number = _("A number that can be called, such as 1-833-555-0100, or nothing.")
    line = _("One line, without a space before or after it.")
    return {
        "must_under": age,
        "may_under": _("An age from 10 to 25 that is not below the other one, or nothing."),
        "agency_en": line,
        "agency_fr": line,
        "phone": number,
        "phone_always": number,
        "words_en": _("At most 400 signs in one line."),
        "words_fr": _("At most 400 signs in one line."),
        "checked_on": _("A day that is not in the future, or nothing."),
        "version": _(
            "Somebody else has changed this row. Theirs is the first one below. Keep yours only if it is right."
        ),
    }
