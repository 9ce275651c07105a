"""What the visitor's page says about coming back by words: fetched with the script that shows it, when it is asked for.

The first screen has no room for it, and most visitors never need it.
"""

from collections.abc import Mapping

from django.utils.translation import gettext as _


def return_words() -> Mapping[str, str]:
    """Return every text of that script."""
    return {
        "type_them": _("Type your six words, with a space between them.")
        + " "
        + _("After five wrong tries they do not work any more."),
        "come_back": _("Come back"),
        "looking": _("One moment. We are looking."),
        "not_found": _("We could not find that chat. You can start a new one."),
        "hidden": _("You are back. Earlier messages stay hidden until we know that it is you."),
        "six_words": _("Six words to come back"),
        "why": _("If the line drops or you leave, six words bring you back to this chat.")
        + " "
        + _("After “Leave this site” they work for 30 minutes at most. After “End this chat” they do not work."),
        "careful": _("Do not write them down if someone may find them. Whoever has them can write here as you."),
        "show_them": _("Show my six words"),
        "show_new": _("Show six new words"),
        "hide_them": _("Hide the words"),
        "learn": _("Say them to yourself a few times. Then hide them. New words replace old ones."),
        "code_word": _("A code word (you can skip this)"),
        "code_why": _("The advocate may ask for it when you come back. Choose something that only you know."),
        "code_keep": _("Keep this code word"),
        "code_kept": _("We keep it, locked. Only our team can see it."),
        "close": _("Back to the chat"),
        "error_line": _("The line may be down. Please try again in a moment."),
        "error_slow_down": _("Too many at once. Please wait a moment and try again."),
        "error_token_unknown": _("The chat is not open yet. Please wait a moment and try again."),
        "error_forbidden": _("You can do this when the advocate knows that it is you."),
        "error_paused": _("You can do this when the pause is over."),
        "error_text_too_long": _("This is too long. A word or a short question is enough."),
        "error_ours": _("This did not work. Please try again in a moment."),
    }
