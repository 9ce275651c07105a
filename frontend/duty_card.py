"""The card that tells a visitor what we may have to pass on.

It is sent before anybody asks who, how old or where somebody is, so that they choose what they tell.
"""

from django.utils import translation
from django.utils.translation import gettext as _

from crisis.core.duty import Duty
from crisis.selectors.duty import duties


def card(duty: Duty | None, language: str) -> str:
    """Return the card in the visitor's language; without a province, or an empty one, it says what holds anywhere."""
    with translation.override(language):
        return "\n".join(
            (
                _("Before I ask who you are or where you are, you should know two things."),
                _of_the_law(duty or Duty(), language),
                _("If a life is in danger now, we may call for help."),
                _("You choose what you tell me. You can ask me about this first."),
            )
        )


def _of_the_law(duty: Duty, language: str) -> str:
    if duty.words(language):
        return duty.words(language)
    if duty.must_under is None:
        return _("If a child is in danger, the law may make us report it.")
    sentence = _("If someone under %(age)s is in danger, the law may make us report it.") % {"age": duty.must_under}
    agency = duty.agency(language)
    if not agency:
        return sentence
    told = _("We would tell %(agency)s.") % {"agency": agency}
    return f"{sentence} {told}"


def cards(language: str) -> dict[str, str]:
    """Return the card of each province in a language, and under no name the one without."""
    shown = {province.value: card(duty, language) for province, duty in duties().items()}
    return {"": card(None, language), **shown}
