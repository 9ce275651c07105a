"""What an advocate may say to somebody who abuses the line, in five steps: prepared in the visitor's language.

The steps are those of D. K. MacDonald, "Setting limits": name the behaviour, say what is all right, say what follows,
give a chance, follow through. The words are our own. Who insults and who seeks arousal are spoken to differently, and
in both the second step keeps the door open: anger, and telling of sexual violence, are no misuse.
"""

from collections.abc import Mapping

from django.utils import translation
from django.utils.translation import gettext as _

from chat.core.pausing import Why

STEPS = ("name", "fine", "follows", "chance", "through")
LANGUAGES = ("en", "fr")


def limit_lines() -> Mapping[str, str]:
    """Return each line by track, step and language, whatever the reader's own language is."""
    found: dict[str, str] = {}
    for language in LANGUAGES:
        with translation.override(language):
            for why, lines in _lines().items():
                found |= {f"limit_{why}_{step}_{language}": line for step, line in zip(STEPS, lines, strict=True)}
    return found


def _lines() -> Mapping[Why, tuple[str, ...]]:
    through = _("It went on, so I pause this chat now. You can write again when the pause is over.") + " "
    through += _("The numbers to call stay on your page.")
    return {
        Why.ABUSE: (
            _("I see insults in what you write to me."),
            _("You can be angry here. You can tell me what went wrong, in strong words too."),
            _("If the insults go on, I will pause this chat for a while."),
            _("I would like to go on with you. What do you need most right now?"),
            through,
        ),
        Why.SEXUAL: (
            _("Your last messages are about sex, and not about help that you need."),
            _("You can tell me about sexual violence, in any words. You can ask about your body and your safety."),
            _("If it goes on in this way, I will pause this chat for a while."),
            _("Let us come back to why you wrote. What would help you now?"),
            through,
        ),
    }
